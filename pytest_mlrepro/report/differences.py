"""What differs between two runs from files, as text, and where the facts of a lockfile have several environments."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from pytest_mlrepro.explain import sentence
from pytest_mlrepro.facets import show
from pytest_mlrepro.model import Drift, Tolerance
from pytest_mlrepro.report.cells import reason
from pytest_mlrepro.report.changes import change
from pytest_mlrepro.report.plain import plain
from pytest_mlrepro.report.text import plural

if TYPE_CHECKING:
    from pytest_mlrepro.balance import Sum
    from pytest_mlrepro.gate import Judgement, Terms

_WIDTH = 34


def lines(total: Sum, terms: Terms) -> Iterator[str]:
    """What differs: by subject, results first, each with its suspects; and how much does not."""
    yield from _subjects(total, terms)
    found = total.comparison
    agree = found.identical + found.rounding + found.band
    yield f"{plural(len(found.drifts), 'drift')}, {plural(agree, 'fact')} as before"


def own_lines(name: str, total: Sum, terms: Terms, shared: Collection[Drift]) -> Iterator[str]:
    """What differs in one environment, where that is not what differs in what all share.

    Args:
        name: of the environment.
        total: the runs as it sees them.
        terms: that they were judged by.
        shared: the drifts of what all share.
    """
    found = [*_subjects(total, terms, shared)]
    if found:
        yield ""
        yield f"in environment {name}"
        yield from (f"  {line}" for line in found)


def own(total: Sum, shared: Collection[Drift]) -> tuple[Drift, ...]:
    """The drifts of an environment that are not those of what all share."""
    known = set(map(_key, shared))
    return tuple(drift for drift in total.drifts() if _key(drift) not in known)


def _key(drift: Drift) -> tuple[str, ...]:
    facts = (drift.baseline, drift.current)
    return (drift.subject, drift.address, *(repr(fact and (fact.value, fact.dtype)) for fact in facts))


def _subjects(total: Sum, terms: Terms, without: Collection[Drift] = ()) -> Iterator[str]:
    assert terms.baseline is not None
    told = {_key(drift) for drift in own(total, without)}
    for judgement in total.judgements:
        drifts = [drift for drift in judgement.comparison.drifts if _key(drift) in told]
        if not drifts:
            continue
        yield judgement.subject
        if judgement.subject not in total.run or judgement.subject not in terms.baseline:
            side = "before" if judgement.subject not in total.run else "after"
            yield f"  only in the run {side}, {plural(len(drifts), 'fact')}"
            continue
        yield from _drifts(judgement, drifts, terms.tolerance)


def _drifts(judgement: Judgement, drifts: Collection[Drift], tolerance: Tolerance) -> Iterator[str]:
    known = {each.drift: each for each in (*judgement.failed, *judgement.warned)}
    for drift in sorted(drifts, key=lambda each: each.facet != "results"):
        yield f"  {drift.address:<{_WIDTH}} {told_exactly(drift, tolerance)}"
        suspects = known[drift].suspects if drift in known else ()
        if suspects:
            yield f"    suspects: {', '.join(dict.fromkeys(each.drift.address for each in suspects))}"


def told_exactly(drift: Drift, tolerance: Tolerance) -> str:
    """What changed in one sentence, of a number among the results with all the digits of the difference."""
    said = sentence(drift, tolerance)
    if drift.baseline is None or drift.current is None:
        return f"{drift.kind}: {said}"
    apart = step(drift) if drift.facet == "results" else ""
    if not apart:
        return said
    rest = reason(said, show(drift.baseline.value), show(drift.current.value))
    return f"{apart}, {rest}" if rest else apart


def step(drift: Drift) -> str:
    """``0.94 -> 0.95 (+0.01, +1.06383 %)``; empty where no number has become another one."""
    if drift.baseline is None or drift.current is None:
        return ""
    before, now = drift.baseline.value, drift.current.value
    apart = change(plain(before), plain(now)).replace(" (", ", ").removesuffix(")")
    return f"{show(before)} -> {show(now)} ({apart})" if apart else ""
