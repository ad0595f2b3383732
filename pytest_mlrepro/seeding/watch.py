"""Stands beside the imports that happen while generators are pinned, without being seen by them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from importlib.machinery import ModuleSpec
from threading import get_ident
from types import ModuleType
from typing import Any, TypeAlias, cast

Around: TypeAlias = Callable[[str, bool], AbstractContextManager[None]]
"""Given a module's name, and whether its import is an outermost one, what its body is to run in."""


class ImportWatch:
    """A finder of ``sys.meta_path`` that finds nothing itself and runs the bodies of modules in a context.

    Of the thread that armed it, these are the outermost imports: the statement in a test, not what that module
    imports in turn. In every thread they are the modules that were named.

    It asks the finders after it, so that whoever would have found the module finds it. The loader that they
    name is stood in for until it runs; the module, its spec and its loader are then the same as without a watch.
    Imports nothing and takes no lock.
    """

    def __init__(self, names: Collection[str], around: Around, again: Callable[[], None]) -> None:
        """Make a watch, not armed yet.

        Args:
            names: full names of the modules that are watched wherever they are imported.
            around: makes the context of an import or reload.
            again: pins again what is pinned while the watch is armed.
        """
        self._names = frozenset(names)
        self._around = around
        self.again = again
        self._thread = 0
        self._within = False
        self.armed = False

    def arm(self) -> None:
        """Take a place in ``sys.meta_path``, before all others."""
        self.armed = True
        self._thread = get_ident()
        finders = sys.meta_path
        for finder in finders:
            if finder is self:
                return
        finders.insert(0, self)

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
        if not self.armed or not (fullname in self._names or self._outermost()):
            return None
        spec = self._ask_others(fullname, path, target)
        loader: Any = None if spec is None else spec.loader
        # A namespace has no loader, and loaders of a kind older than specs lack this method.
        if spec is not None and hasattr(loader, "exec_module"):
            # A finder may give the same spec again and again.
            ours = type(loader) is _StandIn and loader.watch is self
            spec.loader = loader if ours else cast("Any", _StandIn(loader, self))
        return spec

    def run(self, loader: Any, module: ModuleType) -> None:
        """Run the body of a module in its context."""
        __tracebackhide__ = True
        if not self.armed:
            loader.exec_module(module)
            return
        outermost = self._outermost()
        self._within |= outermost
        try:
            with self._around(module.__name__, outermost):
                loader.exec_module(module)
        finally:
            if outermost:
                self._within = False

    def _outermost(self) -> bool:
        return not self._within and get_ident() == self._thread

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
        for holder, attribute in ((module.__spec__, "loader"), (module, "__loader__")):
            if getattr(holder, attribute, None) is self:
                setattr(holder, attribute, self._loader)
        self.watch.run(self._loader, module)


def _unseen(function: Any) -> None:
    # A warning in a module's body is said at the import statement: frames of importlib are skipped on the way
    # there, and they are told by their file's name.
    function.__code__ = function.__code__.replace(co_filename="<frozen importlib._bootstrap>")


_unseen(ImportWatch.run)
_unseen(_StandIn.exec_module)
