"""Confusion matrices as pictures: the baseline, the present run, and what changed, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pytest_mlrepro.report.gfm import cut
from pytest_mlrepro.visible import visible

SIDE = 168.0
_LABELS = 46.0
_MOST_NUMBERS = 10
_MOST_CLASSES = 64
_MOST_LETTERS = 6

Counts: TypeAlias = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Cell:
    """A square: how many rows have this true and this predicted label, or by how much that changed.

    Attributes:
        x, y, size: where it is.
        kind: ``count``; of a difference ``better`` (more that is right, fewer that are wrong), ``worse`` or ``same``.
        strength: of the colour, from 0 to 1.
        text: its number; empty where squares are too small.
        told: the number in words.
    """

    x: float
    y: float
    size: float
    kind: str
    strength: float
    text: str
    told: str

    @property
    def is_strong(self) -> bool:
        """Whether the text must be light to be read on the colour."""
        return self.strength > 0.55


@dataclass(frozen=True, slots=True)
class Label:
    """The name of a class along an axis."""

    place: float
    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A matrix: true labels downwards, predicted ones to the right."""

    title: str
    left: float
    side: float
    cells: tuple[Cell, ...]
    labels: tuple[Label, ...]

    @property
    def width(self) -> float:
        """Of the whole picture."""
        return self.left + self.side + 2

    @property
    def height(self) -> float:
        """Of the whole picture."""
        return self.left + self.side + 2


def is_matrix(value: Any) -> bool:
    """Whether a value of a report is a square matrix of counts that can be drawn."""
    if not isinstance(value, list) or not 0 < len(value) <= _MOST_CLASSES:
        return False
    rows = [row for row in value if isinstance(row, list) and len(row) == len(value)]
    return len(rows) == len(value) and all(type(count) is int and count >= 0 for row in rows for count in row)


def pictures(before: Any, now: Any, classes: Mapping[str, Any] | None) -> tuple[Picture, ...]:
    """The baseline, the present matrix and the difference; only one where there is only one.

    Classes that one of them lacks count as zero there. Where no names are known, classes are numbered.

    Args:
        before, now: values in JSON's types; one that is no matrix of counts is left out.
        classes: what the rows and columns of ``baseline`` and ``current`` are.
    """
    told = classes or {}
    sides = [
        (title, _names(value, told.get(side)), value)
        for title, side, value in (("baseline", "baseline", before), ("this run", "current", now))
        if is_matrix(value)
    ]
    names = list(dict.fromkeys(name for _, own, _ in sides for name in own))
    counts = [(title, _counts(own, value)) for title, own, value in sides]
    drawn = [_picture(title, names, each, _share(each, names)) for title, each in counts]
    if len(counts) < 2:
        return tuple(drawn)
    (_, old), (_, new) = counts
    moved = {place: new.get(place, 0) - old.get(place, 0) for place in {*old, *new}}
    largest = max(map(abs, moved.values()), default=0) or 1
    return (*drawn, _picture("difference", names, moved, lambda place: abs(moved[place]) / largest))


def _names(value: Sequence[Any], told: Any) -> list[str]:
    names = [str(name) for name in told] if isinstance(told, list) else []
    usable = len(names) == len(value) == len(set(names))
    return names if usable else [str(index) for index in range(len(value))]


def _counts(names: Sequence[str], value: Sequence[Sequence[int]]) -> Counts:
    return {
        (true, predicted): count
        for true, row in zip(names, value, strict=True)
        for predicted, count in zip(names, row, strict=True)
    }


def _share(counts: Counts, names: Sequence[str]) -> Callable[[tuple[str, str]], float]:
    """Of all with the same true label, so that rare classes can be read too."""
    totals = {true: sum(counts.get((true, name), 0) for name in names) for true in names}

    def share(place: tuple[str, str]) -> float:
        return counts.get(place, 0) / totals[place[0]] if totals[place[0]] else 0.0

    return share


def _picture(
    title: str, names: Sequence[str], counts: Counts, strength: Callable[[tuple[str, str]], float]
) -> Picture:
    size = SIDE / len(names)
    texts = len(names) <= _MOST_NUMBERS
    labels = [
        Label(round(_LABELS + size * (index + 0.5), 1), cut(visible(name), _MOST_LETTERS))
        for index, name in enumerate(names)
    ]
    is_difference = title == "difference"
    cells = _cells(names, counts, size, strength, texts=texts, is_difference=is_difference)
    return Picture(title, _LABELS, SIDE, tuple(cells), tuple(labels) if texts else ())


def _cells(
    names: Sequence[str],
    counts: Counts,
    size: float,
    strength: Callable[[tuple[str, str]], float],
    *,
    texts: bool,
    is_difference: bool,
) -> Iterator[Cell]:
    for down, true in enumerate(names):
        for along, predicted in enumerate(names):
            place = (true, predicted)
            count = counts.get(place, 0)
            text = f"{count:+d}" if is_difference and count else str(count)
            told = f"true {cut(true, 40)}, predicted {cut(predicted, 40)}: {text}"
            yield Cell(
                round(_LABELS + size * along, 1),
                round(_LABELS + size * down, 1),
                round(size, 1),
                _kind(count, is_right=down == along) if is_difference else "count",
                round(strength(place), 2) if place in counts else 0.0,
                text if texts else "",
                told,
            )


def _kind(count: int, *, is_right: bool) -> str:
    if not count:
        return "same"
    return "better" if (count > 0) == is_right else "worse"
