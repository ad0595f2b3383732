"""Which threads belong to whose turn: one that outlives the test which started it must not speak for the next."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from weakref import WeakSet


class Crew:
    """The threads of one turn of a test or fixture: those that are started while it lasts."""

    def __init__(self) -> None:
        """Begin: whoever is alive now belongs to somebody else."""
        self._left: Iterable[threading.Thread] = ()
        self._begin()

    def _begin(self) -> None:
        alive = threading.enumerate()
        self._others = set(alive)
        # Threads that Python's threading has not started are known to it once they ask for their name.
        self._foreign = sys._current_frames().keys() - {each.ident for each in alive}

    def has(self, thread: threading.Thread) -> bool:
        """Whether a thread was started while the turn lasted."""
        is_foreign = isinstance(thread, threading._DummyThread) and thread.ident in self._foreign
        return not is_foreign and thread not in self._others

    def pause(self) -> Iterable[threading.Thread]:
        """End for now; ``resume`` goes on.

        Returns:
            The threads that the turn leaves behind.
        """
        left = self._left = WeakSet(filter(self.has, threading.enumerate()))
        return left

    def resume(self) -> None:
        """Go on, with the threads that were left behind: whoever has come in between belongs to somebody else."""
        self._begin()
        self._others.difference_update(self._left)

    def disown(self, threads: Iterable[threading.Thread]) -> None:
        """Give up threads that a turn within this one has left behind."""
        self._others.update(threads)
