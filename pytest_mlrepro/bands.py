"""Where a metric lies when only the seed varies, and the runs that tell it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from pytest_mlrepro.errors import RecordingError


@dataclass(frozen=True, slots=True)
class Calibration:
    """The runs that a band was made of, and how.

    Attributes:
        method: its name; ``pytest_mlrepro.calibrate`` knows which.
        alpha: the share of runs in which at least one of the metrics may be outside of its band though nothing changed.
        metrics: how many metrics share it.
        base: the base seeds of the runs, ascending.
        values: of the metric, in the order of ``base`` and in its own unit.

    Raises:
        RecordingError: if one of them is not what it should be, or there are not as many values as seeds.
    """

    method: str
    alpha: float
    metrics: int
    base: tuple[int, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.method:
            raise _unusable(f"the method of a band must have a name, got {self.method!r}")
        if not _is_finite(self.alpha) or not 0.0 < self.alpha < 1.0:
            raise _unusable(f"the false-alarm rate of a band must lie between 0 and 1, got {self.alpha!r}")
        if type(self.metrics) is not int or self.metrics < 1:
            raise _unusable(f"at least one metric must share its rate, got {self.metrics!r}")
        if any(type(seed) is not int or seed < 0 for seed in self.base):
            raise _unusable("the base seeds of a band must be whole numbers from 0 on")
        if any(seed >= after for seed, after in zip(self.base, self.base[1:], strict=False)):
            raise _unusable("the base seeds of a band must be ascending")
        if len(self.base) != len(self.values):
            raise _unusable(f"a band of {len(self.base)} base seeds has {len(self.values)} values")
        if not all(map(_is_finite, self.values)):
            raise _unusable("the values of a band must be finite numbers")
        object.__setattr__(self, "values", tuple(map(float, self.values)))


@dataclass(frozen=True, slots=True)
class Band:
    """Where a metric lies when only the seed varies: what a calibration found, stored with the fact it was made for.

    Attributes:
        low, high: the band, both ends included, in the metric's unit.
        mean, sd: of the metric over the seeds, in the metric's unit.
        seeds: how many seeds it rests on.
        made: what it was made of; None where nobody wrote it down.

    Raises:
        RecordingError: if a bound is not finite, or they are the wrong way round; a negative spread; no seeds, or not
            as many as it was made of.
    """

    low: float
    high: float
    mean: float
    sd: float
    seeds: int
    made: Calibration | None = field(default=None)

    def __post_init__(self) -> None:
        for name in ("low", "high", "mean", "sd"):
            number = getattr(self, name)
            if not _is_finite(number):
                raise _unusable(f"{name} of a band must be a finite number, got {number!r}")
            object.__setattr__(self, name, float(number))
        if self.low > self.high:
            raise _unusable(f"a band must not end below its start, got {self.low!r} to {self.high!r}")
        if self.sd < 0:
            raise _unusable(f"the spread of a band must not be negative, got {self.sd!r}")
        if type(self.seeds) is not int or self.seeds < 1:
            raise _unusable(f"a band must rest on at least one seed, got {self.seeds!r}")
        if self.made is not None and len(self.made.base) != self.seeds:
            raise _unusable(f"a band over {self.seeds} seeds names {len(self.made.base)} of them")

    def __contains__(self, value: object) -> bool:
        """Whether a number lies in the band; NaN does not."""
        if not isinstance(value, int | float) or isinstance(value, bool):
            return False
        return self.low <= value <= self.high


def _is_finite(number: Any) -> bool:
    usable = isinstance(number, int | float) and not isinstance(number, bool)
    return usable and math.isfinite(number)


def _unusable(what: str) -> RecordingError:
    return RecordingError(what, remedy="calibrate again, or take the band out")
