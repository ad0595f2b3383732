"""The Markdown report: the comment under a pull request. Everything in it is read off the JSON report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from pytest_mlrepro.guard import Site
from pytest_mlrepro.model import SESSION
from pytest_mlrepro.report.cells import (
    COLUMNS,
    SITES,
    drift_row,
    named,
    pair_row,
    site_rows,
    told_sites,
)
from pytest_mlrepro.report.gfm import code, fenced, prose, table
from pytest_mlrepro.report.parts import Part, fitted
from pytest_mlrepro.report.text import plural

LIMIT = 60_000
"""Bytes. A comment on GitHub holds 65,536 characters; the rest is left to who puts something around the report."""

_MOST_DRIFTS = 50
_MOST = 20
_NOTHING: Mapping[str, str] = MappingProxyType({})
_DRIFTS = table(COLUMNS)
_CONFLICTS = table(("subject", "fact", "one value", "another", "difference", "why"))
_RUNGS = {"rounding": "rounding", "band": "the band"}
_AGREEMENTS = table(("subject", "fact", "within", "before", "now", "change", "how near"))

_LOOK = (
    "Where no suspect is named, nothing that is recorded has changed: look for unpinned randomness, threads, "
    "the clock or the order of tests."
)
_CONFLICT = (
    "**Not the same within this run.** These facts were recorded more than once, by several processes or by a fixture "
    "that was set up again, with different values. Look for unpinned randomness, the clock, or the order of tests."
)
_ENDINGS = {
    1: "pytest itself failed (exit status 1): what a failed test recorded is not compared.",
    2: "pytest was interrupted (exit status 2): this is not the whole suite.",
    5: "No test ran (exit status 5).",
}


def written(document: Mapping[str, Any]) -> str:
    """The report as the text of a Markdown file.

    Args:
        document: as ``machine.document`` makes it.
    """
    sites = [
        (Site.of({name: value for name, value in raw.items() if name != "subjects"}), len(raw["subjects"]))
        for raw in document["unpinned"]
    ]
    told = told_sites(site for site, _ in sites)
    parts = [
        Part(_verdict(document)),
        Part(prose(document["headline"], 1000, in_table=False)),
        Part(_ending(document)),
        Part(_stranger(document)),
        _conflicts(document),
        _failed(document, told),
        *_subjects(document),
        _accepted(document, told),
        Part(_next(document)),
        *_details(document, sites),
    ]
    return fitted(parts, LIMIT)


def _verdict(document: Mapping[str, Any]) -> str:
    lockfile = code(document["lockfile"], in_table=False)
    said = {
        "drifted": "**not reproduced**",
        "reproduced": "**reproduced, as far as it ran**" if document["exitstatus"] else "**reproduced**",
        "updated": {
            True: f"**updated** {lockfile}",
            False: f"{lockfile} is **up to date**",
            None: f"**nothing accepted**, {lockfile} is as it was",
        }[document["written"]],
    }[document["verdict"]]
    only = f" ({prose(', '.join(document['only']), in_table=False)} only)" if document["only"] else ""
    counts = document["counts"]
    seen = f"{plural(counts['facts'], 'fact')} of {plural(counts['subjects'], 'subject')}"
    return f"mlrepro {said}{only}: {seen}, {', '.join(_counts(document)) or 'nothing compared'}"


def _counts(document: Mapping[str, Any]) -> Iterator[str]:
    """The ladder, from the top down, and what became of the drifts; what there is none of is left out."""
    counts = document["counts"]
    outcomes = Counter(each["outcome"] for each in document["drifts"])
    ladder = (
        (counts["identical"], "identical"),
        (counts["rounding"], "within rounding"),
        (counts["band"], "within the band"),
        (outcomes["failed"], "drifted"),
        (outcomes["accepted"], "accepted"),
        (outcomes["left"], "left as before"),
    )
    yield from (f"{count} {name}" for count, name in ladder if count)
    if document["conflicts"]:
        yield f"{len(document['conflicts'])} not the same within the run"
    if lacking := _lacking(document):
        yield f"{plural(len(lacking), 'subject')} without a baseline"
    if outcomes["warned"]:
        yield plural(outcomes["warned"], "warning")
    if outcomes["noted"]:
        yield plural(outcomes["noted"], "note")


def _ending(document: Mapping[str, Any]) -> str:
    """What pytest's exit status says beyond the verdict."""
    status = document["exitstatus"]
    if status == 0 or (status == 1 and document["verdict"] == "drifted"):
        return ""
    return _ENDINGS.get(status, f"pytest ended with exit status {status}.")


def _stranger(document: Mapping[str, Any]) -> str:
    """That the lockfile does not know the environment."""
    found = document["environment"]
    if found["recorded"] or document["mode"] == "update":
        return ""
    name = code(found["name"], in_table=False)
    compared = "results were compared with the shared values, libraries fail nothing"
    return f"The environment {name} is not recorded yet: {compared}."


def _conflicts(document: Mapping[str, Any]) -> Part:
    found = document["conflicts"]
    rows = tuple(pair_row(each, "one", "another") for each in found[:_MOST])
    return Part(_CONFLICT if rows else "", _CONFLICTS, rows, more=len(found) - len(rows), noun="fact")


