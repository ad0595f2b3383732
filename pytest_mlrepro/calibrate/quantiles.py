"""Quantiles of Student's t: how wide a band must be, and how small a shift it shows.

Shifts are for a power of 90 %. The other tail is left out of it: at these levels it adds less than 1e-6.
"""

from __future__ import annotations

from math import sqrt

_MISSED = 0.1


def factor(count: int, alpha: float) -> float:
    """How many standard deviations one more run is from the mean of ``count`` runs at most, but for a share ``alpha``.

    The two-sided prediction interval of a normal sample: ``t(1 - alpha/2, count - 1) * sqrt(1 + 1/count)``.

    Args:
        count: of runs, 2 or more.
        alpha: in (0, 1).
    """
    return _critical(count - 1, alpha) * sqrt(1 + 1 / count)


def shown(count: int, runs: int, alpha: float) -> float:
    """The shift that the mean of ``runs`` shows against ``count`` runs before, in standard deviations."""
    return noncentral(count - 1, alpha) * sqrt(1 / count + 1 / runs)


def chance(statistic: float, freedom: int) -> float:
    """The two-sided p of a value of Student's t."""
    from scipy.special import stdtr

    return float(2 * stdtr(freedom, -abs(statistic)))


def _critical(freedom: int, alpha: float) -> float:
    from scipy.special import stdtrit

    # The lower tail: 1 - alpha / 2 has no digits left for a small alpha.
    return float(-stdtrit(freedom, alpha / 2))


def noncentral(freedom: int, alpha: float) -> float:
    """The noncentrality at which t is beyond its critical value with a probability of 90 %."""
    from scipy.special import nctdtrinc

    return float(nctdtrinc(freedom, _MISSED, _critical(freedom, alpha)))
