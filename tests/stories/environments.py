"""Throw-away environments: real ones, with tiny distributions built and installed for the test."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SCALE = "def scale(value):\n    return {factor} * value\n"
HATCH = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "{version}"

[tool.hatch.build]
dev-mode-dirs = ["."]
only-include = ["{module}.py"]
"""


def wheel(
    folder: Path, name: str, version: str, source: str | None = None, *, requires: Sequence[str] = ()
) -> Path:
    """Write the wheel of a distribution with one module, called like it."""
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {line}\n" for line in requires)
    files = {
        f"{name}.py": SCALE.format(factor=2) if source is None else source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        record = ""
        for file, text in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{file},sha256={digest},{len(text)}\n"
            archive.writestr(file, text)
        archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    return path


def sources(folder: Path, name: str, version: str, factor: int = 2) -> Path:
    """The source tree of such a distribution."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(HATCH.format(name=name, version=version, module=name))
    (folder / f"{name}.py").write_text(SCALE.format(factor=factor))
    return folder


def commit(folder: Path) -> str:
    """Commit everything in a folder, made a repository where it is none; the commit's full name."""
    who = ["-c", "user.name=x", "-c", "user.email=x@y.invalid"]
    for arguments in (["init", "-q"], ["add", "-A"], [*who, "commit", "-q", "-m", "x"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)
    done = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@dataclass(frozen=True)
class Environment:
    """A virtual environment that also sees what the tests themselves run with."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Environment:
        venv.create(folder, with_pip=False, symlinks=os.name != "nt")
        made = cls(folder)
        paths = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
        # A line that begins with "import" is run; a bare path would not honour the links in that folder.
        lines = [f"import site; site.addsitedir({path!r})" for path in paths]
        (made.site / "zz_tests.pth").write_text("\n".join(lines) + "\n")
        return made

    @property
    def python(self) -> str:
        folder, name = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
        return str(self.folder / folder / name)

    @property
    def site(self) -> Path:
        """Where its own distributions are installed."""
        variables = {"base": str(self.folder), "platbase": str(self.folder)}
        return Path(sysconfig.get_path("purelib", scheme="venv", vars=variables))

    def install(self, *what: str, wheels: Path | None = None) -> Environment:
        """Install with pip, without an index: names from a folder of wheels, folders, addresses."""
        quiet = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", "--no-build-isolation"]
        links = ["--find-links", str(wheels)] if wheels else []
        pip = [sys.executable, "-m", "pip", "--python", self.python]
        done = subprocess.run(
            [*pip, "install", *quiet, *links, *what], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return self

    def uninstall(self, name: str) -> Environment:
        pip = [sys.executable, "-m", "pip", "--python", self.python]
        subprocess.run([*pip, "uninstall", "--quiet", "--yes", name], capture_output=True, check=True)
        return self
