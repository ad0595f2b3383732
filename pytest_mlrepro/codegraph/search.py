"""What imports and names in the project's modules stand for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_mlrepro.codegraph.module import Module
from pytest_mlrepro.codegraph.names import Chain, Target
from pytest_mlrepro.codegraph.places import Place, find_module, loaded_module, search_path
from pytest_mlrepro.codegraph.sources import Sources
from pytest_mlrepro.errors import RecordingError

_Seen = set[tuple[Path, Chain]]


@dataclass(frozen=True, slots=True)
class Found:
    """Something that a name stands for.

    Attributes:
        module: the module that it is in.
        name: its top-level name there; empty for the module itself.
        rest: attributes that are left over: members of a class, or unknown ones of a module.
    """

    module: Module
    name: str = ""
    rest: Chain = ()


@dataclass(frozen=True, slots=True)
class Route:
    """How far an import leads: the places of its modules, outermost first, and the parts that they took."""

    places: tuple[Place, ...] = ()
    known: int = 0


class Search:
    """One look through the project. It remembers where modules are, so it must not outlive a change of files."""

    def __init__(self, sources: Sources, *, lenient: bool = False) -> None:
        """Make one.

        Args:
            sources: the project's modules.
            lenient: take what cannot be read or parsed for what is not there.
        """
        self._sources = sources
        self._lenient = lenient
        self._modules: dict[Path, Module | None] = {}
        self._tops: dict[tuple[str, Path], Place | None] = {}
        self._routes: dict[tuple[Path, Target], Route] = {}

    def module(self, path: Path | None) -> Module | None:
        """The first-party module in a file; None where there is none, as for a namespace package."""
        if path is None:
            return None
        if path not in self._modules:
            self._modules[path] = self._read(path)
        return self._modules[path]

    def _read(self, path: Path) -> Module | None:
        try:
            return self._sources.module(path)
        except RecordingError:
            if self._lenient:
                return None
            raise

    def imports(self, path: Path) -> tuple[Target, ...]:
        """What the module in a file imports, inside functions too; nothing where it is not the project's."""
        try:
            return self._sources.imports(path) or ()
        except RecordingError:
            if self._lenient:
                return ()
            raise

    @property
    def files(self) -> frozenset[Path]:
        """The first-party files that were looked at."""
        return frozenset(path for path, module in self._modules.items() if module)

    def route(self, path: Path, target: Target) -> Route:
        """The modules that an import in a file passes through, whoever wrote them."""
        # Files of one folder see the same modules.
        key = path.parent, target
        if key not in self._routes:
            self._routes[key] = self._find_route(path, target)
        return self._routes[key]

    def executed(self, path: Path, target: Target) -> Iterator[Module]:
        """The first-party modules that an import executes."""
        for place in self.route(path, target).places:
            module = self.module(place.file)
            if module:
                yield module

    def resolve(self, path: Path, target: Target) -> Iterator[Found]:
        """What an import, and the attributes taken from it, stand for in first-party code."""
        return self._resolve(path, target, set())

    def resolve_name(self, module: Module, chain: Chain) -> Iterator[Found]:
        """What a global name, and the attributes taken from it, stand for in first-party code."""
        return self._resolve_name(module, chain, set())

    def _find_route(self, path: Path, target: Target) -> Route:
        places: list[Place] = []
        parts, known = target.parts, 0
        if target.level:
            folder = path.parents[min(target.level, len(path.parents)) - 1]
            init = folder / "__init__.py"
            places.append(Place(init if init.is_file() else None, (folder,)))
        else:
            top = self._top(parts[0], path)
            if top is None:
                return Route()
            places.append(top)
            known = 1
        while known < len(parts):
            if known >= target.modules and self._binds(places[-1], parts[known]):
                break
            below = find_module(parts[known], places[-1].folders)
            if below is None:
                break
            places.append(below)
            known += 1
        return Route(tuple(places), known)

    def _binds(self, package: Place, name: str) -> bool:
        """Whether a package binds a name to something else than its submodule of that name."""
        module = self.module(package.file)
        if module is None:
            return False
        own_submodule = ((1, (name,)), (0, (module.path.parent.name, name)))
        return name in module.members or any(
            (target.level, target.parts[-2:]) not in own_submodule for target in module.imported.get(name, ())
        )

    def _top(self, name: str, path: Path) -> Place | None:
        key = name, path.parent
        if key not in self._tops:
            self._tops[key] = self._find_top(name, path)
        return self._tops[key]

    def _find_top(self, name: str, path: Path) -> Place | None:
        project = self._sources.project
        loaded = loaded_module(name)
        if loaded and loaded.file and project.is_first_party(loaded.file):
            return loaded
        if name in sys.stdlib_module_names:
            return None
        if loaded:
            return loaded
        # pytest's import modes differ in what they add to the path, so these are looked at in any case.
        usual = (project.package_root(path), path.parent, project.root, project.root / "src")
        return find_module(name, (*search_path(), *usual))

    def _resolve(self, path: Path, target: Target, seen: _Seen) -> Iterator[Found]:
        route = self.route(path, target)
        module = self.module(route.places[-1].file) if route.places else None
        if module is None:
            return
        rest = target.parts[route.known :]
        if not rest:
            yield Found(module)
            return
        found = list(self._resolve_name(module, rest, seen))
        yield from found
        if not found and rest[0] not in module.imported and not _is_module_attribute(rest[0]):
            yield Found(module, rest=rest)

    def _resolve_name(self, module: Module, chain: Chain, seen: _Seen) -> Iterator[Found]:
        if (module.path, chain) in seen:
            return
        seen.add((module.path, chain))
        head, rest = chain[0], chain[1:]
        if head in module.members:
            yield Found(module, head, rest)
        for target in module.imported.get(head, ()):
            yield from self._resolve(module.path, target.then(rest), seen)
        if head not in module.members and head not in module.imported:
            for star in module.stars:
                for source in self.executed(module.path, star):
                    yield from self._resolve_name(source, chain, seen)


def _is_module_attribute(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")
