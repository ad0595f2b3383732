"""Phrases: changed cells and rows, as a reader is told of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pytest_mlrepro.fingerprints.cell_sketch import Change
from pytest_mlrepro.fingerprints.cell_words import CellWords, Words
from pytest_mlrepro.fingerprints.columns import Column
from pytest_mlrepro.fingerprints.places import Places
from pytest_mlrepro.fingerprints.row_edits import Edits
from pytest_mlrepro.fingerprints.showing import UNKNOWN, shown

_LISTED = 12
_LONGEST = 60


class Present:
    """The words as they are now, a row at a time."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self._rows: dict[int, list[Words]] = {}

    def row(self, row: int) -> list[Words]:
        """The words of a row, column by column."""
        if row not in self._rows:
            blocks = self.places.read(row, row + 1)
            parts = self.places.parts
            self._rows[row] = [part.words(block) for part, block in zip(parts, blocks, strict=True)]
        return self._rows[row]

    def cell(self, where: Cell) -> _Value:
        """What a cell holds."""
        words = self.row(where.row)[where.part]
        marked = words.marked is not None and bool(words.marked[0, where.cell])
        return _Value(words.cells[0, where.cell].tolist(), marked)

    def word(self, position: int) -> int | None:
        """The word at a position; None where there is none."""
        spot = self.places.spot(position)
        if spot is None:
            return None
        value = self.cell(Cell(spot.row, spot.part, spot.cell))
        if spot.word is None:
            return 1 if value.marked else None
        return value.words[spot.word]


class Cell(NamedTuple):
    """A cell of the data: its row, its column, and which of the column's cells in that row."""

    row: int
    part: int
    cell: int


@dataclass(slots=True)
class _Value:
    words: list[int | None]
    marked: bool


def cell_phrase(present: Present, found: Sequence[Change]) -> str:
    """Which cells changed, from what to what; empty where one of them could never have held what it says.

    Args:
        present: the data as it is now.
        found: the words that changed, at least one.
    """
    olds = _olds(present, found)
    if olds is None:
        return ""
    places = present.places
    told: list[tuple[Cell, list[str]]] = []
    for where, old in olds.items():
        dtype = places.parts[where.part].column.dtype
        both = [shown(dtype, value.words, marked=value.marked) for value in (old, present.cell(where))]
        texts = [text for text in both if text is not None]
        if len(texts) < 2:
            return ""
        told.append((where, texts))
    _find_texts(present, olds, told[:_LISTED])
    if len(told) == 1:
        where, texts = told[0]
        return " ".join(filter(None, [places.label(where.part, where.cell), _change(where, texts)]))
    phrases = (
        " ".join(filter(None, [_short(places.label(where.part, where.cell)), _change(where, texts)]))
        for where, texts in told[:_LISTED]
    )
    return f"{len(told)} cells changed: {_joined(phrases, len(told))}"


def _change(where: Cell, texts: Sequence[str]) -> str:
    old, new = texts
    return f"row {where.row} changed" if old == new == UNKNOWN else f"row {where.row}: {old} -> {new}"


def _short(label: str) -> str:
    name = label.removeprefix("column ")
    return name if name[:1] in ("'", '"') else label


def _joined(phrases: Iterable[str], total: int) -> str:
    listed = list(phrases)
    return ", ".join(listed) + (f" and {total - len(listed)} more" if len(listed) < total else "")


def _olds(present: Present, found: Sequence[Change]) -> dict[Cell, _Value] | None:
    """What the changed cells held; None where a change lies outside of them."""
    olds: dict[Cell, _Value] = {}
    for change in found:
        spot = present.places.spot(change.position)
        if spot is None:
            return None
        where = Cell(spot.row, spot.part, spot.cell)
        old = olds.setdefault(where, present.cell(where))
        if spot.word is not None:
            old.words[spot.word] = change.old
        elif {change.old, change.new} == {None, 1}:
            old.marked = change.old is not None
        else:
            return None
    return olds


def _find_texts(present: Present, olds: dict[Cell, _Value], told: Sequence[tuple[Cell, list[str]]]) -> None:
    """Fill in the texts that hashes and codes stand for, old ones too where they still occur in the column."""
    for part in {where.part for where, texts in told if UNKNOWN in texts}:
        own = [(where, texts) for where, texts in told if where.part == part]
        words = [[value.words[0] for value in (olds[where], present.cell(where))] for where, _ in own]
        wanted = {word for pair in words for word in pair if word is not None}
        found = _texts(present.places.parts[part], wanted)
        for (_, texts), pair in zip(own, words, strict=True):
            texts[:] = [
                found.get(word or 0, text) if text == UNKNOWN else text
                for word, text in zip(pair, texts, strict=True)
            ]


def _texts(part: CellWords, wanted: set[int]) -> dict[int, str]:
    """What the words stand for, by the first cells of the column that have them."""
    import numpy as np

    column = part.column
    values = column.plain() if column.plain is not None else column
    found: dict[int, str] = {}
    for start, block in column.blocks():
        words = part.words(block).cells.reshape(-1)
        for word in wanted - found.keys():
            hits = np.flatnonzero(words == np.uint64(word))
            if len(hits):
                row, cell = divmod(int(hits[0]), column.width)
                found[word] = _text(values, start + row, cell)
        if len(found) == len(wanted):
            break
    return found


def _text(column: Column, row: int, cell: int) -> str:
    block = column.read(row, row + 1)
    if block.text is None:
        words = CellWords.of(column).words(block).cells[0, cell].tolist()
        return shown(column.dtype, words, marked=False) or UNKNOWN
    if column.dtype == "str":
        text = repr(block.items()[cell].decode("utf-8", "surrogatepass"))
    elif column.dtype == "bytes":
        text = repr(block.items()[cell])
    else:
        return UNKNOWN
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 4]}...{text[-1]}"


def row_phrases(done: Edits) -> list[str]:
    """Which rows were replaced, inserted and deleted; where nothing was, none."""
    replaced: list[int] = []
    inserted = set(done.inserted)
    deleted = Counter(done.deleted)
    for before in list(deleted):
        row = before + 1
        while deleted[before] and row in inserted:
            inserted.remove(row)
            replaced.append(row)
            deleted[before] -= 1
            row += 1
    phrases = [
        f"rows {verb}: {_runs(rows)}"
        for verb, rows in (("replaced", replaced), ("inserted", sorted(inserted)))
        if rows
    ]
    if lost := deleted.pop(-1, 0):
        phrases.append(f"rows deleted before row 0{_times(lost)}")
    behind = [(before, count) for before, count in sorted(deleted.items()) if count]
    if behind:
        listed = (f"{before}{_times(count)}" for before, count in behind[:_LISTED])
        noun = "row" if len(behind) == 1 else "rows"
        phrases.append(f"rows deleted after {noun} {_joined(listed, len(behind))}")
    return phrases


def _times(count: int) -> str:
    return f" ({count})" if count > 1 else ""


def _runs(rows: Sequence[int]) -> str:
    """Ascending numbers, neighbours as one: ``3, 8-11``."""
    runs: list[list[int]] = []
    for row in rows:
        if runs and row == runs[-1][-1] + 1:
            runs[-1][1:] = [row]
        else:
            runs.append([row])
    return _joined(("-".join(map(str, run)) for run in runs[:_LISTED]), len(runs))
