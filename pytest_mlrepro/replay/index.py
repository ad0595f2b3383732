"""What a package index has: asked through uv, so that its own settings say which index, folder or cache that is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_mlrepro.errors import MissingExtraError, ReplayError
from pytest_mlrepro.replay import uv

SECONDS = 300.0
"""How long one question may take."""
_MOST = 400
_NO_SUCH = "No solution found"
# Not the index has said so, but a cache that knows nothing of the distribution.
_NOT_ASKED = "was not found in the cache"
_PINNED = re.compile(r"^[A-Za-z0-9._-]+==([^\s;]+)", re.MULTILINE)
_CREDENTIALS = re.compile(r"(://)[^/\s@]+@")
_LINES = 6


@dataclass(frozen=True, slots=True)
class Index:
    """What can be installed.

    Attributes:
        folder: that uv runs in, whose settings it reads.
        python: the interpreter that it is for: a version or a path; empty for this one.
        seconds: when to give a question up.
    """

    folder: Path
    python: str = ""
    seconds: float = SECONDS

    def releases(self, name: str, low: str, high: str) -> tuple[str, ...]:
        """The releases of a distribution between two versions, both left out, oldest first.

        Those with a wheel for this interpreter; where there is none of that kind, those with sources. Pre-releases
        and yanked ones are no releases.

        Raises:
            MissingExtraError: if uv is not installed.
            ReplayError: if the index cannot be asked.
        """
        low, high = low.partition("+")[0], high.partition("+")[0]
        return self._between(name, low, high, ("--only-binary", ":all:")) or self._between(
            name, low, high, ()
        )

    def _between(self, name: str, low: str, high: str, options: Sequence[str]) -> tuple[str, ...]:
        # uv tells the newest that fits: asked again for one before that, it tells them all.
        found: list[str] = []
        while len(found) < _MOST:
            asked = f"{name}>{low},<{found[-1] if found else high}"
            printed, _ = self._compile([asked], "--no-deps", *options)
            match = _PINNED.search(printed)
            if match is None:
                break
            found.append(match[1])
        return tuple(reversed(found))

    def clash(self, packages: Sequence[str]) -> str:
        """Why packages do not go together, as uv says it; empty where they do.

        Raises:
            MissingExtraError: if uv is not installed.
            ReplayError: if the index cannot be asked.
        """
        return self._compile(packages)[1]

    def _compile(self, packages: Sequence[str], *options: str) -> tuple[str, str]:
        """What uv resolves, or why there is nothing."""
        program = uv.find()
        if program is None:
            raise MissingExtraError(
                "it takes uv, which is not installed, to ask for other versions",
                where="replay",
                remedy="pip install 'pytest-mlrepro[replay]'",
            )
        command = [program, "pip", "compile", "-", "--quiet", "--no-header", "--no-annotate"]
        try:
            ran = subprocess.run(
                [*command, "--python", self.python or sys.executable, *options],
                input="\n".join(packages),
                cwd=self.folder,
                env={**os.environ, "NO_COLOR": "1"},
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=self.seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ReplayError(f"uv has not answered in {self.seconds:g} seconds", where="replay") from None
        except OSError as error:
            raise ReplayError(f"uv cannot be run: {error.strerror}", where="replay") from None
        told = _CREDENTIALS.sub(r"\1***@", ran.stderr).strip()
        if ran.returncode and (_NO_SUCH not in told or _NOT_ASKED in told):
            said = tuple(f"  {each}" for each in told.splitlines()[:_LINES])
            raise ReplayError("uv could not ask for versions", where="replay", said=said)
        return (ran.stdout, "") if not ran.returncode else ("", told or _NO_SUCH)
