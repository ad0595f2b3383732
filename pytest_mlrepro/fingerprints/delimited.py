"""Delimited: tables written as text, CSV and TSV, read by rules of our own: no library's version changes a value.

The first row names the columns. A column is of the first of these types that all its cells have: whole numbers (of 64
bits), numbers, truth values, text; cells that stand for a missing value have every type. Dates are text. Quotes, line
endings, empty lines, spaces around numbers and the way a number is written do not count.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from pytest_mlrepro.errors import FingerprintError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

MISSING = frozenset(
    {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>"}
    | {"N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"}
)
"""The cells that stand for a missing value: those of pandas."""

_TRUTH = {"True": True, "TRUE": True, "true": True, "False": False, "FALSE": False, "false": False}
_DIGITS = b"0123456789+- \t\n"
_MARKS = b".eE"
_INFINITE = frozenset(b"infityINFITY.eE")
_NUMBER = re.compile(
    r"[ \t]*[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|(?i:inf|infinity))[ \t]*"
)
_ROWS = 1 << 11
_LONGEST = 40
_SIGNED, _UNSIGNED = (-(1 << 63), (1 << 63) - 1), (0, (1 << 64) - 1)
_READERS: dict[str, tuple[Callable[[str], Any], Any]] = {
    "int64": (int, 0),
    "uint64": (int, 0),
    "float64": (float, 0.0),
    "bool": (_TRUTH.__getitem__, False),
    "object": (str, None),
}
"""Type of a column -> what makes a value of a cell, and what stands where one is missing."""


def table(opened: Callable[[], IO[str]], delimiter: str) -> pd.DataFrame:
    """The table that a text holds.

    Args:
        opened: opens it, without translating line endings; it is read twice where the type of a column shows late.
        delimiter: what is between two cells.

    Raises:
        FingerprintError: for a text without a header, a row of another length, a quote that does not end.
        UnicodeDecodeError, OSError: where it cannot be read.
    """
    import pandas as pd

    parts = _parts(opened, delimiter)
    names = next(parts, [()])[0]
    if not names:
        raise FingerprintError("there is no table in it", remedy="write the names of its columns first")
    columns = [_Column() for _ in names]
    for cells in parts:
        for column, part in zip(columns, cells, strict=True):
            column.add(part)
    again = [(place, column) for place, column in enumerate(columns) if not column.settle()]
    if again:
        for cells in islice(_parts(opened, delimiter), 1, None):
            for place, column in again:
                column.add_settled(cells[place])
    frame = pd.DataFrame({place: column.values() for place, column in enumerate(columns)})
    frame.columns = pd.Index(names, dtype=object)
    return frame


def _parts(opened: Callable[[], IO[str]], delimiter: str) -> Iterator[list[tuple[str, ...]]]:
    """The names of the columns, as the only cells of a row; then some rows at a time the cells of each column."""
    names: list[str] = []
    with opened() as text, _any_size():
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        try:
            while rows := list(islice(reader, _ROWS)):
                rows = [row for row in rows if row] if [] in rows else rows
                if rows and not names:
                    names = rows.pop(0)
                    yield [tuple(names)]
                if any(len(row) != len(names) for row in rows):
                    raise _uneven(opened, delimiter)
                if rows:
                    yield list(zip(*rows, strict=True))
        except csv.Error as error:
            raise FingerprintError(
                f"line {reader.line_num} cannot be read: {error}",
                remedy='put cells with a delimiter, a quote or a line break in quotes, and write " in them as ""',
            ) from None


def _uneven(opened: Callable[[], IO[str]], delimiter: str) -> FingerprintError:
    """The error for the first row with another number of cells than the first."""
    with opened() as text:
        reader = csv.reader(text, delimiter=delimiter)
        rows = ((len(row), reader.line_num) for row in reader if row)
        width, _ = next(rows)
        count, line = next(row for row in rows if row[0] != width)
    return FingerprintError(
        f"line {line} has {count} cell{'s' if count > 1 else ''}, the first row has {width}",
        remedy="give every row as many cells as there are names of columns",
    )


@contextmanager
def _any_size() -> Iterator[None]:
    """Without the limit of 131,072 characters a cell, which is the whole process's."""
    limit = csv.field_size_limit(min(sys.maxsize, (1 << 31) - 1))
    try:
        yield
    finally:
        csv.field_size_limit(limit)


