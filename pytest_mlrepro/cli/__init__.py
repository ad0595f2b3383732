"""The ``mlrepro`` command: reads lockfiles and recorded runs, never imports pytest."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pytest_mlrepro._version import __version__
from pytest_mlrepro.cli import (
    accept,
    bisect,
    calibrate,
    check_lockfile,
    common,
    diff,
    export,
    log,
    merge_driver,
    report,
    review,
    stress,
    verify,
    views,
)
from pytest_mlrepro.cli.common import FINE, STOPPED, UNUSABLE
from pytest_mlrepro.config import Config, load_config, unknown
from pytest_mlrepro.errors import FingerprintError, MlreproError
from pytest_mlrepro.fingerprints import fingerprint
from pytest_mlrepro.fingerprints.digests import HASHES
from pytest_mlrepro.lockfile import load_lockfile
from pytest_mlrepro.report import environments, fingerprints, machine, text
from pytest_mlrepro.report.plain import plain
from pytest_mlrepro.report.progress import Progress
from pytest_mlrepro.visible import line, visible


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        The exit status, as pytest's: 0 fine, 1 a drift was found, 2 stopped by Ctrl-C, 4 the input cannot be used.
    """
    options = _parser().parse_args(arguments)
    try:
        status = int(options.run(options, _project(Path.cwd())))
        # Now, while a reader that has gone can still be forgiven.
        sys.stdout.flush()
        return status
    except MlreproError as error:
        print(f"mlrepro: {error}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        print("mlrepro: stopped", file=sys.stderr)
        return STOPPED
    except BrokenPipeError:
        # The reader (head, less) has seen enough; the interpreter must not try to flush what is left.
        sys.stdout = None
        return FINE


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        """Exit as pytest does on wrong usage."""
        self.print_usage(sys.stderr)
        self.exit(UNUSABLE, f"{line(f'{self.prog}: {message}')}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="mlrepro", description="Look at the accepted results of a project's tests.")
    parser.add_argument("--version", action="version", version=f"mlrepro {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

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
    command.set_defaults(run=_show)

    diff.add(commands)
    log.add(commands)

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
    command.set_defaults(run=_fingerprint)

    accept.add(commands)
    bisect.add(commands)
    review.add(commands)
    check_lockfile.add(commands)
    export.add(commands)
    merge_driver.add(commands)
    report.add(commands)
    verify.add(commands)
    calibrate.add(commands)
    stress.add(commands)
    return parser


def _project(folder: Path) -> Config:
    """The settings of the project that a folder belongs to: of the nearest one that has some, or a lockfile."""
    for root in (folder, *folder.parents):
        config = load_config(root)
        if config != Config(root) or config.lockfile_path.exists():
            return config
    return Config(folder)


def _show(options: argparse.Namespace, project: Config) -> int:
    path = common.lockfile(options, project)
    run = load_lockfile(path)
    common.check_facets(options.facet)
    run = common.of_facets(run, options.facet)
    if options.environment is not None:
        run = views.named(run, options.environment, path)
    chosen = run.below(options.subject)
    if options.subject and not any((chosen.subjects, *chosen.environments.values())):
        raise unknown(options.subject, run.subjects, "subject", str(path))
    if options.environments:
        shown, found = [*environments.lines(chosen, project.tolerance)], environments.document(chosen)
    else:
        shown, found = [*text.table(chosen), *environments.hint(chosen)], machine.facts(chosen)
    common.show(found if options.json else shown)
    return FINE


def _fingerprint(options: argparse.Namespace, _: Config) -> int:
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
    return FINE
