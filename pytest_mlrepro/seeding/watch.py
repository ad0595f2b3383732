"""Tells when a library has just been imported, without being seen by it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, cast


class ImportWatch:
    """A finder of ``sys.meta_path`` that finds nothing itself and reports the imports of some modules.

    It asks the finders after it, so that whoever would have found the module finds it. The loader that they
    name is stood in for until it runs; the module, its spec and its loader are then the same as without a watch.
    Imports nothing, takes no lock, and reports in the thread that imports, at the end of the import.
    """

    def __init__(self, names: Collection[str], imported: Callable[[str], None]) -> None:
        """Make a watch, not armed yet.

        Args:
            names: full names of the modules to watch.
            imported: called with the name of one whose body has just run, also when it was reloaded.
        """
        self._names = frozenset(names)
        self._imported = imported
        self.armed = False

    def arm(self) -> None:
        """Take a place in ``sys.meta_path``, before all others."""
        self.armed = True
        if not any(finder is self for finder in sys.meta_path):
            sys.meta_path.insert(0, self)

    def disarm(self) -> None:
        """Leave ``sys.meta_path``."""
        self.armed = False
        # In place, and by identity: the list is everybody's.
        for place, finder in enumerate(sys.meta_path):
            if finder is self:
                del sys.meta_path[place]
                return

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec that the other finders give for a watched module; None for every other one."""
        if not self.armed or fullname not in self._names:
            return None
        spec = self._ask_others(fullname, path, target)
        loader: Any = None if spec is None else spec.loader
        # A namespace has no loader, and loaders of a kind older than specs lack this method.
        if spec is not None and hasattr(loader, "exec_module"):
            # A finder may give the same spec again and again.
            ours = type(loader) is _StandIn and loader.watch is self
            spec.loader = loader if ours else cast("Any", _StandIn(loader, self))
        return spec

    def report(self, name: str) -> None:
        """Say that the body of a module has run."""
        if self.armed:
            self._imported(name)

    def _ask_others(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> ModuleSpec | None:
        finders = list(sys.meta_path)
        places = [place for place, finder in enumerate(finders) if finder is self]
        for finder in finders[places[0] + 1 :] if places else ():
            find = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(fullname, path, target) if find is not None else None
            if spec is not None:
                return spec
        return None


class _StandIn:
    """Stands in for a loader up to the moment when it runs the module's body."""

    def __init__(self, loader: Any, watch: ImportWatch) -> None:
        self._loader = loader
        self.watch = watch

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        # Whoever only looks for the spec, to see whether a library is there, may ask what loads it.
        return type(self._loader)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def __repr__(self) -> str:
        return repr(self._loader)

    def exec_module(self, module: ModuleType) -> None:
        __tracebackhide__ = True
        name = module.__name__
        for holder, attribute in ((module.__spec__, "loader"), (module, "__loader__")):
            if getattr(holder, attribute, None) is self:
                setattr(holder, attribute, self._loader)
        self._loader.exec_module(module)
        self.watch.report(name)
