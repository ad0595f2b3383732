"""``mlrepro stress``: run tests again under changes that must not change their results."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from pytest_mlrepro.cli import replaying
from pytest_mlrepro.cli.common import DRIFTED, FINE, show
from pytest_mlrepro.config import Config, unknown
from pytest_mlrepro.replay import Change, Replay
from pytest_mlrepro.replay.replayer import Replayer
from pytest_mlrepro.steadiness import HOLDS
from pytest_mlrepro.stress.document import document
from pytest_mlrepro.stress.experiment import Experiment
from pytest_mlrepro.stress.machine import Machine
from pytest_mlrepro.stress.perturbations import Perturbation, catalogue, clean
from pytest_mlrepro.stress.telling import lines

_NARROWEST = 80


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    command = commands.add_parser(
        "stress",
        help="run tests again under changes that must not change their results",
        description="Run the tests in fresh processes, once as they are and once with everything changed that must not "
        "matter: hash seed, order of tests and of listings, fresh memory, time zone, folders, threads, instruction "
        "sets ... Where a fact differs, one change at a time finds out which it is.",
        epilog="example: mlrepro stress tests/test_model.py --under hash,threads",
    )
    command.add_argument(
        "tests", nargs="*", metavar="TEST", help="files, folders, or FILE::TEST (default: all)"
    )
    command.add_argument(
        "--under",
        action="append",
        default=[],
        metavar="CHANGE[,CHANGE]",
        help=f"these changes only, repeatable: {', '.join(HOLDS)}",
    )
    command.add_argument(
        "--each",
        action="store_true",
        help="make each change alone, even if all of them at once change nothing",
    )
    replaying.add_options(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace, project: Config) -> int:
    """Replay, and print the matrix and what it means.

    Returns:
        0, or 1 if a fact drifts under a change that it must hold under, or a test could not be tried.

    Raises:
        MlreproError: for an unknown change, or if the tests cannot be run as they are.
    """
    names = _names(options.under)
    machine = Machine.here()
    changes = _chosen(catalogue(machine, project.stress), names)
    with replaying.replayer(options, project, options.tests) as replayer:
        told = Experiment(
            clean(machine, project.guard),
            changes,
            partial(_replays, replayer),
            project.tolerance,
            each=options.each,
        ).run()
    width = max(_NARROWEST, shutil.get_terminal_size((_NARROWEST * 2, 24)).columns)
    show(document(told) if options.json else lines(told, width))
    return FINE if told.holds else DRIFTED


def _replays(replayer: Replayer, changes: Sequence[Change], what: str) -> tuple[Replay, ...]:
    return replaying.replays(replayer, changes, what)


def _names(words: Sequence[str]) -> tuple[str, ...]:
    names = tuple(name.strip() for word in words for name in word.split(",") if name.strip())
    for name in names:
        if name not in HOLDS:
            raise unknown(name, HOLDS, "change", "--under")
    return names


def _chosen(changes: Sequence[Perturbation], names: Sequence[str]) -> tuple[Perturbation, ...]:
    """Those that are named, even if the project rules them out; else all that it does not."""
    if not names:
        return tuple(each for each in changes if each.hold != "off")
    chosen = (each for each in changes if each.name in names)
    return tuple(replace(each, hold=HOLDS[each.name]) if each.hold == "off" else each for each in chosen)
