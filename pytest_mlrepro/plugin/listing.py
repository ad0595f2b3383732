"""Listings of folders in the reverse of the order in which the system gives them."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self


class Listing:
    """Stands in for ``os.listdir`` and ``os.scandir``, and so for ``os.walk``, ``glob`` and ``pathlib``."""

    def __init__(self) -> None:
        self._listdir, self._scandir = os.listdir, os.scandir
        # pathlib and glob of Python 3.13 have taken the function when they were imported.
        globber: Any = getattr(glob, "_StringGlobber", None)
        self._globber = globber if getattr(globber, "scandir", None) is os.scandir else None

    def install(self) -> None:
        """List in reverse from now on."""
        self._bind(self._reversed_listdir(), self._reversed_scandir())

    def restore(self) -> None:
        """List as the system does."""
        for function in (os.listdir, os.scandir):
            os.supports_fd.discard(function)
        self._bind(self._listdir, self._scandir)

    def _bind(self, listdir: Any, scandir: Any) -> None:
        # shutil asks there whether folders can be listed by their descriptors.
        os.supports_fd.update((listdir, scandir))
        os.listdir, os.scandir = listdir, scandir
        if self._globber is not None:
            self._globber.scandir = staticmethod(scandir)

    def _reversed_listdir(self) -> Callable[..., list[Any]]:
        original = self._listdir

        def listdir(path: Any = None) -> list[Any]:
            return original(path)[::-1]

        return listdir

    def _reversed_scandir(self) -> Callable[..., Entries]:
        original = self._scandir

        def scandir(path: Any = None) -> Entries:
            with original(path) as entries:
                return Entries([*entries][::-1])

        return scandir


class Entries:
    """What ``os.scandir`` gives: an iterator that can be closed, and a context manager."""

    def __init__(self, entries: list[os.DirEntry[Any]]) -> None:
        self._left = iter(entries)

    def __iter__(self) -> Iterator[os.DirEntry[Any]]:
        return self

    def __next__(self) -> os.DirEntry[Any]:
        return next(self._left)

    def close(self) -> None:
        """Give no more."""
        self._left = iter(())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
