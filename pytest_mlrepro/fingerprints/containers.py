"""Columns of frames in the form that all libraries share: categories, instants, texts and objects."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints.arrays import number_block, object_block
from pytest_mlrepro.fingerprints.columns import Block, Column, item_block, text_block
from pytest_mlrepro.fingerprints.digests import node
from pytest_mlrepro.fingerprints.objects import zone_name
from pytest_mlrepro.fingerprints.summaries import is_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")


def category_column(
    name: object, rows: int, categories: Column, *, ordered: bool, read: Callable[[int, int], Block]
) -> Column:
    """The column of a category: ``read`` gives its codes; the categories, in their order, are part of the type."""
    meaning = node("categories", int(ordered), categories.digest())
    column = Column(
        name, "category", rows, read, meaning=meaning, stated=(categories.rows, meaning[:2].hex())
    )
    if categories.dtype not in ("str", "bytes") and not is_number(categories.dtype):
        return column
    return replace(column, plain=lambda: _plain(column, categories))


def _plain(codes: Column, categories: Column) -> Column:
    """The column of what the codes of a category stand for."""
    import numpy as np

    known = categories.read(0, categories.rows)
    if known.text is None:
        return Column(
            codes.name,
            categories.dtype,
            codes.rows,
            lambda start, stop: _numbers_of(codes.read(start, stop), known),
        )
    # The last one, which -1 leads to, is that of missing cells.
    texts, lengths = [*known.items(), b""], np.append(known.cells, 0)

    def read(start: int, stop: int) -> Block:
        block = codes.read(start, stop)
        places = block.cells if block.missing is None else np.where(block.missing, -1, block.cells)
        if not block.cells.size or (block.cells.min() >= 0 and block.cells.max() < categories.rows):
            text = b"".join(map(texts.__getitem__, places.tolist()))
            return Block(lengths.take(places), text, block.missing)
        # Some libraries let in codes without a category.
        missing = np.zeros(len(places), dtype=bool) if block.missing is None else block.missing
        return item_block(
            [
                texts[place] if gone or 0 <= place < categories.rows else b"\0%d" % place
                for place, gone in zip(places.tolist(), missing.tolist(), strict=True)
            ],
            missing,
        )

    return Column(codes.name, categories.dtype, codes.rows, read)


def _numbers_of(codes: Block, categories: Block) -> Block:
    """The same of categories that are numbers."""
    import numpy as np

    missing = np.zeros(len(codes.cells), dtype=bool) if codes.missing is None else codes.missing
    places = np.where(missing, 0, codes.cells)
    values = np.append(categories.cells, categories.cells.dtype.type(0))
    return number_block(np.take(values, places, mode="clip"), missing)


def code_block(codes: NDArray[Any], missing: NDArray[Any] | None) -> Block:
    """The block of the codes of categories, of whatever width."""
    import numpy as np

    return number_block(codes.astype(np.int32), missing)


def instant_block(counts: NDArray[Any], letter: str, unit: str, missing: NDArray[Any] | None) -> Block:
    """The block of dates (``M``) or durations (``m``), given as 64-bit counts of a unit."""
    return number_block(counts.view(f"{letter}8[{unit}]"), missing)


def instant_dtype(letter: str, zone: str | None) -> str:
    """The canonical name of the type of dates (``M``) or durations (``m``)."""
    if letter == "m":
        return "timedelta64"
    return f"datetime64[{_zone(zone)}]" if zone else "datetime64"


def object_column(
    name: object, rows: int, missing_rows: int, take: Callable[[int, int], list[Any]]
) -> Column:
    """The column of Python objects, None where missing.

    Args:
        name: of the column.
        rows: how many.
        missing_rows: how many of them are missing; where all are, nothing tells objects from texts, as in pandas.
        take: the objects of the rows from ``start`` up to ``stop``.
    """
    import numpy as np

    def read(start: int, stop: int) -> Block:
        items = take(start, stop)
        return object_block(items, np.array([item is None for item in items], dtype=bool), name)

    if rows == missing_rows:
        return Column(
            name, "str", rows, lambda start, stop: text_block([None] * (stop - start), (stop - start,))
        )
    return Column(name, "object", rows, read)


def refuse_rest(name: object, nanoseconds: NDArray[Any]) -> None:
    """Refuse times of day that Python's own cannot hold.

    Raises:
        FingerprintError: for one that is no whole number of microseconds.
    """
    if (nanoseconds % 1000).any():
        raise FingerprintError(
            f"column {name!r} holds a time of day with nanoseconds",
            remedy="cast it to integers or to microseconds",
        )


def _zone(text: str) -> str:
    """The name of a time zone, given as a name or as an offset such as ``+01:00``."""
    if offset := _OFFSET.fullmatch(text):
        sign = -1 if offset[1] == "-" else 1
        return zone_name(dt.timezone(sign * dt.timedelta(hours=int(offset[2]), minutes=int(offset[3]))))
    try:
        return zone_name(ZoneInfo(text))
    except (ZoneInfoNotFoundError, ValueError):
        raise FingerprintError(
            f"the time zone {text!r} is not known here", remedy="install tzdata, or convert the times to UTC"
        ) from None
