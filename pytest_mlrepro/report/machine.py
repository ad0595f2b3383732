"""The JSON report: schema 1."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from pytest_mlrepro.balance import Sum
from pytest_mlrepro.explain import agreement, explain
from pytest_mlrepro.gate import Judgement, Terms
from pytest_mlrepro.guard import Sightings, Site
from pytest_mlrepro.model import SESSION, Agreement, Drift, Explanation, Fact, Run
from pytest_mlrepro.report.hints import hints
from pytest_mlrepro.report.inventory import inventory, measure
from pytest_mlrepro.report.plain import plain
from pytest_mlrepro.visible import json_lines

SCHEMA = 1
_NO_CONTEXT: Mapping[str, Any] = MappingProxyType({})


def document(
    total: Sum,
    terms: Terms,
    *,
    exitstatus: int,
    sightings: Sightings | None = None,
    rests_on: Callable[[str], Iterable[str]] = lambda _: (),
    lockfile: str = "",
    written: bool | None = None,
    accept: str = "",
    headline: str = "",
    context: Mapping[str, Any] = _NO_CONTEXT,
) -> dict[str, Any]:
    """The report as plain types. Not a number and infinities are the strings ``nan``, ``inf`` and ``-inf``.

    Args:
        total: the run.
        terms: that it was judged by.
        exitstatus: of pytest.
        sightings: what the guard has seen.
        rests_on: the subjects of the fixtures that a subject uses.
        lockfile: how to call the lockfile.
        written: whether an update changed the lockfile; None where it accepted nothing or there was none.
        accept: the command that accepts what this run found.
        headline: what is said first of a run that is red on nothing but its environment.
        context: what is known of the run and moves no number.
    """
    seen = sightings or Sightings()
    found = total.comparison
    red = any(judgement.red for judgement in total.judgements) or bool(total.conflicts)
    verdict = "drifted" if red else "updated" if terms.update else "reproduced"
    return {
        "schema": SCHEMA,
        "verdict": verdict,
        "exitstatus": int(exitstatus),
        "environment": _environment(total.run, terms, context),
        "mode": "update" if terms.update else "check",
        "only": sorted(terms.only),
        "lockfile": plain(lockfile),
        "written": written,
        "accept": plain(accept),
        "headline": plain(headline),
        "counts": {
            "subjects": len(total.run.subjects),
            "facts": sum(1 for _ in total.run),
            "drifts": len(found.drifts),
            "identical": found.identical,
            "rounding": found.rounding,
            "band": found.band,
        },
        "drifts": list(drifts(total, terms, lambda subject: seen.of(subject, *rests_on(subject)))),
        "subjects": list(inventory(total, terms)),
        "conflicts": [_conflict(each) for each in total.conflicts],
        "new": [plain(each.subject) for each in total.judgements if _is_new(each, terms)],
        "stale": [plain(name) for name in total.stale],
        "refused": [plain(name) for name in total.refused],
        "agreements": [_agreement(each, terms) for each in found.near],
        "unpinned": [{**site.plain(), "subjects": sorted(seen.subjects(site))} for site in seen.sites()],
        "hints": list(_hints(total, terms)),
    }


def drifts(
    total: Sum, terms: Terms, sites: Callable[[str], Iterable[Site]] = lambda _: ()
) -> Iterator[dict[str, Any]]:
    """The drifts of a report, in the order of ``total.drifts()``.

    Args:
        total: the run.
        terms: that it was judged by.
        sites: where the guard saw a subject draw.
    """
    # What an update has written is asked of the update itself: it may leave a part of what it could accept.
    after = total.accept(terms.baseline or Run()) if total.accept is not None else None
    for judgement in total.judgements:
        known = {each.drift: each for each in (*judgement.failed, *judgement.warned)}
        failed = {each.drift for each in judgement.failed}
        for drift in judgement.comparison.drifts:
            explanation = known.get(drift) or explain((drift,), tolerance=terms.tolerance)[0]
            if judgement.lacking:
                outcome = "new"
            elif drift in known:
                outcome = "failed" if drift in failed else "warned"
            elif after is not None and after.facts(drift.subject).get(drift.address) == drift.current:
                outcome = "accepted"
            else:
                outcome = "noted" if drift.policy == "note" else "left"
            told = _drift(explanation, sites(drift.subject))
            yield {**told, "outcome": outcome, **measure(drift.baseline, drift.current, terms.tolerance)}


def _is_new(judgement: Judgement, terms: Terms) -> bool:
    """Whether a subject recorded facts, and nobody had accepted any of it before."""
    known = terms.baseline is not None and judgement.subject in terms.baseline
    return bool(judgement.comparison.drifts) and not known


def _hints(total: Sum, terms: Terms) -> Iterator[str]:
    failed = [each for judgement in total.judgements for each in judgement.failed]
    return hints([*failed, *total.conflicts], total.run.facts(SESSION), terms.tolerance)


def _environment(run: Run, terms: Terms, context: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": terms.environment,
        "recorded": not terms.is_stranger,
        "context": dict(context),
        "notes": list(_notes(run)),
    }


def _notes(run: Run) -> Iterator[dict[str, Any]]:
    """What of the environment is not known, or not quite, and why."""
    for fact in run.facts(SESSION).values():
        if note := fact.detail.get("note"):
            yield {"facet": fact.facet, "key": fact.key, "value": plain(fact.value), "note": plain(note)}


def _drift(explanation: Explanation, sites: Iterable[Site]) -> dict[str, Any]:
    drift: Drift = explanation.drift
    guard = [f"guard: {site.address}" for site in sites if not site.pinned and drift.facet == "results"]
    return {
        **change(explanation),
        "suspects": list(dict.fromkeys(guard)) + [suspect.drift.address for suspect in explanation.suspects],
        "suspected": [
            {
                "subject": plain(suspect.drift.subject),
                "facet": suspect.drift.facet,
                "key": plain(suspect.drift.key),
                "explanation": plain(suspect.sentence),
            }
            for suspect in explanation.suspects
        ],
    }


def change(explanation: Explanation) -> dict[str, Any]:
    """A drift, without its suspects."""
    drift = explanation.drift
    return {
        "subject": plain(drift.subject),
        "facet": drift.facet,
        "key": plain(drift.key),
        "kind": drift.kind,
        "policy": drift.policy,
        "baseline": _plain(drift.baseline),
        "current": _plain(drift.current),
        "explanation": plain(explanation.sentence),
    }


def _conflict(explanation: Explanation) -> dict[str, Any]:
    """A fact with two values in this one run."""
    told = change(explanation)
    values = {"one": told["baseline"], "another": told["current"]}
    return {
        **{name: told[name] for name in ("subject", "facet", "key")},
        **values,
        "explanation": told["explanation"],
    }


def _agreement(found: Agreement, terms: Terms) -> dict[str, Any]:
    """A fact on one of the green rungs below identical."""
    return {
        "subject": plain(found.subject),
        "facet": found.current.facet,
        "key": plain(found.current.key),
        "rung": found.rung,
        "baseline": _plain(found.baseline),
        "current": _plain(found.current),
        "explanation": plain(agreement(found, terms.tolerance)),
    }


def _plain(fact: Fact | None) -> Any:
    return None if fact is None else plain(fact.value)


def facts(run: Run) -> dict[str, dict[str, dict[str, Any]]]:
    """The values of a run by subject, facet and key."""
    tree: dict[str, dict[str, dict[str, Any]]] = {}
    for subject, fact in run:
        tree.setdefault(subject, {}).setdefault(fact.facet, {})[fact.key] = plain(fact.value)
    return tree


def written(content: dict[str, Any]) -> str:
    """The report as the text of a JSON file."""
    return json_lines(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)) + "\n"
