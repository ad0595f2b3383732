"""How near two facts are: cell by cell, scaled by the largest magnitude in the baseline; shares by what they count."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pytest_mlrepro.facets._arrays import STATISTICS
from pytest_mlrepro.facets._protocol import same_value
from pytest_mlrepro.facets._signs import aligned, is_sign_free
from pytest_mlrepro.facets._sketch import SKETCH, identity
from pytest_mlrepro.model import DEFAULT_TOLERANCE, Fact, Nearness, Rung, Tolerance, Value

# Next to the 52 bits of float64, which the project's default is made for: single precision has 23, half has 10.
_NARROW_RTOL = {"float32": 1e-5, "complex64": 1e-5, "float16": 2e-3}

BITWISE = Tolerance(0.0, 0.0)
"""The demand for the same bits."""

_BARELY = math.nextafter(1.0, 2.0)
# What summing up to 65,536 floats to their mean or standard deviation may lose, of the largest of them.
_LOST = 2.0**-44


class Cell(NamedTuple):
    """A scalar and where it stands; the place of a fact that is one scalar is empty."""

    place: tuple[int, ...]
    value: Value


def rung(baseline: Fact, current: Fact, default: Tolerance) -> Rung:
    """Where a fact stands on the ladder of agreement: identical, rounding, within its calibrated band, or drift."""
    if type(baseline.value) is float is type(current.value) and not (baseline.detail or current.detail):
        return _rung_of_floats(baseline, current, default)
    return rung_of_any(baseline, current, default)


def _rung_of_floats(baseline: Fact, current: Fact, default: Tolerance) -> Rung:
    """The same for two floats of which nothing else is known: what most results are."""
    before, now = baseline.value, current.value
    assert isinstance(before, float)
    assert isinstance(now, float)
    if baseline.dtype != current.dtype:
        return "drift"
    if same_value(before, now):
        return "identical"
    tolerance = tolerance_for(baseline, current, default)
    if tolerance == BITWISE:
        return "drift"
    # From infinity and NaN all else is infinitely far, or not a number: neither is within any width.
    if _widths(abs(before - now), tolerance.width(before)) <= 1.0:
        return "rounding"
    return "band" if is_in_band(baseline, current) else "drift"


def rung_of_any(baseline: Fact, current: Fact, default: Tolerance) -> Rung:
    """The same for facts of all kinds."""
    if baseline.dtype != current.dtype or is_sign_free(baseline) != is_sign_free(current):
        return "drift"
    recounted = counts_differ(baseline, current, default)
    if not recounted and same_value(baseline.value, current.value):
        return "identical"
    tolerance = tolerance_for(baseline, current, default)
    # The demand for bitwise equality also tells 0.0 from -0.0, whose difference is within any width.
    if tolerance == BITWISE:
        return "drift"
    if not recounted and judged(baseline, current, tolerance) <= 1.0:
        return "rounding"
    return "band" if is_in_band(baseline, current) else "drift"


def is_in_band(baseline: Fact, current: Fact) -> bool:
    """Whether a number lies in the band that its baseline was calibrated to, and no tolerance of its own decides."""
    if current.tolerance is not None:
        return False
    same_type = type(baseline.value) is type(current.value)
    return baseline.band is not None and same_type and current.value in baseline.band


def counts(fact: Fact) -> tuple[int, int] | None:
    """``(k, n)`` of a share that is known to be k of n; None of any other fact."""
    found = fact.detail.get("correct"), fact.detail.get("n")
    return found if isinstance(found[0], int) and isinstance(found[1], int) else None  # type: ignore[return-value]


def counts_differ(baseline: Fact, current: Fact, default: Tolerance) -> bool:
    """Whether a share counts something else than its baseline; never where somebody set a tolerance for it."""
    if current.tolerance is not None or default != DEFAULT_TOLERANCE:
        return False
    before, now = counts(baseline), counts(current)
    return before is not None and now is not None and before != now


def excess(baseline: Fact, current: Fact, default: Tolerance) -> float | None:
    """By how many tolerances floats are apart, the largest over all cells: 1.0 just holds.

    Returns:
        None where the difference is not one of size: another type or shape, or a changed integer, count, label or
        text that has no tolerance of its own; ``inf`` where a NaN or an infinity faces another number, or the
        tolerance is 0.
    """
    if baseline.dtype != current.dtype or not _is_numeric(baseline, current):
        return None
    if counts_differ(baseline, current, default):
        return None
    found = judged(baseline, current, tolerance_for(baseline, current, default))
    return None if math.isnan(found) else found


def tolerance_for(baseline: Fact, current: Fact, default: Tolerance) -> Tolerance:
    """The tolerance that decides: the current fact's own, else the project's, wide enough for narrow floats.

    The baseline's is not asked: who takes a tolerance out of a test wants it gone.
    """
    return in_effect(current.tolerance, current.dtype, default)


def in_effect(own: Tolerance | None, dtype: str, default: Tolerance) -> Tolerance:
    """The tolerance of floats of a dtype: their own where somebody set one, else the project's, if wide enough."""
    if own is not None:
        return own
    narrow = _NARROW_RTOL.get(dtype, 0.0)
    exact = default == BITWISE
    return default if exact or narrow <= default.rtol else Tolerance(narrow, default.atol)


