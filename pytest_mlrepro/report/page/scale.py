"""From numbers to places in a picture, whatever the numbers are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

# Enough for multiples of a step between any two neighbours among the floats.
_EXACT = Context(prec=60)
_STEPS = (1, 2, 5, 10)
_MARGIN = 0.08


def number(value: object) -> float | None:
    """The finite float that a value of a report is; None for anything else, booleans among it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


@dataclass(frozen=True, slots=True)
class Tick:
    """A named place on an axis, in the units of the picture."""

    place: float
    text: str


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis.

    Attributes:
        low, high: the ends in the unit of the numbers, finite.
        start, end: where these are in the picture; on an axis that points upwards ``start`` is the larger.
    """

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Where a number is, rounded to a tenth; one beyond an end is at that end.

        Args:
            value: a finite number.
        """
        # Halves, so that no difference overflows.
        span = self.high / 2 - self.low / 2
        share = (value / 2 - self.low / 2) / span if span > 0 else 0.5
        return round(self.start + (self.end - self.start) * min(max(share, 0.0), 1.0), 1)

    def ticks(self, most: int = 4) -> tuple[Tick, ...]:
        """Round numbers along the axis, each written with all of its digits.

        Args:
            most: how many there may be.
        """
        return tuple(Tick(self.at(float(each)), _written(each)) for each in _round_numbers(self, most))


def around(values: Iterable[float], start: float, end: float) -> Scale:
    """The axis that shows all of these finite numbers, with a margin."""
    found = list(values) or [0.0]
    low, high = min(found), max(found)
    gap = _MARGIN * (high - low) if math.isfinite(high - low) else 0.0
    if low == high:
        gap = abs(low) * _MARGIN or 1.0
    ends = low - gap, high + gap
    return Scale(*(ends if all(map(math.isfinite, ends)) else (low, high)), start, end)


def _round_numbers(scale: Scale, most: int) -> Iterator[Decimal]:
    low, high = Decimal(repr(scale.low)), Decimal(repr(scale.high))
    span = _EXACT.subtract(high, low)
    if span <= 0:
        yield low
        return
    power = Decimal(1).scaleb((span / most).adjusted())
    step = next(power * factor for factor in _STEPS if _EXACT.divide(span, power * factor) <= most)
    first = _EXACT.divide(low, step).to_integral_value(ROUND_CEILING)
    last = _EXACT.divide(high, step).to_integral_value(ROUND_FLOOR)
    for index in range(int(last - first) + 1):
        yield _EXACT.multiply(first + index, step)


def _written(value: Decimal) -> str:
    short = value.normalize(_EXACT)
    if not short:
        return "0"
    return f"{short:f}" if -6 <= short.adjusted() < 16 else f"{short:e}"
