"""The cache of digests of files and folders, found again by what the system says of them: nothing is read twice.

A file is the same as long as its device, inode, size, time of modification and time of change of status are; a folder
is, as long as that holds for every file below it, and its names are the same. That is sound only where another write
would have moved these times, so a digest is kept only if, when its reading began, the file had been still for longer
than times are coarse and clocks differ (git calls entries that were not "racy"), and only where the file system keeps
fractions of a second: images and stores that do not often give every file one time. What no time tells stays unseen:
writes through a memory map that has been open since before, a device written beneath its file system, and on Windows
a change whose author sets the time of modification back.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
from collections.abc import Mapping
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from pytest_mlrepro.fingerprints.digests import Algorithm
from pytest_mlrepro.fingerprints.records import Layout, Records
from pytest_mlrepro.locking import only_writer, undisturbed
from pytest_mlrepro.model import Value

_SECOND = 1_000_000_000
STILL = 2 * _SECOND
"""Nanoseconds that a file must have been left alone before its digest is kept."""
MOST = 1 << 18
"""The most files that are remembered, those used last: 38 MB."""
MOST_FOLDERS = 1 << 10
"""The most folders that are remembered, those used last."""

IDENTITY = struct.Struct("<QQQqq")
"""What identifies the content of a file: device, inode, size, modification, change of status; the times in ns."""

# A record's key is the place, device and inode, and the algorithm; what it holds begins with the times and the size.
_PLACE = 16
_KEY = 24
_TIMES = IDENTITY.size - _PLACE
# How much was asked for; lines (-1: not counted); digest; how many blocks, and their digests.
_CONTENT = struct.Struct("<Bq32sB32s")
_FILE = struct.Struct(f"<{_KEY}s{_TIMES + _CONTENT.size}s")
_STAMP = 32
_FOLDER = struct.Struct(f"<{_KEY}sI")
_LARGEST_FOLDER = 1 << 14
_NO_STAMP = bytes(_STAMP)


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


class Listing(NamedTuple):
    """What a folder's files come to.

    Attributes:
        stamp: the digest of the names and identities of all its files; empty where they cannot be told from later ones.
        root: the digest of its structure, 32 bytes.
        detail: that of its fingerprint.
    """

    stamp: bytes
    root: bytes
    detail: Mapping[str, Value]


def identity(status: os.stat_result) -> bytes:
    """What identifies the content of the file with this status (not of a link to it); empty where it does not fit.

    Some file systems have inodes of 128 bits, some files times beyond 2262.
    """
    try:
        return IDENTITY.pack(
            status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
        )
    except struct.error:
        return b""


def is_still(status: os.stat_result, began: int) -> bool:
    """Whether nobody can have written to the file with this status since ``began`` (ns), nor just before."""
    still = began - STILL
    return status.st_mtime_ns < still and status.st_ctime_ns < still


class FileCache:
    """Remembers the digests of files and folders in a folder of its own; used as a context it saves what it learned.

    Several processes may use the same folder: each replaces the files of the cache as a whole, after taking in what
    others wrote. A cache that is missing, cut short, altered or from another release counts as empty, and one that
    cannot be written is not: that costs time, never a wrong digest.
    """

    def __init__(self, folder: Path) -> None:
        """Make a cache.

        Args:
            folder: its own folder; it is made when there is something to save, and read when there is something to
                look up.
        """
        self._home = folder
        self._files = Records(folder / "files.bin", _FILES)
        self._folders = Records(folder / "folders.bin", _FOLDERS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.save()

    def find(self, seen: bytes, kind: int, hashing: Algorithm) -> Content | None:
        """What the file with this identity came to, if it is known.

        Args:
            seen: its identity; empty for none.
            kind: how much of the content is asked for; a greater number includes what a lesser one asks.
            hashing: the hash of its bytes.
        """
        record = self._files.find(_key(seen, hashing)) if seen else None
        if record is None or record[:_TIMES] != seen[_PLACE:]:
            return None
        known, lines, root, count, blocks = _CONTENT.unpack_from(record, _TIMES)
        if known < kind:
            return None
        return Content(root, None if lines < 0 else lines, blocks[: 2 * count].hex())

    def note(
        self, status: os.stat_result, kind: int, content: Content, began: int, hashing: Algorithm
    ) -> bytes:
        """Remember what a file came to, if its status can tell it from any later content.

        Args:
            status: of the file, the same before and after it was read.
            kind: how much was asked for, as in ``find``.
            content: what it came to.
            began: a time before its reading, in nanoseconds since the epoch.
            hashing: the hash of its bytes.

        Returns:
            The identity under which it is remembered; empty where it is not.
        """
        seen = identity(status)
        if not seen or not is_still(status, began) or status.st_ctime_ns % _SECOND == 0:
            return b""
        blocks = bytes.fromhex(content.blocks)
        lines = -1 if content.lines is None else content.lines
        packed = _CONTENT.pack(kind, lines, content.root, len(blocks) // 2, blocks)
        self._files.note(_key(seen, hashing), seen[_PLACE:] + packed)
        return seen

    def find_folder(self, status: os.stat_result, hashing: Algorithm) -> Listing | None:
        """What the folder with this status came to when it was read last."""
        seen = identity(status)
        record = self._folders.find(_key(seen, hashing)) if seen else None
        if record is None:
            return None
        stamp, root = record[:_STAMP], record[_STAMP : 2 * _STAMP]
        detail = _frozen(json.loads(record[2 * _STAMP :]))
        return Listing(b"" if stamp == _NO_STAMP else stamp, root, detail)

    def note_folder(self, status: os.stat_result, listing: Listing, hashing: Algorithm) -> None:
        """Remember what a folder came to.

        Args:
            status: of the folder.
            listing: with a stamp only where every file below it is remembered.
            hashing: the hash of its files.
        """
        seen = identity(status)
        detail = json.dumps(listing.detail, separators=(",", ":")).encode("ascii")
        if seen and len(detail) + 2 * _STAMP <= _LARGEST_FOLDER:
            record = b"".join((listing.stamp or _NO_STAMP, listing.root, detail))
            self._folders.note(_key(seen, hashing), record)

    def save(self) -> None:
        """Write what was learned since it was read, if anything; whatever stands in the way is let be."""
        if not (self._files.is_new or self._folders.is_new):
            return
        with contextlib.suppress(OSError):
            self._home.mkdir(parents=True, exist_ok=True)
            with only_writer(self._home), undisturbed():
                self._files.save()
                self._folders.save()


def _key(seen: bytes, hashing: Algorithm) -> bytes:
    return seen[:_PLACE] + hashing.name.encode("ascii").ljust(_KEY - _PLACE, b"\0")


def _packed_files(records: dict[bytes, bytes]) -> bytes:
    first = max(0, len(records) - MOST)
    return b"".join(chain.from_iterable(islice(records.items(), first, None)))


def _unpacked_files(body: memoryview) -> dict[bytes, bytes] | None:
    return None if len(body) % _FILE.size else dict(_FILE.iter_unpack(body))


def _packed_folders(records: dict[bytes, bytes]) -> bytes:
    first = max(0, len(records) - MOST_FOLDERS)
    last = islice(records.items(), first, None)
    return b"".join(_FOLDER.pack(key, len(record)) + record for key, record in last)


def _unpacked_folders(body: memoryview) -> dict[bytes, bytes] | None:
    records, place = {}, 0
    while place + _FOLDER.size <= len(body):
        key, size = _FOLDER.unpack_from(body, place)
        place += _FOLDER.size + size
        records[key] = bytes(body[place - size : place])
    return records if place == len(body) else None


_FILES = Layout(MOST * _FILE.size, _packed_files, _unpacked_files)
_FOLDERS = Layout(MOST_FOLDERS * (_FOLDER.size + _LARGEST_FOLDER), _packed_folders, _unpacked_folders)


def _frozen(value: Any) -> Any:
    """JSON's lists as tuples."""
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    return {key: _frozen(item) for key, item in value.items()} if isinstance(value, dict) else value
