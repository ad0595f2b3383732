"""Hear what functions return: ``sys.monitoring`` from Python 3.12 on, ``sys.setprofile`` before.

Both are shared by the process, so what others have set is never replaced: where nothing is free, nothing is heard,
and it is said.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dis import opmap
from inspect import CO_GENERATOR
from types import CodeType, FrameType
from typing import Any, Protocol, TypeAlias

Wanted: TypeAlias = Callable[[CodeType], bool]
"""Whether a function is to be heard."""
Heard: TypeAlias = Callable[[CodeType, object], bool]
"""Takes a function and what it returned or yielded; whether it is to be heard further."""

_NAME = "pytest-mlrepro"
_IDS = (4, 3)
"""Those that no kind of tool has a claim on."""


class Listener(Protocol):
    """Hears functions between ``start`` and ``stop``, in the thread that started it."""

    def start(self) -> str:
        """Begin, or begin again; why it cannot, empty where it can."""

    def stop(self) -> str:
        """End; why nothing may have been heard for a while, empty where all was."""

    def close(self) -> None:
        """Give back what it took of the process."""


def listener(wanted: Wanted, heard: Heard) -> Listener:
    """The listener for this version of Python."""
    return Monitoring(wanted, heard) if sys.version_info >= (3, 12) else Profile(wanted, heard)


class Monitoring:
    """Through ``sys.monitoring``: functions of others cost nothing after their first call."""

    def __init__(self, wanted: Wanted, heard: Heard) -> None:
        self._wanted = wanted
        self._heard = heard
        self._tool: int | None = None
        # By identity: functions of two files may have equal code.
        self._known: dict[int, CodeType] = {}

    def start(self) -> str:
        """Begin, or begin again; see ``Listener``."""
        monitoring = self._monitoring
        if self._tool is None:
            free = [each for each in _IDS if monitoring.get_tool(each) is None]
            if not free:
                return "no tool id of sys.monitoring is free"
            self._take(free[0])
        monitoring.set_events(self._tool, monitoring.events.PY_START)
        for code in self._known.values():
            self._hear(code)
        return ""

    def stop(self) -> str:
        """End; see ``Listener``."""
        if self._tool is not None:
            self._monitoring.set_events(self._tool, 0)
            for code in self._known.values():
                self._monitoring.set_local_events(self._tool, code, 0)
        return ""

    def close(self) -> None:
        """Give back what it took of the process."""
        if self._tool is not None:
            self.stop()
            events = self._monitoring.events
            for event in (events.PY_START, events.PY_RETURN, events.PY_YIELD):
                self._monitoring.register_callback(self._tool, event, None)
            self._monitoring.free_tool_id(self._tool)
            self._tool = None

    @property
    def _monitoring(self) -> Any:
        return sys.monitoring  # type: ignore[attr-defined]

    def _take(self, tool: int) -> None:
        monitoring = self._monitoring
        self._tool = tool
        monitoring.use_tool_id(tool, _NAME)
        monitoring.register_callback(tool, monitoring.events.PY_START, self._started)
        monitoring.register_callback(tool, monitoring.events.PY_RETURN, self._returned)
        monitoring.register_callback(tool, monitoring.events.PY_YIELD, self._returned)

    def _hear(self, code: CodeType) -> None:
        events = self._monitoring.events
        wanted = events.PY_YIELD if code.co_flags & CO_GENERATOR else events.PY_RETURN
        self._monitoring.set_local_events(self._tool, code, wanted)

    def _started(self, code: CodeType, offset: int) -> Any:
        if id(code) not in self._known and self._wanted(code):
            self._known[id(code)] = code
            self._hear(code)
        return self._monitoring.DISABLE

    def _returned(self, code: CodeType, offset: int, value: object) -> None:
        if not self._heard(code, value) and self._tool is not None:
            self._monitoring.set_local_events(self._tool, code, 0)


class Profile:
    """Through ``sys.setprofile``, which hears every call of the thread, those of C functions too."""

    def __init__(self, wanted: Wanted, heard: Heard) -> None:
        self._wanted = wanted
        self._heard = heard
        self._hook: Any = None
        # By identity, as above; the code is kept, so that no other takes its place.
        self._known: dict[int, tuple[CodeType, bytes | None]] = {}
        self._silent: set[int] = set()

    def start(self) -> str:
        """Begin, or begin again; see ``Listener``."""
        if sys.getprofile() is not None:
            return "another profiler is active"
        self._silent.clear()
        self._hook = self._profile()
        sys.setprofile(self._hook)
        return ""

    def stop(self) -> str:
        """End; see ``Listener``."""
        hook, self._hook = self._hook, None
        if hook is None:
            return ""
        active = sys.getprofile()
        if active is hook:
            sys.setprofile(None)
            return ""
        # Whoever took its place has it now. Python drops it where it runs out of its recursion limit.
        return (
            "another profiler took over"
            if active is not None
            else "the profiler was removed, or recursion was too deep"
        )

    def close(self) -> None:
        """Give back what it took of the process."""
        self.stop()

    def _profile(self) -> Callable[[FrameType, str, object], None]:
        # Called for every call of the thread: local names are what is fastest.
        heard, silent, known, prepare = self._heard, self._silent, self._known, self._prepare
        returns, yields = opmap["RETURN_VALUE"], opmap["YIELD_VALUE"]

        def profile(frame: FrameType, event: str, value: object) -> None:
            if event != "return":
                return
            code = frame.f_code
            name = id(code)
            if name in silent:
                return
            if name not in known:
                known[name] = code, prepare(code)
            instructions = known[name][1]
            if instructions is None:
                silent.add(name)
                return
            # A frame that an exception leaves "returns" None, and one that awaits "returns" what it waits for.
            wanted = yields if code.co_flags & CO_GENERATOR else returns
            if instructions[frame.f_lasti] == wanted and not heard(code, value):
                silent.add(name)

        return profile

    def _prepare(self, code: CodeType) -> bytes | None:
        """The instructions of a function that is to be heard; None of any other."""
        return code.co_code if self._wanted(code) else None
