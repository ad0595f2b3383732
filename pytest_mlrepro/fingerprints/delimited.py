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
from typing import IO, TYPE_CHECKING, Any

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
_WHOLE = re.compile(r"(?:[ \t]*[+-]?[0-9]+[ \t]*\n)*")
_NUMBER = re.compile(
    r"(?:[ \t]*[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|(?i:inf|infinity))[ \t]*\n)*"
)
_ROWS = 1 << 14
_LONGEST = 40
_SIGNED, _UNSIGNED = (-(1 << 63), (1 << 63) - 1), (0, (1 << 64) - 1)


def table(opened: Callable[[], IO[str]], delimiter: str) -> pd.DataFrame:
    """The table that a text holds.

    Args:
        opened: opens it, without translating line endings; it is read twice.
        delimiter: what is between two cells.

    Raises:
        FingerprintError: for a text without a header, a row of another length, a quote that does not end.
        UnicodeDecodeError, OSError: where it cannot be read.
    """
    import pandas as pd

    with opened() as text:
        names, parts = _parts(text, delimiter)
        kinds = [_Kind() for _ in names]
        for cells in parts:
            for kind, part in zip(kinds, cells, strict=True):
                kind.add(part)
    columns = [_Column(kind) for kind in kinds]
    with opened() as text:
        for cells in _parts(text, delimiter)[1]:
            for column, part in zip(columns, cells, strict=True):
                column.add(part)
    frame = pd.DataFrame({place: column.values() for place, column in enumerate(columns)})
    frame.columns = pd.Index(names, dtype=object)
    return frame


def _parts(text: IO[str], delimiter: str) -> tuple[list[str], Iterator[list[tuple[str, ...]]]]:
    """The names of the columns, and some rows at a time the cells of each column."""
    rows = _checked(text, delimiter)
    names = next(rows, None)
    if names is None:
        raise FingerprintError("there is no table in it", remedy="write the names of its columns first")

    def parts() -> Iterator[list[tuple[str, ...]]]:
        while some := list(islice(rows, _ROWS)):
            yield list(zip(*some, strict=True))

    return names, parts()


def _checked(text: IO[str], delimiter: str) -> Iterator[list[str]]:
    """The rows that are not empty, the first of which says how long all are."""
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    width = 0
    with _any_size():
        try:
            for row in reader:
                if not row:
                    continue
                width = width or len(row)
                if len(row) != width:
                    raise FingerprintError(
                        f"line {reader.line_num} has {_cells(len(row))}, the first row has {width}",
                        remedy="give every row as many cells as there are names of columns",
                    )
                yield row
        except csv.Error as error:
            raise FingerprintError(
                f"line {reader.line_num} cannot be read: {error}",
                remedy='put cells with a delimiter, a quote or a line break in quotes, and write " in them as ""',
            ) from None


def _cells(count: int) -> str:
    return f"{count} cell" if count == 1 else f"{count} cells"


@contextmanager
def _any_size() -> Iterator[None]:
    """Without the limit of 131,072 characters a cell, which is the whole process's."""
    limit = csv.field_size_limit(min(sys.maxsize, (1 << 31) - 1))
    try:
        yield
    finally:
        csv.field_size_limit(limit)


class _Kind:
    """Finds the type of a column while its cells go by."""

    def __init__(self) -> None:
        self._name = ""
        self._low, self._high = 0, 0

    def add(self, cells: Sequence[str]) -> None:
        """Note some cells."""
        there = [cell for cell in cells if cell not in MISSING] if self._name != "text" else []
        if not there:
            return
        if self._name in ("", "truth") and all(cell in _TRUTH for cell in there):
            self._name = "truth"
            return
        joined = "\n".join(there) + "\n"
        if self._name == "truth" or joined.count("\n") != len(there) or not _NUMBER.fullmatch(joined):
            self._name = "text"
        elif self._name == "number" or not _WHOLE.fullmatch(joined):
            self._name = "number"
        else:
            self._name = "whole"
            # Python reads no number of thousands of digits, and none of so many fits.
            numbers = [int(cell) if len(cell) <= _LONGEST else 1 << 64 for cell in there]
            self._low, self._high = min(self._low, *numbers), max(self._high, *numbers)

    def name(self) -> str:
        """The type of all cells; empty where every one is missing."""
        if self._name != "whole":
            return self._name
        for name, (low, high) in (("int64", _SIGNED), ("uint64", _UNSIGNED)):
            if low <= self._low and self._high <= high:
                return name
        return "text"


class _Column:
    """Collects the values of a column, whose type is known."""

    def __init__(self, kind: _Kind) -> None:
        self._name = kind.name()
        self._parts: list[NDArray[Any]] = []
        self._missing: list[NDArray[Any]] = []

    def add(self, cells: Sequence[str]) -> None:
        """Note some cells."""
        import numpy as np

        absent = np.array([cell in MISSING for cell in cells], dtype=bool)
        dtype, read, none = self._reading()
        values = [none if cell in MISSING else read(cell) for cell in cells]
        self._parts.append(np.array(values, dtype=dtype))
        self._missing.append(absent)

    def _reading(self) -> tuple[str, Callable[[str], Any], Any]:
        match self._name:
            case "int64" | "uint64":
                return self._name, int, 0
            case "number":
                return "float64", float, 0.0
            case "truth":
                return "bool", _TRUTH.__getitem__, False
        return "object", str, None

    def values(self) -> Any:
        """All of them: an array of numpy's, or, where some are missing, of pandas'."""
        import numpy as np
        import pandas as pd

        if not self._parts:
            return np.empty(0, dtype=object)
        values, missing = np.concatenate(self._parts), np.concatenate(self._missing)
        if self._name in ("", "text") or not missing.any():
            return values
        arrays = {"number": pd.arrays.FloatingArray, "truth": pd.arrays.BooleanArray}
        return arrays.get(self._name, pd.arrays.IntegerArray)(values, missing)
