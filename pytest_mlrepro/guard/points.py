"""The choke points of all libraries: bound to stand-ins for a while, and put back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING

from pytest_mlrepro.guard import python_points
from pytest_mlrepro.guard.rebinding import Rebinding
from pytest_mlrepro.seeding.watch import ImportWatch

if TYPE_CHECKING:
    from pytest_mlrepro.guard.guard import Guard

Rebindings = Callable[[ModuleType, "Guard"], Sequence[Rebinding]]


def _of_numpy(library: ModuleType, guard: Guard) -> Sequence[Rebinding]:
    from pytest_mlrepro.guard.numpy_points import of_numpy

    return of_numpy(library, guard)


def _of_torch(library: ModuleType, guard: Guard) -> Sequence[Rebinding]:
    from pytest_mlrepro.guard.torch_points import of_torch

    return of_torch(library, guard)


_LIBRARIES: dict[str, Rebindings] = {
    "os": python_points.of_os,
    "random": python_points.of_random,
    "numpy.random": _of_numpy,
    "torch": _of_torch,
}


class Points:
    """All rebindings of the process, made as their libraries get imported."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._rebindings: list[Rebinding] = []
        self._missing = dict(_LIBRARIES)
        self._watch = ImportWatch(_LIBRARIES, self._around_import, lambda: None)

    def install(self) -> None:
        """Bind all names of the libraries that are imported, and from now on of those that will be."""
        for rebinding in self._rebindings:
            rebinding.install()
        if self._missing:
            self._add_libraries()
        if self._missing:
            self._watch.arm()

    def restore(self) -> None:
        """Put everything back."""
        self._watch.disarm()
        for rebinding in reversed(self._rebindings):
            rebinding.restore()

    def _add_libraries(self) -> None:
        for name in tuple(self._missing):
            module = sys.modules.get(name)
            if module is None or getattr(module.__spec__, "_initializing", False):
                continue
            self._add(name, module)

    def _add(self, name: str, module: ModuleType) -> None:
        for rebinding in self._missing.pop(name)(module, self._guard):
            rebinding.install()
            self._rebindings.append(rebinding)

    @contextmanager
    def _around_import(self, name: str, outermost: bool) -> Iterator[None]:
        yield
        if name in self._missing:
            # It still counts as being imported.
            self._add(name, sys.modules[name])
        elif outermost:
            self._add_libraries()
