"""Adjudicate a change: the seeds of a calibration again, and tests of whether each metric moved as a whole."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from pytest_mlrepro.bands import Calibration
from pytest_mlrepro.calibrate.pairs import Pairs, pairs
from pytest_mlrepro.calibrate.samples import FEWEST, Observations
from pytest_mlrepro.comparison import room
from pytest_mlrepro.model import Fact, Run, Rung, Tolerance

Verdict: TypeAlias = Literal["identical", "rounding", "holds", "better", "drift", "undecided"]
"""``holds``: other values, and no shift of the metric as a whole; ``better``: a shift that is an improvement."""

GREEN: tuple[Verdict, ...] = ("identical", "rounding", "holds", "better")


@dataclass(frozen=True, slots=True)
class Recheck:
    """What became of one metric.

    Attributes:
        subject, fact: the metric as it was accepted.
        verdict: on it.
        pairs: the differences; None where there are none.
        shows: the smallest shift that these pairs show with a probability of 90 %, in the metric's unit.
        problem: what else is to be said.
    """

    subject: str
    fact: Fact
    verdict: Verdict
    pairs: Pairs | None = None
    shows: float = 0.0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Rechecked:
    """What a recheck found.

    Attributes:
        observations: the replays.
        alpha: the false-alarm rate over all metrics together.
        metrics: with a band that holds the values it was made of, of the subjects that were run.
        older: metrics with a band that does not: they cannot be rechecked.
    """

    observations: Observations
    alpha: float
    metrics: tuple[Recheck, ...] = ()
    older: tuple[tuple[str, str], ...] = ()

    @property
    def is_green(self) -> bool:
        """Whether every metric is known to be no worse."""
        return all(each.verdict in GREEN for each in self.metrics)


def seeds_of(lockfile: Run, most: int) -> tuple[int, ...]:
    """The base seeds that a recheck of a lockfile runs, in whatever environment: the first of each band."""
    found: set[int] = set()
    for fact in _all_facts(lockfile):
        if fact.band is not None and fact.band.made is not None:
            found.update(fact.band.made.base[:most])
    return tuple(sorted(found))


def _all_facts(lockfile: Run) -> Iterator[Fact]:
    yield from (fact for _, fact in lockfile)
    for own in lockfile.environments.values():
        for facts in own.values():
            yield from (fact for fact in facts.values() if fact is not None)


def rechecked(
    accepted: Run,
    observations: Observations,
    *,
    alpha: float,
    most: int,
    tolerance: Tolerance,
    whole: bool = True,
) -> Rechecked:
    """Judge every metric that was calibrated; the rate is split evenly over them (Bonferroni).

    Args:
        accepted: what the environment is compared with.
        observations: replays under ``seeds_of`` the lockfile.
        alpha: the chance that at least one metric is called moved though none is.
        most: pairs for each metric.
        tolerance: the project's.
        whole: whether all tests were run: then a subject that none of them recorded is gone.
    """
    ran = {subject for facts in observations.facts.values() for subject in facts} | observations.failed.keys()
    known = [
        (subject, fact, fact.band.made)
        for subject, fact in sorted(accepted, key=lambda each: (each[0], each[1].address))
        if fact.band is not None and (whole or subject in ran)
    ]
    older = tuple((subject, fact.address) for subject, fact, made in known if made is None)
    judged = [(subject, fact, made) for subject, fact, made in known if made is not None]
    terms = _Terms(alpha / max(1, len(judged)), most, tolerance)
    found = tuple(_judged(subject, fact, made, observations, terms) for subject, fact, made in judged)
    return Rechecked(observations, alpha, found, older)


@dataclass(frozen=True, slots=True)
class _Terms:
    alpha: float
    most: int
    tolerance: Tolerance


def _judged(
    subject: str, fact: Fact, made: Calibration, observations: Observations, terms: _Terms
) -> Recheck:
    before = dict(zip(made.base[: terms.most], made.values, strict=False))
    now = {
        seed: facts.get(subject, {}).get(fact.address)
        for seed, facts in observations.facts.items()
        if seed in before
    }
    if problem := _problem(fact, now):
        return Recheck(subject, fact, "drift", problem=problem)
    current = {seed: new for seed, new in now.items() if new is not None}
    if len(current) < FEWEST:
        few = f"{len(current)} of its seeds could be run again, {FEWEST} are needed"
        return Recheck(subject, fact, "undecided", problem=few)
    seeds = [seed for seed in before if seed in current]
    rungs = {_rung(fact, before[seed], current[seed], terms.tolerance) for seed in seeds}
    now_values = [_number(current[seed]) for seed in seeds]
    tested = pairs([before[seed] for seed in seeds], now_values, made.values)
    return Recheck(
        subject, fact, _verdict(fact, tested, rungs, terms.alpha), tested, tested.shows(terms.alpha)
    )


def _problem(fact: Fact, now: Mapping[int, Fact | None]) -> str:
    """What no test is needed for."""
    for seed, new in now.items():
        if new is None:
            return f"not recorded under seed {seed}"
        if not isinstance(new.value, float) or new.dtype != fact.dtype:
            return f"of another type under seed {seed}"
        if not math.isfinite(new.value):
            return f"{new.value!r} under seed {seed}"
    return ""


def _rung(fact: Fact, before: float, now: Fact, tolerance: Tolerance) -> Rung:
    # What the baseline's detail counts is of another seed.
    known = replace(fact, value=before, detail={}, band=None)
    return room(fact.facet).rung(known, now, tolerance)


def _number(fact: Fact) -> float:
    assert isinstance(fact.value, float)
    return fact.value


def _verdict(fact: Fact, tested: Pairs, rungs: set[Rung], alpha: float) -> Verdict:
    if rungs == {"identical"}:
        return "identical"
    # Rounding has a direction too, which a test of ten differences would find.
    if "drift" not in rungs:
        return "rounding"
    if tested.chance >= alpha:
        return "holds"
    improves = {"higher": tested.mean > 0, "lower": tested.mean < 0}
    return "better" if fact.better is not None and improves[fact.better] else "drift"
