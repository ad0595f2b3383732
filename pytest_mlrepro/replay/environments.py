"""Throw-away environments, installed by uv, kept by what is in them."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.metadata import distribution
from pathlib import Path
from threading import Lock

from pytest_mlrepro.environment.spelling import normalized
from pytest_mlrepro.replay import uv

SECONDS = 1800.0
"""How long an installation may take: it may have to build from sources."""
_OURS = "pytest-mlrepro"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Environments:
    """The environments that replays run in.

    Attributes:
        folder: where they are kept.
        seconds: when to give an installation up.
    """

    folder: Path
    seconds: float = SECONDS
    _locks: dict[str, Lock] = field(default_factory=dict, repr=False)
    _guard: Lock = field(default_factory=Lock, repr=False)

    def python(self, packages: Sequence[str], version: str = "") -> Path:
        """The interpreter of an environment with these packages; it is made where it is not there yet.

        This plugin is in it as it runs here, whatever an index has of it, with what it needs.

        Args:
            packages: requirements, such as ``numpy==2.1.0``.
            version: of Python, or the path of an interpreter; empty for this one.

        Raises:
            MissingExtraError: if uv is not installed.
            ReplayError: if the packages do not go together, one cannot be had, or does not build.
        """
        asked = sorted({*packages, *_own_needs(packages)})
        key = sha256("\n".join([version or sys.executable, sys.version, _home(), *asked]).encode())
        place = self.folder / key.hexdigest()[:32]
        with self._lock(place.name):
            if not _interpreter(place).exists():
                self._make(place, asked, version)
        return _interpreter(place)

    def _lock(self, name: str) -> Lock:
        with self._guard:
            return self._locks.setdefault(name, Lock())

    def _make(self, place: Path, packages: Sequence[str], version: str) -> None:
        # Beside its place, so that half of an environment is never taken for a whole one.
        begun = place.with_name(f"{place.name}.{os.getpid()}")
        shutil.rmtree(begun, ignore_errors=True)
        begun.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._run(["venv", "--quiet", "--python", version or sys.executable, str(begun)], "")
            install = ["pip", "install", "--quiet", "--python", str(_interpreter(begun))]
            self._run([*install, "--requirements", "-"], "\n".join(packages))
            _carry_along(begun)
            try:
                begun.rename(place)
            except OSError:
                # Another process was quicker.
                if not _interpreter(place).exists():
                    raise
        finally:
            shutil.rmtree(begun, ignore_errors=True)

    def _run(self, arguments: Sequence[str], text: str) -> None:
        to = "to make an environment with other versions"
        ran = uv.run(arguments, text, to=to, done="finished", seconds=self.seconds)
        if ran.returncode:
            raise uv.refusal("uv could not make the environment", ran.stderr)


def _own_needs(packages: Sequence[str]) -> list[str]:
    """What this plugin needs and the packages do not name."""
    named = {normalized(match[0]) for each in packages if (match := _NAME.match(each))}
    needs = [each for each in distribution(_OURS).requires or () if "extra ==" not in each]
    return [each for each in needs if (match := _NAME.match(each)) and normalized(match[0]) not in named]


def _home() -> str:
    return str(Path(__file__).parents[2])


def _interpreter(place: Path) -> Path:
    return place / "Scripts" / "python.exe" if os.name == "nt" else place / "bin" / "python"


def _carry_along(environment: Path) -> None:
    """Put this plugin into an environment: its code as it lies here, and what tells pytest of it."""
    libraries = [*environment.glob("lib/python*/site-packages"), *environment.glob("Lib/site-packages")]
    site = libraries[0]
    ours = distribution(_OURS)
    told = site / f"pytest_mlrepro-{ours.version}.dist-info"
    told.mkdir(exist_ok=True)
    for name in ("METADATA", "entry_points.txt", "WHEEL"):
        (told / name).write_text(ours.read_text(name) or "", encoding="utf-8")
    shutil.copytree(
        Path(__file__).parents[1],
        site / "pytest_mlrepro",
        ignore=shutil.ignore_patterns("__pycache__"),
        dirs_exist_ok=True,
    )
