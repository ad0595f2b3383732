"""Run git: fixed settings, answers in bytes, failures said."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from types import MappingProxyType
from typing import IO

from pytest_mlrepro.errors import HistoryError

ENCODING = ("utf-8", "surrogateescape")
"""Of names: git keeps bytes, and those that are no UTF-8 must come back as they were."""

# What a user's settings could change of the answers.
_SETTINGS = (
    "i18n.logOutputEncoding=UTF-8",
    "log.follow=false",
    "log.showSignature=false",
)
_COMMAND = (
    "git",
    "--literal-pathspecs",
    *(word for setting in _SETTINGS for word in ("-c", setting)),
)
_LONGEST = 200
_UNKNOWN: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Git:
    """git in one folder.

    Attributes:
        folder: that it runs in.
    """

    folder: Path

    @staticmethod
    def environment() -> dict[str, str]:
        """The variables that git runs with: no question to anybody, answers in one language, no lock taken."""
        return {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}

    def run(self, *arguments: str) -> bytes:
        """What git printed.

        Raises:
            HistoryError: if there is no git, or it failed; with the first line of what it said.
        """
        done = self.attempt(*arguments)
        if done.returncode:
            raise HistoryError(
                f"git {arguments[0]} failed: {said(done.stderr)}",
                where=str(self.folder),
                remedy="see that git works there: git status",
            )
        return done.stdout

    def attempt(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """What git printed, and whether it failed.

        Raises:
            HistoryError: if there is no git.
        """
        try:
            return subprocess.run(
                [*_COMMAND, *arguments],
                cwd=self.folder,
                # Nobody reads before it ends: a list need not be handed over commit by commit.
                env={**Git.environment(), "GIT_FLUSH": "0"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
            )
        except OSError as error:
            raise _absent(error) from None

    def contents(
        self, names: Iterable[str], objects: Mapping[str, str] = _UNKNOWN
    ) -> Iterator[tuple[str, bytes] | None]:
        """The objects of that name (``revision:path``), in this order, read by one process.

        Args:
            names: of files, none of which may hold a line break.
            objects: the names of contents, as far as they are known, which git finds without looking into the commit.

        Returns:
            For each the name of its content and the bytes; None where there is no such file.

        Raises:
            HistoryError: if there is no git, or it stops before the end.
        """
        try:
            process = subprocess.Popen(
                [*_COMMAND, "cat-file", "--batch"],
                cwd=self.folder,
                env=Git.environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise _absent(error) from None
        assert process.stdin is not None
        assert process.stdout is not None
        asked = [*names]
        words = [objects.get(name, name) for name in asked]
        # By a thread of its own: who asks for all before reading any would wait for ever once the pipes are full.
        writer = Thread(target=_ask, args=(process.stdin, words), daemon=True)
        writer.start()
        try:
            for name in asked:
                yield _answer(process.stdout, name)
        finally:
            process.kill()
            process.wait()
            writer.join()
            process.stdout.close()


def _absent(error: OSError) -> HistoryError:
    return HistoryError(
        f"git cannot be run: {error.strerror}",
        remedy="install git, or put it on the search path: the history of a lockfile is in git alone",
    )


def _ask(pipe: IO[bytes], names: Iterable[str]) -> None:
    # The reader may have gone, having seen enough.
    with suppress(OSError), pipe:
        pipe.write("".join(f"{name}\n" for name in names).encode(*ENCODING))
        pipe.flush()


def _answer(pipe: IO[bytes], name: str) -> tuple[str, bytes] | None:
    header = pipe.readline()
    if not header:
        raise HistoryError("git stopped reading", where=name, remedy="see what is broken: git fsck")
    if header.endswith((b" missing\n", b" ambiguous\n")):
        return None
    identity, kind, size = header.split()
    content = pipe.read(int(size))
    pipe.read(1)
    return (identity.decode("ascii"), content) if kind == b"blob" else None


def said(stderr: bytes) -> str:
    """The first line of what git said, without the word that it begins with."""
    lines = stderr.decode("utf-8", "backslashreplace").strip().splitlines()
    return (lines[0] if lines else "no reason given").removeprefix("fatal: ")[:_LONGEST]
