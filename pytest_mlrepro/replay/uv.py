"""Run uv, which knows what a package index holds and installs it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pytest_mlrepro.errors import MissingExtraError, ReplayError

_CREDENTIALS = re.compile(r"(://)[^/\s@]+@")
_LINES = 6


def find() -> str | None:
    """The uv beside this Python, else on the search path; None where there is none."""
    places = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    return shutil.which("uv", path=os.pathsep.join(filter(None, places)))


def run(
    arguments: Sequence[str], text: str, *, to: str, done: str, seconds: float, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """What uv printed, and whether it failed; what it said of that is free of credentials.

    Args:
        arguments: of uv.
        text: that it reads from its standard input.
        to: what it is needed for, in the message where it is not installed.
        done: what it has not done, in the message where it takes too long.
        seconds: when to give up.
        folder: that it runs in, whose settings it reads; None for the working folder.

    Raises:
        MissingExtraError: if uv is not installed.
        ReplayError: if it cannot be run, or takes too long.
    """
    program = find()
    if program is None:
        raise MissingExtraError(
            f"it takes uv, which is not installed, {to}",
            where="replay",
            remedy="pip install 'pytest-mlrepro[replay]'",
        )
    try:
        ran = subprocess.run(
            [program, *arguments],
            input=text,
            cwd=folder,
            env={**os.environ, "NO_COLOR": "1"},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ReplayError(f"uv has not {done} in {seconds:g} seconds", where="replay") from None
    except OSError as error:
        raise ReplayError(f"uv cannot be run: {error.strerror}", where="replay") from None
    ran.stderr = _CREDENTIALS.sub(r"\1***@", ran.stderr).strip()
    return ran


def refusal(what: str, stderr: str) -> ReplayError:
    """The error for what uv could not do, with the first lines of what it said."""
    said = tuple(f"  {each}" for each in stderr.splitlines()[:_LINES])
    return ReplayError(what, where="replay", said=said)
