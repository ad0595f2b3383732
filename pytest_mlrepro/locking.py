"""Let one process at a time write in a folder."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path


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
