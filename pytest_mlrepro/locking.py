"""Let one process at a time write in a folder."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType


@contextlib.contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: it needs no file of its own, and the system drops it with the process.

    On Windows folders cannot be locked, and some network file systems know no locks: there it does nothing, so
    whoever writes still has to replace files atomically.

    Raises:
        OSError: if the folder cannot be opened.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


_ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Put off the signals that end a process, for the moment in which it must not leave half of something behind.

    What arrived meanwhile is sent again at the end. In other threads than the main one nothing can be put off.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        arrived.append(number)

    numbers = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]
    # One that is ignored stays so, and one that is not Python's cannot be put back.
    before = {each: signal.getsignal(each) for each in numbers}
    held = {each: now for each, now in before.items() if now not in (None, signal.SIG_IGN)}
    try:
        for each in held:
            signal.signal(each, note)
        yield
    finally:
        for each, now in held.items():
            signal.signal(each, now)
        for number in dict.fromkeys(arrived):
            signal.raise_signal(number)
