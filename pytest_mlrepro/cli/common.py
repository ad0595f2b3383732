"""What several commands share: options, and reading what they name."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pytest_mlrepro.config import Config, unknown
from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.facets import facet, facet_names
from pytest_mlrepro.lockfile import load_lockfile
from pytest_mlrepro.model import Run
from pytest_mlrepro.visible import lines

FINE, DRIFTED, STOPPED, UNUSABLE = 0, 1, 2, 4


def add_options(command: argparse.ArgumentParser, *, environment: str) -> None:
    """The options of a command that reads lockfiles."""
    command.add_argument("--lockfile", metavar="PATH", help="default: the project's mlrepro.lock")
    command.add_argument(
        "--facet", action="append", default=[], metavar="FACET", help="this facet only; repeatable"
    )
    command.add_argument("--environment", metavar="NAME", help=environment)
    command.add_argument("--json", action="store_true", help="print JSON")


def lockfile(options: argparse.Namespace, project: Config) -> Path:
    """Where the lockfile is."""
    return Path(options.lockfile) if options.lockfile else project.lockfile_path


def recorded(name: str) -> Run:
    """The run of a file that pytest --mlrepro-record wrote.

    Raises:
        LockfileError: if there is none, or it cannot be used.
    """
    if not os.path.lexists(name):
        raise LockfileError(
            "there is no such file",
            where=name,
            remedy=f"make one: pytest --mlrepro-record={name}; or fetch what a job of CI recorded",
        )
    return load_lockfile(Path(name))


def check_facets(facets: Sequence[str]) -> None:
    """See that facets are known.

    Raises:
        ConfigError: for one that is not; it names the nearest.
    """
    for name in facets:
        if facet(name) is None:
            raise unknown(name, facet_names(), "facet", "--facet")


def of_facets(run: Run, facets: Sequence[str]) -> Run:
    """The facts of some facets; all where none is named."""
    if not facets:
        return run
    chosen = {
        subject: {address: fact for address, fact in facts.items() if fact.facet in facets}
        for subject, facts in run.subjects.items()
    }
    own = {
        name: {
            subject: {address: fact for address, fact in facts.items() if address.partition(".")[0] in facets}
            for subject, facts in each.items()
        }
        for name, each in run.environments.items()
    }
    return Run({subject: facts for subject, facts in chosen.items() if facts}, run.traces, own)


def terminal() -> Callable[[str], None] | None:
    """What writes to the terminal, past what the command prints; None where there is none."""
    return partial(print, end="", file=sys.stderr, flush=True) if sys.stderr.isatty() else None


def show(found: dict[str, Any] | Iterable[str]) -> None:
    """Print a document as JSON, or lines: what is in them ends no line, moves no cursor and commands no CI."""
    if isinstance(found, dict):
        from pytest_mlrepro.report import machine

        print(machine.written(found), end="")
    else:
        print(lines(found))
