"""Recasting: a column as it would be with another type, to tell a change of type from a change of values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_mlrepro.fingerprints.arrays import number_block
from pytest_mlrepro.fingerprints.columns import Block, Column, Span
from pytest_mlrepro.fingerprints.digests import Algorithm, node
from pytest_mlrepro.fingerprints.layout import family
from pytest_mlrepro.fingerprints.summaries import is_number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class LossyError(Exception):
    """A value has no equal in the other type."""


def recast(column: Column, dtype: str) -> Iterator[tuple[Column, str]]:
    """What the column may have been when it was of another type, each with what else is different about it.

    Args:
        column: as it is now.
        dtype: the canonical name of the other type; it may be the same, for another way to mark what is missing.
    """
    if is_number(dtype) and not _is_known(dtype):
        return
    if dtype != column.dtype and is_number(dtype) and is_number(column.dtype):
        yield _read(column, dtype, _cast), ""
        yield _read(column, dtype, _with_nulls), "NaN for missing"
        yield _read(column, dtype, _with_nans), "missing for NaN"
    elif dtype == column.dtype and dtype.startswith("float"):
        yield _read(column, dtype, _with_nulls), "NaN for missing"
        yield _read(column, dtype, _with_nans), "missing for NaN"
    elif family(dtype) == family(column.dtype) == "dates":
        yield replace(column, dtype=dtype), ""
    elif dtype == "str" and column.plain is not None:
        yield column.plain(), ""


def _is_known(dtype: str) -> bool:
    """Whether numpy has a type of this name here."""
    import numpy as np

    try:
        return np.dtype(dtype).name == dtype
    except TypeError:
        return False


def digest_of(column: Column, hashing: Algorithm) -> bytes:
    """The column's digest; empty where a value has no equal in its type."""
    leaves: list[bytes] = []
    try:
        for span in column.spans():
            leaves.append(column.leaves(hashing, Span(*span)))
    except LossyError:
        return b""
    return node("values", column.schema(), column.rows, b"".join(leaves))


def _read(column: Column, dtype: str, change: Any) -> Column:
    import numpy as np

    target = np.dtype(dtype)
    return replace(
        column, dtype=dtype, raw=None, read=lambda start, stop: change(column.read(start, stop), target)
    )


def _cast(block: Block, target: np.dtype[Any]) -> Block:
    return number_block(_exactly(block.cells, target), block.missing)


def _with_nulls(block: Block, target: np.dtype[Any]) -> Block:
    """Missing where there is NaN now."""
    import numpy as np

    if block.cells.dtype.kind != "f":
        raise LossyError
    missing = np.isnan(block.cells)
    cells = np.where(missing, np.zeros((), block.cells.dtype), block.cells)
    if block.missing is not None:
        missing |= block.missing
    return number_block(_exactly(cells, target), missing)


def _with_nans(block: Block, target: np.dtype[Any]) -> Block:
    """NaN where values are missing now."""
    import numpy as np

    if target.kind != "f":
        raise LossyError
    cells = _exactly(block.cells, target)
    return number_block(
        cells if block.missing is None else np.where(block.missing, np.nan, cells).astype(target)
    )


def _exactly(cells: NDArray[Any], target: np.dtype[Any]) -> NDArray[Any]:
    import numpy as np

    with np.errstate(all="ignore"):
        there = cells.astype(target)
        back = there.astype(cells.dtype)
    if not np.array_equal(back, cells, equal_nan=cells.dtype.kind == "f"):
        raise LossyError
    return there
