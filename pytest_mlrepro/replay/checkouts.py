"""Checkouts of a project's states, made in a clone that shares the user's objects and leaves the repository alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from importlib.metadata import distributions
from itertools import pairwise
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from pytest_mlrepro.errors import ReplayError
from pytest_mlrepro.history.git import ENCODING, Git, said
from pytest_mlrepro.history.repository import Repository

# What a repository would have git do beside what is asked.
_COMMAND = ("git", "-c", f"core.hooksPath={os.devnull}")
_COMMIT = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
_AUTHOR = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "mlrepro"), ("EMAIL", "mlrepro"), ("DATE", "2000-01-01T00:00:00Z"))
}


class Checkouts:
    """States of a project as folders of their own; they go when it is closed."""

    def __init__(self, root: Path) -> None:
        """Clone the repository that a project is in; its objects are shared, so that nothing is copied.

        Args:
            root: the project's folder.

        Raises:
            HistoryError: if it is in no repository, or there is no git.
            ReplayError: if it cannot be cloned.
        """
        self.repository = Repository.of(root / "pyproject.toml")
        self.top = Path(os.path.realpath(self.repository.git.folder))
        self._below = self.repository.below(root)
        self._folder = Path(tempfile.mkdtemp(prefix="mlrepro-"))
        self._clone = self._folder / "clone"
        self._lock = Lock()
        self._made: dict[str, Path] = {}
        cloned = self.repository.git.attempt(
            "clone", "--quiet", "--shared", "--no-checkout", "--", str(self.top), str(self._clone)
        )
        if cloned.returncode:
            self.close()
            raise ReplayError(f"git cannot clone it: {said(cloned.stderr)}", where=str(self.top))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove what was made."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def resolve(self, revision: str) -> str:
        """The full name of the commit that a revision means.

        Raises:
            HistoryError: if there is none; it names the nearest.
        """
        return self.repository.resolve(revision)

    def snapshot(self) -> str:
        """The working folder as it is now, as a commit: what git tracks, and what it does not ignore."""
        head = self.repository.find("HEAD")
        return self._commit(["add", "--all", "--", "."], base=head, work=self.top)

    def composed(self, commit: str, paths: Iterable[str], other: str) -> str:
        """A commit with some files as another commit has them.

        Args:
            commit: whose other files are taken.
            paths: below the repository's uppermost folder, parts joined by a slash.
            other: whose files these are; where it lacks one, so does the result.
        """
        paths = sorted(set(paths))
        if not paths or commit == other:
            return commit
        entries = self._git("ls-tree", "-r", "-z", "--full-tree", other, "--", *paths).split(b"\0")
        told = [f"0 {'0' * 40}\t{path}\0".encode(*ENCODING) for path in paths]
        for entry in filter(None, entries):
            head, _, path = entry.partition(b"\t")
            mode, _, name = head.split(b" ")
            told.append(mode + b" " + name + b"\t" + path + b"\0")
        return self._commit(["update-index", "-z", "--index-info"], base=commit, text=b"".join(told))

    def _commit(
        self, command: list[str], *, base: str | None, work: Path | None = None, text: bytes = b""
    ) -> str:
        """The commit that a command on an index of its own leads to; equal states are one commit."""
        with tempfile.TemporaryDirectory(dir=self._folder) as place:
            environment = {"GIT_INDEX_FILE": str(Path(place) / "index")}
            self._git("read-tree", base or "--empty", environment=environment)
            self._git(*command, environment=environment, text=text, folder=work)
            tree = self._git("write-tree", environment=environment).decode().strip()
        return self._git("commit-tree", tree, "-m", "state", environment=_AUTHOR).decode().strip()

    def folder(self, commit: str) -> Path:
        """The project's folder in a checkout of a commit.

        Raises:
            ReplayError: if it cannot be checked out, or lacks the project's folder.
        """
        with self._lock:
            place = self._made.get(commit)
            if place is None:
                place = self._folder / f"{len(self._made)}-{commit[:12]}"
                self._git("worktree", "add", "--quiet", "--detach", "--force", "--", str(place), commit)
                self._made[commit] = place
        found = place / self._below
        if not found.is_dir():
            raise ReplayError(
                "the project's folder is not in that commit", where=f"{self._below} at {commit[:12]}"
            )
        return found

    def search_path(self, commit: str) -> tuple[Path, ...]:
        """The folders of a checkout that stand for those of the user's which modules are imported from."""
        place = self.folder(commit)
        top = place if not self._below else Path(str(place)[: -len(self._below)])
        return tuple(top / folder for folder in imported_from(self.top) if (top / folder).is_dir())

    def changed(self, one: str, other: str) -> tuple[str, ...]:
        """The files that differ between two commits, below the repository's uppermost folder."""
        told = self._git("diff-tree", "-r", "-z", "--no-renames", "--name-only", one, other)
        return tuple(filter(None, told.decode(*ENCODING).split("\0")))

    def between(self, good: str, bad: str) -> tuple[str, ...]:
        """The commits after one up to another, oldest first, along the first parents."""
        told = self._git("rev-list", "--reverse", "--first-parent", f"{good}..{bad}")
        return tuple(told.decode("ascii").split())

    def touched(self, good: str, bad: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The same commits, each with the files that differ from its first parent."""
        form = "--format=%x00%H"
        told = self._git(
            *("log", "-z", "--reverse", "--first-parent", "-m", "--no-renames", "--name-only", form),
            f"{good}..{bad}",
        )
        found: list[tuple[str, list[str]]] = []
        words = told.decode(*ENCODING).split("\0")
        for before, word in pairwise(words):
            # A commit's name follows an empty word; its files follow that, the first after a line break.
            if not before and _COMMIT.fullmatch(word):
                found.append((word, []))
            elif word.strip("\n") and found:
                found[-1][1].append(word.removeprefix("\n"))
        return tuple((commit, tuple(files)) for commit, files in found)

    def title(self, commit: str) -> str:
        """The subject line of a commit."""
        return self._git("show", "--no-patch", "--format=%s", commit).decode(*ENCODING).strip()

    def _git(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        text: bytes = b"",
        folder: Path | None = None,
    ) -> bytes:
        ran = subprocess.run(
            [*_COMMAND, *arguments],
            cwd=folder or self._clone,
            env=Git.environment() | {"GIT_DIR": str(self._clone / ".git")} | dict(environment or {}),
            input=text,
            capture_output=True,
            check=False,
        )
        if ran.returncode:
            raise ReplayError(f"git {arguments[0]} failed: {said(ran.stderr)}", where=str(self.top))
        return ran.stdout


def imported_from(top: Path) -> tuple[str, ...]:
    """The folders below a repository that modules are imported from, relative to it: installed in place, or named."""
    real = [Path(os.path.realpath(each)) for each in sys.path if each]
    for each in distributions():
        if (place := _editable(each.read_text("direct_url.json") or "")) is not None:
            real += [place / "src", place]
    prefixes = tuple(Path(os.path.realpath(each)) for each in (sys.prefix, sys.base_prefix))
    below = [each for each in real if each.is_relative_to(top)]
    outside = [each for each in below if not any(each.is_relative_to(prefix) for prefix in prefixes)]
    return tuple(dict.fromkeys(each.relative_to(top).as_posix() for each in outside))


def _editable(text: str) -> Path | None:
    try:
        told = json.loads(text)
    except ValueError:
        return None
    if not isinstance(told, dict) or not (told.get("dir_info") or {}).get("editable"):
        return None
    return Path(os.path.realpath(url2pathname(unquote(urlsplit(told["url"]).path))))
