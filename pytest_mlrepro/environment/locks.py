"""The lock files of package managers that a project keeps, by name and digest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from pytest_mlrepro.environment.spelling import UNKNOWN

NAMES = (
    "Pipfile.lock",
    "conda-lock.yml",
    "pdm.lock",
    "poetry.lock",
    "pylock.toml",
    "requirements.txt",
    "uv.lock",
)
"""The files that are looked for; ``pylock.NAME.toml`` (PEP 751) is one too."""

_NAMED_PYLOCK = re.compile(r"pylock\.[^.]+\.toml")


def locks(*folders: Path) -> Mapping[str, str]:
    """The SHA-256 of each lock file in these folders, by the file's name, sorted.

    A line that ends in CR LF counts as one that ends in LF: git may turn them on checkout. What is no regular file
    does not count; of one that cannot be read the digest is ``UNKNOWN``.

    Args:
        folders: that of the project, that of the lockfile. Of two files of one name the first is taken.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        for path in _candidates(folder):
            found.setdefault(path.name, path)
    return {name: digest(found[name]) for name in sorted(found)}


def digest(path: Path) -> str:
    """The SHA-256 of a text file, whatever its line ends; ``UNKNOWN`` where it cannot be read."""
    total = sha256()
    try:
        with path.open("rb") as file:
            for line in file:
                total.update(line[:-2] + b"\n" if line.endswith(b"\r\n") else line)
    except OSError:
        return UNKNOWN
    return total.hexdigest()


def _candidates(folder: Path) -> Iterator[Path]:
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError:
        return
    for name in names:
        if (name in NAMES or _NAMED_PYLOCK.fullmatch(name)) and _is_file(folder / name):
            yield folder / name


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        # Somebody else's folder behind a link.
        return False
