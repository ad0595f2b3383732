"""The ``mlrepro`` command: reads lockfiles and recorded runs, never imports pytest."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from pytest_mlrepro._version import __version__
from pytest_mlrepro.balance import contrast
from pytest_mlrepro.cli import export, judging, report, views
from pytest_mlrepro.config import Config, load_config, unknown
from pytest_mlrepro.divergence import align, traced_once
from pytest_mlrepro.errors import FingerprintError, MlreproError
from pytest_mlrepro.facets import facet, facet_names
from pytest_mlrepro.fingerprints import fingerprint
from pytest_mlrepro.fingerprints.digests import HASHES
from pytest_mlrepro.lockfile import load_lockfile
from pytest_mlrepro.model import Run
from pytest_mlrepro.olddata import told
from pytest_mlrepro.report import divergences, environments, fingerprints, machine, text
from pytest_mlrepro.report.plain import plain
from pytest_mlrepro.report.progress import Progress

FINE, DRIFTED, UNUSABLE = 0, 1, 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        The exit status, as pytest's: 0 fine, 1 a drift was found, 4 the input cannot be used.
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
    except BrokenPipeError:
        # The reader (head, less) has seen enough; the interpreter must not try to flush what is left.
        sys.stdout = None
        return FINE


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        """Exit as pytest does on wrong usage."""
        self.print_usage(sys.stderr)
        self.exit(UNUSABLE, f"{self.prog}: {message}\n")


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
    _common(command)
    command.add_argument(
        "--environments", action="store_true", help="side by side, what differs between the environments"
    )
    command.set_defaults(run=_show)

    command = commands.add_parser(
        "diff",
        help="what differs between two lockfiles or recorded runs, with suspects",
        description="Compare two files: lockfiles, or runs that pytest --mlrepro-record wrote. Of two runs that were "
        "recorded with --mlrepro-trace, it names the first function that returned another value.",
        epilog="example: pytest --mlrepro-record=run.lock; mlrepro diff run.lock",
    )
    command.add_argument("before", help="a file; with no second one, what the lockfile is compared with")
    command.add_argument("after", nargs="?", help="a file")
    _common(command)
    command.set_defaults(run=_diff)

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

    export.add(commands)
    report.add(commands)
    return parser


def _common(command: argparse.ArgumentParser) -> None:
    command.add_argument("--lockfile", metavar="PATH", help="default: the project's mlrepro.lock")
    command.add_argument(
        "--facet", action="append", default=[], metavar="FACET", help="this facet only; repeatable"
    )
    command.add_argument("--environment", metavar="NAME", help="as this environment of the lockfile has it")
    command.add_argument("--json", action="store_true", help="print JSON")


def _project(folder: Path) -> Config:
    """The settings of the project that a folder belongs to: of the nearest one that has some, or a lockfile."""
    for root in (folder, *folder.parents):
        config = load_config(root)
        if config != Config(root) or config.lockfile_path.exists():
            return config
    return Config(folder)


def _lockfile(options: argparse.Namespace, project: Config) -> Path:
    return Path(options.lockfile) if options.lockfile else project.lockfile_path


def _load(path: Path, facets: Sequence[str]) -> Run:
    run = load_lockfile(path)
    for name in facets:
        if facet(name) is None:
            raise unknown(name, facet_names(), "facet", "--facet")
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


def _show(options: argparse.Namespace, project: Config) -> int:
    path = _lockfile(options, project)
    run = _load(path, options.facet)
    if options.environment is not None:
        run = views.named(run, options.environment, path)
    chosen = run.below(options.subject)
    if options.subject and not any((chosen.subjects, *chosen.environments.values())):
        raise unknown(options.subject, run.subjects, "subject", str(path))
    if options.environments:
        lines, found = [*environments.lines(chosen, project.tolerance)], environments.document(chosen)
    else:
        lines, found = [*text.table(chosen), *environments.hint(chosen)], machine.facts(chosen)
    print(json.dumps(found, indent=2, ensure_ascii=False) if options.json else "\n".join(lines))
    return FINE


def _diff(options: argparse.Namespace, project: Config) -> int:
    old, new = (
        (options.before, options.after) if options.after else (_lockfile(options, project), options.before)
    )
    before, after = _load(Path(old), options.facet), _load(Path(new), options.facet)
    if options.environment is not None:
        before, after = (
            views.named(run, options.environment, file) for run, file in ((before, old), (after, new))
        )
    else:
        before, after = views.alike(before, after), views.alike(after, before)
    terms = judging.terms(project, before)
    total = contrast(after, terms)
    aligned = align(before, after)
    # Notes fail nothing in a run either: the same facts on another machine are no drift to gate on.
    status = DRIFTED if any(drift.policy != "note" for drift in total.drifts()) else FINE
    if options.json:
        document = machine.document(total, terms, exitstatus=status)
        if before.traces or after.traces:
            document["traces"] = divergences.plain(aligned, total)
        print(json.dumps(document, indent=2, ensure_ascii=False))
        return status
    lines = [*text.differences(total, terms), *told(total.drifts(), project.root)]
    lines += [*divergences.lines(aligned, total), *divergences.one_sided(traced_once(before, after), total)]
    print("\n".join(lines))
    return status


def _fingerprint(options: argparse.Namespace, _: Config) -> int:
    if not options.path:
        raise FingerprintError("the path is empty", remedy="name a file or folder; . is the working folder")
    try:
        with Progress(_terminal).telling(fingerprints.printable(options.path)) as advance:
            taken = fingerprint(
                Path(options.path),
                by_value=options.by_value,
                ordered=not options.unordered,
                digest=options.digest,
                advance=advance,
            )
    except FingerprintError as error:
        where = fingerprints.printable(options.path)
        raise FingerprintError(error.what, where=where, remedy=error.remedy) from None
    if options.json:
        # Escaped: a name that is not text in the file system's encoding cannot be printed.
        detail = {name: plain(value) for name, value in taken.detail.items()}
        print(json.dumps({"path": options.path, "digest": taken.digest, "detail": detail}, indent=2))
    else:
        print("\n".join(fingerprints.lines(taken)))
    return FINE


def _terminal() -> Callable[[str], None] | None:
    """What writes to the terminal, past what the command prints; None where there is none."""
    return partial(print, end="", file=sys.stderr, flush=True) if sys.stderr.isatty() else None
