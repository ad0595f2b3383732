"""A recorded run, and the lockfile that takes its facts."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pytest_mlrepro.adoption import Adoption, offered
from pytest_mlrepro.choice import chosen
from pytest_mlrepro.cli import common, judging, views
from pytest_mlrepro.config import Config, called
from pytest_mlrepro.environment.naming import parse_name
from pytest_mlrepro.errors import ConfigError, LockfileError
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.lockfile import check_writable, load_lockfile
from pytest_mlrepro.model import SESSION, Run


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a command that accepts works on.

    Attributes:
        shown: how to call the recorded run.
        run: as its environment sees it.
        path: of the lockfile.
        lockfile: what it holds; an empty run where there is none yet.
        terms: of an update in the environment that the run was recorded in.
    """

    shown: str
    run: Run
    path: Path
    lockfile: Run
    terms: Terms

    @property
    def called(self) -> str:
        """How to call the lockfile: from the working folder."""
        return called(self.path, Path.cwd())

    def adoption(self, means: Callable[[str, str], bool]) -> Adoption:
        """Of the facts that are meant."""
        return Adoption(self.terms, self.run, means)

    @property
    def is_new(self) -> bool:
        """Whether the lockfile knows nothing of the environment that the run was recorded in."""
        known = self.lockfile.environments
        return self.terms.environment not in known and (bool(known) or SESSION not in self.lockfile)

    def choice(self, words: list[str]) -> Callable[[str, str], bool]:
        """The facts that somebody names, and with them all of the environment where that is new.

        Raises:
            ConfigError: for a name that means nothing.
        """
        known = self.terms.baseline or Run()
        offers = {name: [*offered(self.run, known, name)] for name in self.run.subjects}
        named = chosen(words, offers, self.shown)
        if not self.is_new:
            return named
        # Results that nobody can say what they rest on: it would count as made of what the others are made of.
        return lambda subject, address: subject == SESSION or named(subject, address)


def arguments(command: Any) -> None:
    """The arguments of a command that accepts facts of a run."""
    command.add_argument("recorded", metavar="RUN", help="written by pytest --mlrepro-record=RUN")
    command.add_argument(
        "names",
        nargs="*",
        metavar="ADDRESS|SUBJECT",
        help="what to accept: addresses, as policies name them (results, 'results.*.f1'), and subjects, or the "
        "beginning of them (tests/test_model.py); both together choose the facts that both name (default: all)",
    )
    command.add_argument("--lockfile", metavar="PATH", help="default: the project's mlrepro.lock")
    command.add_argument(
        "--environment", metavar="NAME", help="of RUN, where that names none, or more than one"
    )


def read(options: argparse.Namespace, project: Config) -> Recorded:
    """Read what the options name.

    Raises:
        MlreproError: if one of the files cannot be used, or nobody can tell whose values these are.
    """
    source = Path(options.recorded)
    path = common.lockfile(options, project)
    if os.path.realpath(source) == os.path.realpath(path):
        raise ConfigError(
            "that is the lockfile itself",
            where=options.recorded,
            remedy="name a run: pytest --mlrepro-record=RUN",
        )
    run = common.recorded(options.recorded)
    _check_writable(path)
    lockfile = load_lockfile(path) if os.path.lexists(path) else Run()
    name = _environment(options.environment, run, lockfile, options.recorded)
    known = lockfile.view(name) if name else lockfile
    terms = replace(
        judging.terms(project, known),
        update=True,
        environment=name,
        recorded=frozenset(lockfile.environments),
    )
    return Recorded(options.recorded, run.view(name) if name else run, path, lockfile, terms)


def _check_writable(path: Path) -> None:
    try:
        check_writable(path)
    except LockfileError as error:
        raise LockfileError(
            error.what, where=error.where, remedy="name a writable file: --lockfile PATH"
        ) from None


def _environment(given: str | None, run: Run, lockfile: Run, where: str) -> str:
    if given is not None and run.environments:
        views.named(run, given, where)
        return given
    if len(run.environments) == 1:
        return next(iter(run.environments))
    if run.environments:
        raise ConfigError(
            f"it holds facts of several environments: {', '.join(sorted(run.environments))}",
            where=where,
            remedy="say whose are accepted: --environment NAME",
        )
    if given is None and lockfile.environments:
        raise ConfigError(
            "it does not name the environment that it was recorded in, and the lockfile keeps them apart",
            where=where,
            remedy=f"name it: --environment NAME, one of {', '.join(sorted(lockfile.environments))} or a new one",
        )
    return parse_name(given, "--environment") if given is not None else ""