class _Column:
    """Collects the values of a column, each part as if it were all; what does not fit together is read again."""

    def __init__(self) -> None:
        self._kind = ""
        self._dtype = "object"
        self._low, self._high = 0, 0
        self._parts: list[_Part] = []

    def add(self, cells: Sequence[str]) -> None:
        """Note some cells."""
        part = _as_text(cells) if self._kind == "text" else _read(cells)
        self._kind = _joined(self._kind, part.kind)
        self._low, self._high = min(self._low, part.low), max(self._high, part.high)
        self._parts.append(part)

    def settle(self) -> bool:
        """Whether all parts were read as what the column is, now that all have been seen."""
        self._dtype = {"number": "float64", "truth": "bool"}.get(self._kind, "object")
        if self._kind == "whole":
            self._dtype = _whole_dtype(self._low, self._high)
        done = all(part.values.dtype == self._dtype for part in self._parts)
        if not done:
            self._parts.clear()
        return done

    def add_settled(self, cells: Sequence[str]) -> None:
        """Note some cells again."""
        self._parts.append(_as(self._dtype, self._kind, cells))

    def values(self) -> Any:
        """All of them: an array of numpy's, or, where some are missing, of pandas'."""
        import numpy as np
        import pandas as pd

        if not self._parts:
            return np.empty(0, dtype=object)
        values = np.concatenate([part.values for part in self._parts])
        if self._dtype == "object" or all(part.missing is None for part in self._parts):
            return values
        missing = np.concatenate(
            [
                np.zeros(len(part.values), dtype=bool) if part.missing is None else part.missing
                for part in self._parts
            ]
        )
        arrays = {"float64": pd.arrays.FloatingArray, "bool": pd.arrays.BooleanArray}
        return arrays.get(self._dtype, pd.arrays.IntegerArray)(values, missing)


class _Part(NamedTuple):
    """Some cells of a column.

    Attributes:
        kind: what they are taken alone: ``whole`` numbers, ``number``, ``truth`` or ``text``; empty for missing ones.
        values: of that type.
        missing: which are missing, if any.
        low, high: the least and the greatest whole number, and 0.
    """

    kind: str
    values: NDArray[Any]
    missing: NDArray[Any] | None = None
    low: int = 0
    high: int = 0


def _joined(before: str, kind: str) -> str:
    """What a column is that was this, and now that."""
    if not before or not kind or before == kind:
        return before or kind
    return "number" if {before, kind} == {"whole", "number"} else "text"


def _whole_dtype(low: int, high: int) -> str:
    for dtype, (least, greatest) in (("int64", _SIGNED), ("uint64", _UNSIGNED)):
        if least <= low and high <= greatest:
            return dtype
    return "object"


def _as_text(cells: Sequence[str]) -> _Part:
    return _as("object", "text", cells)


def _as(dtype: str, kind: str, cells: Sequence[str]) -> _Part:
    """Cells of a known type."""
    import numpy as np

    read, none = _READERS[dtype]
    if MISSING.isdisjoint(cells):
        return _Part(kind, np.array(list(map(read, cells)), dtype=dtype))
    values = [none if cell in MISSING else read(cell) for cell in cells]
    missing = np.array([cell in MISSING for cell in cells], dtype=bool)
    return _Part(kind, np.array(values, dtype=dtype), missing)


def _read(cells: Sequence[str]) -> _Part:
    """Cells as what they are, taken alone."""
    import numpy as np

    # Most columns are numbers without gaps: these are not looked at one by one.
    numbers = _numbers(cells)
    there = cells
    if numbers is None and not MISSING.isdisjoint(cells):
        there = [cell for cell in cells if cell not in MISSING]
        if not there:
            return _as("object", "", cells)
        numbers = _numbers(there)
    if numbers is None:
        if all(cell in _TRUTH for cell in there):
            return _as("bool", "truth", cells)
        return _as_text(cells)
    kind, dtype, low, high = "number", "float64", 0, 0
    if isinstance(numbers[0], int):
        low, high = int(min(0, *numbers)), int(max(0, *numbers))
        kind, dtype = "whole", _whole_dtype(low, high)
        if dtype == "object":
            return _as_text(cells)._replace(kind=kind, low=low, high=high)
    if len(there) == len(cells):
        return _Part(kind, np.array(numbers, dtype=dtype), None, low, high)
    missing = np.array([cell in MISSING for cell in cells], dtype=bool)
    values = np.zeros(len(cells), dtype=dtype)
    values[~missing] = numbers
    return _Part(kind, values, missing, low, high)


def _numbers(cells: Sequence[str]) -> list[int] | list[float] | None:
    """The whole numbers that all cells are, or the numbers; None where one is something else."""
    joined = "\n".join(cells)
    signs = joined.encode().translate(None, _DIGITS)
    others = signs.translate(None, _MARKS)
    if len(joined) > _LONGEST and max(map(len, cells)) > _LONGEST:
        return _long_numbers(cells, whole=not signs)
    # float() takes underscores, other digits and more words too: with these signs it takes numbers only.
    if others and not _INFINITE.issuperset(signs):
        return None
    if others and not all(map(_NUMBER.fullmatch, cells)):
        return None
    try:
        return list(map(float, cells)) if signs else list(map(int, cells))
    except ValueError:
        return None


def _long_numbers(cells: Sequence[str], *, whole: bool) -> list[int] | list[float] | None:
    """The same for cells of many characters: Python makes no whole number of thousands of digits."""
    if not all(map(_NUMBER.fullmatch, cells)):
        return None
    if whole:
        return [int(cell) if len(cell) <= _LONGEST else 1 << 64 for cell in cells]
    return list(map(float, cells))
