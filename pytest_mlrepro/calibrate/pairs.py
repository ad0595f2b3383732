"""Whether a metric moved as a whole: two tests of the same seeds before and now.

The paired test sees most where the values of a seed before and now go together, as they do where the seed decides how
the data are split. Where another random stream has made them strangers, pairing gains nothing. There the mean of the
new values is held against the prediction interval that all stored ones give for the mean of so many: the band, for
several runs instead of one. It asks whether the runs could be of the same model, so that a fault that makes them
restless is seen too. Each test gets half of the rate, so that both together raise no more false alarms than one. Seeds
in common can only make the second raise fewer.
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
        paired, apart: two-sided p of Student's paired t, and of the mean against all that is stored.
        error, freedom: the standard error and the degrees of freedom of the latter.
    """

    count: int
    mean: float
    sd: float
    paired: float
    apart: float = 1.0
    error: float = math.inf
    freedom: int = 1

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
    spread to measure them by: 0 is none, any other is certain. Against the stored values: ``t = (mean(now) -
    mean(stored)) / (sd(stored) * sqrt(1/N + 1/K))`` with N - 1 degrees of freedom.

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
        return Pairs(count, mean, sd, paired, *_apart([*(stored or before)], now))
    except OverflowError:
        # Beyond what a float can hold: no seed moves anything so far.
        return Pairs(count, math.inf, math.inf, 0.0)


def _apart(stored: Sequence[float], now: Sequence[float]) -> tuple[float, float, int]:
    """Two-sided p, standard error and degrees of freedom of the mean of several more runs."""
    error = statistics.stdev(stored) * math.sqrt(1 / len(stored) + 1 / len(now))
    if error == 0.0 or not math.isfinite(error):
        return 1.0, math.inf, 1
    shift = statistics.mean(now) - statistics.mean(stored)
    return quantiles.chance(shift / error, len(stored) - 1), error, len(stored) - 1
