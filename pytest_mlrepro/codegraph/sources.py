"""The project's modules, each file read once and again when it has changed."""

from __future__ import annotations

from pathlib import Path

from pytest_mlrepro.codegraph.module import Module, read_imports, read_module
from pytest_mlrepro.codegraph.names import Target
from pytest_mlrepro.codegraph.places import Project

Stamp = tuple[int, int]
"""A file's time of change in ns and its size in bytes: what tells that it must be read again."""


class Sources:
    """The first-party modules of a project, by file."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._modules: dict[Path, tuple[Stamp, Module]] = {}
        self._imports: dict[Path, tuple[Stamp, tuple[Target, ...]]] = {}
        self._others: set[Path] = set()

    def stamp(self, path: Path) -> Stamp:
        """What tells whether a file has changed; zeros where it is gone."""
        try:
            status = path.stat()
        except OSError:
            return 0, 0
        return status.st_mtime_ns, status.st_size

    def module(self, path: Path) -> Module | None:
        """The module in a file; None for compiled code and for code that is not the project's.

        Raises:
            RecordingError: if the file cannot be read or parsed.
        """
        if path in self._others:
            return None
        known = self._modules.get(path)
        stamp = self.stamp(path)
        if known is None or known[0] != stamp:
            if (where := self._where(path)) is None:
                return None
            known = self._modules[path] = stamp, read_module(path, self.project.dotted(path), where)
        return known[1]

    def imports(self, path: Path) -> tuple[Target, ...] | None:
        """What a module imports, inside functions too; None as for ``module``.

        Raises:
            RecordingError: if the file cannot be read or parsed.
        """
        if path in self._others:
            return None
        known = self._imports.get(path)
        stamp = self.stamp(path)
        if known is None or known[0] != stamp:
            if (where := self._where(path)) is None:
                return None
            known = self._imports[path] = stamp, read_imports(path, self.project.dotted(path), where)
        return known[1]

    def _where(self, path: Path) -> str | None:
        """The place of a module below the root; None of what is no source of the project."""
        relative = self.project.relative(path)
        if relative is None or path.suffix in (".so", ".pyd", ".pyc"):
            self._others.add(path)
            return None
        return relative.as_posix()
