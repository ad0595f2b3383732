"""Follow an object's code from definition to definition, and a file's imports from module to module."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_mlrepro.codegraph.digest import combined_digest
from pytest_mlrepro.codegraph.module import BODY, Definition, Module
from pytest_mlrepro.codegraph.names import Chain, Target
from pytest_mlrepro.codegraph.places import Project
from pytest_mlrepro.codegraph.search import Found, Route, Search
from pytest_mlrepro.codegraph.sources import Sources, Stamp
from pytest_mlrepro.errors import RecordingError

if TYPE_CHECKING:
    from pytest_mlrepro.codegraph.anchors import Anchor

_Key = tuple[Path, str]
_SHORT = 8
_LAMBDA = "<lambda>"
# A definition that calls one of these may reach any name of its module.
_REACH_ALL = frozenset({"eval", "exec", "globals"})


class CodeGraph:
    """The project's own code below a root folder, read from its files and never executed.

    Args:
        root: pytest's rootdir.
    """

    def __init__(self, root: Path) -> None:
        self._project = Project(root)
        self._sources = Sources(self._project)
        self._known: dict[tuple[Anchor, ...], tuple[Mapping[Path, Stamp], Mapping[str, str]]] = {}

    def is_first_party(self, path: Path) -> bool:
        """Whether a file is the project's own: below the root, and neither installed nor Python's."""
        return self._project.is_first_party(path)

    def external_imports(self, files: Iterable[Path]) -> frozenset[str]:
        """The dotted names of third-party modules that files import, directly or through first-party modules.

        Imports inside functions count, as do ``import_module("x")`` and ``importorskip("x")``; imports
        for type checking do not. ``from a import b`` gives ``a.b`` where that is a module, else ``a``.
        A file that cannot be read or parsed imports nothing.
        """
        # What cannot be read was not imported either, or only by an import that is guarded.
        search = Search(self._sources, lenient=True)
        found: set[str] = set()
        seen: set[Path] = set()
        todo = [path for file in files for path in _with_packages(Path(file))]
        while todo:
            path = todo.pop()
            if path in seen:
                continue
            seen.add(path)
            for target in search.imports(path):
                route = search.route(path, target)
                todo.extend(place.file for place in route.places if place.file is not None)
                if name := self._external(route, target):
                    found.add(name)
        return frozenset(found)

    def _external(self, route: Route, target: Target) -> str:
        if target.level:
            return ""
        if not route.places:
            missing = target.parts[0] not in sys.stdlib_module_names
            return ".".join(target.parts[: target.modules]) if missing else ""
        place = route.places[-1]
        inside = place.file or place.folders[0] / "__init__.py"
        if self._project.is_first_party(inside):
            return ""
        return ".".join(target.parts[: max(route.known, target.modules)])

    def name(self, obj: object) -> str:
        """An object's dotted name, made from its file's place in the project: ``my_package.train.fit``.

        Raises:
            RecordingError: if the object's source is in no file of the project.
        """
        anchor = next(self._anchors(obj))
        if anchor.file is None:
            return self._project.dotted(anchor.folders[0] / "__init__.py")
        module = self._project.dotted(anchor.file)
        name = anchor.name
        if name and name[0] == _LAMBDA:
            name = (_at_line(self._read(anchor.file), anchor.line),)
        return ".".join((module, *name))

    def definitions(self, obj: object) -> Mapping[str, str]:
        """The definitions that an object is made of, transitively through first-party code.

        Args:
            obj: a function, method, class, module or package (all its files), an instance (its class),
                or something that wraps one: a partial, a decorated function.

        Returns:
            8 hexadecimal digits by ``module:name``, sorted. ``module:<body>`` stands for a module's
            top-level statements.

        Raises:
            RecordingError: if the object's source is in no file of the project, or a file on the way
                cannot be read or parsed.
        """
        return {name: digest[:_SHORT] for name, digest in self.digests(obj).items()}

    def digests(self, obj: object) -> Mapping[str, str]:
        """As ``definitions``, with all 32 hexadecimal digits."""
        start = tuple(self._anchors(obj))
        stamps, found = self._known.get(start, ({}, {}))
        if not stamps or any(self._sources.stamp(path) != stamp for path, stamp in stamps.items()):
            walk = _Walk(Search(self._sources))
            for anchor in start:
                self._begin(walk, anchor)
            walk.run()
            found = MappingProxyType(walk.digests())
            stamps = {path: self._sources.stamp(path) for path in walk.files}
            self._known[start] = stamps, found
        return found

    def _anchors(self, obj: object) -> Iterator[Anchor]:
        from pytest_mlrepro.codegraph.anchors import anchors, describe

        for number, anchor in enumerate(anchors(obj)):
            place = anchor.file or anchor.folders[0] / "__init__.py"
            if self._project.is_first_party(place) and place.suffix not in (".so", ".pyd", ".pyc"):
                yield anchor
            elif number == 0:
                raise RecordingError(
                    f"{describe(obj)} is not Python code of this project",
                    remedy="leave it out: installed code is covered by `libraries`, "
                    "which mlrepro.library(...) extends",
                )

    def _read(self, path: Path) -> Module:
        module = self._sources.module(path)
        assert module is not None
        return module

    def _begin(self, walk: _Walk, anchor: Anchor) -> None:
        if not anchor.name:
            for path in self._files(anchor):
                walk.reach(Found(self._read(path)))
            return
        assert anchor.file is not None
        module = self._read(anchor.file)
        found = () if anchor.name[0] == _LAMBDA else tuple(walk.search.resolve_name(module, anchor.name))
        line = module.at_line(anchor.line)
        if not found and line:
            found = (Found(module, line),)
        for each in found or (Found(module),):
            walk.reach(each)
        for path in _with_packages(anchor.file):
            walk.enter(path)

    def _files(self, anchor: Anchor) -> Iterator[Path]:
        """The files of a module, or of a package with everything below it."""
        if anchor.file:
            yield anchor.file
        for folder in anchor.folders:
            for path in sorted(folder.rglob("*.py")):
                if self._project.is_first_party(path):
                    yield path


class _Walk:
    """The definitions reached so far, and those whose names are still to be followed."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self._reached: dict[_Key, tuple[Module, Definition]] = {}
        self._registered: dict[_Key, list[tuple[Module, Definition]]] = {}
        self._entered: set[Path] = set()
        self._todo: list[tuple[Module, Definition]] = []
        self._modules: list[Module] = []

    @property
    def files(self) -> frozenset[Path]:
        return self.search.files

    def enter(self, path: Path) -> None:
        """Take in what importing a file does."""
        if module := self.search.module(path):
            self._enter(module)

    def reach(self, found: Found) -> None:
        """Take in what a name stands for: all of a class, all of a module."""
        module = found.module
        self._enter(module)
        names = module.members.get(found.name, ()) if found.name else tuple(module.definitions)
        for name in names:
            self._take(module, module.definitions[name])

    def run(self) -> None:
        """Follow all names of all definitions reached, until there are no new ones."""
        while self._todo or self._modules:
            while self._modules:
                self._follow_module(self._modules.pop())
            if self._todo:
                self._follow(*self._todo.pop())

    def digests(self) -> dict[str, str]:
        """32 hexadecimal digits by ``module:name``, sorted."""
        found: dict[str, list[str]] = {}
        for module, definition in self._reached.values():
            found.setdefault(f"{module.name}:{definition.name}", []).append(definition.digest)
        return {
            name: digests[0] if len(digests) == 1 else combined_digest(sorted(digests))
            for name, digests in sorted(found.items())
        }

    def _enter(self, module: Module) -> None:
        if module.path not in self._entered:
            self._entered.add(module.path)
            self._modules.append(module)

    def _take(self, module: Module, definition: Definition) -> None:
        key = module.path, definition.name
        if key not in self._reached:
            self._reached[key] = module, definition
            self._todo.append((module, definition))
            for kept in self._registered.pop((module.path, definition.name.partition(".")[0]), ()):
                self._take(*kept)

    def _await(self, key: _Key, module: Module, definition: Definition) -> None:
        """Take a definition once the name that it is registered with is reached."""
        if key in self._reached:
            self._take(module, definition)
        else:
            self._registered.setdefault(key, []).append((module, definition))

    def _follow_module(self, module: Module) -> None:
        """What importing a module does: its body, its imports, and what its decorators register."""
        if BODY in module.definitions:
            self._take(module, module.definitions[BODY])
        for target in module.imports:
            self._import(module, target)
        for definition in module.definitions.values():
            for decorator in definition.decorators:
                for key in self._registers(module, decorator):
                    self._await(key, module, definition)

    def _import(self, module: Module, target: Target) -> None:
        for each in self.search.executed(module.path, target):
            self._enter(each)

    def _registers(self, module: Module, decorator: Chain) -> Iterator[_Key]:
        """Where a decorator of this project may keep what it decorates, for other code to find."""
        for found in self.search.resolve_name(module, decorator):
            if found.rest:
                # A method, as of a registry or of a function with single dispatch.
                yield found.module.path, found.name
                continue
            for name in found.module.members.get(found.name, ()):
                for changed in found.module.definitions[name].uses.mutates:
                    for kept in self.search.resolve_name(found.module, (changed,)):
                        yield kept.module.path, kept.name

    def _follow(self, module: Module, definition: Definition) -> None:
        uses = definition.uses
        for target in uses.imports:
            self._import(module, target)
        for target in uses.targets:
            for found in self.search.resolve(module.path, target):
                self.reach(found)
        for chain in uses.names:
            self._follow_name(module, chain)

    def _follow_name(self, module: Module, chain: Chain) -> None:
        found = tuple(self.search.resolve_name(module, chain))
        for each in found:
            self.reach(each)
        if found or chain[0] in module.imported or chain[0] in module.members:
            return
        if chain[0] in _REACH_ALL:
            self.reach(Found(module))
        elif module.stars and not hasattr(builtins, chain[0]):
            for star in module.stars:
                for each in self.search.resolve(module.path, star):
                    self.reach(each)


def _with_packages(file: Path) -> Iterator[Path]:
    """A file, and the ``__init__.py`` of the packages around it, which are executed before it."""
    yield file
    folder = file.parent
    while (folder / "__init__.py").is_file() and folder != folder.parent:
        yield folder / "__init__.py"
        folder = folder.parent


def _at_line(module: Module, line: int) -> str:
    return module.at_line(line) or BODY
