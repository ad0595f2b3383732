"""Reading: what the bytes of one file come to, or an error where they change meanwhile."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints.cache import Content, FileCache, is_still
from pytest_mlrepro.fingerprints.digests import Algorithm, blake3
from pytest_mlrepro.fingerprints.how import Advance
from pytest_mlrepro.fingerprints.ranges import WIDTH, span_of

WHOLE, WITH_BLOCKS, WITH_LINES = range(3)
"""What is asked of a file's content: its digest, those of its blocks too, the number of its lines too."""

_LENGTHS = tuple(length.to_bytes(8, "little") for length in range(65))
_FILE = _LENGTHS[len(b"file")] + b"file"
_CHUNK = 1 << 20
_SMALL = 1 << 16
_LONGEST_NAME = 100
# Not blocking: opening a FIFO would wait for a writer.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class Reader:
    """How files are read.

    Attributes:
        hashing: the hash of their bytes.
        cache: what is known of those that were read before.
        advance: is told of progress.
        began: a time before the first of them is looked at, in nanoseconds since the epoch.
    """

    hashing: Algorithm
    cache: FileCache | None = None
    advance: Advance | None = None
    began: int = field(default_factory=lambda: time.time_ns())  # noqa: PLW0108 - tests put another clock there

    def find(self, seen: bytes, kind: int) -> Content | None:
        """What the cache knows of the file with this identity."""
        return None if self.cache is None else self.cache.find(seen, kind, self.hashing)

    def read(self, file: Path | str, name: str, kind: int) -> tuple[int, Content, bytes]:
        """The size of a file, what it came to, and the identity under which the cache keeps that, if it does.

        Args:
            file: the file.
            name: what it is called in an error.
            kind: what is asked for.

        Raises:
            FingerprintError: for what is no file, or changes while it is read.
            OSError: for what cannot be read.
        """
        descriptor = os.open(file, _FLAGS)
        try:
            small = self._small(descriptor) if kind == WHOLE else None
            status, content = small or self._whole(descriptor, name, kind)
        finally:
            os.close(descriptor)
        kept = b""
        if self.cache is not None:
            kept = self.cache.note(status, kind, content, self.began, self.hashing)
        return status.st_size, content, kept

    def _small(self, descriptor: int) -> tuple[os.stat_result, Content] | None:
        """A file that fits into one buffer; None where it does not, or may have changed while it was read."""
        data = os.read(descriptor, _SMALL)
        status = os.fstat(descriptor)
        # What has been still for longer than clocks differ was so while it was read: no status from before is needed.
        size = len(data)
        if size != status.st_size or not (is_still(status, self.began) and stat.S_ISREG(status.st_mode)):
            return None
        if self.advance is not None:
            self.advance(size)
        hasher = self.hashing.new()
        hasher.update(data)
        return status, Content(root_of(size, hasher.digest()))

    def _whole(self, descriptor: int, name: str, kind: int) -> tuple[os.stat_result, Content]:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise not_a_file(name)
        os.lseek(descriptor, 0, os.SEEK_SET)
        taken = _Taken(before.st_size, kind, self.hashing)
        size = self._read(descriptor, before.st_size, taken)
        after = os.fstat(descriptor)
        if size != before.st_size or (after.st_size, after.st_mtime_ns) != (size, before.st_mtime_ns):
            raise changed(name)
        return after, taken.content()

    def _read(self, descriptor: int, size: int, taken: _Taken) -> int:
        """How many bytes the file has; what is beyond ``size`` is not read to its end."""
        position = 0
        buffer = bytearray(min(_CHUNK, size + 1))
        with FileIO(descriptor, closefd=False) as handle:
            while position <= size and (count := handle.readinto(buffer)):
                if position + count <= size:
                    taken.add(position, buffer, count)
                position += count
                if self.advance is not None:
                    self.advance(count)
        return position


class _Taken:
    """Collects what is asked for while the bytes of a file go by."""

    def __init__(self, size: int, kind: int, hashing: Algorithm) -> None:
        self._size = size
        self._new = hashing.new
        self._hasher = hashing.new()
        self._span = span_of(size) if kind != WHOLE and size > 1 else 0
        self._block = hashing.new()
        self._blocks: list[str] = []
        self._lines = 0 if kind == WITH_LINES else None
        self._last: bytes | bytearray = b"\n"

    def add(self, position: int, buffer: bytearray, count: int) -> None:
        view = memoryview(buffer)[:count]
        self._hasher.update(view)
        if self._span:
            for start, stop in _by_block(position, count, self._span):
                self._block.update(view[start:stop])
                if (position + stop) % self._span == 0:
                    self._end_block()
        if self._lines is not None:
            self._lines += buffer.count(b"\n", 0, count)
            self._last = buffer[count - 1 : count]

    def _end_block(self) -> None:
        self._blocks.append(self._block.digest()[: WIDTH // 2].hex())
        self._block = self._new()

    def content(self) -> Content:
        if self._span and self._size % self._span:
            self._end_block()
        lines = None if self._lines is None else self._lines + (self._last != b"\n")
        return Content(root_of(self._size, self._hasher.digest()), lines, "".join(self._blocks))


def _by_block(position: int, count: int, span: int) -> Iterator[tuple[int, int]]:
    start = 0
    while start < count:
        stop = min(count, start + span - (position + start) % span)
        yield start, stop
        start = stop


def root_of(size: int, digest: bytes) -> bytes:
    """The digest of a file's structure, ``node("file", size, digest)``: in one go, as there may be many files."""
    number = b"%d" % size
    data = b"".join((_FILE, _LENGTHS[len(number)], number, _LENGTHS[len(digest)], digest))
    return blake3()(data).digest()  # type: ignore[no-any-return]


def not_a_file(name: str) -> FingerprintError:
    """The error for a FIFO, socket or device."""
    return FingerprintError(
        f"{name!r} is neither a file nor a folder", remedy="fingerprint what it leads to, or leave it out"
    )


def changed(name: str) -> FingerprintError:
    """The error for a file that somebody writes to."""
    return FingerprintError(
        f"{name!r} changed while it was read", remedy="wait until whatever writes it has finished"
    )


def unreadable(name: str, error: OSError) -> FingerprintError:
    """The error for what the system does not let be read."""
    short = name if len(name) <= _LONGEST_NAME else f"...{name[3 - _LONGEST_NAME :]}"
    return FingerprintError(
        f"{short!r} cannot be read: {error.strerror or error}",
        remedy="check that it is there, and that you may read it",
    )
