"""What replays gave, kept by all that they depend on: the same is not run again."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from stat import S_ISREG

from pytest_mlrepro.errors import MlreproError
from pytest_mlrepro.lockfile import load_lockfile
from pytest_mlrepro.model import Run
from pytest_mlrepro.replay.witness import Witness

RUN = "run.lock"
WITNESS = "witness.json"
_SECONDS = "seconds.json"
_FORMAT = 1
_BESIDE = (
    ".git",
    "__pycache__",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".hypothesis",
    "node_modules",
)


@dataclass(frozen=True, slots=True)
class Kept:
    """What a replay gave, and the seconds it took."""

    run: Run
    witness: Witness
    seconds: float


@dataclass(frozen=True, slots=True)
class Results:
    """The results of replays in a folder of the user's.

    Attributes:
        folder: where they are; one that cannot be written keeps nothing.
    """

    folder: Path

    def find(self, key: str) -> Kept | None:
        """What a replay gave; None where it has not been made, or something that it read is another by now."""
        place = self.folder / key
        try:
            witness = Witness.read(place / WITNESS)
            run = load_lockfile(place / RUN)
            seconds = float(json.loads((place / _SECONDS).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, MlreproError):
            return None
        if any(stamp(Path(path)) != then for path, then in witness.reads.items()):
            return None
        return Kept(run, witness, seconds)

    def keep(self, key: str, made: Path, seconds: float) -> None:
        """Keep what a child wrote into a folder."""
        place = self.folder / key
        with contextlib.suppress(OSError):
            place.mkdir(parents=True, exist_ok=True)
            for name in (RUN, WITNESS):
                _write(place / name, (made / name).read_bytes())
            _write(place / _SECONDS, json.dumps(seconds).encode())


def _write(path: Path, content: bytes) -> None:
    begun = path.with_name(f"{path.name}.{os.getpid()}")
    begun.write_bytes(content)
    begun.replace(path)


def stamp(path: Path) -> tuple[int, int]:
    """Size and time of modification (ns) of a file; -1 where there is none, or it is something else."""
    try:
        found = path.stat()
    except OSError:
        return -1, -1
    return (found.st_size, found.st_mtime_ns) if S_ISREG(found.st_mode) else (-1, -1)


def key_of(**parts: object) -> str:
    """The name of what depends on all of these, which must be plain."""
    return sha256(json.dumps([_FORMAT, parts], sort_keys=True).encode()).hexdigest()


def state_of(root: Path) -> str:
    """What stands for the files of a project: their names, sizes and times of modification.

    Files of tools that a run writes itself are left out, as is what git keeps.
    """
    told: list[tuple[str, int, int]] = []
    for folder, names, files in os.walk(root):
        names[:] = sorted(
            name
            for name in names
            if name not in _BESIDE and not os.path.lexists(Path(folder, name, "pyvenv.cfg"))
        )
        for name in sorted(files):
            path = Path(folder, name)
            told.append((path.relative_to(root).as_posix(), *stamp(path)))
    return sha256(json.dumps(told).encode()).hexdigest()


def installed() -> Mapping[str, str]:
    """The versions of all that is installed, by name."""
    from importlib.metadata import distributions

    return {str(each.metadata["Name"]): each.version for each in distributions()}
