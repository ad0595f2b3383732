"""Compare two runs: a pure function that yields drifts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from pytest_mlrepro.facets import Facet, facet
from pytest_mlrepro.model import (
    DEFAULT_TOLERANCE,
    FACET_NAMES,
    Agreement,
    Comparison,
    Drift,
    Fact,
    Facts,
    Run,
    Rung,
    Tolerance,
)

_SCALARS = (float, int, str)
_PLACES: Mapping[str, int] = MappingProxyType({name: place for place, name in enumerate(FACET_NAMES)})


def compare(baseline: Run, current: Run, *, tolerance: Tolerance = DEFAULT_TOLERANCE) -> Comparison:
    """Every difference between two runs, and how many facts agree on which rung of the ladder.

    Args:
        baseline: the accepted run.
        current: the run to be judged.
        tolerance: for floats that bring none of their own.

    Returns:
        The comparison; its drifts are ordered by subject, facet and key.
    """
    subjects = sorted({*baseline.subjects, *current.subjects})
    return merged(
        compare_facts(subject, baseline.facts(subject), current.facts(subject), tolerance=tolerance)
        for subject in subjects
    )


def compare_facts(
    subject: str, baseline: Facts, current: Facts, *, tolerance: Tolerance = DEFAULT_TOLERANCE
) -> Comparison:
    """The same for the facts of one subject."""
    identical = 0
    others: list[tuple[Fact | None, Fact | None]] = []
    for address, now in current.items():
        before = baseline.get(address)
        if before is not None and _is_plainly_same(before, now):
            identical += 1
        else:
            others.append((before, now))
    if identical < len(baseline):
        others += [(before, None) for address, before in baseline.items() if address not in current]
    return Comparison(identical=identical) if not others else _compared(subject, others, tolerance, identical)


def _compared(
    subject: str, pairs: Iterable[tuple[Fact | None, Fact | None]], tolerance: Tolerance, identical: int
) -> Comparison:
    """The comparison of facts that are not plainly the same, beside so many that are."""
    rungs: dict[Rung, int] = {"identical": identical, "rounding": 0, "band": 0}
    drifts: list[Drift] = []
    near: list[Agreement] = []
    beneath: list[Drift] = []
    for before, now in pairs:
        if before is None or now is None:
            drifts.append(_drift(subject, before, now))
            continue
        rung = room(now.facet).rung(before, now, tolerance)
        if rung == "drift":
            drifts.append(_drift(subject, before, now))
            continue
        rungs[rung] += 1
        if rung != "identical":
            near.append(Agreement(subject, rung, before, now))
        if now.remark:
            beneath.append(replace(_drift(subject, before, now), policy="note"))
    drifts.sort(key=_order)
    near.sort(key=lambda each: _order(each.current))
    beneath.sort(key=_order)
    return Comparison(
        tuple(drifts), rungs["identical"], rungs["rounding"], rungs["band"], tuple(near), tuple(beneath)
    )


def merged(parts: Iterable[Comparison]) -> Comparison:
    """One comparison of many."""
    parts = tuple(parts)
    return Comparison(
        tuple(_drifts(parts)),
        sum(part.identical for part in parts),
        sum(part.rounding for part in parts),
        sum(part.band for part in parts),
        tuple(each for part in parts for each in part.near),
        tuple(drift for part in parts for drift in part.beneath),
    )


def _is_plainly_same(before: Fact, now: Fact) -> bool:
    """Whether two facts are the same number or text, with the same beside it, which every room calls identical.

    It is so for nearly all facts of nearly all runs; zeros have signs, and are left to the rooms.
    """
    value = before.value
    return (
        type(value) in _SCALARS
        and type(value) is type(now.value)
        and value == now.value
        and value != 0.0
        and before.dtype == now.dtype
        and before.detail == now.detail
        and not now.remark
        and now.facet in FACET_NAMES
    )


def room(name: str) -> Facet:
    """The facet of a fact that is already recorded or read, so that it must exist."""
    found = facet(name)
    if found is None:
        raise LookupError(f"no facet is called {name!r}")
    return found


def _drifts(parts: Iterable[Comparison]) -> Iterator[Drift]:
    for part in parts:
        yield from part.drifts


def _drift(subject: str, before: Fact | None, now: Fact | None) -> Drift:
    fact = now or before
    assert fact is not None
    kind = "changed" if before and now else "added" if now else "removed"
    return Drift(subject, fact.facet, fact.key, kind, before, now)  # type: ignore[arg-type]


def _order(item: Drift | Fact) -> tuple[int, str, str]:
    return _PLACES.get(item.facet, len(_PLACES)), item.facet, item.key
