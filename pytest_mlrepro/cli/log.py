"""``mlrepro log``: every value of a fact that was accepted, as git has it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pytest_mlrepro.cli import judging
from pytest_mlrepro.cli.common import FINE, add_options, check_facets, lockfile, show, terminal
from pytest_mlrepro.config import Config, unknown
from pytest_mlrepro.errors import ConfigError, HistoryError
from pytest_mlrepro.history.commits import Walk, walk
from pytest_mlrepro.history.repository import Repository, short
from pytest_mlrepro.history.timeline import Step, timeline
from pytest_mlrepro.model import Run
from pytest_mlrepro.report import log, plots, text
from pytest_mlrepro.report.evolution import Chosen, Entry, Names, entries
from pytest_mlrepro.report.progress import Progress
from pytest_mlrepro.visible import line


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    command = commands.add_parser(
        "log",
        help="every value of a fact that was accepted: commit, author, value, and what changed with it",
        description="Show what each commit changed in the lockfile, the newest first: the old and new values of the "
        "facts asked for, the inputs that changed with them, and how much else did. Renames of the lockfile and of "
        "tests are followed.",
        epilog="example: mlrepro log results.f1 --plot f1.svg",
    )
    command.add_argument(
        "words",
        nargs="*",
        metavar="ADDRESS|SUBJECT",
        help="an address (results.f1), the beginning of one (results), a pattern (results.*.loss), a subject or the "
        "beginning of one; both to narrow down (default: all facts)",
    )
    add_options(
        command,
        environment="the values that this environment was compared with; default: what all share, then what each has "
        "of its own",
    )
    command.add_argument("--markdown", action="store_true", help="print Markdown")
    command.add_argument("-n", "--count", type=_count, metavar="COUNT", help="this many commits, the newest")
    command.add_argument(
        "--plot", type=Path, metavar="FILE", help=f"also draw the numbers ({', '.join(plots.ENDINGS)})"
    )
    command.set_defaults(run=run, parser=command)


def _count(word: str) -> int:
    if not word.isascii() or not word.isdigit() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 1 on, got {word!r}")
    return int(word)


def run(options: argparse.Namespace, project: Config) -> int:
    """Print the history of the facts asked for.

    Returns:
        0.

    Raises:
        MlreproError: if git cannot be asked, has no version of the lockfile, or none with such a fact.
    """
    if options.json and options.markdown:
        options.parser.error("--json and --markdown: one of them")
    check_facets(options.facet)
    if options.plot is not None:
        plots.check(options.plot)
    path = lockfile(options, project)
    repository = Repository.of(path)
    head = repository.resolve("HEAD")
    walked = walk(repository.git, repository.path, head)
    if not walked.commits:
        raise HistoryError(
            "git has no version of it: it was never committed",
            where=str(path),
            remedy="commit it: git add, git commit",
        )
    names = Names()
    found = _read(options, project, repository, walked, names)
    if options.environment is not None and options.environment not in names.environments:
        raise unknown(options.environment, sorted(names.environments), "environment", str(path))
    if not any(entry.lines for entry in found):
        _check_words(options.words, names, path)
    notes = [*_notes(repository, head, found, walked, path)]
    if options.json:
        show(log.document(found, repository.path, notes))
    elif options.markdown:
        print(log.markdown(found, repository.path, notes), end="")
    else:
        show([*(told for entry in found for told in log.text(entry, repository.path)), *notes])
    if options.plot is not None:
        newest = walked.commits[0]
        # A version that cannot be used is among those found: where the newest is not, it holds what was before.
        rest = [] if found and found[0].step.commit == newest else [Entry(Step(newest))]
        drawn, left = plots.draw(options.plot, [*rest, *found], project.tolerance)
        told = f", the first of {drawn + left}" if left else ""
        print(line(f"mlrepro: {text.plural(drawn, 'fact')} drawn in {options.plot}{told}"), file=sys.stderr)
    return FINE


def _read(
    options: argparse.Namespace, project: Config, repository: Repository, walked: Walk, names: Names
) -> list[Entry]:
    """What is told of each commit, the newest first, as many as were asked for."""
    chosen = Chosen.of(options.words, options.facet)
    with Progress(terminal).counting("versions", len(walked.commits)) as advance:
        steps = timeline(
            repository.git,
            walked,
            root=repository.below(project.root),
            environment=options.environment,
            advance=advance,
        )
        terms = judging.terms(project, Run())
        found: list[Entry] = []
        with closing(steps):
            for entry in entries(steps, chosen, names, terms.policies, terms.tolerance):
                found.append(entry)
                if options.count and sum(bool(each.lines) for each in found) >= options.count:
                    break
    return found


def _check_words(words: Sequence[str], names: Names, path: Path) -> None:
    """Say which of the words meant nothing, where nothing was found.

    Raises:
        ConfigError: for an address or a subject that no version holds; it names the nearest.
    """
    for word in words:
        if not names.knows(word):
            close = get_close_matches(word, sorted(names.seen), n=1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise ConfigError(
                f"no version had an address or subject {word!r}",
                where=str(path),
                remedy=f"{hint}mlrepro log lists all that there was",
            )


def _notes(repository: Repository, head: str, found: list[Entry], walked: Walk, path: Path) -> Iterator[str]:
    """What must be known of the history as a whole."""
    if not any(entry.lines for entry in found):
        yield "nothing of the kind was ever accepted"
    newest = walked.commits[0].name
    committed = repository.read(head)
    try:
        working = path.read_bytes()
    except OSError:
        working = None
    if committed is not None and working is None:
        yield f"{path} is not there now; its last version is that of {short(newest)}"
    elif committed != working:
        yield f"{path} has changes that are not committed: mlrepro diff"
    if repository.shallow:
        yield "the clone is shallow, older commits are not in it: git fetch --unshallow brings them"
