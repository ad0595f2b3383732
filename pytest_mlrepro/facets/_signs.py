"""Components that are known up to their sign: a principal axis, an eigenvector, a singular vector.

A component is a row of a matrix, or the whole of a vector. What is recorded is turned so that a weighted sum of it is
positive. The sign of the largest value, the usual choice, would flip with rounding where two values are as large: in
every component that is symmetric about a change of sign, such as a wave. The weights are as good as random (the mixing
function of SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014), so that no
pattern which mathematics brings about makes the sum vanish. Where it is as small as rounding by chance, the sign may
still flip: arrays that are recorded value by value are therefore compared with either sign, and of larger ones the
recorder tries the other sign of such components.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from pytest_mlrepro.errors import RecordingError
from pytest_mlrepro.model import Fact, Value

UP_TO_SIGN = "up_to_sign"
"""The detail of a fact that says so."""

_MOST_OPEN = 4

Apart = Callable[[Value, Value], float]


def is_sign_free(fact: Fact) -> bool:
    """Whether the components of a fact are known up to their sign."""
    return fact.detail.get(UP_TO_SIGN) is True


def canonical(array: Any, what: str) -> Any:
    """The array with every component turned to its canonical sign, and without negative zeros.

    Args:
        array: of real numbers, shape (n,) for one component or (components, ...) for several.
        what: how to call it in an error message.

    Raises:
        RecordingError: if its values have no sign.
    """
    if array.dtype.kind not in "if" or array.ndim == 0:
        told = (
            "complex numbers, which are known up to a phase"
            if array.dtype.kind == "c"
            else "no sign to leave out"
        )
        raise RecordingError(
            f"{what} cannot be compared up to sign: {_described(array)} has {told}",
            remedy="pass an array of real numbers, a row a component; of complex ones record np.abs(...)",
        )
    if not array.size:
        return array
    leaning, _ = _leaning(array)
    return _turned(array, leaning < 0)


def variants(array: Any, width: float) -> Iterator[Any]:
    """The array with the other sign of components whose canonical sign noise may have chosen, the likeliest first.

    Args:
        array: as ``canonical`` gave it.
        width: how far each value may be from what it was when its sign was chosen, in the array's unit.

    Yields:
        Every choice of signs for the few components of which the sum is nearest to zero; nothing where none is near.
    """
    import numpy as np

    leaning, unit = _leaning(array)
    is_open = (np.abs(leaning) * unit <= width) & (_rows(array) != 0).any(axis=1)
    open_ = np.flatnonzero(is_open)
    open_ = open_[np.argsort(np.abs(leaning[open_]), kind="stable")][:_MOST_OPEN]
    for choice in range(1, 2 ** len(open_)):
        flips = np.zeros(len(leaning), dtype=bool)
        flips[[row for place, row in enumerate(open_) if choice >> place & 1]] = True
        yield _turned(array, flips)


def _leaning(array: Any) -> tuple[Any, Any]:
    """The weighted sum of each component, scaled by its largest value, and the width of noise that may move it by 1."""
    import numpy as np

    rows = _rows(array)
    weights = _weights(rows.shape[1])
    known = np.where(np.isfinite(rows), rows, 0).astype(np.float64)
    largest = np.abs(known).max(axis=1)
    # Near the largest float a sum of the values themselves would overflow.
    scale = np.where(largest > 0, largest, 1.0)
    return (known / scale[:, None] * weights).sum(axis=1), scale / weights.sum()


def _turned(array: Any, flips: Any) -> Any:
    """The array with the components that are to be flipped turned, and without negative zeros."""
    import numpy as np

    signs = np.where(flips, -1, 1).astype(array.dtype)
    return (_rows(array) * signs[:, None] + array.dtype.type(0)).reshape(array.shape)


def _rows(array: Any) -> Any:
    return array.reshape(1 if array.ndim == 1 else len(array), -1)


def _weights(count: int) -> Any:
    """Weights in [0, 1), the same everywhere; a longer list starts with the shorter one."""
    import numpy as np

    with np.errstate(over="ignore"):
        mixed = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(11)) * 2.0**-53


def _described(array: Any) -> str:
    return "a single number" if array.ndim == 0 else f"dtype {array.dtype}"


def aligned(before: Value, now: Value, apart: Apart) -> Value:
    """The current components, each with the sign that brings it nearer to its baseline.

    Args:
        before, now: of one layout: a tuple of numbers, or of components.
        apart: how far two numbers are apart; NaN where that is no question of size.
    """
    if not isinstance(before, tuple) or not isinstance(now, tuple):
        return now
    if any(isinstance(item, tuple) for item in before):
        pairs = zip(before, now, strict=True)
        return tuple(_nearer(old, new, apart) for old, new in pairs)
    return _nearer(before, now, apart)


def _nearer(before: Value, now: Value, apart: Apart) -> Value:
    turned = _negated(now)
    return turned if _largest(before, turned, apart) < _largest(before, now, apart) else now


def _largest(before: Value, now: Value, apart: Apart) -> float:
    if isinstance(before, tuple) and isinstance(now, tuple):
        return max((_largest(*pair, apart) for pair in zip(before, now, strict=True)), default=0.0)
    size = apart(before, now)
    return math.inf if math.isnan(size) else size


def _negated(value: Value) -> Value:
    if isinstance(value, tuple):
        return tuple(map(_negated, value))
    # Plus zero, so that a zero keeps its sign.
    return -value + 0 if isinstance(value, int | float) else value
