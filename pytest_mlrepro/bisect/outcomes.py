"""What a replay can say of one question: does the result drift in this state?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Literal, TypeAlias, TypeVar

Outcome: TypeAlias = Literal["drifts", "holds", "unresolved"]
"""``unresolved``: the state cannot be made, or its tests say nothing of the result."""

Item = TypeVar("Item")
Test: TypeAlias = Callable[[frozenset[Item]], Outcome]
"""Says what a set of changes leads to. Asked twice it answers from memory: whoever searches need not remember."""


def contradictions(
    told: Mapping[frozenset[Item], Outcome],
) -> tuple[tuple[frozenset[Item], frozenset[Item]], ...]:
    """Pairs of sets, one within the other, where the smaller one drifts and the larger holds.

    What the larger has besides hides what the smaller one does. Of each smaller set only the nearest larger one is
    told.
    """
    found = []
    for small in _sorted(each for each, outcome in told.items() if outcome == "drifts"):
        larger = [each for each, outcome in told.items() if outcome == "holds" and small < each]
        if larger:
            found.append((small, min(larger, key=_key)))
    return tuple(found)


def _sorted(sets: Iterable[frozenset[Item]]) -> list[frozenset[Item]]:
    return sorted(sets, key=_key)


def _key(some: frozenset[Item]) -> tuple[int, list[str]]:
    return len(some), sorted(map(str, some))
