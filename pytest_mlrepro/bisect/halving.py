"""Where along an ordered row the drift begins: binary search that goes round what cannot be told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pytest_mlrepro.bisect.outcomes import Outcome

PATIENCE = 12
"""How many places without an answer one search asks before it leaves the rest untried."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """Two places of a row between which the drift begins.

    Attributes:
        holds: the last place before it that does not drift, of those that were asked.
        drifts: the first place after it that drifts, of those that were asked.
        unresolved: the places between that were asked and could not tell, in order.
        untried: the places between that were not asked, in order.
        asked: all places that were asked, in order.
    """

    holds: int
    drifts: int
    unresolved: tuple[int, ...] = ()
    untried: tuple[int, ...] = ()
    asked: tuple[int, ...] = ()

    @property
    def is_exact(self) -> bool:
        """Whether the two places are neighbours."""
        return self.drifts - self.holds == 1


def boundary(
    holds: int, drifts: int, test: Callable[[int], Outcome], *, patience: int = PATIENCE
) -> Boundary:
    """Find two places, as near to each other as answers allow, of which the earlier holds and the later drifts.

    Where every place has an answer they are neighbours, found in ``ceil(log2(drifts - holds))`` questions whatever the
    row looks like; where it is not monotone they are one of several such pairs.

    Args:
        holds: a place known not to drift.
        drifts: a later place known to drift.
        test: asked of places between.
        patience: how many of them may be unresolved before the search ends.
    """
    unresolved: set[int] = set()
    asked: set[int] = set()
    while True:
        place = next(_candidates(holds, drifts, unresolved), None)
        if place is None or len(unresolved) >= patience:
            break
        asked.add(place)
        outcome = test(place)
        if outcome == "drifts":
            drifts = place
        elif outcome == "holds":
            holds = place
        else:
            unresolved.add(place)
    between = range(holds + 1, drifts)
    return Boundary(
        holds,
        drifts,
        tuple(each for each in between if each in unresolved),
        tuple(each for each in between if each not in unresolved),
        tuple(sorted(asked)),
    )


def _candidates(holds: int, drifts: int, unresolved: set[int]) -> Iterator[int]:
    """Places between that have not been asked, the likeliest to be of use first.

    The middle; where that has no answer, places at twice the distance each time, on both sides, for what cannot be told
    mostly comes in rows; then whatever is left.
    """
    middle = (holds + drifts) // 2
    step, tried = 1, {middle}
    if holds < middle < drifts and middle not in unresolved:
        yield middle
    while step < drifts - holds:
        for place in (middle - step, middle + step):
            tried.add(place)
            if holds < place < drifts and place not in unresolved:
                yield place
        step *= 2
    for place in sorted(range(holds + 1, drifts), key=lambda each: (abs(each - middle), each)):
        if place not in unresolved and place not in tried:
            yield place
