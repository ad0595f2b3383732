"""Multisets: a digest of rows that does not depend on their order, but on how often each occurs.

Each row becomes two 64-bit numbers under a key that is the digest of the table's schema; these are added modulo
2**64 (Bellare and Micciancio's AdHash). Addition counts duplicates, where XOR would cancel them, and sums of parts
can be added in any order. The cells of a row are mixed each under a key of its place before they are added, so a
value cannot change places with another. 128 bits of sum guard against accidents, not against an adversary
who chooses rows (Wagner's generalised birthday attack); the ordered digest guards against both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_mlrepro.fingerprints.columns import Block, Column
from pytest_mlrepro.fingerprints.digests import blake3, node

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Finalizers with full avalanche: splitmix64's and MurmurHash3's.
_LANES = (
    (30, 0xBF58476D1CE4E5B9, 27, 0x94D049BB133111EB, 31),
    (33, 0xFF51AFD7ED558CCD, 33, 0xC4CEB9FE1A85EC53, 33),
)


class RowHashes:
    """Sums the hashes of rows, and of each column by itself."""

    def __init__(self, schema: bytes, columns: list[Column]) -> None:
        import numpy as np

        self._schema = schema
        self._keys = [self._key(place, column) for place, column in enumerate(columns)]
        self._seed = _stream(node("seed", schema), 2)
        self._total = np.zeros(2, dtype=np.uint64)
        self._columns = [np.zeros((2, column.width), dtype=np.uint64) for column in columns]

    def _key(self, place: int, column: Column) -> bytes:
        return node("key", self._schema, place, column.dtype)

    def hashes(self, blocks: list[Block]) -> NDArray[np.uint64]:
        """The sums of the hashes of the cells of each row, shape (2, rows), given the same rows of all columns.

        They are not mixed yet: ``add_sums`` does that.
        """
        import numpy as np

        sums = np.zeros((2, len(blocks[0].cells) if blocks else 0), dtype=np.uint64)
        for key, column, block in zip(self._keys, self._columns, blocks, strict=True):
            sums += _hashes(block, column.shape[1], key).sum(axis=2, dtype=np.uint64)
        return sums

    def add(self, blocks: list[Block]) -> None:
        """Add the same rows of all columns."""
        import numpy as np

        rows = len(blocks[0].cells) if blocks else 0
        sums = np.zeros((2, rows), dtype=np.uint64)
        for place, (key, block) in enumerate(zip(self._keys, blocks, strict=True)):
            hashes = _hashes(block, self._columns[place].shape[1], key)
            sums += hashes.sum(axis=2, dtype=np.uint64)
            self._columns[place] += np.stack(
                [_mix(hashes[lane], lane).sum(axis=0, dtype=np.uint64) for lane in (0, 1)]
            )
        self.add_sums(sums)

    def add_sums(self, sums: NDArray[np.uint64]) -> None:
        """Add rows, given the sums of the hashes of their cells, shape (2, rows)."""
        import numpy as np

        # As an array: numpy warns of overflow where scalars are added.
        self._total += np.array(
            [_mix(sums[lane] + self._seed[lane], lane).sum(dtype=np.uint64) for lane in (0, 1)],
            dtype=np.uint64,
        )

    def root(self, rows: int) -> bytes:
        """The digest of schema and rows (32 bytes), ``rows`` being how many there were."""
        return node("multiset", self._schema, rows, self._total.astype("<u8").tobytes())

    def column(self, place: int) -> list[bytes]:
        """The digest of each of a column's cells, down the rows (32 bytes each)."""
        totals = self._columns[place].astype("<u8")
        return [node("cells", totals[:, cell].tobytes()) for cell in range(totals.shape[1])]


def entry_hashes(schema: bytes, places: Block, values: Block) -> NDArray[np.uint64]:
    """The hashes of (place, value) pairs, shape (2, entries)."""
    import numpy as np

    pair = _hashes(places, 1, node("place", schema)) + _hashes(values, 1, node("value", schema))
    # Mixed once more: in a sum of plain sums two entries could exchange their values.
    return np.stack([_mix(pair[lane, :, 0], lane) for lane in (0, 1)])


def _hashes(block: Block, width: int, key: bytes) -> NDArray[np.uint64]:
    """The hash of each cell, shape (2, rows, width)."""
    import numpy as np

    words = _words(block, width)
    count = words.shape[2]
    keys = _stream(key, 2 * width * (count + 1)).reshape(2, width, count + 1)
    lanes = []
    for lane in (0, 1):
        hashes = _mix(words + keys[lane, :, 1:], lane).sum(axis=2, dtype=np.uint64)
        if block.missing is not None:
            missing = block.missing.reshape(hashes.shape)
            hashes = np.where(missing, _mix(keys[lane, :, 0], lane)[None, :], hashes)
        lanes.append(hashes)
    return np.stack(lanes)


def _words(block: Block, width: int) -> NDArray[np.uint64]:
    """Each cell as 64-bit words, shape (rows, width, words)."""
    import numpy as np

    rows = len(block.cells)
    if block.text is not None:
        new = blake3()
        data = b"".join(new(item).digest(16) for item in block.items())
        return np.frombuffer(data, dtype="<u8").reshape(rows, width, 2).astype(np.uint64)
    if not block.cells.size:
        return np.zeros((rows, width, 1), dtype=np.uint64)
    raw = np.ascontiguousarray(block.cells).reshape(rows, width, -1).view(np.uint8)
    padding = -raw.shape[2] % 8
    if padding:
        raw = np.concatenate([raw, np.zeros((rows, width, padding), dtype=np.uint8)], axis=2)
    return raw.view("<u8").astype(np.uint64)


def _stream(key: bytes, count: int) -> NDArray[np.uint64]:
    """As many 64-bit numbers as wanted, drawn from a key."""
    import numpy as np

    return np.frombuffer(blake3()(key).digest(8 * count), dtype="<u8").astype(np.uint64)


def _mix(values: Any, lane: int) -> Any:
    import numpy as np

    first, one, second, other, third = map(np.uint64, _LANES[lane])
    values = (values ^ (values >> first)) * one
    values = (values ^ (values >> second)) * other
    return values ^ (values >> third)
