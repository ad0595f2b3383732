"""``mlrepro show``: the accepted facts, as a table."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from pytest_mlrepro.cli import common, views
from pytest_mlrepro.config import Config, unknown
from pytest_mlrepro.lockfile import load_lockfile
from pytest_mlrepro.model import Run
from pytest_mlrepro.report import environments, machine, text


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    command = commands.add_parser(
        "show",
        help="the accepted facts, as a table",
        description="Show the facts of the lockfile, or of a recorded run.",
        epilog="example: mlrepro show tests/test_model.py::test_f1 --facet results",
    )
    command.add_argument(
        "subject", nargs="?", default="", help="a subject, or the beginning of one (default: all)"
    )
    common.add_options(command, environment="as this environment of the lockfile has it")
    command.add_argument(
        "--environments", action="store_true", help="side by side, what differs between the environments"
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace, project: Config) -> int:
    """Print the facts asked for.

    Returns:
        0.

    Raises:
        MlreproError: if the lockfile cannot be used, or a name means nothing.
    """
    path = common.lockfile(options, project)
    common.check_facets(options.facet)
    held = common.of_facets(load_lockfile(path), options.facet)
    if options.environment is not None:
        held = views.named(held, options.environment, path)
    chosen = held.below(options.subject)
    if options.subject and not any((chosen.subjects, *chosen.environments.values())):
        raise unknown(options.subject, held.subjects, "subject", str(path))
    shown: dict[str, Any] | Iterator[str]
    if options.environments:
        shown = (
            environments.document(chosen) if options.json else environments.lines(chosen, project.tolerance)
        )
    else:
        shown = machine.facts(chosen) if options.json else _table(chosen)
    common.show(shown)
    return common.FINE


def _table(run: Run) -> Iterator[str]:
    yield from text.table(run)
    yield from environments.hint(run)
