"""``mlrepro report``: a recorded run against the lockfile, or the lockfile alone, with what git knows of its past."""

from __future__ import annotations

import argparse
import os
import shlex
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from pytest_mlrepro.balance import Sum, contrast
from pytest_mlrepro.cli import common, views
from pytest_mlrepro.cli.judging import terms
from pytest_mlrepro.config import Config
from pytest_mlrepro.errors import ConfigError
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.lockfile import load_lockfile
from pytest_mlrepro.model import SESSION, Run
from pytest_mlrepro.report import files, machine
from pytest_mlrepro.report.past import histories

_PAGE = ".html"


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    command = commands.add_parser(
        "report",
        help="a recorded run against the lockfile, as a web page, Markdown or JSON; or the lockfile, as a page",
        description="Compare a run that pytest --mlrepro-record wrote with the lockfile, and write the report that "
        "pytest --mlrepro-report would have written. What the guard saw, and where data moved, is in no recorded run. "
        "Without a run: the page of what is accepted. A page has the history of every metric, where git knows it.",
        epilog="example: mlrepro report run.lock -o report.html",
    )
    command.add_argument(
        "recorded",
        metavar="RUN",
        nargs="?",
        help="the run, written by pytest --mlrepro-record=RUN; default: none, the page tells what is accepted",
    )
    command.add_argument(
        "-o", "--output", metavar="FILE", required=True, help=f"where to: {', '.join(files.FORMATS)}"
    )
    command.add_argument("--lockfile", metavar="PATH", help="default: the project's mlrepro.lock")
    command.add_argument(
        "--environment", metavar="NAME", help="compare with this environment of the lockfile, or show it"
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace, project: Config) -> int:
    """Write the report.

    Returns:
        0, or 1 where the run does not reproduce the lockfile.

    Raises:
        MlreproError: if a file cannot be read or written, or there is no such report.
    """
    target, path = Path(options.output), common.lockfile(options, project)
    files.check(target, f"-o {options.output}")
    _check(options, target, path)
    lockfile = load_lockfile(path)
    called = str(options.lockfile or path.name)
    if options.recorded is None:
        total, agreed = _accepted(options, project, lockfile, path)
        document = machine.document(total, agreed, exitstatus=0, lockfile=called) | {"mode": "accepted"}
    else:
        total, agreed = _compared(options, project, lockfile, path)
        red = any(judgement.red for judgement in total.judgements)
        document = machine.document(
            total, agreed, exitstatus=int(red), lockfile=called, accept=_accept(options)
        )
    known = agreed.environment if agreed.environment in lockfile.environments else None
    past = partial(histories, path, project.root, known)
    files.write(target, document, shown=f"-o {options.output}", past=past)
    return int(document["exitstatus"])


def _check(options: argparse.Namespace, target: Path, lockfile: Path) -> None:
    for source in filter(None, (options.recorded, lockfile)):
        if os.path.realpath(target) == os.path.realpath(source):
            raise ConfigError(
                "that is what the report is about", where=f"-o {target}", remedy="name another file"
            )
    if options.recorded is None and target.suffix != _PAGE:
        raise ConfigError(
            "without a run there is nothing to judge: what is accepted is shown as a page alone",
            where=f"-o {target}",
            remedy=f"name the run: mlrepro report RUN -o {target}; or see mlrepro show, or mlrepro show --json",
        )


def _accepted(options: argparse.Namespace, project: Config, lockfile: Run, path: Path) -> tuple[Sum, Terms]:
    """The lockfile as one environment has it."""
    configured = os.environ.get("MLREPRO_ENVIRONMENT") or project.environment
    name = options.environment or views.name_here(lockfile, configured)
    content = views.named(lockfile, name, path) if name else lockfile
    agreed = replace(terms(project, content), environment=name, recorded=frozenset(lockfile.environments))
    return contrast(content, agreed), agreed


def _compared(options: argparse.Namespace, project: Config, lockfile: Run, path: Path) -> tuple[Sum, Terms]:
    """The recorded run against the lockfile."""
    current = common.recorded(options.recorded)
    if options.environment is not None:
        name, baseline = options.environment, views.named(lockfile, options.environment, path)
    else:
        name, baseline = next(iter(current.environments), ""), views.alike(lockfile, current)
    agreed = replace(
        terms(project, within(baseline, current)),
        environment=name,
        recorded=frozenset(lockfile.environments),
        strangers=project.unknown_environment,
    )
    return contrast(current.view(name), agreed), agreed


def _accept(options: argparse.Namespace) -> str:
    """What accepts the run: nothing has to be run again for that."""
    named = ["--lockfile", options.lockfile] if options.lockfile else []
    return shlex.join(["mlrepro", "accept", options.recorded, *named])


def within(baseline: Run, current: Run) -> Run:
    """The baseline of what a run has seen. It may be of a part of the suite: then what it lacks is no drift.

    Args:
        baseline: as an environment sees it.
        current: the recorded run.
    """
    tests = {name: facts for name, facts in baseline.subjects.items() if name in current}
    if len(tests) < len(baseline.subjects) and SESSION in tests:
        seen = current.facts(SESSION)
        own = {address: fact for address, fact in tests[SESSION].items() if address in seen}
        tests[SESSION] = own
    return Run(tests, baseline.traces, baseline.environments)
