"""The parts of a report that must fit into a given size: what is left out is counted, and said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_ELSEWHERE = "`--mlrepro-report=out.json` lists all"


@dataclass(frozen=True, slots=True)
class Part:
    """A text, or rows between texts.

    Attributes:
        opening: what comes first; empty for nothing.
        head: the lines above the rows; left out where no row is shown.
        rows: lines of which as many are shown as there is room for.
        closing: what comes last.
        more: how many further rows there are, which are not even asked for.
        noun: what a row is, in the singular.
    """

    opening: str = ""
    head: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    closing: str = ""
    more: int = 0
    noun: str = "row"

    def shown(self, count: int) -> str:
        """The part with its first rows.

        Args:
            count: how many of them.
        """
        left = len(self.rows) + self.more - count
        rows = (*self.head, *self.rows[:count]) if count else ()
        blocks = [self.opening, "\n".join(rows), self._left_out(left, count) if left else "", self.closing]
        return "\n\n".join(block for block in blocks if block)

    def _left_out(self, left: int, count: int) -> str:
        start = f"and {left} more" if count else f"{left}"
        return f"{start} {self.noun}{'' if left == 1 else 's'}: {_ELSEWHERE}"


def fitted(parts: Sequence[Part], limit: int) -> str:
    """The parts, one after the other. Room that is short goes to the rows of the first ones.

    Args:
        parts: those that hold nothing are left out.
        limit: bytes of UTF-8; the texts around the rows are never cut.
    """
    told = [part for part in parts if part.opening or part.rows or part.closing]
    counts = _counts(told, limit - sum(_size(part.shown(0)) for part in told))
    return "\n\n".join(part.shown(count) for part, count in zip(told, counts, strict=True)) + "\n"


def _counts(parts: Sequence[Part], room: int) -> Iterator[int]:
    """How many rows of each part there is room for, beside the parts without any."""
    for part in parts:
        room -= sum(map(_size, part.head))
        count = 0
        for line in part.rows:
            room -= _size(line)
            if room < 0:
                break
            count += 1
        yield count


def _size(text: str) -> int:
    """In bytes, with the line breaks around it and the words ``and more`` that it may bring with it."""
    return len(text.encode()) + 12
