"""Mistakes that were said to a thread or a forked process, and so perhaps to nobody."""

from __future__ import annotations

import mmap
import struct

_LENGTH = struct.Struct("<I")
_EMPTY = bytes(_LENGTH.size)


class Strays:
    """Holds the first mistake until it is taken, in memory that forked processes share."""

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, mmap.PAGESIZE)

    def add(self, said: str) -> None:
        """Note a mistake; of several the first one is kept."""
        if self._size():
            return
        text = said.encode("utf-8", "backslashreplace")[: mmap.PAGESIZE - _LENGTH.size]
        self._page[_LENGTH.size : _LENGTH.size + len(text)] = text
        _LENGTH.pack_into(self._page, 0, len(text))

    def take(self) -> str:
        """The mistake that was noted since the last time; empty where none was."""
        # Asked twice a test, and nearly always empty.
        if self._page[: _LENGTH.size] == _EMPTY:
            return ""
        size = self._size()
        text = self._page[_LENGTH.size : _LENGTH.size + size]
        _LENGTH.pack_into(self._page, 0, 0)
        return text.decode("utf-8", "replace")

    def _size(self) -> int:
        (size,) = _LENGTH.unpack_from(self._page)
        return int(size)
