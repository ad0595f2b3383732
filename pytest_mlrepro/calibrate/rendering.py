"""A calibration for readers, and for machines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from pytest_mlrepro.bands import Band
from pytest_mlrepro.calibrate import quantiles
from pytest_mlrepro.calibrate.acceptance import Place
from pytest_mlrepro.calibrate.calibration import Calibrated, Metric
from pytest_mlrepro.calibrate.intervals import envelope
from pytest_mlrepro.calibrate.samples import FEW, Observations
from pytest_mlrepro.calibrate.tables import aligned
from pytest_mlrepro.lockfile.bands import ranges
from pytest_mlrepro.model import Fact, Run
from pytest_mlrepro.report.plain import plain
from pytest_mlrepro.report.text import plural

_HEAD = ("metric", "accepted", "mean", "sd", "band", "one run shows", "a recheck shows")


def lines(found: Calibrated, accepted: Run, lockfile: Run) -> Iterator[str]:
    """A calibration as a table, with the method, the runs, and what it promises and can see.

    Args:
        found: the calibration.
        accepted: what the environment is compared with.
        lockfile: all that was accepted, in whatever environment.
    """
    yield from heading(found.observations, "calibrated")
    yield from _method(found)
    yield ""
    groups = [
        (subject, [_row(metric, accepted) for metric in some])
        for subject, some in groupby(found.metrics, lambda metric: metric.sample.subject)
    ]
    if groups:
        yield from aligned(_HEAD, groups)
    yield from _notes(found, accepted, lockfile)
    yield from _without(found)
    yield from trouble(found.observations)


def heading(observations: Observations, what: str) -> Iterator[str]:
    """How many runs there were, and under which seeds."""
    remembered = f" ({len(observations.remembered)} remembered)" if observations.remembered else ""
    seeds = ranges(observations.seeds).replace(",", ", ")
    yield f"{what} over {plural(len(observations.seeds), 'run')}{remembered}, base seeds {seeds}"


def _method(found: Calibrated) -> Iterator[str]:
    count, own = len(found.observations.seeds), found.alpha / found.shares
    told = f"{plural(found.shares, 'metric')}, {own:.2g} each" if found.shares > 1 else "1 metric"
    yield (
        f"prediction interval, mean +- {quantiles.factor(count, own):.3g} sd: false-alarm rate {found.alpha:g} "
        f"over {told}"
    )
    if count < FEW:
        yield f"warning: from {plural(count, 'seed')} a band is wide and shows little; 20 are the default"


def _row(metric: Metric, accepted: Run) -> tuple[str, ...]:
    known = accepted.facts(metric.sample.subject).get(metric.sample.address)
    band = metric.band
    if metric.is_constant:
        numbers = (number(band.mean), "0", number(band.low), "any", "any")
    else:
        ends = f"{number(band.low)} to {number(band.high)}"
        numbers = (
            number(band.mean),
            f"{band.sd:.2g}",
            ends,
            f"{metric.by_one:.2g}",
            f"{metric.by_recheck:.2g}",
        )
    return (metric.sample.key, number(known.value) if known else "", *numbers)


def number(value: object) -> str:
    """A number with as many digits as are read."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _notes(found: Calibrated, accepted: Run, lockfile: Run) -> Iterator[str]:
    notes = [
        f"    {metric.sample.subject}: {metric.sample.key}: {note}"
        for metric in found.metrics
        for note in _notes_on(metric, accepted, lockfile)
    ]
    if notes:
        yield from ("", "notes", *notes)


def _notes_on(metric: Metric, accepted: Run, lockfile: Run) -> Iterator[str]:
    if metric.note:
        yield metric.note
    if metric.fact.tolerance is not None:
        own = metric.fact.tolerance
        yield f"the test's own tolerance (rtol {own.rtol:g}, atol {own.atol:g}) wins over the band"
    known = accepted.facts(metric.sample.subject).get(metric.sample.address)
    if known is not None and isinstance(known.value, float) and known.value not in metric.band:
        yield f"the accepted value {number(known.value)} lies outside of its band: its seed is no typical one"
    spread = over_environments(lockfile, metric.sample.subject, metric.sample.address)
    if spread is not None and spread[1] > spread[0]:
        wide = ", more than seeds do" if spread[1] - spread[0] > metric.band.high - metric.band.low else ""
        yield f"environments differ from {number(spread[0])} to {number(spread[1])}{wide}"


