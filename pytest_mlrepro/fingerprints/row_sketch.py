"""Row sketches: from two of them, and the rows as they are now, which rows were inserted or deleted.

Each pair of neighbouring rows is known by the hashes of both, and counts in one cell of each of four tables; which
one, the pair itself decides. A cell keeps how many pairs there are, and sums of their hashes and of a check. What two
data sets share cancels out in the difference: left are the pairs around the rows that were inserted or deleted, and
a cell with one of them gives it away. Taking it out of the other tables leaves others alone, until nothing is left
(as in the invertible Bloom lookup tables of Goodrich and Mitzenmacher).

Beside the tables there are two sums over all rows: one does not depend on their order (AdHash), the other does (each
row times a power of its number). No answer is given unless the old rows that it stands for have the old ordered sum.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pytest_mlrepro.fingerprints.scrambling import MASK, scrambled, scrambled_word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIZES = (15, 16, 16, 16)
CELLS = sum(SIZES)
"""Cells in all tables."""

BASE = 0x9E3779B97F4A7C15
"""Whose powers weigh the rows in the ordered sum; of the greatest order that there is modulo 2**64."""

_BEFORE, _AFTER = 0x243F6A8885A308D3, 0x13198A2E03707344
"""What stands for a row before the first and after the last."""

_ALONE, _INDEX, _CHECK = 0xA4093822299F31D0, 0x082EFA98EC4E6C89, 0x452821E638D01377
_CHECK_MASK = (1 << 32) - 1
_COUNT_MASK = 0xFF
_FORM = f"<3Q{2 * CELLS}Q{CELLS}I{CELLS}B"

Pair = tuple[int, int]
"""The hashes of neighbouring rows."""


class Tables(NamedTuple):
    """The cells of all tables, one after another.

    Attributes:
        left, right: sums of the hashes of the first and of the second row of each pair, modulo 2**64.
        check: sums of the pairs' checks, modulo 2**32.
        times: how many pairs, modulo 256.
    """

    left: tuple[int, ...]
    right: tuple[int, ...]
    check: tuple[int, ...]
    times: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RowSketch:
    """What is kept of rows in their order.

    Attributes:
        rows: how many.
        total: a sum over them that does not depend on their order.
        ordered: one that does.
        tables: of pairs of neighbours.
    """

    rows: int
    total: int
    ordered: int
    tables: Tables

    def text(self) -> str:
        """As a string of 1,684 characters, none of them a quote or a backslash."""
        numbers = (self.rows, self.total, self.ordered, *(cell for field in self.tables for cell in field))
        return base64.b85encode(struct.pack(_FORM, *numbers)).decode("ascii")

    @classmethod
    def from_text(cls, text: object) -> RowSketch | None:
        """The sketch that a string holds; None where it holds none: a sketch only explains, it never stops a run."""
        try:
            data = base64.b85decode(text) if isinstance(text, str) else b""
            rows, total, ordered, *cells = struct.unpack(_FORM, data)
        except (ValueError, struct.error):
            return None
        fields = (tuple(cells[start : start + CELLS]) for start in range(0, 4 * CELLS, CELLS))
        return cls(rows, total, ordered, Tables(*fields))

    def has_rows_of(self, other: RowSketch) -> bool:
        """Whether both have the same rows, in whatever order."""
        return self.total == other.total


class RowSums:
    """Adds up a sketch while the hashes of rows go by, in their order."""

    def __init__(self) -> None:
        import numpy as np

        self._rows = 0
        self._total = np.zeros(1, dtype=np.uint64)
        self._ordered = 0
        self._last = _BEFORE
        self._sums = np.zeros((3, CELLS), dtype=np.uint64)
        self._count = np.zeros(CELLS, dtype=np.int64)

    def add(self, hashes: NDArray[np.uint64]) -> None:
        """Add the next rows, shape (rows,)."""
        import numpy as np

        if not len(hashes):
            return
        self._total += scrambled(hashes ^ np.uint64(_ALONE)).sum(dtype=np.uint64)
        self._ordered = (self._ordered + _weighed(hashes, self._rows)) & MASK
        left = np.concatenate([np.array([self._last], dtype=np.uint64), hashes[:-1]])
        self._add_pairs(self._sums, self._count, left, hashes)
        self._rows += len(hashes)
        self._last = int(hashes[-1])

    def _add_pairs(
        self,
        sums: NDArray[np.uint64],
        count: NDArray[np.int64],
        left: NDArray[np.uint64],
        right: NDArray[np.uint64],
    ) -> None:
        import numpy as np

        key = _keys(left, right)
        parts = (left, right, _checks(key))
        first = 0
        for table, size in enumerate(SIZES):
            cells = _index(key, table).astype(np.uint8)
            order = np.argsort(cells, kind="stable")
            found = np.bincount(cells, minlength=size)
            there = np.flatnonzero(found)
            starts = (np.cumsum(found) - found)[there]
            for place, part in enumerate(parts):
                sums[place, first + there] += np.add.reduceat(part[order], starts)
            count[first : first + size] += found
            first += size

    def sketch(self) -> RowSketch:
        """The sketch of the rows so far."""
        import numpy as np

        sums, count = self._sums.copy(), self._count.copy()
        last, after = (np.array([word], dtype=np.uint64) for word in (self._last, _AFTER))
        self._add_pairs(sums, count, last, after)
        left, right, check = sums.tolist()
        tables = Tables(
            tuple(left),
            tuple(right),
            tuple(cell & _CHECK_MASK for cell in check),
            tuple((count & _COUNT_MASK).tolist()),
        )
        return RowSketch(self._rows, int(self._total[0]), self._ordered, tables)


def _weighed(hashes: NDArray[np.uint64], first: int) -> int:
    """The part of the ordered sum that rows from this one on make up."""
    return int(weighed(hashes, first).sum(dtype=hashes.dtype))


def weighed(hashes: NDArray[np.uint64], first: int) -> NDArray[np.uint64]:
    """What each row adds to the ordered sum, ``first`` being the number of the first one."""
    return scrambled(hashes) * _powers(first, len(hashes))


def _powers(first: int, count: int) -> NDArray[np.uint64]:
    """Powers of the base with consecutive exponents."""
    import numpy as np

    powers = np.full(count, BASE, dtype=np.uint64)
    powers[:1] = pow(BASE, first, 1 << 64)
    return np.multiply.accumulate(powers)


def weighed_word(word: int, row: int) -> int:
    """What one row adds to the ordered sum."""
    return scrambled_word(word) * pow(BASE, row, 1 << 64) & MASK


def _keys(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> NDArray[np.uint64]:
    import numpy as np

    return scrambled(left + scrambled(right + np.uint64(_INDEX)))


def _index(key: NDArray[np.uint64], table: int) -> NDArray[np.uint64]:
    """The cell of a pair within one of the tables."""
    import numpy as np

    return (key >> np.uint64(16 * table) & np.uint64(0xFFFF)) % np.uint64(SIZES[table])


def _checks(key: NDArray[np.uint64]) -> NDArray[np.uint64]:
    import numpy as np

    return scrambled(key ^ np.uint64(_CHECK)) >> np.uint64(32)


def keys(pairs: Sequence[Pair]) -> NDArray[np.uint64]:
    """A hash of each pair."""
    import numpy as np

    both = np.array(pairs, dtype=np.uint64).reshape(-1, 2)
    return _keys(both[:, 0], both[:, 1])


def pair_keys(before: int | None, hashes: NDArray[np.uint64], *, last: bool) -> NDArray[np.uint64]:
    """A hash of each pair that ends with one of these rows, and of that with nothing after it where it is the last.

    Args:
        before: the hash of the row before; None for the first.
        hashes: of consecutive rows.
        last: whether they are the last ones.
    """
    import numpy as np

    first = np.array([_BEFORE if before is None else before], dtype=np.uint64)
    end = np.array([_AFTER] if last else [], dtype=np.uint64)
    row = np.concatenate([first, hashes, end])
    return _keys(row[:-1], row[1:])


def peeled(old: RowSketch, new: RowSketch) -> dict[Pair, int] | None:
    """The pairs that one has more often than the other: how much more often the new one. None where too many."""
    left, right, check = (
        [(now - was) & mask for was, now in zip(before, after, strict=True)]
        for before, after, mask in zip(old.tables[:3], new.tables[:3], (MASK, MASK, _CHECK_MASK), strict=True)
    )
    count = [(now - was) & _COUNT_MASK for was, now in zip(old.tables.times, new.tables.times, strict=True)]
    found: dict[Pair, int] = {}
    waiting = list(range(CELLS))
    while waiting:
        cell = waiting.pop()
        for times, pair in _alone(count[cell], left[cell], right[cell]):
            touched, mark = _touched(pair)
            if cell not in touched or (mark * times - check[cell]) & _CHECK_MASK:
                continue
            if pair in found or len(found) >= CELLS:
                return None
            found[pair] = times
            for place in touched:
                count[place] = (count[place] - times) & _COUNT_MASK
                left[place] = (left[place] - times * pair[0]) & MASK
                right[place] = (right[place] - times * pair[1]) & MASK
                check[place] = (check[place] - times * mark) & _CHECK_MASK
            waiting += touched
            break
    return None if any((*left, *right, *check, *count)) else found


def _alone(count: int, left: int, right: int) -> Iterator[tuple[int, Pair]]:
    """What the sums say if only one pair makes them up, as often as the count says: up to four times.

    Where that is even, the sums do not tell the highest bits.
    """
    times = count if count < 128 else count - 256
    if not 1 <= abs(times) <= 4:
        return
    zeros = (times & -times).bit_length() - 1
    if left % (1 << zeros) or right % (1 << zeros):
        return
    modulus = 1 << 64 - zeros
    inverse = pow(times >> zeros, -1, modulus)
    first, second = ((word >> zeros) * inverse % modulus for word in (left, right))
    for high in range(1 << zeros):
        for other in range(1 << zeros):
            yield times, (first + high * modulus, second + other * modulus)


def _touched(pair: Pair) -> tuple[list[int], int]:
    """The cells that a pair counts in, one of each table, and its check."""
    key = keys([pair])
    cells = [sum(SIZES[:table]) + int(_index(key, table)[0]) for table in range(len(SIZES))]
    return cells, int(_checks(key)[0])
