"use strict";
(() => {
  const byId = (name) => document.getElementById(name);
  const GREEN = ["identical", "rounding", "band", "ignored", "noted"];
  const MOST_OPENED = 300;
  const query = byId("query"), facet = byId("facet"), drifted = byId("drifted"), found = byId("found");
  const subjects = [...document.querySelectorAll("tbody[data-subject]")].map((body) => ({
    body,
    name: body.dataset.subject.toLowerCase(),
    facets: body.dataset.facets.split(" "),
    drifts: Number(body.dataset.drifts),
    details: body.querySelector("details"),
    rows: [...body.querySelectorAll("tr[data-facet]")].map((row) => ({
      row,
      text: row.cells[0].textContent.toLowerCase(),
      facet: row.dataset.facet,
      isDrift: !GREEN.includes(row.dataset.rung),
    })),
  }));

  function matches(row, subject, words) {
    return (!facet.value || row.facet === facet.value)
      && (!drifted.checked || row.isDrift)
      && words.every((word) => row.text.includes(word) || subject.name.includes(word));
  }

  function matchesWhole(subject, words) {
    return (!facet.value || subject.facets.includes(facet.value))
      && (!drifted.checked || subject.drifts > 0)
      && words.every((word) => subject.name.includes(word));
  }

  function apply() {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    const isFiltered = words.length > 0 || facet.value !== "" || drifted.checked;
    let facts = 0;
    const visible = [];
    for (const subject of subjects) {
      let count = 0;
      for (const each of subject.rows) {
        const isMatch = matches(each, subject, words);
        each.row.hidden = !isMatch;
        count += isMatch;
      }
      const isShown = subject.rows.length ? count > 0 : matchesWhole(subject, words);
      subject.body.hidden = !isShown;
      facts += count;
      if (isShown) visible.push(subject);
    }
    for (const subject of subjects) {
      if (subject.details) {
        subject.details.open = isFiltered && facts <= MOST_OPENED && visible.includes(subject);
      }
    }
    found.textContent = isFiltered ? `${visible.length} of ${subjects.length} subjects, ${facts} facts` : "";
  }

  function reset() {
    query.value = "";
    facet.value = "";
    drifted.checked = false;
    apply();
  }

  function reveal() {
    const target = location.hash && byId(location.hash.slice(1));
    if (!target) return;
    for (let each = target; each; each = each.parentElement) {
      if (each.tagName === "DETAILS") each.open = true;
    }
    target.scrollIntoView();
    target.focus({ preventScroll: true });
  }

  for (const control of [query, facet, drifted]) control.addEventListener("input", apply);
  addEventListener("hashchange", reveal);
  addEventListener("keydown", (event) => {
    const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      query.focus();
    } else if (event.key === "Escape" && isTyping) {
      reset();
    }
  });

  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not(.facts):not([open])")];
    for (const each of folded) each.open = true;
  });
  addEventListener("afterprint", () => {
    for (const each of folded) each.open = false;
  });

  byId("controls").hidden = false;
  // A browser that comes back to the page may have kept what was typed.
  apply();
  reveal();
})();
