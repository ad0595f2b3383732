"""A project under test: immutable, each change or run gives the next one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parents[2] / "fixtures" / "projects"
LOCKFILE = "mlrepro.lock"
_INHERITED = (
    "PATH",
    "HOME",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "TMPDIR",
    "COVERAGE_PROCESS_START",
    "COVERAGE_FILE",
    "COVERAGE_PROCESS_CONFIG",
)


@dataclass(frozen=True)
class Result:
    """What a run of pytest or of the command gave."""

    project: Project
    returncode: int
    output: str
    report: Mapping[str, Any] | None = None

    @property
    def lockfile(self) -> str:
        return (self.project.root / LOCKFILE).read_text()

    def ok(self) -> Result:
        assert self.returncode == 0, self.output
        return self

    def red(self, status: int = 1) -> Result:
        assert self.returncode == status, self.output
        return self

    def drifts(self, policy: str = "fail") -> set[str]:
        """Addresses of the drifts with this policy."""
        assert self.report is not None, self.output
        return {
            f"{each['facet']}.{each['key']}" for each in self.report["drifts"] if each["policy"] == policy
        }

    def facets(self, policy: str = "fail") -> set[str]:
        return {address.partition(".")[0] for address in self.drifts(policy)}

    def notes(self) -> set[str]:
        """Addresses of the notes that are not about the machine."""
        assert self.report is not None, self.output
        own = [each for each in self.report["drifts"] if each["subject"] != "session"]
        return {f"{each['facet']}.{each['key']}" for each in own if each["policy"] == "note"}

    def suspects(self, address: str) -> list[str]:
        assert self.report is not None
        found = [each for each in self.report["drifts"] if f"{each['facet']}.{each['key']}" == address]
        assert found, f"{address} did not drift: {self.report['drifts']}"
        return list(dict.fromkeys(suspect for each in found for suspect in each["suspects"]))


@dataclass(frozen=True)
class Project:
    """A folder of its own in ``tmp``; every change is made in a copy."""

    root: Path
    tmp: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    python: str = sys.executable

    @staticmethod
    def folders() -> list[Path]:
        """The fixture projects."""
        return sorted(path for path in FIXTURES.iterdir() if (path / "pyproject.toml").is_file())

    @classmethod
    def empty(cls, tmp: Path) -> Project:
        root = tmp / "project0"
        root.mkdir()
        (root / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
        return cls(root, tmp)

    @classmethod
    def copy_of(cls, name: str, tmp: Path) -> Project:
        root = tmp / "project0"
        shutil.copytree(FIXTURES / name, root, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))
        return cls(root, tmp)

    def _next(self) -> Project:
        count = sum(1 for path in self.tmp.iterdir() if path.name.startswith("project"))
        root = self.tmp / f"project{count}"
        shutil.copytree(self.root, root, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        return replace(self, root=root)

    def write(self, files: Mapping[str, str]) -> Project:
        new = self._next()
        for name, content in files.items():
            path = new.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return new

    def edit(self, name: str, old: str, new: str) -> Project:
        text = (self.root / name).read_text()
        assert old in text, f"{old!r} is not in {name}"
        return self.write({name: text.replace(old, new)})

    def remove(self, name: str) -> Project:
        new = self._next()
        (new.root / name).unlink()
        return new

    def setenv(self, **variables: str) -> Project:
        return replace(self, environment={**self.environment, **variables})

    def under(self, python: str) -> Project:
        """The same project, run by another interpreter."""
        return replace(self, python=python)

    def pytest(self, *arguments: str, cwd: str = ".") -> Result:
        """Run pytest with the installed plugin; a report is always made where something is judged."""
        judges = any(argument in ("--mlrepro", "--mlrepro-update") for argument in arguments)
        report = self.root / "report.json"
        report.unlink(missing_ok=True)
        extra = [f"--mlrepro-report={report}"] if judges else []
        fixed = ["-p", "no:randomly", "-p", "no:cacheprovider"]
        ran = self._run([self.python, "-m", "pytest", *fixed, *extra, *arguments], cwd)
        content = json.loads(report.read_text()) if report.exists() else None
        return Result(self, ran.returncode, ran.stdout, content)

    def check(self, *arguments: str, **options: str) -> Result:
        return self.pytest("--mlrepro", *arguments, **options)

    def update(self, *arguments: str, **options: str) -> Result:
        return self.pytest("--mlrepro-update", *arguments, **options)

    def command(self, *arguments: str, cwd: str = ".") -> Result:
        """Run the ``mlrepro`` command."""
        ran = self._run([self.python, "-m", "pytest_mlrepro.cli", *arguments], cwd)
        return Result(self, ran.returncode, ran.stdout)

    def _run(self, command: list[str], cwd: str) -> subprocess.CompletedProcess[str]:
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        environment = {
            **inherited,
            "LANG": "C.UTF-8",
            "PYTHONSAFEPATH": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            **self.environment,
        }
        return subprocess.run(
            command,
            cwd=self.root / cwd,
            env=environment,
            text=True,
            errors="backslashreplace",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=300,
        )
