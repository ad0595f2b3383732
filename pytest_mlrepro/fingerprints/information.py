"""Information: about how many bits the values of a data set hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_mlrepro.fingerprints.cell_words import Words
from pytest_mlrepro.fingerprints.places import Places
from pytest_mlrepro.fingerprints.scrambling import scrambled

if TYPE_CHECKING:
    from numpy.typing import NDArray

_COLUMNS = 64
_ROWS = 4096


class Information:
    """Guesses how much information data holds, from at most 64 of its columns and 4,096 of its rows."""

    def __init__(self, places: Places) -> None:
        widths = [part.column.width for part in places.parts]
        self._cells = places.cells
        self._every = -(-places.rows // _ROWS)
        step = -(-sum(widths) // _COLUMNS)
        first = 0
        self._chosen = []
        for width in widths:
            self._chosen.append(range(-first % step, width, step))
            first += width
        self._seen: dict[tuple[int, int], list[NDArray[Any]]] = {}

    def add(self, start: int, part: int, words: Words) -> None:
        """Note the words of a block of one column."""
        rows = words.cells[-start % self._every :: self._every]
        for cell in self._chosen[part]:
            first, *rest = rows[:, cell].T
            whole = first + scrambled(rest[0]) if rest else first.copy()
            self._seen.setdefault((part, cell), []).append(whole)

    def bits(self) -> float:
        """The entropy of each column's values by itself, for all cells (with Miller and Madow's correction)."""
        import numpy as np

        entropies = []
        for parts in self._seen.values():
            _, counts = np.unique(np.concatenate(parts), return_counts=True)
            shares = counts / counts.sum()
            unseen = (len(counts) - 1) / (2 * counts.sum() * np.log(2))
            entropies.append(float(unseen - (shares * np.log2(shares)).sum()))
        return self._cells * sum(entropies) / max(1, len(entropies))
