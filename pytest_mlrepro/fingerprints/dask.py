"""Adapters for Dask: data frames, series, arrays and bags, each partition reduced where it is.

Only ``ordered=False``: the fingerprint is that of the same rows in pandas, numpy or a list, however they are
partitioned. An index of integers without a name that only numbers the rows is no part of the value, as in pandas:
over the whole in any order, or from 0 in each of several runs of rows, as reading several files makes it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import arrays, frames, objects
from pytest_mlrepro.fingerprints.columns import CELLS, Block, Column
from pytest_mlrepro.fingerprints.digests import Fingerprint
from pytest_mlrepro.fingerprints.forms import Form
from pytest_mlrepro.fingerprints.how import How
from pytest_mlrepro.fingerprints.multiset import RowHashes, RowSums
from pytest_mlrepro.fingerprints.partitions import (
    Objects,
    Parts,
    grid_part,
    merged,
    part_of,
    refuse_locate,
    refuse_order,
    whole,
    whole_grid,
)
from pytest_mlrepro.fingerprints.tables import Grid, Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SPLIT = 8
"""How many results are merged in one task."""


def adapters() -> dict[type, Callable[..., Form | Fingerprint]]:
    """The adapters of this module, by type."""
    found: dict[type, Callable[..., Form | Fingerprint]] = {}
    # Each needs libraries that the others can do without.
    with suppress(ImportError):
        found[import_module("dask.bag").Bag] = bag
    with suppress(ImportError):
        found[import_module("dask.array").Array] = array
    with suppress(ImportError):
        dataframe = import_module("dask.dataframe")
        found |= {dataframe.DataFrame: frame, dataframe.Series: frame, dataframe.Index: frame}
    return found


def frame(obj: Any, *, ordered: bool = True, how: How) -> Table:
    """The form of a frame, a series or an index: that of the same rows in pandas.

    Raises:
        FingerprintError: if the order is to count; for partitions of different types or with different categories;
            for an object without a stable form in a cell.
    """
    if ordered:
        raise refuse_order(f"Dask {type(obj).__name__}")
    refuse_locate(how)
    meta = obj._meta
    labels: list[_Labels | None] = []

    def gather(objects: Objects, *, labelled: bool) -> Parts:
        reduced = partial(_piece, objects=objects, labelled=labelled, detail=how.detail)
        piece: _Piece = _tree(reduced, _joined, obj.to_delayed())
        labels[:] = [piece.labels]
        return piece.parts

    form = whole(_pandas_form(meta, labelled=False), partial(gather, labelled=False))
    if labels[0] is not None and not labels[0].number():
        form = whole(_pandas_form(meta, labelled=True), partial(gather, labelled=True))
    # Of no rows pandas' own rules know best what the index is.
    return form if form.rows else _pandas_table(meta)


def array(obj: Any, *, ordered: bool = True, how: How) -> Form:
    """The form of an array: that of the numpy array of the same rows along the first axis.

    Raises:
        FingerprintError: if the order is to count, and see ``arrays.array``.
    """
    if not obj.ndim:
        return arrays.array(_plain(obj.compute()))
    if ordered:
        raise refuse_order("Dask Array")
    refuse_locate(how)
    if any(map(math.isnan, obj.shape if obj.dtype.names is not None else obj.shape[1:])):
        raise FingerprintError(
            "the shape of the Dask Array is not known", remedy="call its method compute_chunk_sizes() first"
        )
    import numpy as np

    rows = obj.rechunk(dict.fromkeys(range(1, obj.ndim), -1)).to_delayed().reshape(-1).tolist()
    empty = arrays.array(np.empty((0, *obj.shape[1:]), dtype=obj.dtype))

    def gather(objects: Objects) -> Parts:
        reduced = partial(_array_part, shape=obj.shape, objects=objects, detail=how.detail)
        return _tree(reduced, merged, rows)  # type: ignore[no-any-return]

    if isinstance(empty, Grid):
        return whole_grid(empty, gather)
    assert isinstance(empty, Table)
    return whole(replace(empty, shape=obj.shape), gather)


def bag(obj: Any, *, ordered: bool = True) -> Fingerprint:
    """The fingerprint of a bag: that of the list of its items.

    Raises:
        FingerprintError: if the order is to count; for items without a fingerprint.
    """
    if ordered:
        raise refuse_order("Dask Bag")
    return objects.bag("list", _tree(partial(objects.item_sums, "list"), _sum, obj.to_delayed()))


def _tree(reduced: Callable[[Any], Any], joined: Callable[[Any], Any], partitions: Sequence[Any]) -> Any:
    """What the partitions come to: reduced each by itself, and joined some neighbours at a time."""
    dask = import_module("dask")
    lazy = partial(dask.delayed, pure=False, traverse=False)
    found = [lazy(reduced)(partition) for partition in partitions]
    while len(found) > 1:
        found = [lazy(joined)(found[start : start + _SPLIT]) for start in range(0, len(found), _SPLIT)]
    return dask.compute(found[0])[0] if found else joined([])


def _sum(found: Sequence[RowSums]) -> RowSums:
    total = objects.item_sums("list", [])
    for sums in found:
        total = total.merged(sums)
    return total


@dataclass(frozen=True, slots=True)
class _Labels:
    """What is known of the labels of rows, to tell whether they only number them.

    Attributes:
        first: the first label, of neighbouring partitions.
        last: the last one.
        runs: whether each label is 0, or one more than the one before.
        sums: the labels as rows without an order.
    """

    first: int
    last: int
    runs: bool
    sums: RowSums

    def followed(self, other: _Labels) -> _Labels:
        """The labels of two neighbours."""
        runs = self.runs and other.runs and other.first in (0, self.last + 1)
        return _Labels(self.first, other.last, runs, self.sums.merged(other.sums))

    def number(self) -> bool:
        """Whether they are those from 0 on in any order, or in order from 0 on once or several times."""
        if self.runs and self.first == 0:
            return True
        return self.sums == _label_sums(self.sums.rows, _numbers)


def _numbers(start: int, stop: int) -> NDArray[Any]:
    import numpy as np

    return np.arange(start, stop, dtype=np.int64)


def _label_sums(rows: int, labels: Callable[[int, int], NDArray[Any]]) -> RowSums:
    def read(start: int, stop: int) -> Block:
        return arrays.number_block(labels(start, stop))

    hashes = RowHashes(b"labels", [Column("", "int64", rows, read)])
    for start in range(0, rows, CELLS):
        hashes.add([read(start, min(start + CELLS, rows))], apart=False)
    return hashes.sums(rows)


def _labels_of(index: Any) -> _Labels | None:
    """The labels where they might only number the rows."""
    import numpy as np

    if not _might_number(index) or not len(index):
        return None
    labels = index.to_numpy()
    runs = bool(((labels[1:] == 0) | (labels[1:] == labels[:-1] + 1)).all())
    sums = _label_sums(len(labels), lambda start, stop: np.asarray(labels[start:stop]))
    return _Labels(int(labels[0]), int(labels[-1]), runs, sums)


def _might_number(index: Any) -> bool:
    import numpy as np

    return index.nlevels == 1 and index.name is None and index.dtype == np.dtype("int64")


@dataclass(frozen=True, slots=True)
class _Piece:
    """What some neighbouring partitions of a frame come to."""

    parts: Parts
    labels: _Labels | None


def _piece(obj: Any, *, objects: Objects, labelled: bool, detail: bool) -> _Piece:
    index = getattr(obj, "index", None)
    labels = _labels_of(index) if index is not None and not labelled else None
    return _Piece(part_of(_pandas_form(obj, labelled=labelled), objects, detail=detail), labels)


def _joined(pieces: Sequence[_Piece]) -> _Piece:
    labels: _Labels | None = None
    for piece in pieces:
        if piece.labels is not None:
            labels = piece.labels if labels is None else labels.followed(piece.labels)
    return _Piece(merged(piece.parts for piece in pieces), labels)


def _pandas_table(obj: Any) -> Table:
    import pandas as pd

    if isinstance(obj, pd.Index):
        return frames.index(obj)
    return frames.frame(obj) if isinstance(obj, pd.DataFrame) else frames.series(obj)


def _pandas_form(obj: Any, *, labelled: bool) -> Table:
    """The form of a partition, with its index unless that might only number the rows."""
    import pandas as pd

    if isinstance(obj, pd.Index):
        return frames.index(obj)
    if _might_number(obj.index) and not labelled:
        index: Sequence[Column] = ()
    else:
        index = frames.index(obj.index).columns
    bare = obj.copy(deep=False)
    bare.index = pd.RangeIndex(len(obj))
    return replace(_pandas_table(bare), index=index)


def _array_part(block: Any, *, shape: tuple[int, ...], objects: Objects, detail: bool) -> Parts:
    form = arrays.array(_plain(block))
    if isinstance(form, Grid):
        return grid_part(form, objects, detail=detail)
    assert isinstance(form, Table)
    return part_of(replace(form, shape=shape), objects, detail=detail)


def _plain(block: Any) -> NDArray[Any]:
    import numpy as np

    return block if isinstance(block, np.ndarray) else np.asarray(block)