def over_environments(lockfile: Run, subject: str, address: str) -> tuple[float, float] | None:
    """From the least to the largest value that environments of a lockfile have accepted."""
    facts = (lockfile.view(name).facts(subject).get(address) for name in lockfile.environments)
    return envelope(fact.value for fact in facts if fact is not None and isinstance(fact.value, float))


def _without(found: Calibrated) -> Iterator[str]:
    if not found.others:
        return
    yield from ("", "without a band")
    for subject, some in groupby(found.others, lambda other: other[0].subject):
        reasons: dict[str, list[str]] = {}
        for sample, reason in some:
            moved = "" if sample.is_constant else ", moved with the seed"
            reasons.setdefault(f"{reason}{moved}", []).append(sample.key)
        for reason, keys in reasons.items():
            yield f"    {subject}: {', '.join(keys)} ({reason})"


def trouble(observations: Observations) -> Iterator[str]:
    """Tests that failed by themselves, and replays that could not be made."""
    if observations.failed:
        yield from ("", "tests that failed by themselves; what they had recorded counts")
        for test, (seeds, message) in sorted(observations.failed.items()):
            yield f"    {test}: under {_seeds(seeds)}: {message}"
    if observations.problems:
        yield from ("", "replays that could not be made")
        for problem, seeds in by_problem(observations.problems).items():
            head, *others = problem.splitlines()
            yield f"    {_seeds(seeds)}: {head}"
            yield from (f"    {other}" for other in others)


def by_problem(problems: Mapping[int, str]) -> dict[str, tuple[int, ...]]:
    """The seeds of each problem."""
    found: dict[str, tuple[int, ...]] = {}
    for seed, problem in sorted(problems.items()):
        found[problem] = (*found.get(problem, ()), seed)
    return found


def _seeds(seeds: tuple[int, ...]) -> str:
    return f"{'seed' if len(seeds) == 1 else 'seeds'} {ranges(tuple(sorted(seeds))).replace(',', ', ')}"


def accepted_lines(
    written: Iterable[Place], refused: Mapping[Place, str], *, called: str, changed: bool
) -> Iterator[str]:
    """What became of ``--accept``."""
    count = sum(1 for _ in written)
    yield ""
    for (subject, address), reason in sorted(refused.items()):
        yield f"not accepted: {subject}: {address}: {reason}"
    if refused:
        yield "accept their values first: pytest --mlrepro-update"
    state = "" if changed else " (as they were)"
    yield f"{plural(count, 'band')} in {called}{state}; the accepted values stay"


def document(found: Calibrated, accepted: Run, lockfile: Run) -> dict[str, Any]:
    """A calibration in JSON's types."""
    return {
        **observed(found.observations),
        "alpha": found.alpha,
        "shares": found.shares,
        "metrics": [_metric(metric, accepted, lockfile) for metric in found.metrics],
        "without": [
            {"subject": plain(sample.subject), "key": plain(sample.key), "reason": reason}
            for sample, reason in found.others
        ],
    }


def observed(observations: Observations) -> dict[str, Any]:
    """The replays of a calibration or a recheck in JSON's types."""
    return {
        "environment": observations.environment,
        "seeds": [*observations.seeds],
        "remembered": [*observations.remembered],
        "failed": [
            {"test": plain(test), "seeds": [*seeds], "message": plain(message)}
            for test, (seeds, message) in sorted(observations.failed.items())
        ],
        "problems": [
            {"seed": seed, "problem": plain(problem)}
            for seed, problem in sorted(observations.problems.items())
        ],
    }


def _metric(metric: Metric, accepted: Run, lockfile: Run) -> dict[str, Any]:
    sample = metric.sample
    known: Fact | None = accepted.facts(sample.subject).get(sample.address)
    spread = over_environments(lockfile, sample.subject, sample.address)
    return {
        "subject": plain(sample.subject),
        "key": plain(sample.key),
        "accepted": plain(known.value) if known is not None else None,
        "band": _numbers(metric.band),
        "resolution": metric.resolution,
        "shown_by_one": metric.by_one,
        "shown_by_recheck": metric.by_recheck,
        "environments": [*spread] if spread else None,
        "notes": [*_notes_on(metric, accepted, lockfile)],
    }


def _numbers(band: Band) -> dict[str, Any]:
    assert band.made is not None
    return {
        **{name: getattr(band, name) for name in ("low", "high", "mean", "sd", "seeds")},
        "method": band.made.method,
        "base": [*band.made.base],
        "values": [*band.made.values],
    }
