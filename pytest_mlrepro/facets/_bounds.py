"""How far outside or inside of its tolerance, or of its calibrated band, a result is, in words."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, Decimal
from typing import Any

from pytest_mlrepro.bands import Band
from pytest_mlrepro.facets._closeness import (
    BITWISE,
    counts,
    distance,
    excess,
    is_settled,
    is_summarised,
    judged,
    nearness_to,
    scalars,
    scale_of,
    tolerance_for,
)
from pytest_mlrepro.model import DEFAULT_TOLERANCE, Fact, Tolerance

# Below this, a quantity is likely a loss or a residual that vanishes: a relative tolerance means nothing there.
_NEAR_ZERO = 1e-6
# And of a baseline that is so many times smaller than the difference.
_VANISHING = 1e-3
_METRE = Tolerance(0.0, 1.0)


def allowed(baseline: Fact, current: Fact, default: Tolerance) -> Tolerance | None:
    """The tolerance that a result is held to; None where it is compared exactly.

    Without a tolerance of their own, these are integers, labels, texts, and shares that are known to count something.
    """
    own = current.tolerance
    is_share = own is None and default == DEFAULT_TOLERANCE and counts(current) is not None
    kinds = float | complex if own is None else int | float | complex
    if is_share or not all(_is_of(kinds, fact) for fact in (baseline, current)):
        return None
    return tolerance_for(baseline, current, default)


def _is_of(kinds: Any, fact: Fact) -> bool:
    """Whether it holds a number of one of these kinds; a large array has sums only where its cells may move."""
    return is_summarised(fact) or any(
        isinstance(value, kinds) and not isinstance(value, bool) for value in scalars(fact.value)
    )


def against_tolerance(baseline: Fact, current: Fact, default: Tolerance) -> list[str]:
    """How far outside of the tolerance, or which one would have held; nothing where size is not the question."""
    exceeded = excess(baseline, current, default)
    if exceeded is None:
        return []
    tolerance = tolerance_for(baseline, current, default)
    if tolerance == BITWISE:
        return ["bitwise equality was asked for"]
    gap = distance(baseline, current, _METRE)
    if not math.isfinite(gap):
        return []
    told = []
    if math.isfinite(exceeded):
        told.append(f"beyond rounding{_by(baseline, current, tolerance, exceeded)}")
    if near_zero(baseline, current, tolerance):
        scale = baseline.value if isinstance(baseline.value, float) else scale_of(baseline)
        told.append(f"baseline is {scale:.3g}: rtol cannot hold near zero; atol={rounded_up(gap):g} would")
    return told


def _by(baseline: Fact, current: Fact, tolerance: Tolerance, exceeded: float) -> str:
    """By how much; where it is the sums that tell the size, and a sketch that tells that a value is beyond, so."""
    bound = _bound(tolerance, scale_of(baseline))
    near = nearness_to(baseline, current)
    if near is None or near.holds or not is_settled(near, tolerance.width(scale_of(baseline))):
        return f": {_times(exceeded)} the tolerance ({bound})"
    by_sums = distance(baseline, current, tolerance)
    return f": the sums by {_times(by_sums)} the tolerance ({bound})" if by_sums > 1.0 else f" ({bound})"


def near_zero(baseline: Fact, current: Fact, tolerance: Tolerance) -> bool:
    """Whether a relative tolerance means nothing: the baseline is next to zero, or to nothing beside the change."""
    scale, gap = scale_of(baseline), distance(baseline, current, _METRE)
    if not tolerance.rtol or not gap or not math.isfinite(gap):
        return False
    return vanishes(scale, gap) or max(scale, scale_of(current)) < _NEAR_ZERO


def vanishes(scale: float, gap: float) -> bool:
    """Whether a magnitude is next to nothing beside a difference, both >= 0."""
    return scale <= _VANISHING * gap


def within_tolerance(baseline: Fact, current: Fact, default: Tolerance) -> str:
    """What is said of a result that holds: how much of its tolerance it takes."""
    tolerance = tolerance_for(baseline, current, default)
    bound = _bound(tolerance, scale_of(baseline))
    width = tolerance.width(scale_of(baseline))
    near = nearness_to(baseline, current)
    taken = distance(baseline, current, tolerance)
    if near is None or not is_settled(near, width):
        return f"{taken:.2g} of the tolerance ({bound})"
    least = judged(baseline, current, tolerance)
    if taken <= 1.0:
        # The sums are the finer measure as long as they hold.
        return f"{max(taken, least):.2g} of the tolerance ({bound})"
    return f"{f'{least:.2g} to' if least else 'at most'} {near.most / width:.2g} of the tolerance ({bound})"


def against_band(baseline: Fact, current: Fact) -> list[str]:
    """How far outside of the calibrated band a number is; nothing where there is none, or a tolerance decides."""
    band, now = baseline.band, current.value
    if band is None or current.tolerance is not None or type(baseline.value) is not type(now) or now in band:
        return []
    if not isinstance(now, int | float) or isinstance(now, bool):
        return []
    told = f"outside {described(band)}"
    half = (band.high - band.low) / 2
    middle = band.low + half
    try:
        number = float(now)
    except OverflowError:
        # An integer beyond all floats.
        number = math.inf
    if not math.isfinite(number):
        return [told]
    if half == 0.0:
        return [f"{told}, which has no width"]
    return [f"{told}, {abs(number - middle) / half:.3g} x its half-width from its middle"]


def described(band: Band) -> str:
    """A band in a few words: the mean and the standard deviation over its seeds."""
    seeds = "1 seed" if band.seeds == 1 else f"{band.seeds} seeds"
    return f"the calibrated band ({seeds}, {band.mean:.4g} +- {band.sd:.2g})"


def _bound(tolerance: Tolerance, scale: float) -> str:
    relative = tolerance.rtol * scale > tolerance.atol
    return f"rtol {tolerance.rtol:g}" if relative else f"atol {tolerance.atol:g}"


def _times(exceeded: float) -> str:
    if exceeded < 1.05:
        return "just over"
    return f"{exceeded:.2g} x" if exceeded < 10 or exceeded >= 1000 else f"{exceeded:.0f} x"


def rounded_up(number: float) -> float:
    """To one digit, upwards: a tolerance that holds and reads well.

    Args:
        number: finite and > 0.
    """
    exact = Decimal(repr(number))
    digit = Decimal((0, (1,), exact.adjusted()))
    candidate = (exact / digit).to_integral_value(ROUND_CEILING) * digit
    # The decimal is not less than the number, but the nearest float to it may be.
    return float(candidate) if float(candidate) >= number else float(candidate + digit)
