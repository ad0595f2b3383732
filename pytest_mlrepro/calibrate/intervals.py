"""From the values of one metric to where the next one lies."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pytest_mlrepro.calibrate import quantiles
from pytest_mlrepro.facets.results import counts
from pytest_mlrepro.model import Fact

# Threads, BLAS and the C library move a float64 by less; half and single precision are coarser than that.
_RELATIVE = {"float16": 2.0**-10, "float32": 2.0**-23, "complex64": 2.0**-23}
_RELATIVE_OF_DOUBLES = 1e-9
_POWER = statistics.NormalDist().inv_cdf(0.9)


class Interval(NamedTuple):
    """Where one more run lies, in the metric's unit."""

    low: float
    high: float
    mean: float
    sd: float


def interval(values: Sequence[float], alpha: float, resolution: float) -> Interval | None:
    """The prediction interval of a sample, wide enough for all that was seen and a step of the metric beyond.

    Args:
        values: finite, 2 or more.
        alpha: the share of runs that may lie outside, in (0, 1).
        resolution: the smallest step that the metric makes, in its own unit.

    Returns:
        None where no float can hold it.
    """
    try:
        # Exact sums: equal values have a spread of 0, and large ones do not overflow on the way.
        mean, sd = statistics.mean(values), statistics.stdev(values)
        reach = quantiles.factor(len(values), alpha) * sd
    except OverflowError:
        return None
    low = min(mean - reach, min(values) - resolution)
    high = max(mean + reach, max(values) + resolution)
    return Interval(low, high, mean, sd) if all(map(math.isfinite, (low, high, sd))) else None


def constant(values: Sequence[float]) -> Interval:
    """Of values that are all the same: nothing else."""
    return Interval(min(values), max(values), values[0], 0.0)


def envelope(values: Iterable[float]) -> tuple[float, float] | None:
    """From the least to the largest value over environments; None where a value is no finite number.

    What differs there differs always and in the same way: that has no standard deviation.
    """
    known = [*values]
    return (min(known), max(known)) if known and all(map(math.isfinite, known)) else None


def resolution(facts: Sequence[Fact]) -> float:
    """The smallest step of a metric: one case of a share that is known to be k of n, else what rounding may do."""
    known = [counts(fact) for fact in facts]
    sizes = [each[1] for each in known if each is not None and each[1] > 0]
    if len(sizes) == len(facts):
        return 1 / min(sizes)
    middle = statistics.median(abs(fact.value) for fact in facts if isinstance(fact.value, float))
    return float(_RELATIVE.get(facts[0].dtype, _RELATIVE_OF_DOUBLES) * middle)


def is_share(facts: Sequence[Fact]) -> bool:
    """Whether it is known of all of them what they count."""
    return all(counts(fact) is not None for fact in facts)


def shown_by_one(found: Interval, count: int, alpha: float) -> float:
    """The smallest shift that one run shows with a probability of 90 %, in the metric's unit.

    Where the band is wider than the spread asks for, a shift must cross what was added too.
    """
    farther = max(found.high - found.mean, found.mean - found.low) + _POWER * found.sd
    return max(quantiles.shown(count, 1, alpha) * found.sd, farther)


def shown_by_recheck(sd: float, count: int, pairs: int, alpha: float) -> float:
    """The smallest shift that a recheck shows with a probability of 90 %, in the metric's unit, at worst.

    At worst the values of a seed before and after have nothing to do with each other. The more they go together, the
    smaller is the shift that is seen. Either of a recheck's two tests has half of the rate.
    """
    return quantiles.shown(count, pairs, alpha / 2) * sd
