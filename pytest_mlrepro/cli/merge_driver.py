"""``mlrepro merge-driver``: git calls it to merge a lockfile of two branches."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pytest_mlrepro.cli import common, git_setup
from pytest_mlrepro.config import Config
from pytest_mlrepro.errors import ConfigError, LockfileError
from pytest_mlrepro.facets import show
from pytest_mlrepro.lockfile import load_lockfile, write_run
from pytest_mlrepro.lockfile.merging import Clash, merge
from pytest_mlrepro.model import Fact, Run
from pytest_mlrepro.report.text import plural
from pytest_mlrepro.subjects import looks_like_test
from pytest_mlrepro.visible import lines, visible

_CONFLICT = 1
_MOST = 20
_MOST_SUBJECTS = 3
_WIDTH = 34


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    command = commands.add_parser(
        "merge-driver",
        help="merge lockfiles in git fact by fact; --install tells git to",
        description="Merge the lockfiles of two branches fact by fact. git calls it once it is installed in a clone. "
        "What one side changed is taken; what both changed differently is named, kept as on our side, and left to git "
        "as a conflict. The lockfile can be read at any time.",
        epilog="example: mlrepro merge-driver --install",
    )
    command.add_argument(
        "files",
        nargs="*",
        metavar="BASE OURS THEIRS PATH",
        help="what git hands over as %%O %%A %%B %%P; the result is written to OURS",
    )
    command.add_argument(
        "--lockfile", metavar="PATH", help="to install for; default: the project's mlrepro.lock"
    )
    which = command.add_mutually_exclusive_group()
    which.add_argument(
        "--install", action="store_true", help="write .gitattributes and this clone's git config"
    )
    which.add_argument("--uninstall", action="store_true", help="take both out again")
    command.set_defaults(run=run)


def run(options: argparse.Namespace, project: Config) -> int:
    """Merge, or set git up.

    Returns:
        0; 1 where facts were changed on both sides.

    Raises:
        MlreproError: if a file cannot be used, or there is no repository to set up.
    """
    if options.install or options.uninstall:
        if options.files:
            raise ConfigError("takes no files", where="--install, --uninstall", remedy="leave them out")
        path = common.lockfile(options, project)
        change = git_setup.install if options.install else git_setup.uninstall
        print(lines(change(path)))
        return common.FINE
    if len(options.files) != 4:
        raise ConfigError(
            f"expected BASE OURS THEIRS PATH, got {plural(len(options.files), 'argument')}",
            where="merge-driver",
            remedy="git calls it so; let it: mlrepro merge-driver --install",
        )
    return _merge(*options.files)


def _merge(base: str, ours: str, theirs: str, shown: str) -> int:
    runs = [
        _read(path, f"{shown} ({side})", shown)
        for path, side in ((base, "before both"), (ours, "ours"), (theirs, "theirs"))
    ]
    merged = merge(*runs)
    write_run(Path(ours), merged.run)
    if not merged.clashes:
        return common.FINE
    print(lines(_lines(merged.clashes, shown)), file=sys.stderr)
    return _CONFLICT


def _read(path: str, shown: str, lockfile: str) -> Run:
    if Path(path).exists() and not os.path.getsize(path):  # noqa: PTH202 - of whatever a link leads to
        # git's word for a file that a side does not have.
        return Run()
    try:
        return load_lockfile(path, shown=shown)
    except LockfileError as error:
        name = shlex.quote(lockfile)
        remedy = (
            f"our side stays as it was; for theirs run: git checkout --theirs -- {name}; "
            f"then git add {name}, or git merge --abort"
        )
        raise LockfileError(error.what, where=error.where, remedy=remedy) from None


def _lines(clashes: Sequence[Clash], shown: str) -> Iterator[str]:
    yield f"mlrepro: {shown}: {plural(len(clashes), 'fact')} changed differently on both sides; ours stays"
    subject = ""
    for clash in clashes[:_MOST]:
        if clash.subject != subject:
            subject = clash.subject
            yield f"  {visible(subject)}"
        where = f" ({', '.join(clash.environments)})" if clash.environments else ""
        values = f"was {_value(clash.base)}, ours {_value(clash.ours)}, theirs {_value(clash.theirs)}"
        yield f"    {visible(clash.address):<{_WIDTH}} {values}{where}"
    if len(clashes) > _MOST:
        yield f"  and {len(clashes) - _MOST} more"
    name = shlex.quote(shown)
    again = shlex.join(["pytest", "--mlrepro-update", *_selected(clashes)])
    yield f"let the merged code decide: {visible(again)}; then: git add {name}"
    yield f"or take theirs: git show :3:{name} > theirs.lock; mlrepro accept theirs.lock ADDRESS SUBJECT"


def _selected(clashes: Sequence[Clash]) -> list[str]:
    """The tests, where there are few and nothing else clashes: what else there is needs all tests that rest on it."""
    subjects = [*dict.fromkeys(clash.subject for clash in clashes)]
    return subjects if len(subjects) <= _MOST_SUBJECTS and all(map(looks_like_test, subjects)) else []


def _value(fact: Fact | None) -> str:
    if fact is None:
        return "nothing"
    return f"{show(fact.value)}{f' ({fact.dtype})' if fact.dtype else ''}"
