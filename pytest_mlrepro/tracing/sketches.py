"""Sums over floats that tell later how far two lists of them are apart, without keeping either.

Float number i goes into mark number ``i % 8`` with the fixed weight of ``i // 8``, of mean square 1. Marks are linear:
those of two lists differ by the marks of the difference, whose squares add up, on average over weights, to its squared
norm (the "count sketch" of Charikar, Chen and Farach-Colton, with weights that no swap of two values cancels).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from pytest_mlrepro.traces import SKETCHED, Sketch

MARKS = 8
_SLICE = 1 << 16
_ROWS = _SLICE // MARKS
_MIX = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


def sketch(leaves: Sequence[Any]) -> tuple[Sketch, str]:
    """The sums over floats, and where among them infinities and what is not a number stand.

    Args:
        leaves: floats in a list, or numpy arrays of floats of one dimension; one after the other.
    """
    count = sum(map(len, leaves))
    step = -(-count // SKETCHED) or 1
    numpy = sys.modules.get("numpy")
    if count <= MARKS or numpy is None:
        # Importing it would change the process that is observed.
        return _by_hand(leaves, count, step)
    total, square, missing, place, marks = 0.0, 0.0, 0, 0, numpy.zeros(MARKS)
    odd: list[str] = []
    with numpy.errstate(all="ignore"):
        for part in _slices(numpy, leaves, step):
            squares = float(part @ part)
            if not math.isfinite(squares):
                finite = numpy.isfinite(part)
                missing += int(numpy.isnan(part).sum())
                odd += [f"{place + at}:{part[at]}" for at in numpy.flatnonzero(~finite).tolist()]
                part = numpy.where(finite, part, 0.0)  # noqa: PLW2901
                squares = float(part @ part)
            place += len(part)
            total += float(part.sum())
            square += squares
            marks += _marks(numpy, part)
    return Sketch(count, total, math.sqrt(square), missing, tuple(marks.tolist())), " ".join(odd)


def _slices(numpy: Any, leaves: Sequence[Any], step: int) -> Iterator[Any]:
    """The floats as arrays of float64; all but the last are of one size, whatever the leaves are."""
    rest: list[Any] = []
    held = 0
    for leaf in leaves:
        place = 0
        while place < len(leaf):
            stop = place + (_SLICE - held) * step
            rest.append(numpy.asarray(leaf[place:stop:step], dtype=numpy.float64))
            held += len(rest[-1])
            place = stop
            if held >= _SLICE:
                yield numpy.concatenate(rest) if len(rest) > 1 else rest[0]
                rest, held = [], 0
    if rest:
        yield numpy.concatenate(rest)


def _marks(numpy: Any, part: Any) -> Any:
    # A slice is a whole number of periods long, so that the weights depend on a float's place alone.
    rows = -(-len(part) // MARKS)
    if len(part) < rows * MARKS:
        part = numpy.concatenate([part, [0.0] * (rows * MARKS - len(part))])
    return _weights()[:rows] @ part.reshape(rows, MARKS)


@cache
def _weights() -> Any:
    """The weights of the rows of eight floats in a slice."""
    import numpy as np

    return np.array([_weight(row) for row in range(_ROWS)])


def _weight(row: int) -> float:
    """The weight of eight floats by their place: from 0.5 to 1.42 in size, of either sign; 1 for the first eight."""
    if row == 0:
        return 1.0
    mixed = row * _MIX & _MASK
    mixed = (mixed ^ mixed >> 29) * _MIX & _MASK
    mixed ^= mixed >> 32
    size = 0.5 + 0.9243 * (mixed >> 11) / (1 << 53)
    return -size if mixed & 1 else size


def _by_hand(leaves: Sequence[Any], count: int, step: int) -> tuple[Sketch, str]:
    total, square, missing, place, marks = 0.0, 0.0, 0, 0, [0.0] * min(count, MARKS)
    odd: list[str] = []
    for leaf in leaves:
        for item in map(float, leaf[::step]):
            if math.isfinite(item):
                total += item
                square += item * item
                marks[place % MARKS] += item * _weight(place // MARKS % _ROWS)
            else:
                missing += math.isnan(item)
                odd.append(f"{place}:{item}")
            place += 1
    return Sketch(count, total, math.sqrt(square), missing, tuple(marks)), " ".join(odd)
