"""Run uv, which knows what a package index holds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from pytest_mlrepro.errors import ExportError
from pytest_mlrepro.export.pylock import Question
from pytest_mlrepro.replay.uv import find

SECONDS = 300.0
"""How long it may take: an index is asked, and an archive of sources may have to be unpacked."""

_UNREACHABLE = re.compile(
    r"failed to fetch|error sending request|network (was|is|connectivity is) disabled", re.I
)
_OUTDATED = re.compile(r"(invalid value|unexpected argument|unrecognized subcommand) '", re.I)
_CREDENTIALS = re.compile(r"(://)[^/\s@]+@")
_LINES = 8
_INSTEAD = "or take mlrepro export --format requirements, which asks no index"


def ask(question: Question, folder: Path, *, seconds: float = SECONDS) -> str:
    """What uv answers. It reads the indexes that its own settings name, those of the folder's project included.

    Args:
        question: what to resolve.
        folder: of the project.
        seconds: when to give up.

    Raises:
        ExportError: if there is no uv, it is too old, reaches no index, finds no such versions or takes too long.
    """
    uv = find()
    if uv is None:
        raise ExportError(
            "it takes uv, which is not installed: an environment knows neither addresses nor hashes of what is in it",
            where="--format pylock",
            remedy=f"install it: pip install uv; {_INSTEAD}",
        )
    command = [uv, "pip", "compile", "-", "--quiet", "--python", sys.executable, *question.options]
    try:
        ran = subprocess.run(
            command,
            input=question.requirements,
            cwd=folder,
            env={**os.environ, "NO_COLOR": "1", **question.variables},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _failed(f"it has not answered in {seconds:g} seconds", f"try again; {_INSTEAD}") from None
    except OSError as error:
        raise _failed(f"it cannot be run: {error.strerror}", f"install it again; {_INSTEAD}") from None
    if ran.returncode:
        raise _refusal(ran.stderr)
    return ran.stdout


def _refusal(stderr: str) -> ExportError:
    said = tuple(f"  {line}" for line in _printable(stderr).splitlines()[:_LINES])
    if _OUTDATED.search(stderr):
        return _failed("it is too old to write a pylock.toml:", "upgrade it: pip install --upgrade uv", said)
    if _UNREACHABLE.search(stderr):
        remedy = (
            f"check the connection, or name an index that can be reached (UV_DEFAULT_INDEX=URL); {_INSTEAD}"
        )
        return _failed("no package index can be reached:", remedy, said)
    remedy = f"where another index has these versions name it (UV_INDEX=URL); {_INSTEAD}"
    return _failed("it found no lock:", remedy, said)


def _printable(text: str) -> str:
    shown = "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)
    return _CREDENTIALS.sub(r"\1***@", shown).strip()


def _failed(what: str, remedy: str, said: tuple[str, ...] = ()) -> ExportError:
    return ExportError(what, where="uv pip compile", remedy=remedy, said=said)
