"""How far outside of its tolerance a result is, in words."""

from __future__ import annotations

import math

from pytest_mlrepro.facets._closeness import excess, scale_of, tolerance_for
from pytest_mlrepro.model import Fact, Tolerance

# Below this, a quantity is likely a loss or a residual that vanishes: a relative tolerance means nothing there.
_NEAR_ZERO = 1e-6


def against_tolerance(baseline: Fact, current: Fact, default: Tolerance) -> list[str]:
    """How far outside of the tolerance, or which one would have held; nothing where size is not the question."""
    exceeded = excess(baseline, current, default)
    if exceeded is None:
        return []
    tolerance = tolerance_for(baseline, current, default)
    if tolerance == Tolerance(0.0, 0.0):
        return ["bitwise equality was asked for"]
    if not math.isfinite(exceeded):
        return []
    scale = scale_of(baseline)
    relative = tolerance.rtol * scale > tolerance.atol
    bound = f"rtol {tolerance.rtol:g}" if relative else f"atol {tolerance.atol:g}"
    told = [f"{_times(exceeded)} the tolerance ({bound})"]
    needed = exceeded * tolerance.width(scale)
    if max(scale, scale_of(current)) < _NEAR_ZERO:
        told.append(f"near zero a relative tolerance cannot hold, atol={_rounded_up(needed):g} would")
    return told


def _times(exceeded: float) -> str:
    if exceeded < 1.05:
        return "just over"
    return f"{exceeded:.2g} x" if exceeded < 10 or exceeded >= 1000 else f"{exceeded:.0f} x"


def _rounded_up(number: float) -> float:
    """To one digit, upwards: a tolerance that holds and reads well."""
    if number <= 0:
        return 0.0
    exponent = math.floor(math.log10(number))
    return float(f"{math.ceil(number / 10.0**exponent)}e{exponent}") if exponent > -300 else number
