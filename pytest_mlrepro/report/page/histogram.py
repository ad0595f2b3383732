"""By how much the values of an array moved: how many by what."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pytest_mlrepro.report.page.scale import Scale, Tick, number

WIDTH, HEIGHT = 380, 120
_SIDE, _TOP, _BOTTOM = 24.0, 14.0, 24.0
_BINS = 24


@dataclass(frozen=True, slots=True)
class Bar:
    """How many values moved by so much."""

    x: float
    y: float
    width: float
    height: float
    told: str


@dataclass(frozen=True, slots=True)
class Histogram:
    """All that is drawn, in units of a picture of ``width`` x ``height``.

    Attributes:
        bars: the values that moved, by how much.
        zero: where no change is.
        bottom: where the axis is.
        ticks: of the axis, in the array's unit.
        most: how many values the highest bar stands for.
        count, moved, lost: how many values there are, moved, and moved from or to what is no finite number.
    """

    width: int
    height: int
    bars: tuple[Bar, ...]
    zero: float
    bottom: float
    ticks: tuple[Tick, ...]
    most: int
    count: int
    moved: int
    lost: int


def histogram(before: Any, now: Any) -> Histogram | None:
    """Current minus baseline, value by value.

    Args:
        before, now: values in JSON's types.

    Returns:
        None unless both are lists of one shape, and at least one of their numbers moved.
    """
    if not isinstance(before, list) or not isinstance(now, list) or _shape(before) != _shape(now):
        return None
    pairs = list(zip(_cells(before), _cells(now), strict=True))
    moves = [_move(*pair) for pair in pairs if pair[0] != pair[1]]
    known = [move for move in moves if move is not None]
    if not known:
        return None
    along = Scale(min(0.0, *known), max(0.0, *known), _SIDE, WIDTH - _SIDE)
    heights = Counter(_bin(along, move) for move in known)
    most = max(heights.values())
    return Histogram(
        WIDTH,
        HEIGHT,
        tuple(_bar(index, heights[index], most, along) for index in sorted(heights)),
        along.at(0.0),
        HEIGHT - _BOTTOM,
        along.ticks(5),
        most,
        len(pairs),
        len(moves),
        len(moves) - len(known),
    )


def _bin(along: Scale, move: float) -> int:
    share = (along.at(move) - along.start) / (along.end - along.start)
    return min(int(share * _BINS), _BINS - 1)


def _bar(index: int, count: int, most: int, along: Scale) -> Bar:
    wide = (along.end - along.start) / _BINS
    height = max((HEIGHT - _TOP - _BOTTOM) * count / most, 2.0)
    # Parts of the ends, as their difference may be beyond the floats.
    edges = [along.low * (1 - part / _BINS) + along.high * (part / _BINS) for part in (index, index + 1)]
    told = f"{count} moved by {edges[0]:+.3g} to {edges[1]:+.3g}"
    x, y = along.start + index * wide, HEIGHT - _BOTTOM - height
    return Bar(round(x + 0.5, 1), round(y, 1), round(wide - 1, 1), round(height, 1), told)


def _move(before: Any, now: Any) -> float | None:
    old, new = number(before), number(now)
    if old is None or new is None:
        return None
    return found if math.isfinite(found := new - old) else None


def _shape(value: Any) -> Any:
    """Nested tuples that are equal for equal layouts."""
    return tuple(map(_shape, value)) if isinstance(value, list) else ()


def _cells(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _cells(item)
    else:
        yield value
