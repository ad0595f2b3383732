"""``mlrepro check-lockfile``: what a hook before a commit asks of a lockfile."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from pytest_mlrepro.cli.common import FINE, UNUSABLE
from pytest_mlrepro.config import Config
from pytest_mlrepro.errors import LockfileError, MlreproError
from pytest_mlrepro.lockfile import dumps, load_lockfile


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    command = commands.add_parser(
        "check-lockfile",
        help="whether lockfiles can be read and are as an update writes them; runs no test",
        description="Check lockfiles before they are committed: no conflict markers, nothing that cannot be read, and "
        "the very bytes that an update would write.",
        epilog="example: mlrepro check-lockfile mlrepro.lock",
    )
    command.add_argument("files", nargs="*", metavar="FILE", help="default: the project's mlrepro.lock")
    command.set_defaults(run=run)


def run(options: argparse.Namespace, project: Config) -> int:
    """Check each file, and say what is wrong with it.

    Returns:
        0, or 4 where one cannot be committed as it is.
    """
    status = FINE
    for name in options.files or [str(project.lockfile_path)]:
        try:
            _check(name)
        except MlreproError as error:
            print(f"mlrepro: {error}", file=sys.stderr)
            status = UNUSABLE
    return status


def _check(name: str) -> None:
    held = load_lockfile(name)
    if held.traces:
        raise LockfileError(
            "it holds traces: it is a recorded run",
            where=name,
            remedy="take its facts into the lockfile: mlrepro accept RUN",
        )
    # A checkout on Windows may have other line ends than the file in git.
    lines = Path(name).read_bytes().replace(b"\r\n", b"\n").decode().split("\n")
    canonical = dumps(held).split("\n")
    if lines == canonical:
        return
    pairs = zip([*lines, ""], [*canonical, ""], strict=False)
    number = next((at for at, (one, other) in enumerate(pairs, 1) if one != other), 1)
    raise LockfileError(
        "an update would write this line in another way",
        where=f"{name}, line {number}",
        remedy="do not edit it by hand: take it back from git, or run pytest --mlrepro-update for the tests concerned",
    )
