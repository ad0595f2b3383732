"""The cache of file digests: what a file's bytes came to, found again by what the system says of the file.

A file is the same as long as its device, inode, size, time of modification and time of change of status are. That is
sound only where another write would have moved these times, so a digest is kept only if, when its reading began, the
file had been still for longer than times are coarse and clocks differ (git calls entries that were not "racy"), and
only where the file system keeps fractions of a second: images and stores that do not often give every file one time.
What no time tells stays unseen: writes through a memory map that has been open since before, a device written
beneath its file system, and on Windows a change whose author sets the time of modification back.
"""

from __future__ import annotations

import contextlib
import os
import struct
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, TypeAlias

from pytest_mlrepro._version import __version__
from pytest_mlrepro.fingerprints.digests import FORMAT, blake3, text_bytes
from pytest_mlrepro.locking import only_writer

_SECOND = 1_000_000_000
STILL = 2 * _SECOND
"""Nanoseconds that a file must have been left alone before its digest is kept."""
MOST = 1 << 18
"""The most files that are remembered, those used last: 30 MB."""

_NAME = "files.bin"
_TEMPORARY = "files.*.tmp"
_ABANDONED = 3600
# Device, inode, kind; size, modification, status change; digest; lines (-1: not counted); blocks, and how many.
_RECORD = struct.Struct("<QQBqqq32sqB32s")
_KEY = 3
# Another release may count lines or cut blocks in another way: it starts anew.
_HEAD = text_bytes(f"mlrepro files 1 {FORMAT}-blake3 {__version__}\n")
_CHECK = 32

_Key: TypeAlias = tuple[int, ...]
_Entry: TypeAlias = tuple[int, int, int, bytes, int, int, bytes]


class Content(NamedTuple):
    """What a file's bytes come to.

    Attributes:
        root: the digest of their structure, 32 bytes.
        lines: how many lines, where they were counted.
        blocks: the digests of the blocks, four hexadecimal digits each, where they were taken.
    """

    root: bytes
    lines: int | None = None
    blocks: str = ""


class FileCache:
    """Remembers the digests of files in a folder; used as a context it saves what it learned.

    Several processes may use the same folder: each replaces the file of the cache as a whole, after taking in what
    others wrote. A cache that is missing, cut short, altered or from another release counts as empty, and one that
    cannot be written is not: that costs time, never a wrong digest.
    """

    def __init__(self, folder: Path) -> None:
        """Make a cache.

        Args:
            folder: its own folder; it is made when there is something to save, and read when there is something to
                look up.
        """
        self._path = folder / _NAME
        self._known: dict[_Key, _Entry] | None = None
        self._used: dict[_Key, _Entry] = {}
        self._is_new = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.save()

    def find(self, status: os.stat_result, kind: int) -> Content | None:
        """What the file with this status came to, if it is known.

        Args:
            status: of the file, not of a link to it.
            kind: which parts of the content are asked for; any small number.
        """
        if self._known is None:
            self._known = _load(self._path)
        key = (status.st_dev, status.st_ino, kind)
        entry = self._used.get(key) or self._known.get(key)
        if entry is None or entry[:3] != (status.st_size, status.st_mtime_ns, status.st_ctime_ns):
            return None
        self._used[key] = entry
        root, lines, count, blocks = entry[3:]
        return Content(root, None if lines < 0 else lines, blocks[: 2 * count].hex())

    def note(self, status: os.stat_result, kind: int, content: Content, began: int) -> None:
        """Remember what a file came to, if its status can tell it from any later content.

        Args:
            status: of the file, taken before it was read and found the same afterwards.
            kind: which parts were asked for, as in ``find``.
            content: what they came to.
            began: the time before the status was taken, in nanoseconds since the epoch.
        """
        changed = max(status.st_mtime_ns, status.st_ctime_ns)
        if changed >= began - STILL or status.st_ctime_ns % _SECOND == 0:
            return
        key = (status.st_dev, status.st_ino, kind)
        stamp = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        blocks = bytes.fromhex(content.blocks)
        lines = -1 if content.lines is None else content.lines
        entry = (*stamp, content.root, lines, len(blocks) // 2, blocks)
        # Some file systems have inodes of 128 bits, some files times beyond 2262.
        with contextlib.suppress(struct.error):
            _RECORD.pack(*key, *entry)
            self._used[key] = entry
            self._is_new = True

    def save(self) -> None:
        """Write what was learned since it was read, if anything; whatever stands in the way is let be."""
        if not self._is_new:
            return
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with only_writer(self._path.parent):
                kept = {key: entry for key, entry in _load(self._path).items() if key not in self._used}
                kept.update(self._used)
                _replace(self._path, _packed(kept))
            self._is_new = False


def _load(path: Path) -> dict[_Key, _Entry]:
    try:
        with path.open("rb") as file:
            # Whatever was put there instead is not read into memory as a whole.
            data = file.read(len(_HEAD) + _CHECK + MOST * _RECORD.size + 1)
    except OSError:
        return {}
    body = memoryview(data)[len(_HEAD) + _CHECK :]
    if not data.startswith(_HEAD + _digest(body)) or len(body) % _RECORD.size:
        return {}
    return {record[:_KEY]: record[_KEY:] for record in _RECORD.iter_unpack(body)}


def _packed(entries: dict[_Key, _Entry]) -> bytes:
    last = list(entries.items())[-MOST:]
    body = b"".join(_RECORD.pack(*key, *entry) for key, entry in last)
    return b"".join((_HEAD, _digest(body), body))


def _digest(body: bytes | memoryview) -> bytes:
    return blake3()(body).digest()  # type: ignore[no-any-return]


def _replace(path: Path, data: bytes) -> None:
    for left in path.parent.glob(_TEMPORARY):
        # Only a killed process leaves one behind; those of others at work vanish meanwhile.
        with contextlib.suppress(FileNotFoundError):
            if left.stat().st_mtime < time.time() - _ABANDONED:
                left.unlink()
    # The number of a process is not unique where containers share a folder.
    first, last = _TEMPORARY.split("*")
    handle, scratch = tempfile.mkstemp(last, first, path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(scratch).replace(path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise
