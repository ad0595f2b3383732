"""Parts: a short digest of each column of a two-dimensional array, taken while its blocks go by.

They only tell a reader later which columns changed, so they are sums and no hashes: each cell is mixed, multiplied by
an odd number of its row and added up modulo 2**64. One changed cell always changes the sum of its column; two
may cancel each other by chance, as digests of a few digits may.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_mlrepro.fingerprints.columns import Block
from pytest_mlrepro.fingerprints.digests import blake3, node

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_GOLDEN = 0x9E3779B97F4A7C15
_MISSING = 0xD1B54A32D192ED03


class Parts:
    """Collects the sums of columns, or of groups of neighbours."""

    def __init__(self, width: int, size: int) -> None:
        """Make an observer.

        Args:
            width: how many columns there are.
            size: how many neighbours share a digest.
        """
        import numpy as np

        self._size = size
        self._sums = np.zeros(width, dtype=np.uint64)

    def add(self, start: int, block: Block, digest: bytes) -> None:
        """Note a block."""
        import numpy as np

        if not block.cells.size:
            return
        rows, width = len(block.cells), len(self._sums)
        words = _words(block).reshape(rows, width, -1)
        places = np.arange(start, start + rows, dtype=np.uint64) * np.uint64(2 * words.shape[2] + 2)
        for word in range(words.shape[2]):
            self._sums += _weighted(words[:, :, word], places + np.uint64(2 * word))
        if block.missing is not None:
            marks = block.missing.reshape(rows, width).astype(np.uint64) * np.uint64(_MISSING)
            self._sums += _weighted(marks, places + np.uint64(2 * words.shape[2]))

    def digests(self) -> list[bytes]:
        """The digest of each column or group (32 bytes), in order."""
        sums = self._sums.astype("<u8")
        return [
            node("part", sums[first : first + self._size].tobytes())
            for first in range(0, len(sums), self._size)
        ]


def _weighted(words: NDArray[np.uint64], places: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The sum of words, shape (rows, columns), down the rows."""
    import numpy as np

    keys = places * np.uint64(_GOLDEN)
    keys = (keys ^ (keys >> np.uint64(29))) | np.uint64(1)
    # Floats of few digits have nothing but zeros in their lower half.
    mixed = words >> np.uint64(32)
    mixed ^= words
    mixed *= np.uint64(_GOLDEN)
    mixed ^= mixed >> np.uint64(29)
    mixed *= keys[:, None]
    return np.asarray(np.add.reduce(mixed, axis=0), dtype=np.uint64)


def _words(block: Block) -> NDArray[np.uint64]:
    """The cells as 64-bit words; of texts a digest of each."""
    import numpy as np

    if block.text is not None:
        new = blake3()
        return np.frombuffer(b"".join(new(item).digest(8) for item in block.items()), dtype="<u8").astype(
            np.uint64
        )
    cells: Any = block.cells
    size = cells.dtype.itemsize
    return cells.view(f"u{size}").astype(np.uint64, copy=False)  # type: ignore[no-any-return]
