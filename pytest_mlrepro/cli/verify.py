"""``mlrepro verify``: run a revision's tests again, in the environment that its lockfile froze."""

from __future__ import annotations

import argparse
import json
import os
import platform
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from pytest_mlrepro.cli import common, replaying, views
from pytest_mlrepro.cli.judging import terms
from pytest_mlrepro.cli.sides import sides
from pytest_mlrepro.cli.signing import signed
from pytest_mlrepro.config import Config, load_config
from pytest_mlrepro.environment.locks import digest, locks
from pytest_mlrepro.environment.spelling import UNKNOWN
from pytest_mlrepro.export.document import Source
from pytest_mlrepro.export.words import document
from pytest_mlrepro.lockfile import load_lockfile
from pytest_mlrepro.model import SESSION, Run
from pytest_mlrepro.replay import Change, Checkouts, Replay, Replayer
from pytest_mlrepro.report.text import plural
from pytest_mlrepro.verify import record
from pytest_mlrepro.verify.frozen import Frozen
from pytest_mlrepro.verify.verification import Verification, verified

_HERE = Frozen((), "")


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    command = commands.add_parser(
        "verify",
        help="whether a revision still gives what its own lockfile says, in the environment that it froze",
        description="Check a revision out, install the libraries that its lockfile froze into an environment of its "
        "own, run its tests again, and say of every accepted fact whether it came out bitwise, within its tolerance, "
        "or drifted. Working folder, repository and installed packages stay as they are.",
        epilog="example: mlrepro verify v1.0 main",
    )
    command.add_argument("revisions", nargs="*", metavar="REV", default=["HEAD"], help="default: HEAD")
    replaying.add_options(command)
    command.add_argument(
        "--environment", metavar="NAME", help="whose side of the lockfile; default: this one's"
    )
    command.add_argument(
        "--here",
        action="store_true",
        help="run in the environment that runs this command, not in a rebuilt one; takes no uv",
    )
    command.add_argument(
        "--sign",
        metavar="KEY",
        help="with --json: sign the statement with this SSH key (ssh-keygen); the outcome is a DSSE envelope",
    )
    command.set_defaults(run=run, parser=command)


def run(options: argparse.Namespace, project: Config) -> int:
    """Verify each revision.

    Returns:
        0 if everything accepted came out again, else 1; 4 where a revision cannot be verified.

    Raises:
        MlreproError: for a revision that is not there or holds no lockfile, or where uv is needed and absent.
    """
    if options.sign and not options.json:
        options.parser.error("--sign signs the statement that --json prints: give both")
    status = common.FINE
    statements = []
    with Checkouts(project.root) as checkouts:
        asked = [_Asked.of(revision, options, project, checkouts) for revision in options.revisions]
        for each in asked:
            found, replay = each.verify()
            if found.problem:
                status = common.UNUSABLE
            elif not found.holds:
                status = max(status, common.DRIFTED)
            if options.json:
                statements.append(each.statement(found, replay))
            else:
                common.show([*record.lines(found), ""] if len(asked) > 1 else record.lines(found))
    if options.json:
        print(_as_json(statements, options.sign), end="")
    return status


def _as_json(statements: list[dict[str, Any]], key: str | None) -> str:
    """One as a reader likes it; of several each is a line, as in-toto's bundles have them."""
    if key:
        statements = [signed(json.dumps(each, ensure_ascii=True), Path(key)) for each in statements]
    if len(statements) == 1:
        return document(statements[0])
    return "".join(f"{json.dumps(each, ensure_ascii=True)}\n" for each in statements)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A revision that is to be verified, with what its checkout holds."""

    revision: str
    commit: str
    options: argparse.Namespace
    checkouts: Checkouts
    root: Path
    folder: Path
    project: Config
    lockfile: Path
    baseline: Run

    @classmethod
    def of(cls, revision: str, options: argparse.Namespace, project: Config, checkouts: Checkouts) -> _Asked:
        commit = checkouts.resolve(revision)
        folder = checkouts.folder(commit)
        past = load_config(folder)
        path = folder / options.lockfile if options.lockfile else past.lockfile_path
        if not path.exists():
            # What another place or name was taken for is found as mlrepro diff finds it; it says what is missing.
            side, _, _ = sides([commit], common.lockfile(options, project))
            baseline = replace(side, name=revision).load()
            path = folder / past.lockfile
        else:
            baseline = load_lockfile(path, shown=f"{path.name} at {revision}")
        if options.environment is not None:
            baseline = views.named(baseline, options.environment, f"{path.name} at {revision}")
        else:
            baseline = views.here(baseline, os.environ.get("MLREPRO_ENVIRONMENT") or past.environment)
        return cls(revision, commit, options, checkouts, project.root, folder, past, path, baseline)

    def verify(self) -> tuple[Verification, Replay]:
        frozen = (
            _HERE
            if self.options.here
            else Frozen.of(self.baseline, f"{self.lockfile.name} at {self.revision}")
        )
        tests = sorted({name.partition("::")[0] for name in self.baseline.subjects if name != SESSION})
        there = [name for name in tests if (self.folder / name).exists() and not name.endswith("conftest.py")]
        with replaying.replayer_at(self.root, there, self.options, checkouts=self.checkouts) as replayer:
            replay, frozen = self._replayed(replayer, frozen)
        found = Verification(
            self.revision,
            self.commit,
            self.checkouts.title(self.commit),
            next(iter(self.baseline.environments), "") if len(self.baseline.environments) == 1 else "",
            _described(frozen, here=self.options.here),
            notes=frozen.notes,
            problem=replay.problem,
        )
        if not replay.problem:
            subjects, surroundings = verified(replay, terms(self.project, self.baseline))
            found = replace(found, subjects=subjects, surroundings=surroundings)
        return found, replay

    def _replayed(self, replayer: Replayer, frozen: Frozen) -> tuple[Replay, Frozen]:
        while True:
            packages = None if self.options.here else frozen.packages
            change = Change(
                commit=self.commit, packages=packages, python=frozen.python, variables=frozen.variables
            )
            (replay,) = replaying.replays(replayer, [change], f"verifying {self.revision}")
            looser = frozen.relaxed(replay.problem) if replay.problem and packages is not None else None
            if looser is None:
                return replay, frozen
            frozen = looser

    def statement(self, found: Verification, replay: Replay) -> dict[str, Any]:
        told = locks(self.folder, self.lockfile.parent)
        configuration = {name: each for name, each in told.items() if each != UNKNOWN}
        settings = digest(self.folder / "pyproject.toml")
        if settings != UNKNOWN:
            configuration["pyproject.toml"] = settings
        content = self.lockfile.read_bytes() if self.lockfile.exists() else b""
        source = Source(self.lockfile.name, sha256(content).hexdigest())
        return record.document(found, replay.run.facts(SESSION), [source], configuration)


def _described(frozen: Frozen, *, here: bool) -> str:
    if here:
        return f"the environment of this command, Python {platform.python_version()}"
    python = frozen.python or platform.python_version()
    return (
        f"a rebuilt environment: Python {python}, {plural(len(frozen.packages), 'package')} of the lockfile"
    )
