"""All the facts of a run as plain types: where each stands on the ladder, and what it is measured by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_mlrepro.balance import Sum
from pytest_mlrepro.bands import Band
from pytest_mlrepro.facets import same_value
from pytest_mlrepro.facets.results import allowed, scale_of
from pytest_mlrepro.gate import Judgement, Terms
from pytest_mlrepro.model import Fact, Facts, Tolerance
from pytest_mlrepro.report.plain import plain

_OUTPUT = "results"
_CLASSES = "classes"


def inventory(total: Sum, terms: Terms) -> Iterator[dict[str, Any]]:
    """Every subject that was judged, with the facts that it has now.

    Args:
        total: the run.
        terms: that it was judged by.
    """
    for judgement in total.judgements:
        before = terms.baseline.facts(judgement.subject) if terms.baseline is not None else {}
        current = total.run.facts(judgement.subject)
        rungs = _rungs(judgement, before, current)
        yield {
            "subject": plain(judgement.subject),
            "facts": [
                {
                    "facet": fact.facet,
                    "key": plain(fact.key),
                    "rung": rungs[address],
                    "value": plain(fact.value),
                    **(measure(before.get(address), fact, terms.tolerance) if fact.facet == _OUTPUT else {}),
                }
                for address, fact in sorted(current.items())
            ],
        }


def measure(baseline: Fact | None, current: Fact | None, default: Tolerance) -> dict[str, Any]:
    """What a fact is measured by: its tolerance, calibrated band and better direction; the classes of a matrix.

    Args:
        baseline, current: one of them may be None, where there is none.
        default: the project's tolerance.
    """
    fact = current or baseline
    assert fact is not None
    return {
        "tolerance": _tolerance(baseline or fact, fact, default) if fact.facet == _OUTPUT else None,
        "better": fact.better,
        "band": _band(baseline.band) if baseline is not None and baseline.band else None,
        "classes": _classes(baseline, current),
    }


def _band(band: Band) -> dict[str, Any]:
    return {name: getattr(band, name) for name in ("low", "high", "mean", "sd", "seeds")}


def _tolerance(baseline: Fact, current: Fact, default: Tolerance) -> dict[str, Any] | None:
    found = allowed(baseline, current, default)
    if found is None:
        return None
    return {"rtol": found.rtol, "atol": found.atol, "width": plain(found.width(scale_of(baseline)))}


def _classes(baseline: Fact | None, current: Fact | None) -> dict[str, Any] | None:
    sides = {"baseline": baseline, "current": current}
    told = {side: fact.detail.get(_CLASSES) if fact is not None else None for side, fact in sides.items()}
    return {side: plain(classes) for side, classes in told.items()} if any(told.values()) else None


def _rungs(judgement: Judgement, before: Facts, current: Facts) -> Mapping[str, str]:
    """The rung of every present fact by address; ``ignored`` where it differs and the project wants not to know."""
    found = {drift.address: "drift" for drift in judgement.comparison.drifts}
    found |= {near.current.address: near.rung for near in judgement.comparison.near}
    for address, fact in current.items():
        if address not in found:
            known = before.get(address)
            same = known is not None and known.dtype == fact.dtype and same_value(known.value, fact.value)
            found[address] = "identical" if same else "ignored"
    return found
