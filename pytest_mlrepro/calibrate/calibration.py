"""A band for every metric, with what it is made for and what it can see."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_mlrepro.bands import Band, Calibration
from pytest_mlrepro.calibrate import intervals
from pytest_mlrepro.calibrate.intervals import Interval
from pytest_mlrepro.calibrate.samples import Observations, Sample, refusal
from pytest_mlrepro.model import Fact

ALPHA = 0.01
"""The share of runs in which at least one metric may be outside of its band though nothing changed."""
RUNS = 20
PAIRS = 10
"""Of a recheck."""
INTERVAL = "prediction interval"
CONSTANT = "constant"
_TOO_WIDE = "its spread is beyond what a float can hold"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric that has a band.

    Attributes:
        sample: its values.
        band: with what it was made of.
        resolution: the step that the band was widened by, in the metric's unit.
        by_one, by_recheck: the smallest shift that one run, and a recheck, shows with a probability of 90 %, in the
            metric's unit; a recheck at worst.
        note: what there is to say of it.
    """

    sample: Sample
    band: Band
    resolution: float
    by_one: float
    by_recheck: float
    note: str = ""

    @property
    def is_constant(self) -> bool:
        """Whether its band is one value."""
        return self.band.made is not None and self.band.made.method == CONSTANT

    @property
    def fact(self) -> Fact:
        """As one of the runs recorded it."""
        return next(iter(self.sample.facts.values()))


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What a calibration found.

    Attributes:
        observations: the replays.
        alpha: the false-alarm rate over all metrics together.
        shares: how many metrics share it.
        metrics: that have a band.
        others: results that have none, with the reason.
    """

    observations: Observations
    alpha: float
    shares: int
    metrics: tuple[Metric, ...] = ()
    others: tuple[tuple[Sample, str], ...] = ()


def calibrated(observations: Observations, *, alpha: float = ALPHA) -> Calibrated:
    """A band for every metric that can have one.

    The rate is split evenly (Bonferroni): metrics of one model go together, so that fewer alarms come than promised.
    Metrics that no seed moved raise none, and take no share.

    Args:
        observations: at least 5 replays.
        alpha: the share of runs in which at least one metric may be outside of its band though nothing changed.
    """
    found = [(sample, refusal(sample)) for sample in observations.samples()]
    moved = {sample.subject for sample, _ in found if not sample.is_constant}
    fit = [sample for sample, reason in found if not reason]
    fixed = {id(sample) for sample in fit if _is_fixed(sample, moved)}
    shares = max(1, len(fit) - len(fixed))
    metrics: list[Metric] = []
    others = [(sample, reason) for sample, reason in found if reason]
    for sample in fit:
        made = (
            _fixed(sample, alpha, shares)
            if id(sample) in fixed
            else _spread(sample, alpha, shares, count=len(observations.seeds))
        )
        if made is None:
            others.append((sample, _TOO_WIDE))
        else:
            metrics.append(made)
    return Calibrated(observations, alpha, shares, tuple(metrics), tuple(others))


def _is_fixed(sample: Sample, moved: set[str]) -> bool:
    """Whether no seed moves it. A share may stand still while the predictions that it counts do not."""
    by_chance = sample.subject in moved and intervals.is_share([*sample.facts.values()])
    return sample.is_constant and not by_chance


def _fixed(sample: Sample, alpha: float, shares: int) -> Metric:
    found = intervals.constant(sample.values)
    note = f"the same under all {len(sample.seeds)} seeds: the band is this one value"
    return Metric(sample, _band(sample, found, CONSTANT, alpha, shares), 0.0, 0.0, 0.0, note)


def _spread(sample: Sample, alpha: float, shares: int, *, count: int) -> Metric | None:
    step = intervals.resolution([*sample.facts.values()])
    own = alpha / shares
    found = intervals.interval(sample.values, own, step)
    if found is None:
        return None
    seeds = len(sample.seeds)
    notes = []
    if found.sd == 0.0:
        notes.append(
            "the same under all seeds, though other results moved: the band is one case wide to either side"
        )
    if seeds < count:
        notes.append(f"recorded under {seeds} of {count} seeds")
    return Metric(
        sample,
        _band(sample, found, INTERVAL, alpha, shares),
        step,
        intervals.shown_by_one(found, seeds, own),
        intervals.shown_by_recheck(found.sd, seeds, min(PAIRS, seeds), own),
        "; ".join(notes),
    )


def _band(sample: Sample, found: Interval, method: str, alpha: float, shares: int) -> Band:
    made = Calibration(method, alpha, shares, sample.seeds, sample.values)
    return Band(found.low, found.high, found.mean, found.sd, len(sample.seeds), made)
