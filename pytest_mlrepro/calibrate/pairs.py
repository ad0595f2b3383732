"""The paired test: whether a metric moved as a whole, seed by seed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_mlrepro.calibrate import quantiles


@dataclass(frozen=True, slots=True)
class Pairs:
    """The differences of a metric under the same seeds, now less before.

    Attributes:
        count: of pairs.
        mean, sd: of the differences, in the metric's unit.
        chance: two-sided p of Student's t: how often such differences come if nothing moved.
    """

    count: int
    mean: float
    sd: float
    chance: float

    def shows(self, alpha: float) -> float:
        """The smallest shift that so many pairs with this spread show with a probability of 90 %."""
        return quantiles.shown_by_pairs(self.count, alpha) * self.sd


def pairs(before: Sequence[float], now: Sequence[float]) -> Pairs:
    """Test values under the same seeds.

    ``t = mean(d) / (sd(d) / sqrt(K))`` with K - 1 degrees of freedom. Differences that are all the same have no spread
    to measure them by: 0 is none, any other is certain.

    Args:
        before, now: finite, as many of either, 2 or more, in the order of the seeds.
    """
    differences = [new - old for old, new in zip(before, now, strict=True)]
    try:
        mean, sd = statistics.mean(differences), statistics.stdev(differences)
    except (OverflowError, ValueError, AttributeError):
        mean = sd = math.inf
    if not (math.isfinite(mean) and math.isfinite(sd)):
        # Beyond what a float can hold: no seed moves anything so far.
        return Pairs(len(differences), mean, math.inf, 0.0)
    if sd == 0.0:
        return Pairs(len(differences), mean, 0.0, 1.0 if mean == 0.0 else 0.0)
    statistic = mean / (sd / math.sqrt(len(differences)))
    return Pairs(len(differences), mean, sd, quantiles.chance(statistic, len(differences) - 1))
