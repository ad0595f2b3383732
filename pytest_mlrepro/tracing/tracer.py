"""The steps of one subject after another, taken from what the project's functions return."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import CO_ASYNC_GENERATOR, CO_GENERATOR, CO_OPTIMIZED
from pathlib import Path
from types import CodeType

from pytest_mlrepro.codegraph.places import Project
from pytest_mlrepro.traces import Routine, Step, Trace
from pytest_mlrepro.tracing.kinds import Reader
from pytest_mlrepro.tracing.listening import Listener, listener

MOST_STEPS = 10_000
"""Steps of one subject that are kept."""

MOST_CALLS = 256
"""Steps of one function in one subject that are kept."""

_OURS = Path(__file__).parent.parent


class Track:
    """A trace while it is made."""

    def __init__(self) -> None:
        self.reader = Reader()
        self.steps: list[Step] = []
        self.counts: dict[int, int] = {}
        self.cut: set[tuple[str, str]] = set()
        self.stopped = ""

    def trace(self) -> Trace:
        """What there is of it."""
        return Trace(tuple(self.steps), frozenset(self.cut), self.stopped)


class Tracer:
    """Traces what runs in the thread that uses it."""

    def __init__(self, root: Path) -> None:
        """Make a tracer; nothing is installed before the first track is followed.

        Args:
            root: the project's folder.
        """
        self._project = Project(root)
        # By identity: functions of two files may have equal code. It is kept, so that no other takes its place.
        self._routines: dict[int, tuple[CodeType, Routine | None]] = {}
        self._files: dict[str, str | None] = {}
        self._listener: Listener = listener(self._is_wanted, self._heard)
        self._track: Track | None = None
        self._busy = False
        self._thread = 0

    @contextmanager
    def following(self, track: Track | None) -> Iterator[None]:
        """Add to a track what is returned meanwhile; None for nothing at all. May be nested: the inner one counts."""
        outer, thread = self._track, self._thread
        if outer is not None:
            self._pause(outer)
        self._track, self._thread = track, threading.get_ident()
        try:
            if track is not None:
                self._resume(track)
            yield
        finally:
            if track is not None:
                self._pause(track)
            self._track, self._thread = outer, thread
            if outer is not None:
                self._resume(outer)

    def close(self) -> None:
        """Give back what was taken of the process."""
        self._listener.close()

    def _resume(self, track: Track) -> None:
        if not track.stopped:
            track.stopped = self._listener.start()

    def _pause(self, track: Track) -> None:
        track.stopped = self._listener.stop() or track.stopped

    def _is_wanted(self, code: CodeType) -> bool:
        return self._routine(code) is not None

    def _routine(self, code: CodeType) -> Routine | None:
        known = self._routines.get(id(code))
        if known is None:
            known = self._routines[id(code)] = code, self._described(code)
        return known[1]

    def _described(self, code: CodeType) -> Routine | None:
        """A function of the project; None for others, class bodies, modules and comprehensions.

        Comprehensions have code of their own or none, as the version of Python has it.
        """
        inner = code.co_name.startswith("<") and code.co_name != "<lambda>"
        if inner or not code.co_flags & CO_OPTIMIZED or code.co_flags & CO_ASYNC_GENERATOR:
            return None
        file = self._place(code.co_filename)
        if file is None:
            return None
        return Routine(file, code.co_firstlineno, code.co_qualname, bool(code.co_flags & CO_GENERATOR))

    def _place(self, file: str) -> str | None:
        if file not in self._files:
            path = None if file.startswith("<") else self._project.relative(Path(file))
            ours = Path(file).is_relative_to(_OURS)
            self._files[file] = None if path is None or ours else path.as_posix()
        return self._files[file]

    def _heard(self, code: CodeType, value: object) -> bool:
        """Take a value; False where no more of this function are wanted."""
        track = self._track
        if self._busy or track is None or threading.get_ident() != self._thread:
            return True
        routine = self._routine(code)
        if routine is None:
            return False
        count = track.counts[id(code)] = track.counts.get(id(code), 0) + 1
        if count > MOST_CALLS:
            track.cut.add(routine.key)
            return False
        if len(track.steps) >= MOST_STEPS:
            track.stopped = f"only the first {MOST_STEPS:,} steps are kept"
            return False
        self._busy = True
        try:
            track.steps.append(Step(routine, track.reader.read(value)))
        finally:
            self._busy = False
        return True
