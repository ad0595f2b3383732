"""Ranges: equal parts of the rows, each with a short digest, to say where data differs.

There are at most 16, each a power of two of rows: so they keep their borders when a few rows are appended.
"""

from __future__ import annotations

from typing import Any

from pytest_mlrepro.fingerprints.digests import blake3

_MOST = 16
WIDTH = 4
"""Hexadecimal digits of a range's digest."""


def span_of(rows: int) -> int:
    """Rows of one range, where there are ``rows`` in all: the least power of two that gives at most 16 ranges."""
    return 1 << max(0, (-(-rows // _MOST) - 1).bit_length())


class Ranges:
    """Collects the digests of the ranges while data goes by, in any order of ranges but in order within each."""

    def __init__(self, rows: int) -> None:
        self.span = span_of(rows)
        new = blake3()
        self._hashers = [new() for _ in range(-(-rows // self.span))]

    def update(self, row: int, data: Any) -> None:
        """Note bytes that belong to the range of this row."""
        self._hashers[row // self.span].update(data)

    def update_all(self, row: int, data: Any, size: int) -> None:
        """Note the bytes of consecutive rows, ``size`` each, from this row on; it starts a range."""
        step = self.span * size
        first = row // self.span
        for place, start in enumerate(range(0, len(data), step), first):
            self._hashers[place].update(data[start : start + step])

    def digests(self) -> str:
        """The digests of all ranges, four hexadecimal digits each, in order; empty where one row is all."""
        if len(self._hashers) < 2:
            return ""
        return "".join(hasher.digest(WIDTH // 2).hex() for hasher in self._hashers)
