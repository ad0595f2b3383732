"""Whether a metric moved as a whole: two tests of the same seeds before and now.

The paired test sees most where the values of a seed before and now go together, as they do where the seed decides how
the data are split. Where another random stream has made them strangers, pairing gains nothing and gives up half of what
is known: there all the stored values are compared with the new ones (Welch). Each test gets half of the rate, so that
both together raise no more false alarms than one. Seeds in common can only make Welch's test raise fewer.
"""

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
        paired, apart: two-sided p of Student's paired t, and of Welch's t against all that is stored.
        error, freedom: the standard error and the degrees of freedom of the latter.
    """

    count: int
    mean: float
    sd: float
    paired: float
    apart: float = 1.0
    error: float = math.inf
    freedom: float = 1.0

    @property
    def chance(self) -> float:
        """How often one of the two tests comes out so far if nothing moved, at most (Bonferroni)."""
        return min(1.0, 2 * min(self.paired, self.apart))

    def shows(self, alpha: float) -> float:
        """The smallest shift that such values show with a probability of 90 %, in the metric's unit."""
        if not math.isfinite(self.sd):
            return math.inf
        by_pairs = quantiles.noncentral(self.count - 1, alpha / 2) * self.sd / math.sqrt(self.count)
        return min(by_pairs, quantiles.noncentral(self.freedom, alpha / 2) * self.error)


def pairs(before: Sequence[float], now: Sequence[float], stored: Sequence[float] = ()) -> Pairs:
    """Test values under the same seeds.

    Paired: ``t = mean(d) / (sd(d) / sqrt(K))`` with K - 1 degrees of freedom. Differences that are all the same have no
    spread to measure them by: 0 is none, any other is certain. Welch: the means differ by
    ``sqrt(var(stored) / N + var(now) / K)`` at most by chance.

    Args:
        before, now: finite, as many of either, 2 or more, in the order of the seeds.
        stored: all the values before; those of ``before`` where they are left out.
    """
    differences = [new - old for old, new in zip(before, now, strict=True)]
    count = len(differences)
    if not all(map(math.isfinite, differences)):
        return Pairs(count, math.inf, math.inf, 0.0)
    try:
        mean, sd = statistics.mean(differences), statistics.stdev(differences)
        if sd == 0.0:
            certain = 1.0 if mean == 0.0 else 0.0
            return Pairs(count, mean, 0.0, certain, certain, 0.0)
        paired = quantiles.chance(mean / (sd / math.sqrt(count)), count - 1)
        return Pairs(count, mean, sd, paired, *_welch([*(stored or before)], now))
    except OverflowError:
        # Beyond what a float can hold: no seed moves anything so far.
        return Pairs(count, math.inf, math.inf, 0.0)


def _welch(before: Sequence[float], now: Sequence[float]) -> tuple[float, float, float]:
    """Two-sided p, standard error and degrees of freedom (Welch and Satterthwaite)."""
    spreads = [statistics.stdev(values) / math.sqrt(len(values)) for values in (before, now)]
    error = math.hypot(*spreads)
    if error == 0.0 or not math.isfinite(error):
        return 1.0, math.inf, 1.0
    shares = [(spread / error) ** 2 for spread in spreads]
    freedom = 1 / sum(
        share**2 / (len(values) - 1) for share, values in zip(shares, (before, now), strict=True)
    )
    apart = statistics.mean(now) - statistics.mean(before)
    return quantiles.chance(apart / error, freedom), error, freedom
