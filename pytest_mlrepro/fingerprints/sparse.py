"""Adapters for scipy's sparse matrices and arrays, of any format: the values that they stand for.

The canonical form is that of compressed rows, columns ascending, duplicates added up, no stored 0.0
(a stored -0.0 stays: it is another value than the 0.0 that is not stored).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from pytest_mlrepro.fingerprints.arrays import array_column, number_block
from pytest_mlrepro.fingerprints.columns import CELLS, Block, Column
from pytest_mlrepro.fingerprints.digests import Fingerprint, node, seal
from pytest_mlrepro.fingerprints.multiset import RowHashes, entry_hashes
from pytest_mlrepro.fingerprints.ranges import Ranges
from pytest_mlrepro.fingerprints.summaries import Summary
from pytest_mlrepro.model import Value

if TYPE_CHECKING:
    from numpy.typing import NDArray


def adapters() -> dict[type, Callable[..., Fingerprint]]:
    """The adapters of this module, by type."""
    from scipy import sparse

    # Before scipy 1.11 the arrays descended from the matrices.
    return {sparse.spmatrix: matrix, getattr(sparse, "sparray", sparse.spmatrix): matrix}


def matrix(obj: Any, *, ordered: bool = True) -> Fingerprint:
    """The fingerprint of a sparse matrix or array: its shape, and the places and values of its cells."""
    shape = tuple(map(int, obj.shape))
    rows = _rows(obj, shape)
    places = Column("", "int64", len(rows.places), rows.place_block)
    values = array_column("", rows.values)
    summary = Summary(values)
    schema = node("sparse", repr(shape), values.schema())
    detail: dict[str, Value] = {
        "kind": "sparse",
        "dtype": values.dtype,
        "shape": shape,
        "stored": len(rows.values),
    }
    if ordered:
        lengths = array_column("", rows.lengths())
        digests = (lengths.digest(), places.digest(), values.digest(summary))
        root = node("ordered", schema, b"".join(digests))
        if blocks := _ranges(rows):
            detail["blocks"] = blocks
    else:
        values.digest(summary)
        root = _multiset(schema, rows)
    detail["summary"] = summary.rows()[0]
    return seal(root, detail)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Compressed rows: row i has the places and values from ``starts[i]`` up to ``starts[i + 1]``."""

    starts: NDArray[Any]
    places: NDArray[Any]
    values: NDArray[Any]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def lengths(self) -> NDArray[Any]:
        import numpy as np

        return np.diff(self.starts).astype(np.int64)

    def place_block(self, start: int, stop: int) -> Block:
        import numpy as np

        return number_block(self.places[start:stop].astype(np.int64))


def _rows(obj: Any, shape: tuple[int, ...]) -> _Rows:
    from scipy import sparse

    if len(shape) != 2:
        obj = obj.reshape((1, *shape) if len(shape) < 2 else (shape[0], prod(shape[1:])))
    csr = obj.tocsr()
    # An object of its own around the same memory: asking for the format already marks the object asked.
    csr = sparse.csr_matrix((csr.data, csr.indices, csr.indptr), shape=csr.shape, copy=False)
    if not csr.has_canonical_format:
        csr = csr.copy()
        csr.sum_duplicates()
    return _without_zeros(_Rows(csr.indptr, csr.indices, csr.data))


def _without_zeros(rows: _Rows) -> _Rows:
    import numpy as np

    values = rows.values
    stays = values != 0
    if values.dtype.kind == "f":
        stays |= np.signbit(values)
    elif values.dtype.kind == "c":
        stays |= np.signbit(values.real) | np.signbit(values.imag)
    if stays.all():
        return rows
    before = np.concatenate([[0], np.cumsum(stays)])
    return _Rows(before[rows.starts], rows.places[stays], values[stays])


def _ranges(rows: _Rows) -> str:
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


def _multiset(schema: bytes, rows: _Rows) -> bytes:
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
