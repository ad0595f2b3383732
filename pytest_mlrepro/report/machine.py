"""The JSON report: schema 1."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_mlrepro.balance import Sum
from pytest_mlrepro.errors import ConfigError
from pytest_mlrepro.explain import agreement, explain
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.guard import Sightings, Site
from pytest_mlrepro.model import SESSION, Agreement, Drift, Explanation, Fact, Run, Value

SCHEMA = 1


def document(
    total: Sum,
    terms: Terms,
    *,
    exitstatus: int,
    sightings: Sightings | None = None,
    rests_on: Callable[[str], Iterable[str]] = lambda _: (),
    context: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The report as plain types. Not a number and infinities are the strings ``nan``, ``inf`` and ``-inf``.

    Args:
        total: the run.
        terms: that it was judged by.
        exitstatus: of pytest.
        sightings: what the guard has seen.
        rests_on: the subjects of the fixtures that a subject uses.
        context: what is known of the run and moves no number; None where there is no environment to tell of.
    """
    seen = sightings or Sightings()
    explanations = list(_explanations(total, terms))
    found = total.comparison
    red = any(judgement.red for judgement in total.judgements) or bool(total.conflicts)
    verdict = "drifted" if red else "updated" if terms.update else "reproduced"
    return {
        "schema": SCHEMA,
        "verdict": verdict,
        "exitstatus": int(exitstatus),
        "counts": {
            "subjects": len(total.run.subjects),
            "facts": sum(1 for _ in total.run),
            "drifts": len(found.drifts),
            "identical": found.identical,
            "rounding": found.rounding,
            "band": found.band,
        },
        "drifts": [
            _drift(each, seen.of(each.drift.subject, *rests_on(each.drift.subject))) for each in explanations
        ],
        "agreements": [_agreement(each, terms) for each in found.near],
        **({} if context is None else {"environment": _environment(total.run, context)}),
        "unpinned": [{**site.plain(), "subjects": sorted(seen.subjects(site))} for site in seen.sites()],
    }


def _environment(run: Run, context: Mapping[str, Any]) -> dict[str, Any]:
    return {"context": dict(context), "notes": list(_notes(run))}


def _notes(run: Run) -> Iterator[dict[str, Any]]:
    """What of the environment is not known, or not quite, and why."""
    for fact in run.facts(SESSION).values():
        if note := fact.detail.get("note"):
            yield {"facet": fact.facet, "key": fact.key, "value": plain(fact.value), "note": plain(note)}


def _explanations(total: Sum, terms: Terms) -> Iterable[Explanation]:
    known = {
        each.drift: each for judgement in total.judgements for each in (*judgement.failed, *judgement.warned)
    }
    for drift in total.drifts():
        yield known.get(drift) or explain((drift,), tolerance=terms.tolerance)[0]


def _drift(explanation: Explanation, sites: Iterable[Site]) -> dict[str, Any]:
    drift: Drift = explanation.drift
    guard = [f"guard: {site.address}" for site in sites if not site.pinned and drift.facet == "results"]
    return {
        "subject": drift.subject,
        "facet": drift.facet,
        "key": drift.key,
        "kind": drift.kind,
        "policy": drift.policy,
        "baseline": _plain(drift.baseline),
        "current": _plain(drift.current),
        "explanation": plain(explanation.sentence),
        "suspects": list(dict.fromkeys(guard)) + [suspect.drift.address for suspect in explanation.suspects],
    }


def _agreement(found: Agreement, terms: Terms) -> dict[str, Any]:
    """A fact on one of the green rungs below identical."""
    return {
        "subject": found.subject,
        "facet": found.current.facet,
        "key": found.current.key,
        "rung": found.rung,
        "baseline": _plain(found.baseline),
        "current": _plain(found.current),
        "explanation": plain(agreement(found, terms.tolerance)),
    }


def _plain(fact: Fact | None) -> Any:
    return None if fact is None else plain(fact.value)


def plain(value: Value) -> Any:
    """A value in JSON's types."""
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, complex):
        return {"real": plain(value.real), "imag": plain(value.imag)}
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, str):
        # A lone surrogate has no place in a file of UTF-8.
        return value.encode("utf-8", "backslashreplace").decode()
    return value


def facts(run: Run) -> dict[str, dict[str, dict[str, Any]]]:
    """The values of a run by subject, facet and key."""
    tree: dict[str, dict[str, dict[str, Any]]] = {}
    for subject, fact in run:
        tree.setdefault(subject, {}).setdefault(fact.facet, {})[fact.key] = plain(fact.value)
    return tree


def write(path: Path, content: dict[str, Any]) -> None:
    """Write the report.

    Raises:
        ConfigError: if the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
        )
    except OSError as error:
        raise ConfigError(
            f"the report cannot be written: {error.strerror}",
            where=str(path),
            remedy="name a file in a writable folder",
        ) from None
