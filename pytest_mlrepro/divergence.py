"""Align the traces of two runs, and find the first function that returned another value. Pure; no files.

Differences of three kinds may mean nothing, so that the search goes on behind them: rounding, the order of a
set, and the memory layout of an array.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pytest_mlrepro.model import Run
from pytest_mlrepro.traces import SKETCHED, Routine, Seen, Sketch, Step, Trace

ROUNDING = 1e-9
"""Up to which size, relative to its norm, a difference of floats counts as rounding."""

How: TypeAlias = Literal["value", "rounding", "order", "layout", "calls"]
Place: TypeAlias = tuple[tuple[str, str], int]
"""What a step is known by in both runs: its function, and which of the function's steps it is, from 1."""


@dataclass(frozen=True, slots=True)
class Size:
    """How far the floats of two values are apart.

    Attributes:
        count: how many there are.
        relative: the norm of the difference over the larger norm; inf where what is not a number has changed.
        largest: the largest difference of two floats, in their unit; None where the sketches cannot tell.
    """

    count: int
    relative: float
    largest: float | None


@dataclass(frozen=True, slots=True)
class Divergence:
    """One step in which two traces differ.

    Attributes:
        how: see the module; "calls" where the order of calls itself differs.
        before, after: the steps; None where the trace ends.
        number: which step of its function it is, from 1.
        numbers: how many of them both runs kept.
        more: whether the function was called more often than that.
        size: how far the floats are apart, where there are as many in both.
        previous: the step before it, in which the traces agree on what was called; of "calls" only.
    """

    how: How
    before: Step | None
    after: Step | None
    number: int = 1
    numbers: int = 1
    more: bool = False
    size: Size | None = None
    previous: Step | None = None


@dataclass(frozen=True, slots=True)
class Alignment:
    """What aligning the traces of one subject found.

    Attributes:
        subject: whose.
        found: the differences that are told: the first of each kind that may mean nothing, then the first that does.
        compared: steps that stand in both traces.
        differing: how many of those differ.
        stopped: why one of the traces is not whole; empty where both are.
    """

    subject: str
    found: tuple[Divergence, ...] = ()
    compared: int = 0
    differing: int = 0
    stopped: str = ""

    @property
    def first(self) -> Divergence | None:
        """The first difference that is more than rounding, order or layout."""
        return next((each for each in self.found if each.how in ("value", "calls")), None)


def align(before: Run, after: Run) -> tuple[Alignment, ...]:
    """Align the traces of all subjects that both runs have one of, in the order of their names."""
    both = sorted(before.traces.keys() & after.traces.keys())
    return tuple(aligned(subject, before.traces[subject], after.traces[subject]) for subject in both)


def aligned(subject: str, before: Trace, after: Trace) -> Alignment:
    """Align two traces of one subject."""
    old, new = _numbered(before.steps), _numbered(after.steps)
    pairs, common = _pairs(old, new)
    found: list[Divergence] = []
    differing = 0
    cut = before.cut | after.cut
    totals = Counter(place[0] for place, *_ in pairs)
    for at, (place, one, other) in enumerate(pairs):
        if at == common:
            found.append(_parted(old, new, common))
        difference = _compared(one.seen, other.seen)
        if difference is None:
            continue
        differing += 1
        how, size = difference
        if not {how, "value"} & {each.how for each in found}:
            key, number = place
            found.append(Divergence(how, one, other, number, totals[key], key in cut, size))
    if len(pairs) == common and (len(old), len(new)) != (common, common):
        found.append(_parted(old, new, common))
    return Alignment(subject, tuple(found), len(pairs), differing, before.stopped or after.stopped)


def _numbered(steps: Sequence[Step]) -> list[tuple[Place, Step]]:
    counts: Counter[tuple[str, str]] = Counter()
    numbered = []
    for step in steps:
        counts[step.routine.key] += 1
        numbered.append(((step.routine.key, counts[step.routine.key]), step))
    return numbered


def _pairs(
    old: Sequence[tuple[Place, Step]], new: Sequence[tuple[Place, Step]]
) -> tuple[list[tuple[Place, Step, Step]], int]:
    """Steps of one place in both traces, in order, and how many of them come before the order of calls parts."""
    pairs: list[tuple[Place, Step, Step]] = []
    for (place, one), (other_place, other) in zip(old, new, strict=False):
        if place != other_place:
            break
        pairs.append((place, one, other))
    common = len(pairs)
    # Behind that, only functions with as many steps in both are sure to be counted alike.
    left, right = old[common:], new[common:]
    counts, others = (Counter(place[0] for place, _ in each) for each in (left, right))
    rest = dict(right)
    pairs += [(place, step, rest[place]) for place, step in left if counts[place[0]] == others[place[0]]]
    return pairs, common


def _parted(old: Sequence[tuple[Place, Step]], new: Sequence[tuple[Place, Step]], common: int) -> Divergence:
    """The divergence of two traces that have called the same functions up to a number of steps, and no more."""
    return Divergence(
        "calls",
        old[common][1] if common < len(old) else None,
        new[common][1] if common < len(new) else None,
        previous=old[common - 1][1] if common else None,
    )


def _compared(before: Seen, after: Seen) -> tuple[How, Size | None] | None:
    """How two values differ, and by how much; None where they do not."""
    same = (before.digest, before.floats) == (after.digest, after.floats)
    if same:
        return None if before.form == after.form else ("layout", None)
    size = _size(before.sketch, after.sketch)
    if before.digest == after.digest and size is not None and size.relative < ROUNDING:
        # Of very many floats only some are in the sketch, and others may have changed.
        return ("rounding", size) if size.relative or size.count <= SKETCHED else ("value", None)
    if before.bag and before.bag == after.bag and before.form == after.form and _is_set(before.form):
        return "order", size
    return "value", size


def _is_set(form: str) -> bool:
    return form.startswith(("set of ", "frozenset of "))


def _size(before: Sketch | None, after: Sketch | None) -> Size | None:
    """How far the floats of two values are apart, as far as their sketches tell.

    Of up to eight floats the sketch has them all, so that it is exact. For more, the squares of the eight
    differences of marks add up to an estimate of the squared norm of the difference, as a rule right within a factor
    of two.
    """
    if (
        before is None
        or after is None
        or before.count != after.count
        or len(before.marks) != len(after.marks)
    ):
        return None
    differences = [new - old for old, new in zip(before.marks, after.marks, strict=True)]
    apart, scale = math.hypot(*differences), max(before.norm, after.norm)
    if before.missing != after.missing or not math.isfinite(apart):
        return Size(before.count, math.inf, None)
    relative = apart / scale if scale else (math.inf if apart else 0.0)
    exact = before.count <= len(before.marks)
    return Size(before.count, relative, max(map(abs, differences)) if exact else None)


def routine_of(divergence: Divergence) -> Routine:
    """The function of a divergence, as it stands in the run after, or else in the one before."""
    step = divergence.after or divergence.before
    assert step is not None
    return step.routine


def traced_once(before: Run, after: Run) -> Iterator[tuple[str, str]]:
    """Subjects of both runs of which only one has a trace, with that run: before or after."""
    for subject in sorted(before.traces.keys() ^ after.traces.keys()):
        if subject in before and subject in after:
            yield subject, "before" if subject in before.traces else "after"
