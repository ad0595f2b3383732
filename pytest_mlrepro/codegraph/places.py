"""Where code lies: which files are the project's own, what they are called, where a module's file is."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType

_INSTALLED = frozenset({"site-packages", "dist-packages", "__pypackages__"})
_ENVIRONMENT_MARKS = ("pyvenv.cfg", "conda-meta")
_TEST_FOLDERS = frozenset({"test", "tests"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a module was found.

    Attributes:
        file: its source or compiled file; None for a namespace package.
        folders: where its submodules are.
    """

    file: Path | None
    folders: tuple[Path, ...] = ()


class Project:
    """The files below a root folder that are the project's own."""

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.abspath(root))  # noqa: PTH100 - resolve() would follow links
        self._real_root = self.root.resolve()
        self._library = Path(os.__file__).resolve().parent
        self._environments: dict[Path, bool] = {}

    def is_first_party(self, path: Path) -> bool:
        """Whether a file is the project's own: not installed, not of an environment, not Python's."""
        return self.relative(path) is not None

    def relative(self, path: Path) -> Path | None:
        """The file's place below the root, through links or without; None where it is not the project's."""
        plain = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links
        for candidate, root in ((plain, self.root), (path.resolve(), self._real_root)):
            if candidate.is_relative_to(root):
                relative = candidate.relative_to(root)
                if not self._is_installed(relative) and not self._is_library(candidate):
                    return relative
        return None

    def dotted(self, path: Path) -> str:
        """The module name of a first-party file, made from folders only, whatever ``sys.path`` holds.

        A file in a package is called as it is imported; test folders and files in no package by their
        place below the root, without a leading ``src``.
        """
        relative = self.relative(path)
        assert relative is not None
        folders = list(relative.parts[:-1])
        packages: list[str] = []
        for depth in range(len(folders), 0, -1):
            if not (self.root.joinpath(*folders[:depth]) / "__init__.py").is_file():
                break
            packages.insert(0, folders[depth - 1])
        if not packages or packages[0] in _TEST_FOLDERS:
            packages = folders[1:] if folders[:1] == ["src"] else folders
        stem = relative.name.removesuffix(".py")
        return ".".join(packages if stem == "__init__" and packages else [*packages, stem])

    def package_root(self, path: Path) -> Path:
        """The folder that holds the outermost package around a file: where its imports start."""
        folder = path.parent
        while (folder / "__init__.py").is_file() and folder not in (self.root, folder.parent):
            folder = folder.parent
        return folder

    def _is_installed(self, relative: Path) -> bool:
        return not _INSTALLED.isdisjoint(relative.parts) or any(
            self._is_environment(folder) for folder in relative.parents[:-1]
        )

    def _is_environment(self, folder: Path) -> bool:
        if folder not in self._environments:
            self._environments[folder] = any(
                (self.root / folder / mark).exists() for mark in _ENVIRONMENT_MARKS
            )
        return self._environments[folder]

    def _is_library(self, path: Path) -> bool:
        # Python itself may be installed below the root; a root inside of Python's library is a project.
        return self._library.is_relative_to(self._real_root) and path.resolve().is_relative_to(self._library)


def find_module(name: str, folders: Iterable[Path]) -> Place | None:
    """Find a module in folders, as an import would, without importing anything.

    Files are looked up afresh each time: the import system's own finders keep listings that may be stale,
    and need the parent of a namespace package to be imported.
    """
    portions: list[Path] = []
    for folder in folders:
        package = folder / name
        if package.is_dir():
            for suffix in (".py", *EXTENSION_SUFFIXES):
                if (package / f"__init__{suffix}").is_file():
                    return Place(package / f"__init__{suffix}", (package,))
            portions.append(package)
        for suffix in (*EXTENSION_SUFFIXES, ".py"):
            if (folder / f"{name}{suffix}").is_file():
                return Place(folder / f"{name}{suffix}")
    return Place(None, tuple(portions)) if portions else None


def loaded_module(name: str) -> Place | None:
    """Where a module that is already imported comes from; None where it is not, or has no file."""
    module = sys.modules.get(name)
    if not isinstance(module, ModuleType):
        return None
    # Not vars(): a lazily loaded module would be executed by it.
    members = object.__getattribute__(module, "__dict__")
    file, folders = members.get("__file__"), members.get("__path__")
    if not isinstance(file, str) and folders is None:
        return None
    return Place(Path(file) if isinstance(file, str) else None, tuple(map(Path, folders or ())))


def search_path() -> Iterator[Path]:
    """The folders on ``sys.path``."""
    for entry in sys.path:
        yield Path(entry) if entry else Path.cwd()