def _failed(document: Mapping[str, Any], sites: Mapping[str, str]) -> Part:
    drifts = _with(document, "failed")
    alone = any(
        each["facet"] == "results" and each["kind"] == "changed" and not each["suspects"] for each in drifts
    )
    told = [_LOOK] if alone else []
    told += [f"- {prose(hint, 1000, in_table=False)}" for hint in document["hints"]]
    rows = tuple(drift_row(each, sites) for each in drifts[:_MOST_DRIFTS])
    return Part("", _DRIFTS, rows, "\n\n".join(told), len(drifts) - len(rows), "drift")


def _with(document: Mapping[str, Any], outcome: str) -> list[Mapping[str, Any]]:
    """The drifts that this became of, results first, the environment last."""
    found = [each for each in document["drifts"] if each["outcome"] == outcome]
    return sorted(found, key=lambda each: (each["facet"] != "results", each["subject"] == SESSION))


def _subjects(document: Mapping[str, Any]) -> Iterator[Part]:
    """What is said of whole subjects."""
    checked = document["mode"] == "check"
    yield _list(
        "**No baseline yet**: these recorded facts, but there is nothing to compare them with.",
        _lacking(document),
    )
    yield _list(
        "**Not accepted**: these did not pass; their baselines are as they were.", document["refused"]
    )
    created = _created(document)
    yield _list("**New**", list(created), created)
    yield _list(
        "**Stale**: no longer in the suite."
        if checked or document["only"]
        else "**Dropped**: no longer in the suite.",
        document["stale"],
    )


def _list(title: str, subjects: Sequence[str], told: Mapping[str, str] = _NOTHING) -> Part:
    rows = [f"- {named(name, in_table=False)}{told.get(name, '')}" for name in subjects[:_MOST]]
    more = len(subjects) - len(rows)
    return Part(title, (), tuple(rows), more=more, noun="subject") if rows else Part()


def _created(document: Mapping[str, Any]) -> dict[str, str]:
    """What an update accepted of subjects that had no baseline."""
    facets: dict[str, Counter[str]] = {name: Counter() for name in document["new"]}
    for each in document["drifts"]:
        if each["outcome"] == "accepted" and each["subject"] in facets:
            facets[each["subject"]][each["facet"]] += 1
    return {name: _kinds(counts) for name, counts in facets.items() if counts}


def _kinds(counts: Counter[str]) -> str:
    kinds = prose(", ".join(f"{count} {facet}" for facet, count in counts.items()), in_table=False)
    return f": {plural(counts.total(), 'fact')} ({kinds})"


def _lacking(document: Mapping[str, Any]) -> list[str]:
    """The subjects that could not be judged: nobody has accepted them."""
    return list(dict.fromkeys(each["subject"] for each in document["drifts"] if each["outcome"] == "new"))


def _accepted(document: Mapping[str, Any], sites: Mapping[str, str]) -> Part:
    new = set(document["new"])
    drifts = [each for each in _with(document, "accepted") if each["subject"] not in new]
    rows = tuple(drift_row(each, sites) for each in drifts[:_MOST_DRIFTS])
    title = "**Accepted**" if rows else ""
    return Part(title, _DRIFTS, rows, more=len(drifts) - len(rows), noun="fact")


def _next(document: Mapping[str, Any]) -> str:
    """The command that accepts, and what to do with the lockfile."""
    lockfile = code(document["lockfile"], in_table=False)
    review = f"Review and commit {lockfile}." if document["written"] else ""
    checked = document["mode"] == "check"
    purposes = [
        purpose
        for purpose, needed in (
            ("accepts what you meant to change", checked and _with(document, "failed")),
            ("creates the baselines that are not there", _lacking(document)),
            ("drops what is stale", checked and document["stale"]),
        )
        if needed
    ]
    if not purposes or not document["accept"]:
        return review
    said = " and ".join(purposes if len(purposes) < 3 else (f"{purposes[0]}, {purposes[1]},", purposes[2]))
    told = f"This {said}; then review and commit {lockfile}:\n\n{fenced(document['accept'])}"
    return f"{review}\n\n{told}" if review else told


def _details(document: Mapping[str, Any], sites: Sequence[tuple[Site, int]]) -> Iterator[Part]:
    """What is folded away."""
    for outcome, noun, said in (
        ("warned", "warning", ""),
        ("left", "drift", " left as before"),
        ("noted", "note", ": changed, and nothing fails for it"),
    ):
        drifts = _with(document, outcome)
        rows = [drift_row(each, {}) for each in drifts[:_MOST]]
        yield _folded(f"{plural(len(drifts), noun)}{said}", _DRIFTS, rows, len(drifts), noun)
    pinned = sum(site.pinned for site, _ in sites)
    said = f", {pinned} pinned by the guard" if pinned else ""
    title = f"{plural(len(sites), 'site')} of unpinned randomness{said}"
    yield _folded(title, SITES, list(site_rows(sites[:_MOST])), len(sites), "site")
    near = document["agreements"]
    rows = [
        pair_row(each, "baseline", "current", _RUNGS.get(each["rung"], each["rung"])) for each in near[:_MOST]
    ]
    title = f"{plural(len(near), 'fact')} within rounding or the band"
    yield _folded(title, _AGREEMENTS, rows, len(near), "fact")


def _folded(title: str, head: tuple[str, ...], rows: Sequence[str], count: int, noun: str) -> Part:
    if not rows:
        return Part()
    opening = f"<details>\n<summary>{title}</summary>"
    return Part(opening, head, tuple(rows), "</details>", count - len(rows), noun)
