"""Columns that stand below each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

INDENT = "    "


def aligned(head: Sequence[str], groups: Sequence[tuple[str, Sequence[Sequence[str]]]]) -> Iterator[str]:
    """Rows below a head, in groups with a title each; the first column to the left, numbers to the right.

    Args:
        head: what the columns are.
        groups: title and rows; a row may be longer than the head: what is beyond is put at its end as it is.
    """
    rows = [head, *(row for _, some in groups for row in some)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    yield _row(head, widths)
    for title, some in groups:
        yield title
        yield from (_row(row, widths) for row in some)


def _row(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [row[0].ljust(widths[0])]
    cells += [text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=False)]
    return INDENT + "  ".join([*cells, *row[len(widths) :]]).rstrip()
