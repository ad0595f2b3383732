"""The distributions on the import path: who provides a module, what they require, whose a file is."""

from __future__ import annotations

import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from pytest_mlrepro.environment.imports import metadata_library
from pytest_mlrepro.environment.installed import Installed
from pytest_mlrepro.environment.places import is_inside, is_projects, place_of, places_of
from pytest_mlrepro.environment.spelling import UNKNOWN, normalized

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


@dataclass(frozen=True)
class Distributions:
    """A snapshot of what is installed. Make one a session with ``read``.

    Attributes:
        by_name: what is imported under each normalized name: of several versions, the first on the import path.
        folders: the import path.
        prefix: of the Python installation or virtual environment.
        hidden: under each name the further ones that the first hides.
    """

    by_name: Mapping[str, Installed]
    folders: tuple[str, ...] = ()
    prefix: str = ""
    hidden: Mapping[str, tuple[Installed, ...]] = field(default_factory=dict)
    # Answers found before; a module's distribution cannot change while it is imported.
    _providers: dict[str, tuple[Installed, ...]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def read(cls, path: Iterable[str] | None = None) -> Distributions:
        """List what is installed.

        Args:
            path: folders and zip files; default ``sys.path``.
        """
        folders = tuple(dict.fromkeys(sys.path if path is None else path))
        found: dict[str, list[tuple[int, Installed]]] = defaultdict(list)
        for position, source in _sources(folders):
            if name := _name_of(source):
                found[name].append((position, Installed(name, source, folders[position])))
        chosen = {name: _imported(candidates) for name, candidates in found.items()}
        hidden = {
            name: tuple(each for _, each in candidates if each is not chosen[name])
            for name, candidates in found.items()
            if len(candidates) > 1
        }
        return cls(chosen, folders, sys.prefix, hidden)

    def get(self, name: str) -> Installed | None:
        """The distribution of this name, in any spelling; None if it is not installed."""
        return self.by_name.get(normalized(name))

    def doubt(self, installed: Installed) -> str:
        """Why its version may not be what runs, or is not known; empty where there is no doubt."""
        if installed.version == UNKNOWN:
            return "its metadata is missing or cannot be read"
        same = (self.by_name[installed.name], *self.hidden.get(installed.name, ()))
        others = {each.version for each in same}
        others -= {installed.version, UNKNOWN}
        return f"installed more than once, also as {', '.join(sorted(others))}" if others else ""

    def knows(self, module: str) -> bool:
        """Whether a distribution provides a module, or shares its name as a namespace."""
        return module.partition(".")[0] in self._by_module or bool(self.providers(module))

    def providers(self, module: str) -> tuple[Installed, ...]:
        """The distributions that provide a module: mostly one, none for what nobody installed.

        Args:
            module: the dotted name. Its first part decides, and where several distributions share
                that (a namespace package, two builds of one library) as many parts as it takes.
        """
        if module not in self._providers:
            self._providers[module] = self._find_providers(module)
        return self._providers[module]

    def _find_providers(self, module: str) -> tuple[Installed, ...]:
        parts = tuple(module.split("."))
        if parts[0] in sys.stdlib_module_names:
            return ()
        candidates = self._by_module.get(parts[0], ())
        if not candidates:
            return self._providers_by_place(parts[0])
        if len(candidates) == 1:
            return candidates
        reached = [(*each.reaches(parts), each) for each in candidates]
        deepest = max(depth for depth, _, _ in reached)
        return tuple(each for depth, owns, each in reached if owns and depth == deepest)

    def _providers_by_place(self, module: str) -> tuple[Installed, ...]:
        """Editable installations do not list their modules: those in their folder are theirs."""
        roots = self._editable_folders
        place = place_of(module) if roots else None
        if place is None:
            return ()
        inside = [folder for folder in roots if folder == place or folder in place.parents]
        # The innermost one: a project may have others below it.
        return (roots[max(inside, key=lambda folder: len(folder.parts))],) if inside else ()

    def is_loaded(self, installed: Installed, modules: Mapping[str, Any]) -> bool:
        """Whether one of a distribution's modules is among the loaded ones."""
        present = [name for name in installed.modules if name in modules]
        if any(len(self._by_module[name]) == 1 for name in present):
            return True
        return bool(present) and any(name in modules for name in installed.submodules() if "." in name)

    def running(self, name: str, root: Path | None = None) -> Installed | None:
        """Of the distributions of a name the one whose modules are imported; the first, where none is.

        Args:
            name: in any spelling.
            root: as for ``is_elsewhere``.
        """
        first = self.get(name)
        if first is None or not self.is_elsewhere(first, root):
            return first
        # Somebody changed the import path between an import and the reading of what is installed.
        others = (each for each in self.hidden.get(first.name, ()) if each.modules & first.modules)
        return next((each for each in others if not self.is_elsewhere(each, root)), first)

    def is_elsewhere(self, installed: Installed, root: Path | None = None) -> bool:
        """Whether its modules were imported, but from another place than where it is installed.

        A copy of its own on the import path hides it then: its metadata says nothing of what runs.

        Args:
            installed: the distribution.
            root: the project's folder, links followed. What lies there is no copy: projects and distributions alike
                have modules called ``tests``.
        """
        known = False
        for name in installed.modules - sys.stdlib_module_names:
            if name not in sys.modules or len(self._by_module[name]) > 1:
                continue
            places = tuple(places_of(name))
            if any(is_inside(place, folder) for place in places for folder in self._roots(installed)):
                return False
            known = known or any(not self._is_accounted_for(each, installed, root) for each in places)
        return known

    def _is_accounted_for(self, place: str, installed: Installed, root: Path | None) -> bool:
        """Whether a file is the project's own, or one that another distribution brought and put on the path.

        Which of two copies is imported then depends on what was imported before: the order of tests must not count.
        """
        real = Path(place).resolve()
        if root is not None and is_projects(real, root):
            return True
        above = [
            real.relative_to(folder).parts for folder in self._real_folders if real.is_relative_to(folder)
        ]
        brought = (each for parts in above if len(parts) > 1 for each in self._by_module.get(parts[0], ()))
        return any(each is not installed for each in brought)

    def _roots(self, installed: Installed) -> Iterator[str]:
        yield installed.place
        if installed.origin.folder is not None:
            yield str(installed.origin.folder)

    def owner(self, file: str) -> Installed | None:
        """The distribution that brought a file, such as a shared library; None for the system's.

        Args:
            file: the absolute path.
        """
        real = os.path.realpath(file)
        inside = [folder for folder in self._real_folders if real.startswith(folder + os.sep)]
        if not inside:
            return None
        parts = Path(real[len(max(inside, key=len)) + 1 :]).parts
        # Tools that repair wheels put libraries beside the package, in "numpy.libs".
        if parts[0].endswith(".libs"):
            return self.get(parts[0].removesuffix(".libs"))
        found = self.providers(".".join(parts[:-1]))
        return found[0] if found else None

    def conda_build(self, installed: Installed) -> str:
        """The build string of conda's package; empty where conda did not install this version."""
        version, build = self._conda_packages.get(installed.name, ("", ""))
        return build if version == installed.version else ""

    @cached_property
    def _by_module(self) -> Mapping[str, tuple[Installed, ...]]:
        found: dict[str, list[Installed]] = defaultdict(list)
        for name in sorted(self.by_name):
            for module in self.by_name[name].modules:
                found[module].append(self.by_name[name])
        return {module: tuple(providers) for module, providers in found.items()}

    @cached_property
    def _editable_folders(self) -> Mapping[Path, Installed]:
        return {
            each.origin.folder.resolve(): each
            for each in self.by_name.values()
            if each.origin.text == "editable" and each.origin.folder is not None
        }

    @cached_property
    def _real_folders(self) -> tuple[str, ...]:
        return tuple(os.path.realpath(folder) for folder in self.folders)

    @cached_property
    def _conda_packages(self) -> Mapping[str, tuple[str, str]]:
        """Version and build string by name, from the names of conda's records."""
        files = Path(self.prefix, "conda-meta").glob("*-*-*.json")
        named = (file.name.removesuffix(".json").rsplit("-", 2) for file in files)
        return {normalized(name): (version, build) for name, version, build in named}


def _sources(folders: Iterable[str]) -> Iterator[tuple[int, Any]]:
    """The distribution objects of the metadata library, with their folder's position on the path."""
    library = metadata_library()
    # Finders of the standard library and of its backport would only find the same again.
    known = (PathFinder, library.MetadataPathFinder)
    others = [
        finder
        for finder in sys.meta_path
        if hasattr(finder, "find_distributions")
        and finder not in known
        and type(finder).__module__ != library.__name__
    ]
    for position, folder in enumerate(folders):
        context = library.DistributionFinder.Context(path=[folder])
        for finder in (library.MetadataPathFinder(), *others):
            for source in finder.find_distributions(context):
                yield position, source


def _name_of(source: Any) -> str:
    """The normalized name; empty for what is left of a broken installation.

    Taken from the name of the folder where there is one: that is twenty times as fast as reading.
    """
    place = getattr(getattr(source, "_path", None), "name", "")
    stem = re.sub(r"\.(dist|egg)-info$", "", place)
    name = re.split(r"-(?=\d)", stem)[0] if stem != place else Installed("", source).declared_name
    return normalized(name) if _NAME.fullmatch(name) else ""


def _imported(candidates: list[tuple[int, Installed]]) -> Installed:
    """Of several distributions of one name the one that is imported."""
    if len(candidates) == 1:
        return candidates[0][1]
    from packaging.version import InvalidVersion, Version

    def order(candidate: tuple[int, Installed]) -> tuple[bool, int, bool, Any]:
        position, installed = candidate
        try:
            version: Any = Version(installed.version)
        except InvalidVersion:
            return (installed.version != UNKNOWN, -position, False, 0)
        return (True, -position, True, version)

    # Remains without metadata do not count; in one folder the newer one overwrote the older.
    return max(candidates, key=order)[1]
