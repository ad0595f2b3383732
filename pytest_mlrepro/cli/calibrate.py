"""``mlrepro calibrate``: how wide a tolerance has to be, and whether a change moved a metric as a whole."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_mlrepro.calibrate import (
    FEWEST,
    Accepting,
    Calibrated,
    Observations,
    calibrated,
    rechecked,
    refusals,
    rendering,
    verdicts,
)
from pytest_mlrepro.calibrate.calibration import ALPHA, PAIRS, RUNS
from pytest_mlrepro.calibrate.recheck import seeds_of
from pytest_mlrepro.cli import common, replaying
from pytest_mlrepro.cli.common import DRIFTED, FINE, show
from pytest_mlrepro.config import Config
from pytest_mlrepro.errors import ConfigError, LockfileError, ReplayError
from pytest_mlrepro.lockfile import check_writable, load_lockfile, update_lockfile
from pytest_mlrepro.model import Run
from pytest_mlrepro.replay import Change
from pytest_mlrepro.report.plain import plain
from pytest_mlrepro.visible import visible


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    command = commands.add_parser(
        "calibrate",
        help="how far a metric moves when only the seed varies",
        description="Run tests under several base seeds and propose a band for each metric: where it lies when only "
        "the seed varies, with the method, the false-alarm rate over all metrics together, and the smallest shift "
        "that is seen. A value beyond its tolerance and within its band is green. A tolerance in the test's own code "
        "wins over the band.",
        epilog="example: mlrepro calibrate tests/test_model.py --accept",
    )
    command.add_argument("tests", nargs="*", metavar="TEST", help="as pytest takes them (default: all)")
    command.add_argument(
        "--runs",
        type=int,
        metavar="N",
        help=f"base seeds 1 to N (default: {RUNS}, at least {FEWEST}); of --recheck: how many of the stored seeds "
        f"(default: {PAIRS})",
    )
    command.add_argument(
        "--alpha",
        type=_rate,
        default=ALPHA,
        metavar="RATE",
        help="the share of runs in which at least one metric may give a false alarm (default: %(default)s)",
    )
    deed = command.add_mutually_exclusive_group()
    deed.add_argument("--accept", action="store_true", help="write the bands beside the accepted values")
    deed.add_argument(
        "--recheck",
        action="store_true",
        help="run the first of the stored seeds again, and test whether a metric moved as a whole: after a "
        "change that alters the random stream, such as an upgrade",
    )
    replaying.add_options(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace, project: Config) -> int:
    """Calibrate, or recheck.

    Returns:
        0; 1 where a metric moved.

    Raises:
        MlreproError: if a file, an option or too many replays cannot be used.
    """
    count = options.runs if options.runs is not None else PAIRS if options.recheck else RUNS
    if count < FEWEST:
        raise ConfigError(
            f"from fewer than {FEWEST} seeds nobody can tell how far they move a metric",
            where=f"--runs {count}",
            remedy=f"leave it out for {PAIRS if options.recheck else RUNS}",
        )
    if options.recheck:
        return _recheck(options, project, count)
    return _calibrate(options, project, count)


def _calibrate(options: argparse.Namespace, project: Config, count: int) -> int:
    path = common.lockfile(options, project)
    lockfile = _lockfile(path, needed=options.accept, remedy="make one first: pytest --mlrepro-update")
    if options.accept:
        _check_writable(path)
    seeds = range(1, count + 1)
    # The value that is to have a band must be the one that the code still gives.
    further = {project.seed} - {*seeds} if options.accept else set()
    everything = _observed(options, project, (*seeds, *further), "calibrating")
    observations = everything.only(seeds)
    _check_enough(observations, count)
    if options.accept and project.seed in everything.problems:
        raise _unmade(
            f"the replay under the project's own seed, {project.seed}, could not be made",
            {project.seed: everything.problems[project.seed]},
        )
    found = calibrated(observations, alpha=options.alpha)
    accepted = lockfile.view(observations.environment)
    told = [*rendering.lines(found, accepted, lockfile)]
    document = rendering.document(found, accepted, lockfile)
    status = FINE
    if options.accept:
        now = everything.run(project.seed)
        status, more, further_told = _accept(found, lockfile, now, path, project)
        told += more
        document |= further_told
    show(document if options.json else told)
    return status


def _accept(
    found: Calibrated, lockfile: Run, now: Run, path: Path, project: Config
) -> tuple[int, list[str], dict[str, Any]]:
    environment = found.observations.environment
    accepted = lockfile.view(environment)
    refused = dict(refusals(found, accepted, now, project.tolerance))
    bands = {
        place: (accepted.facts(place[0])[place[1]], metric.band)
        for metric in found.metrics
        if (place := (metric.sample.subject, metric.sample.address)) not in refused
    }
    accepting = Accepting(environment, bands)
    missed: list[tuple[str, str]] = []

    def change(before: Run) -> Run:
        missed[:] = accepting.missed(before)
        return accepting(before)

    changed = update_lockfile(path, change, shown=_called(path))
    refused |= dict.fromkeys(missed, "somebody else has just accepted another value")
    written = [place for place in bands if place not in refused]
    told = [*rendering.accepted_lines(written, refused, called=_called(path), changed=changed)]
    document = {
        "lockfile": _called(path),
        "written": changed,
        "accepted": [{"subject": plain(subject), "address": plain(address)} for subject, address in written],
        "refused": [
            {"subject": plain(subject), "address": plain(address), "reason": reason}
            for (subject, address), reason in sorted(refused.items())
        ],
    }
    return DRIFTED if refused else FINE, told, document


def _recheck(options: argparse.Namespace, project: Config, count: int) -> int:
    path = common.lockfile(options, project)
    lockfile = _lockfile(
        path, needed=True, remedy="make one first: pytest --mlrepro-update, then mlrepro calibrate --accept"
    )
    seeds = seeds_of(lockfile, count)
    if not seeds:
        raise LockfileError(
            "no fact in it holds the values that a recheck compares with",
            where=_called(path),
            remedy="calibrate first: mlrepro calibrate --accept",
        )
    observations = _observed(options, project, seeds, "rechecking")
    _check_enough(observations, len(seeds))
    found = rechecked(
        lockfile.view(observations.environment),
        observations,
        alpha=options.alpha,
        most=count,
        tolerance=project.tolerance,
        whole=not options.tests,
    )
    show(verdicts.document(found) if options.json else verdicts.lines(found))
    return FINE if found.is_green else DRIFTED


def _observed(
    options: argparse.Namespace, project: Config, seeds: tuple[int, ...], what: str
) -> Observations:
    with replaying.replayer(options, project, options.tests) as replayer:
        changes = [Change(seed=seed) for seed in seeds]
        return Observations.of(replaying.replays(replayer, changes, what))


def _check_enough(observations: Observations, asked: int) -> None:
    made = len(observations.seeds)
    if made >= FEWEST:
        return
    raise _unmade(f"{made} of {asked} replays could be made, {FEWEST} are needed", observations.problems)


def _unmade(what: str, problems: Mapping[int, str]) -> ReplayError:
    said = tuple(line for problem in rendering.by_problem(problems) for line in problem.splitlines())
    remedy = "see that the tests run: pytest --mlrepro-record=run.lock"
    return ReplayError(what, where="mlrepro calibrate", said=said, remedy=remedy)


def _lockfile(path: Path, *, needed: bool, remedy: str) -> Run:
    if os.path.lexists(path):
        return load_lockfile(path, shown=_called(path))
    if not needed:
        return Run()
    raise LockfileError("there is no lockfile", where=_called(path), remedy=remedy)


def _check_writable(path: Path) -> None:
    try:
        check_writable(path, shown=_called(path))
    except LockfileError as error:
        remedy = "name a writable file: --lockfile PATH"
        raise LockfileError(error.what, where=error.where, remedy=remedy) from None


def _called(path: Path) -> str:
    try:
        return visible(Path(os.path.relpath(path)).as_posix())
    except ValueError:
        return visible(str(path))


def _rate(text: str) -> float:
    rate = float(text)
    if not 0.0 < rate < 1.0:
        raise ValueError
    return rate


_rate.__name__ = "number between 0 and 1"
