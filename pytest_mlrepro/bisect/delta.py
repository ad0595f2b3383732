"""Delta debugging: the smallest part of a set of changes that still makes the result drift."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from pytest_mlrepro.bisect.outcomes import Item, Test


def ddmin(changes: Sequence[Item], test: Test[Item]) -> tuple[Item, ...]:
    """A part of the changes that drifts, and none of whose members can be left out alone and leave it drifting.

    The algorithm *ddmin* of A. Zeller and R. Hildebrandt, Simplifying and Isolating Failure-Inducing Input, IEEE
    Transactions on Software Engineering 28 (2002): parts of the changes, then what is left without a part, then smaller
    parts. What is unresolved counts as not drifting, so that smaller parts are tried until single changes are left.

    Args:
        changes: in order; all of them together drift.
        test: says what some of them lead to.
    """
    found, parts = [*changes], 2
    while len(found) > 1:
        smaller = next(_smaller(found, min(parts, len(found)), test), None)
        if smaller is not None:
            found, parts = smaller
        elif parts >= len(found):
            break
        else:
            parts *= 2
    return tuple(found)


def _smaller(found: list[Item], parts: int, test: Test[Item]) -> Iterator[tuple[list[Item], int]]:
    """Smaller sets that drift, each with the number of parts to divide it into next."""
    pieces = [*_divided(found, parts)]
    for piece in pieces:
        if test(frozenset(piece)) == "drifts":
            yield piece, 2
    for piece in pieces if parts > 2 else []:
        rest = [each for each in found if each not in piece]
        if test(frozenset(rest)) == "drifts":
            yield rest, parts - 1


def _divided(found: list[Item], parts: int) -> Iterator[list[Item]]:
    bounds = [len(found) * number // parts for number in range(parts + 1)]
    for start, end in pairwise(bounds):
        yield found[start:end]
