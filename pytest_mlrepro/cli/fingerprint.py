"""``mlrepro fingerprint``: of a file or folder, as a test records it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pytest_mlrepro.cli import common
from pytest_mlrepro.config import Config
from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import HASHES, fingerprint
from pytest_mlrepro.report import fingerprints
from pytest_mlrepro.report.plain import plain
from pytest_mlrepro.report.progress import Progress
from pytest_mlrepro.visible import visible


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    command = commands.add_parser(
        "fingerprint",
        help="the fingerprint of a file or folder, as mlrepro.data() records it",
        description="Read a file, or a folder with all that is below it, and print its fingerprint: "
        "equal for equal names and contents, whatever the place, times and permissions.",
        epilog="example: mlrepro fingerprint data/train.csv --by-value",
    )
    command.add_argument("path", metavar="PATH", help="a file or folder; links are followed")
    command.add_argument(
        "--by-value",
        action="store_true",
        help="let the values count that the file holds, not how they are written: tables (Parquet, Feather, Arrow, "
        "ORC, CSV, TSV), arrays (.npy, .npz) and images",
    )
    command.add_argument(
        "--unordered", action="store_true", help="with --by-value: let the order of the rows not count"
    )
    command.add_argument(
        "--digest", choices=HASHES, default=HASHES[0], help="the hash of the bytes (default: %(default)s)"
    )
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=run)


def run(options: argparse.Namespace, _: Config) -> int:
    """Read, and print the fingerprint.

    Returns:
        0.

    Raises:
        FingerprintError: if there is nothing that can be read.
    """
    if not options.path:
        raise FingerprintError("the path is empty", remedy="name a file or folder; . is the working folder")
    try:
        with Progress(common.terminal).telling(visible(options.path)) as advance:
            taken = fingerprint(
                Path(options.path),
                by_value=options.by_value,
                ordered=not options.unordered,
                digest=options.digest,
                advance=advance,
            )
    except FingerprintError as error:
        where = visible(options.path)
        raise type(error)(error.what, where=where, remedy=error.remedy) from None
    detail = {name: plain(value) for name, value in taken.detail.items()}
    found = {"path": options.path, "digest": taken.digest, "detail": detail}
    common.show(found if options.json else fingerprints.lines(taken))
    return common.FINE
