"""``mlrepro bisect``: which change made a result drift, found out by replays."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_mlrepro.bisect import elements as parts
from pytest_mlrepro.bisect import surroundings
from pytest_mlrepro.bisect.account import Account
from pytest_mlrepro.bisect.baselines import Baseline, baseline, with_results
from pytest_mlrepro.bisect.document import document
from pytest_mlrepro.bisect.elements import Element
from pytest_mlrepro.bisect.mixtures import Mixtures, needs
from pytest_mlrepro.bisect.search import Finding, doubts, search
from pytest_mlrepro.bisect.states import as_now, parse
from pytest_mlrepro.bisect.text import lines
from pytest_mlrepro.bisect.trials import Judge, Trial, Trials, heard, place_of, results_of, silence
from pytest_mlrepro.cli import common, judging, replaying
from pytest_mlrepro.cli.common import DRIFTED, FINE, lockfile
from pytest_mlrepro.config import Config
from pytest_mlrepro.environment.distributions import Distributions
from pytest_mlrepro.environment.naming import default_name
from pytest_mlrepro.environment.variables import numeric_variables
from pytest_mlrepro.errors import ReplayError
from pytest_mlrepro.export.pins import missing, recorded
from pytest_mlrepro.history.repository import Repository, short
from pytest_mlrepro.model import Run
from pytest_mlrepro.redaction import portable, redacted
from pytest_mlrepro.replay import Change, Checkouts, Index, Replay, Replayer

_ORDER = ("data", "settings", "source", "variable", "seed", "library")


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    command = commands.add_parser(
        "bisect",
        help="which change made a result drift: versions, code, data, settings, variables, found by replays",
        description="Replay a test in mixtures of the state in which its results were accepted and the state of now, "
        "until the smallest set of changes is found that makes its results drift: library versions (installed by uv "
        "into environments of their own), code, data and other files (checked out by git), environment variables, the "
        "seed. A guilty library is narrowed to its first release, guilty files to the first commit. The checkout and "
        "the environment stay as they are. Exit status 1: a result drifts.",
        epilog="example: mlrepro bisect tests/test_model.py::test_f1",
    )
    command.add_argument("test", metavar="TEST", help="FILE::TEST, as pytest names it")
    command.add_argument(
        "--good",
        metavar="REV",
        help="the commit whose lockfile and state are the baseline (default: the last that changed the test's accepted "
        "results)",
    )
    command.add_argument(
        "--bad", metavar="REV", help="the commit whose files drift (default: the working folder as it is)"
    )
    command.add_argument(
        "--replay",
        action="append",
        default=[],
        metavar="CHANGES",
        help="replay only this mixture and print what it gives: names of changes with commas between (the others are "
        "as then), NAME=LEVEL for a release or commit between, none for all as then; repeatable",
    )
    replaying.add_options(command)
    command.set_defaults(run=run)


@dataclass(frozen=True, slots=True)
class _Case:
    """What is looked into."""

    project: Config
    test: str
    baseline: Baseline
    judge: Judge
    first: Replay
    elements: tuple[Element, ...]
    hidden: tuple[str, ...]
    mixtures: Mixtures


def run(options: argparse.Namespace, project: Config) -> int:
    """Look for the cause, and print it.

    Returns:
        1 if a result drifts, whatever the reason; 0 if none does.

    Raises:
        MlreproError: if then or now cannot be replayed or judged.
    """
    test = replaying.from_root(options.test, project.root)
    with (
        Checkouts(project.root) as checkouts,
        replaying.replayer(options, project, [options.test], checkouts=checkouts) as replayer,
    ):
        bad = checkouts.resolve(options.bad) if options.bad else ""
        now = Change(commit=bad)
        first = replaying.replays(replayer, [now], "replaying the test as it is")[0]
        case = _case(options, project, test, first, checkouts)
        progress = _Progress(replayer)
        trials = Trials(progress, case.mixtures.change, case.judge)
        progress.expected = lambda: trials.expected
        if options.replay:
            states = [parse(each, case.elements) for each in options.replay]
            for state in states:
                trials.trial(state)
            finding, status = None, _status(trials.all)
        else:
            everything = as_now(each.name for each in case.elements)
            is_now = bool(everything) and case.mixtures.change(everything) == now
            trials.note(everything if is_now else None, first)
            finding = _find(trials, case, replayer, now)
            status = FINE if finding.verdict == "holds" else DRIFTED
        account = _account(options, case, checkouts, finding, trials)
        common.show(document(account) if options.json else lines(account))
        return status


def _status(trials: Iterable[Trial]) -> int:
    return DRIFTED if any(each.judged.outcome == "drifts" for each in trials) else FINE


class _Progress:
    """Replays, with a line on a terminal: the how manyth it is, and how long the others will take."""

    def __init__(self, replayer: Replayer) -> None:
        self.expected: Callable[[], int] = lambda: 0
        self._replayer = replayer
        self._began, self._made, self._width = time.monotonic(), 0, 0

    def __call__(self, changes: Sequence[Change]) -> Sequence[Replay]:
        write = common.terminal()
        left = self.expected() + len(changes)
        if write is not None:
            text = f"mlrepro: replay {self._made + 1} of about {self._made + left}{self._time(left)}"
            self._width = max(self._width, len(text))
            write(f"\r{text:<{self._width}}")
        try:
            return self._replayer.replays(changes)
        finally:
            self._made += len(changes)
            if write is not None:
                write(f"\r{' ' * self._width}\r")

    def _time(self, left: int) -> str:
        if not self._made:
            return ""
        passed = time.monotonic() - self._began
        return f", about {replaying.duration(passed / self._made * left)} left"


def _find(trials: Trials, case: _Case, replayer: Replayer, now: Change) -> Finding:
    if trials.all[0].judged.outcome == "holds":
        # Once is not enough to say so: it may drift by itself, now and then.
        again = trials.note(None, replayer.replay(Change(commit=now.commit, repeat=1)), again=True)
        if again.judged.outcome != "holds":
            return Finding("flaky", why="of two replays of everything as it is, one drifts")
        return Finding("holds")
    return doubts(trials, case.elements) or search(
        trials, case.elements, needs(case.mixtures), case.mixtures.rows
    )


def _case(
    options: argparse.Namespace, project: Config, test: str, first: Replay, checkouts: Checkouts
) -> _Case:
    _check(silence(first))
    subjects = tuple(with_results(heard(first)))
    path = lockfile(options, project)
    repository = Repository.of(path)
    environment = os.environ.get("MLREPRO_ENVIRONMENT") or project.environment or default_name()
    good = checkouts.resolve(options.good) if options.good else ""
    found = baseline(repository, good, environment, subjects, below=repository.below(project.root))
    subjects = tuple(name for name in subjects if name in set(with_results(found.run)))
    judge = Judge(judging.terms(project, found.run), subjects)
    judged = judge.judge(first)
    _check(judged.reason)
    changed = [each for each in judged.drifts if each.kind == "changed"] or judged.drifts
    judge = Judge(judge.terms, subjects, frozenset(map(place_of, changed)))
    bad = checkouts.resolve(options.bad) if options.bad else checkouts.snapshot()
    head = bad if options.bad else checkouts.resolve("HEAD")
    files = parts.of_files(checkouts.changed(found.commit, bad), found.paths)
    variables = _variables(project, found.run, subjects)
    installed = Distributions.read()
    versions = {name: each.version for name, each in installed.by_name.items()}
    libraries = parts.of_libraries(found.run, versions, recorded(first.run))
    seeds = parts.of_seed(
        parts.facts_of(found.run, subjects), parts.facts_of(heard(first), subjects), project.seed
    )
    elements = tuple(
        sorted(
            (*files, *variables.elements, *seeds, *libraries),
            key=lambda each: (_ORDER.index(each.kind), each.name),
        )
    )
    mixtures = Mixtures(
        elements,
        checkouts,
        found.commit,
        bad,
        head,
        Index(project.root),
        without=frozenset(found.paths),
    )
    packages = surroundings.packages(found.run, mixtures, installed)
    mixtures = replace(mixtures, packages=packages)
    hidden = (*variables.hidden, *(missing(recorded(found.run)) if packages is not None else ()))
    return _Case(
        project,
        test,
        found,
        judge,
        first,
        elements,
        (*hidden, *surroundings.machine(judge.terms, first.run, elements)),
        mixtures,
    )


def _check(reason: str) -> None:
    """See that there is something to compare.

    Raises:
        ReplayError: if there is a reason why not.
    """
    if reason:
        raise ReplayError(
            "the test gives no result to compare as it is now",
            where="bisect",
            said=tuple(f"  {each}" for each in reason.splitlines()),
            remedy="a test that raises has to be mended first: bisect looks for what moved a result",
        )


def _variables(project: Config, accepted: Run, subjects: Sequence[str]) -> parts.Variables:
    def told(name: str, value: str) -> object:
        return redacted(name, portable(value), project.secrets)

    shown = {
        name: redacted(name, value, project.secrets) for name, value in numeric_variables(os.environ).items()
    }
    return parts.of_variables(
        parts.facts_of(accepted, subjects),
        dict(os.environ),
        told,
        {name: str(value) for name, value in shown.items()},
    )


def _account(
    options: argparse.Namespace,
    case: _Case,
    checkouts: Checkouts,
    finding: Finding | None,
    trials: Trials,
) -> Account:
    def named(commit: str) -> str:
        return f"{short(commit)} {checkouts.title(commit)}".rstrip()

    wanted = case.judge.targets or {*results_of(case.baseline.run, case.judge.subjects)}
    command = ["mlrepro", "bisect", options.test, "--good", short(case.baseline.commit)]
    command += ["--bad", options.bad] if options.bad else []
    command += ["--lockfile", options.lockfile] if options.lockfile else []
    return Account(
        case.test,
        named(case.baseline.commit),
        named(case.mixtures.bad) if options.bad else "the working folder",
        case.elements,
        case.hidden,
        {
            place: fact
            for place, fact in results_of(case.baseline.run, case.judge.subjects).items()
            if place in wanted
        },
        finding,
        trials.all,
        [*command, "--fresh"],
        checkouts.title,
    )
