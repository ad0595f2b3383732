"""Adapters for scipy's sparse matrices and arrays, of any format: the values that they stand for.

The canonical form is that of compressed rows, columns ascending, duplicates added up, no stored 0.0
(a stored -0.0 stays: it is another value than the 0.0 that is not stored).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from pytest_mlrepro.fingerprints.arrays import array_column, number_block
from pytest_mlrepro.fingerprints.columns import CELLS, Block, Column, digests
from pytest_mlrepro.fingerprints.digests import node
from pytest_mlrepro.fingerprints.forms import Form
from pytest_mlrepro.fingerprints.how import How
from pytest_mlrepro.fingerprints.multiset import RowHashes, entry_hashes
from pytest_mlrepro.fingerprints.ranges import Ranges
from pytest_mlrepro.fingerprints.summaries import Summary
from pytest_mlrepro.model import Value

if TYPE_CHECKING:
    from numpy.typing import NDArray


def adapters() -> dict[type, Callable[..., Form]]:
    """The adapters of this module, by type."""
    from scipy import sparse

    # Before scipy 1.11 the arrays descended from the matrices.
    return {sparse.spmatrix: matrix, getattr(sparse, "sparray", sparse.spmatrix): matrix}


@dataclass(frozen=True, slots=True)
class Rows:
    """Compressed rows: row i has the places and values from ``starts[i]`` up to ``starts[i + 1]``."""

    starts: NDArray[Any]
    places: NDArray[Any]
    values: NDArray[Any]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def lengths(self) -> NDArray[Any]:
        """How many cells each row has, shape (rows,)."""
        import numpy as np

        return np.diff(self.starts).astype(np.int64)

    def length_column(self) -> Column:
        """The number of cells of each row."""
        import numpy as np

        return Column(
            "",
            "int64",
            len(self),
            lambda start, stop: number_block(np.diff(self.starts[start : stop + 1]).astype(np.int64)),
        )

    def place_column(self) -> Column:
        """The column number of each cell."""
        return Column("", "int64", len(self.places), self.place_block)

    def value_column(self) -> Column:
        """The values of the cells."""
        return array_column("", self.values)

    def place_block(self, start: int, stop: int) -> Block:
        """Some of the column numbers."""
        import numpy as np

        return number_block(self.places[start:stop].astype(np.int64))


def matrix(obj: Any) -> Form:
    """The form of a sparse matrix or array: its shape, and the places and values of its cells."""
    shape = tuple(map(int, obj.shape))
    return Sparse(_rows(obj, shape), shape)


@dataclass(frozen=True, slots=True)
class Sparse:
    """A sparse matrix."""

    cells: Rows
    shape: tuple[int, ...]

    def _schema(self) -> bytes:
        return node("sparse", repr(self.shape), self.cells.value_column().schema())

    def root(self, how: How) -> bytes:
        """The digest of shape, type, places and values (32 bytes)."""
        return self._root(how)

    def _root(self, how: How, *observers: Summary, quick: bool = False) -> bytes:
        values = self.cells.value_column()
        if not how.ordered:
            if observers:
                digests([values], how.algorithm, observers)
            return _multiset(self._schema(), self.cells)
        columns = (self.cells.length_column(), self.cells.place_column())
        parts = digests(columns, how.algorithm, advance=how.advance)
        seen: tuple[Sequence[Summary], ...] = (observers,) if observers else ()
        parts += digests([values], how.algorithm, *seen, advance=how.advance, quick=quick)
        return node("ordered", self._schema(), b"".join(parts))

    def agrees(self, digest: str, detail: Mapping[str, Value], how: How) -> bool:
        """Whether the matrix has this digest."""
        root = self._root(how, quick=True)
        return how.algorithm.seal(root, {}).digest == digest

    def described(self, how: How) -> tuple[bytes, dict[str, Value]]:
        """The digest, and a summary of the values that are stored."""
        values = self.cells.value_column()
        summary = Summary(values)
        detail: dict[str, Value] = {
            "kind": "sparse",
            "dtype": values.dtype,
            "shape": self.shape,
            "stored": values.rows,
        }
        root = self._root(how, summary)
        if how.ordered and (blocks := _ranges(self.cells)):
            detail["blocks"] = blocks
        detail["summary"] = summary.rows()[0]
        return root, detail


def _rows(obj: Any, shape: tuple[int, ...]) -> Rows:
    from scipy import sparse

    if len(shape) != 2:
        obj = obj.reshape((1, *shape) if len(shape) < 2 else (shape[0], prod(shape[1:])))
    csr = obj.tocsr()
    # An object of its own around the same memory: asking for the format already marks the object asked.
    csr = sparse.csr_matrix((csr.data, csr.indices, csr.indptr), shape=csr.shape, copy=False)
    if not csr.has_canonical_format:
        csr = csr.copy()
        csr.sum_duplicates()
    return _without_zeros(Rows(csr.indptr, csr.indices, csr.data))


def _without_zeros(rows: Rows) -> Rows:
    import numpy as np

    values = rows.values
    parts = (values[start : start + CELLS] for start in range(0, len(values), CELLS))
    if all(_stay(part).all() for part in parts):
        return rows
    stays = _stay(values)
    before = np.concatenate([[0], np.cumsum(stays)])
    return Rows(before[rows.starts], rows.places[stays], values[stays])


def _stay(values: NDArray[Any]) -> NDArray[Any]:
    """Which values are stored: all but 0.0."""
    import numpy as np

    stays: NDArray[Any] = values != 0
    if values.dtype.kind == "f":
        stays |= np.signbit(values)
    elif values.dtype.kind == "c":
        stays |= np.signbit(values.real) | np.signbit(values.imag)
    return stays


def _ranges(rows: Rows) -> str:
    ranges = Ranges(len(rows))
    lengths = rows.lengths()
    for row in range(0, len(rows), ranges.span):
        stop_row = min(row + ranges.span, len(rows))
        ranges.update(row, lengths[row:stop_row].tobytes())
        stop = int(rows.starts[stop_row])
        for start in range(int(rows.starts[row]), stop, CELLS):
            part = slice(start, min(start + CELLS, stop))
            for block in (rows.place_block(part.start, part.stop), number_block(rows.values[part])):
                for buffer in block.buffers():
                    ranges.update(row, buffer)
    return ranges.digests()


def _multiset(schema: bytes, rows: Rows) -> bytes:
    import numpy as np

    hashes = RowHashes(schema, [])
    sums = np.zeros((2, len(rows.values) + 1), dtype=np.uint64)
    for start in range(0, len(rows.values), CELLS):
        stop = min(start + CELLS, len(rows.values))
        blocks = (rows.place_block(start, stop), number_block(rows.values[start:stop]))
        sums[:, start + 1 : stop + 1] = entry_hashes(schema, *blocks)
    # Sums modulo 2**64 up to each entry; their differences are those of the rows.
    sums = np.cumsum(sums, axis=1, dtype=np.uint64)
    hashes.add_sums(sums[:, rows.starts[1:]] - sums[:, rows.starts[:-1]])
    return hashes.root(len(rows))
