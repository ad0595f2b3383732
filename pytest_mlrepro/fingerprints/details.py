"""Details: what a fingerprint keeps of columns, within a budget, to say later what changed.

About 60 bytes a column and 2 KiB a data set. Wide tables keep four hexadecimal digits a column, very wide ones four
for a group of neighbours.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from functools import partial
from itertools import groupby

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints.columns import Column
from pytest_mlrepro.fingerprints.digests import node
from pytest_mlrepro.fingerprints.layout import SHORT, group_size
from pytest_mlrepro.fingerprints.objects import encoded
from pytest_mlrepro.fingerprints.summaries import Summary
from pytest_mlrepro.model import Value

FEW = 40
"""The most columns that are described one by one."""

_COLUMNS_BUDGET = 2_400
_NAMES_BUDGET = 1_200
_LONGEST_NAME = 40


def refuse_unknown(private: frozenset[object], names: Sequence[object]) -> None:
    """Refuse names of private columns that there are not: whoever mistyped one would give it away."""
    for name in sorted(map(repr, private - set(names))):
        close = difflib.get_close_matches(name, map(repr, names), n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise FingerprintError(
            f"private names the column {name}, which there is not",
            remedy=f"{hint}give the columns as the table names them, those of an array by number",
        )


def told(column: Column, summary: Summary, private: frozenset[object]) -> tuple[Value, ...]:
    """The summary of a column; nothing of a private one."""
    return () if column.name in private else summary.rows()[0]


def described_columns(
    columns: Sequence[Column], parts: list[bytes], told: Sequence[tuple[Value, ...]]
) -> dict[str, Value]:
    """What is kept of the columns of a table.

    Args:
        columns: all of them.
        parts: the digest of each.
        told: the summary of each.
    """
    if len(columns) <= FEW:
        dtypes = {column.dtype for column in columns}
        common = dtypes.pop() if len(dtypes) == 1 and len(columns) > 1 else ""
        rows = tuple(map(partial(column_row, common=common), columns, parts, told))
        if len(repr(rows)) <= _COLUMNS_BUDGET:
            return {"dtype": common, "columns": rows} if common else {"columns": rows}
    size = group_size(len(columns))
    groups = (b"".join(parts[first : first + size]) for first in range(0, len(parts), size))
    heads = parts if size == 1 else [node("group", group) for group in groups]
    detail: dict[str, Value] = {
        "width": len(columns),
        "parts": "".join(head[: SHORT // 2].hex() for head in heads),
    }
    runs = tuple((dtype, len(list(run))) for dtype, run in groupby(column.dtype for column in columns))
    if len(runs) <= 16:
        detail["dtypes"] = runs
    names = tuple(short_name(column.name) for column in columns)
    if sum(len(str(name)) + 4 for name in names) <= _NAMES_BUDGET:
        detail["names"] = names
    else:
        detail["names digest"] = node("names", *(encoded(column.name) for column in columns))[:4].hex()
    return detail


def column_row(column: Column, digest: bytes, told: tuple[Value, ...], common: str = "") -> Value:
    """What is kept of one column; its type only where it is not the ``common`` one."""
    dtype = "" if column.dtype == common else column.dtype
    return (short_name(column.name), dtype, digest[:4].hex(), *told)


def short_name(name: object) -> Value:
    """A column's name for a reader."""
    if isinstance(name, bool | int) or name is None:
        return name
    text = str(name)
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 3]}..."