def nearness_to(baseline: Fact, current: Fact) -> Nearness | None:
    """What was found of a large array against the sketch of this very baseline; None where nothing was."""
    found, kept = current.nearness, baseline.detail.get(SKETCH)
    return found if found is not None and kept is not None and found.of == identity(kept) else None


def is_settled(near: Nearness, width: float) -> bool:
    """Whether a sketch decides at this width: it proves that all cells hold, or that one does not."""
    return width >= near.width if near.holds else width <= near.width


def judged(baseline: Fact, current: Fact, tolerance: Tolerance) -> float:
    """The distance, where a sketch decides with its verdict: at most 1 only if every cell holds.

    Another shape or type, and other cells that are NaN or infinite, are no question for a sketch.
    """
    found = distance(baseline, current, tolerance)
    near = nearness_to(baseline, current)
    if near is None:
        return found
    width = tolerance.width(scale_of(baseline))
    if not math.isfinite(found) or not is_settled(near, width):
        return found
    if not near.holds:
        return max(found, _BARELY)
    proven = _proven(baseline, current, width)
    return proven if proven > 1.0 else min(max(proven, near.least / width), 1.0)


def _proven(baseline: Fact, current: Fact, width: float) -> float:
    """How many widths some cell has moved at least, by what no cell can hide: it moves these by no more than itself."""
    lost = _LOST * (scale_of(baseline) + width)
    largest = 0.0
    for name in STATISTICS:
        apart = separation(baseline.detail.get(name), current.detail.get(name), tolerant=True)
        largest = max(largest, apart if name in ("min", "max") else apart - lost)
    return largest / width


def distance(baseline: Fact, current: Fact, tolerance: Tolerance) -> float:
    """By how many tolerances two facts are apart; NaN where that is no question of size."""
    if is_summarised(baseline) and is_summarised(current):
        return _summary_distance(baseline, current, tolerance)
    return _cells_distance(baseline, current, tolerance)


def is_summarised(fact: Fact) -> bool:
    """Whether the fact is a large numeric array: a fingerprint with a summary in its detail."""
    return isinstance(fact.value, str) and "sums" in fact.detail


def cells(value: Value, place: tuple[int, ...] = ()) -> Iterator[Cell]:
    """Every scalar of a value, in order; an empty tuple counts as one."""
    if isinstance(value, tuple) and value:
        for position, item in enumerate(value):
            yield from cells(item, (*place, position))
    else:
        yield Cell(place, value)


def scalars(value: Value) -> Iterable[Value]:
    """The same without their places; most values are one scalar."""
    return (cell.value for cell in cells(value)) if isinstance(value, tuple) else (value,)


def shape(fact: Fact) -> tuple[int, ...] | None:
    """The shape of a fact's array, () of a scalar; None where lists of different lengths have none."""
    told = fact.detail.get("shape")
    if isinstance(told, tuple):
        return tuple(size for size in told if isinstance(size, int))
    return _shape(fact.value)


def _shape(value: Value) -> tuple[int, ...] | None:
    if not isinstance(value, tuple):
        return ()
    below = {_shape(item) for item in value}
    if not below:
        return (0,)
    first = below.pop()
    return None if below or first is None else (len(value), *first)


