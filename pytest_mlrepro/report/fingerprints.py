"""One fingerprint as text: the digest, and what goes with it in rows that are lined up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_mlrepro.fingerprints import Fingerprint
from pytest_mlrepro.fingerprints.changes import Known, columns_of
from pytest_mlrepro.fingerprints.layout import SUMMARIES, family
from pytest_mlrepro.fingerprints.ranges import WIDTH, span_of
from pytest_mlrepro.report.text import plural
from pytest_mlrepro.visible import visible

_COUNTS = (
    ("files", "file"),
    ("lines", "line"),
    ("size", "byte"),
    ("rows", "row"),
    ("width", "column"),
    ("length", "item"),
)
_TOLD = ("missing", "min", "max", "mean", "first", "last", "distinct", "categories")
_TABULAR = frozenset({"table", "series", "index", "records", "array", "sparse"})


def lines(taken: Fingerprint) -> Iterator[str]:
    """What a fingerprint says, its digest first."""
    detail: Mapping[str, Any] = taken.detail
    yield taken.digest
    yield f"  {', '.join(_head(detail))}"
    if detail["kind"] in _TABULAR:
        for line in _columns(columns_of(detail)):
            yield f"    {line}"
    for name, digest in (*detail.get("entries", ()), *detail.get("keys", ())):
        yield f"    {digest}  {visible(str(name))}"
    for first, digest in detail.get("groups", ()):
        yield f"    {digest}  from {visible(str(first))} on"
    yield from _blocks(detail)


def _head(detail: Mapping[str, Any]) -> Iterator[str]:
    yield detail["kind"]
    if "shape" in detail:
        yield f"shape {' x '.join(map(str, detail['shape'])) or '()'}"
    for key, noun in _COUNTS:
        if key in detail:
            yield plural(detail[key], noun)
    if "columns" in detail and "width" not in detail and detail["kind"] != "array":
        yield plural(len(detail["columns"]), "column")
    if "value" in detail:
        yield repr(detail["value"])


def _columns(columns: Sequence[Known]) -> Iterator[str]:
    """A line for each column under a head; numbers at the right, the names of what no column has left out."""
    told = [_summary(column) for column in columns]
    shown = [name for name in _TOLD if any(name in summary for summary in told)]
    left = [("digest", *_digests(columns)), ("column", *(_label(column) for column in columns))]
    left.append(("dtype", *(column.dtype for column in columns)))
    right = [(name, *(summary.get(name, "") for summary in told)) for name in shown]
    used = [cells for cells in (*left, *right) if any(cells[1:])]
    widths = [max(map(len, cells)) for cells in used]
    for row in zip(*used, strict=True):
        cells = (
            cell.rjust(width) if column in right else cell.ljust(width)
            for cell, width, column in zip(row, widths, used, strict=True)
        )
        yield "  ".join(cells).rstrip()


def _digests(columns: Sequence[Known]) -> list[str]:
    return [column.digest for column in columns]


def _label(column: Known) -> str:
    return column.place if column.name is None else visible(str(column.name))


def _summary(column: Known) -> dict[str, str]:
    pairs = zip(SUMMARIES[family(column.dtype)], column.summary, strict=False)
    return {name: "-" if value is None else str(value) for name, value in pairs if name in _TOLD}


def _blocks(detail: Mapping[str, Any]) -> Iterator[str]:
    """The digests of the parts that are told apart when something changes."""
    units = {"file": ("byte", "size"), "list": ("item", "length"), "tuple": ("item", "length")}
    unit, counted = units.get(detail["kind"], ("row", "rows"))
    total = detail.get(counted) or (detail.get("shape") or (0,))[0]
    blocks, span = detail.get("blocks", ""), span_of(total)
    for place in range(len(blocks) // WIDTH):
        yield f"    {blocks[place * WIDTH : (place + 1) * WIDTH]}  from {unit} {place * span:,} on"
