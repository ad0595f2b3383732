"""What a package index has: asked through uv, so that its own settings say which index, folder or cache that is."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_mlrepro.replay import uv

SECONDS = 300.0
"""How long one question may take."""
_MOST = 400
_NO_SUCH = "No solution found"
# Not the index has said so, but a cache that knows nothing of the distribution.
_NOT_ASKED = "was not found in the cache"
_PINNED = re.compile(r"^[A-Za-z0-9._-]+==([^\s;]+)", re.MULTILINE)


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
        command = ["pip", "compile", "-", "--quiet", "--no-header", "--no-annotate"]
        ran = uv.run(
            [*command, "--python", self.python or sys.executable, *options],
            "\n".join(packages),
            to="to ask for other versions",
            done="answered",
            seconds=self.seconds,
            folder=self.folder,
        )
        told = ran.stderr
        if ran.returncode and (_NO_SUCH not in told or _NOT_ASKED in told):
            raise uv.refusal("uv could not ask for versions", told)
        return (ran.stdout, "") if not ran.returncode else ("", told or _NO_SUCH)
