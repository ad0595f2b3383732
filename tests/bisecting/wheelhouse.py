"""A folder of wheels that stands for a package index, so that environments are made without one."""

from __future__ import annotations

import os
import zipfile
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from stories.environments import wheel

# Required, and not imported by a test that records plain numbers: their names are enough.
_NAMES = ("numpy", "scikit-learn")


class Wheelhouse:
    """Wheels in a folder, and the settings with which uv sees nothing else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "wheels"
        self.folder.mkdir(parents=True)
        self._cache = folder / "uv"
        for name in needed("pytest-mlrepro"):
            repacked(self.folder, name)
        for name in _NAMES:
            wheel(self.folder, name.replace("-", "_"), "99.0", "")

    def add(self, name: str, version: str, source: str, *requires: str) -> None:
        """Add the wheel of a distribution with one module."""
        wheel(self.folder, name, version, source, requires=requires)

    @property
    def variables(self) -> dict[str, str]:
        return {
            "UV_FIND_LINKS": str(self.folder),
            "UV_NO_INDEX": "1",
            "UV_OFFLINE": "1",
            "UV_CACHE_DIR": str(self._cache),
            "UV_PYTHON_DOWNLOADS": "never",
        }


def needed(name: str) -> set[str]:
    """The distributions that one requires here, directly or not."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for line in distribution(waiting.pop()).requires or ():
            each = Requirement(line)
            if each.name in (*found, *_NAMES) or (each.marker and not each.marker.evaluate({"extra": ""})):
                continue
            found.add(each.name)
            waiting.append(each.name)
    return found


def repacked(folder: Path, name: str) -> Path:
    """The wheel of a distribution that is installed here."""
    found = distribution(name)
    tags = [
        line.partition(": ")[2] for line in (found.read_text("WHEEL") or "").splitlines() if "Tag: " in line
    ]
    written = found.metadata["Name"].replace("-", "_")
    path = folder / f"{written}-{found.version}-{tags[0]}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file in found.files or ():
            # Scripts are made anew; a wheel holds no compiled files.
            if (
                ".." not in file.parts
                and file.suffix != ".pyc"
                and file.name not in ("INSTALLER", "REQUESTED")
            ):
                archive.write(os.fspath(file.locate()), file.as_posix())
    return path
