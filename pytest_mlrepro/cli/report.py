"""``mlrepro report``: a recorded run against the lockfile, as a page, Markdown or JSON."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_mlrepro.balance import Sum, contrast
from pytest_mlrepro.cli import views
from pytest_mlrepro.cli.judging import terms
from pytest_mlrepro.config import Config
from pytest_mlrepro.errors import ConfigError
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.lockfile import load_lockfile
from pytest_mlrepro.model import SESSION, Run
from pytest_mlrepro.report import files, machine
from pytest_mlrepro.report.text import update_command


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    command = commands.add_parser(
        "report",
        help="a recorded run against the lockfile, as a web page, Markdown or JSON",
        description="Compare a run that pytest --mlrepro-record wrote with the lockfile, and write the report that "
        "pytest --mlrepro-report would have written. What the guard saw, and where data moved, is in no recorded run.",
        epilog="example: mlrepro report run.lock -o report.html",
    )
    command.add_argument("recorded", metavar="RUN", help="the run, written by pytest --mlrepro-record=RUN")
    command.add_argument(
        "-o", "--output", metavar="FILE", required=True, help=f"where to: {', '.join(files.FORMATS)}"
    )
    command.add_argument("--lockfile", metavar="PATH", help="default: the project's mlrepro.lock")
    command.add_argument(
        "--environment", metavar="NAME", help="compare with this environment of the lockfile"
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace, project: Config) -> int:
    """Write the report.

    Returns:
        0, or 1 where the run does not reproduce the lockfile.

    Raises:
        MlreproError: if a file cannot be read or written, or there is no such report.
    """
    target = Path(options.output)
    path = Path(options.lockfile) if options.lockfile else project.lockfile_path
    files.check(target, f"-o {options.output}")
    for source in (Path(options.recorded), path):
        if os.path.realpath(target) == os.path.realpath(source):
            raise ConfigError(
                "that is what the report is about", where=f"-o {target}", remedy="name another file"
            )
    current, lockfile = load_lockfile(Path(options.recorded)), load_lockfile(path)
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
    total = contrast(current.view(name), agreed)
    document = _document(total, agreed, str(options.lockfile or path.name), bool(options.lockfile))
    files.write(target, document, shown=f"-o {options.output}")
    return int(document["exitstatus"])


def _document(total: Sum, agreed: Terms, lockfile: str, is_given: bool) -> dict[str, Any]:
    red = any(judgement.red for judgement in total.judgements)
    named = (f"--mlrepro-lockfile={lockfile}",) if is_given else ()
    return machine.document(
        total, agreed, exitstatus=int(red), lockfile=lockfile, accept=update_command("", named)
    )


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
