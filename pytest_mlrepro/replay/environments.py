"""Throw-away environments, installed by uv, kept by what is in them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.metadata import distribution
from pathlib import Path
from threading import Lock

from pytest_mlrepro.errors import MissingExtraError, ReplayError
from pytest_mlrepro.replay import uv

SECONDS = 1800.0
"""How long an installation may take: it may have to build from sources."""
_OURS = "pytest-mlrepro"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_CREDENTIALS = re.compile(r"(://)[^/\s@]+@")
_LINES = 6


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
        program = uv.find()
        if program is None:
            raise MissingExtraError(
                "it takes uv, which is not installed, to make an environment with other versions",
                where="replay",
                remedy="pip install 'pytest-mlrepro[replay]'",
            )
        # Beside its place, so that half of an environment is never taken for a whole one.
        begun = place.with_name(f"{place.name}.{os.getpid()}")
        shutil.rmtree(begun, ignore_errors=True)
        begun.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._run([program, "venv", "--quiet", "--python", version or sys.executable, str(begun)], "")
            install = [program, "pip", "install", "--quiet", "--python", str(_interpreter(begun))]
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

    def _run(self, command: Sequence[str], text: str) -> None:
        try:
            ran = subprocess.run(
                command,
                input=text,
                env={**os.environ, "NO_COLOR": "1"},
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=self.seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ReplayError(f"uv has not finished in {self.seconds:g} seconds", where="replay") from None
        except OSError as error:
            raise ReplayError(f"uv cannot be run: {error.strerror}", where="replay") from None
        if ran.returncode:
            told = _CREDENTIALS.sub(r"\1***@", ran.stderr).strip().splitlines()
            raise ReplayError(
                "uv could not make the environment",
                where="replay",
                said=tuple(f"  {each}" for each in told[:_LINES]),
            )


def _own_needs(packages: Sequence[str]) -> list[str]:
    """What this plugin needs and the packages do not name."""
    named = {_normal(match[0]) for each in packages if (match := _NAME.match(each))}
    needs = [each for each in distribution(_OURS).requires or () if "extra ==" not in each]
    return [each for each in needs if (match := _NAME.match(each)) and _normal(match[0]) not in named]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


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