def magnitude(value: Value) -> float:
    """The largest finite magnitude among the numbers of a value; 0.0 where there is none."""
    if not isinstance(value, tuple):
        size = _size(value)
        return size if math.isfinite(size) else 0.0
    sizes = (_size(cell.value) for cell in cells(value))
    return max((size for size in sizes if math.isfinite(size)), default=0.0)


def scale_of(fact: Fact) -> float:
    """The magnitude that a relative tolerance of this baseline refers to."""
    if is_summarised(fact):
        return max(magnitude(fact.detail.get(name, 0.0)) for name in ("min", "max"))
    return magnitude(fact.value)


def separation(before: Value, now: Value, *, tolerant: bool) -> float:
    """How far two scalars are apart: 0.0 if the same, ``inf`` for NaN or infinities, NaN if not a question of size.

    Args:
        before, now: scalars.
        tolerant: somebody gave a tolerance, so that it holds for integers too.
    """
    if same_value(before, now):
        return 0.0
    if type(before) is not type(now) or isinstance(before, bool):
        return math.nan
    if isinstance(before, float) and isinstance(now, float):
        apart = abs(before - now)
        return math.inf if math.isnan(apart) else apart
    if isinstance(before, complex) and isinstance(now, complex):
        parts = (
            separation(before.real, now.real, tolerant=True),
            separation(before.imag, now.imag, tolerant=True),
        )
        return math.hypot(*parts)
    if tolerant and isinstance(before, int) and isinstance(now, int):
        return _as_float(abs(before - now))
    return math.nan


def pairs(baseline: Fact, current: Fact) -> list[tuple[Cell, Cell]] | None:
    """The cells of two facts side by side, components with the nearer sign; None where their layouts differ."""
    before, now = list(cells(baseline.value)), list(cells(current.value))
    if [cell.place for cell in before] != [cell.place for cell in now]:
        return None
    if is_sign_free(baseline) and is_sign_free(current):
        now = list(cells(aligned(baseline.value, current.value, _apart)))
    return list(zip(before, now, strict=True))


def _apart(before: Value, now: Value) -> float:
    return separation(before, now, tolerant=True)


def _cells_distance(baseline: Fact, current: Fact, tolerance: Tolerance) -> float:
    tolerant = current.tolerance is not None
    width = tolerance.width(magnitude(baseline.value))
    if not isinstance(baseline.value, tuple) and not isinstance(current.value, tuple):
        return _widths(separation(baseline.value, current.value, tolerant=tolerant), width)
    found = pairs(baseline, current)
    if found is None:
        return math.nan
    largest = 0.0
    for old, new in found:
        apart = _widths(separation(old.value, new.value, tolerant=tolerant), width)
        if math.isnan(apart):
            return math.nan
        largest = max(largest, apart)
    return largest


def _summary_distance(baseline: Fact, current: Fact, tolerance: Tolerance) -> float:
    before, now = baseline.detail, current.detail
    if any(before.get(name) != now.get(name) for name in ("shape", "dtype")):
        return math.nan
    if before.get("nonfinite_at") != now.get("nonfinite_at"):
        return math.inf
    width = tolerance.width(scale_of(baseline))
    largest = 0.0
    for name in (*STATISTICS, "sums", "weighted"):
        pairs = zip(cells(before.get(name)), cells(now.get(name)), strict=False)
        for old, new in pairs:
            largest = max(largest, _widths(separation(old.value, new.value, tolerant=True), width))
    return largest


def _widths(apart: float, width: float) -> float:
    if apart == 0.0:
        return 0.0
    return apart / width if width else apart * math.inf


def _is_numeric(baseline: Fact, current: Fact) -> bool:
    if is_summarised(baseline) and is_summarised(current):
        return True
    kinds = float | complex if current.tolerance is None else int | float | complex
    return any(isinstance(value, kinds) and not isinstance(value, bool) for value in scalars(baseline.value))


def _size(value: Value) -> float:
    if isinstance(value, complex):
        return math.hypot(value.real, value.imag)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return abs(value) if isinstance(value, float) else _as_float(abs(value))


def _as_float(number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf
