"""Records: what one process learned, in a file for others to use, that counts as empty where anything is wrong with it.

It is replaced as a whole, so that nobody reads half of it, and its first bytes are a digest of the rest.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from pytest_mlrepro._version import __version__
from pytest_mlrepro.fingerprints.digests import FORMAT, blake3, text_bytes

_ABANDONED = 3600
# Another release may count lines, cut blocks or list folders in another way: it starts anew.
_HEAD = text_bytes(f"mlrepro records 2 {FORMAT} {__version__}\n")
_CHECK = 32


class Layout(NamedTuple):
    """How records lie in their file.

    Attributes:
        most: bytes that they may take; of a file with more nothing is believed.
        pack: makes bytes of records by key, those used last at the end; it may leave out the first ones.
        unpack: the other way; None where the bytes are none that it made.
    """

    most: int
    pack: Callable[[dict[bytes, bytes]], bytes]
    unpack: Callable[[memoryview], dict[bytes, bytes] | None]


class Records:
    """Records by key: those that the file holds, read when the first is asked for, and those used or noted since."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self._path = path
        self._layout = layout
        self._known: dict[bytes, bytes] | None = None
        self._used: dict[bytes, bytes] = {}
        self.is_new = False
        """Whether some were noted that the file may not hold."""

    def find(self, key: bytes) -> bytes | None:
        """The record of this key."""
        record = self._used.get(key)
        if record is None:
            if self._known is None:
                self._known = self._load()
            record = self._known.get(key)
            if record is not None:
                self._used[key] = record
        return record

    def note(self, key: bytes, record: bytes) -> None:
        """Put a record in the place of any other of this key."""
        self._used[key] = record
        self.is_new = True

    def save(self) -> None:
        """Add what was noted to the file, and keep what others added; its folder exists.

        Raises:
            OSError: where it cannot be written; the old file is then still there.
        """
        if self.is_new:
            kept = {key: record for key, record in self._load().items() if key not in self._used}
            kept.update(self._used)
            _replace(self._path, self._layout.pack(kept))
            self.is_new = False

    def _load(self) -> dict[bytes, bytes]:
        most = self._layout.most
        try:
            with self._path.open("rb") as file:
                # Whatever was put there instead is not read into memory as a whole.
                data = file.read(len(_HEAD) + _CHECK + most + 1)
        except OSError:
            return {}
        body = memoryview(data)[len(_HEAD) + _CHECK :]
        if not data.startswith(_HEAD + _digest(body)) or len(body) > most:
            return {}
        return self._layout.unpack(body) or {}


def _replace(path: Path, body: bytes) -> None:
    for left in path.parent.glob(f"{path.stem}.*.tmp"):
        # Only a killed process leaves one behind; those of others at work vanish meanwhile.
        with contextlib.suppress(FileNotFoundError):
            if left.stat().st_mtime < time.time() - _ABANDONED:
                left.unlink()
    # The number of a process is not unique where containers share a folder.
    handle, scratch = tempfile.mkstemp(".tmp", f"{path.stem}.", path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(b"".join((_HEAD, _digest(body), body)))
        Path(scratch).replace(path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def _digest(body: bytes | memoryview) -> bytes:
    return blake3()(body).digest()  # type: ignore[no-any-return]
