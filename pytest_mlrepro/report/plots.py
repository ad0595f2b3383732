"""The history of numbers as a picture, drawn by matplotlib into a file: no window is ever opened."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_mlrepro.errors import ConfigError, MissingExtraError
from pytest_mlrepro.history.repository import short
from pytest_mlrepro.model import Fact, Tolerance
from pytest_mlrepro.report.evolution import Entry
from pytest_mlrepro.report.gfm import cut
from pytest_mlrepro.visible import visible

ENDINGS = (".svg", ".png", ".pdf")
_MOST_SERIES = 12
_MOST_TICKS = 20
_HEIGHT = 2.2
# The same picture for the same history.
_FIXED: Any = {"svg.hashsalt": "mlrepro", "svg.fonttype": "none", "font.family": "sans-serif"}


@dataclass(slots=True)
class Series:
    """The values of one fact, the oldest first.

    Attributes:
        name: of the fact, with its subject and environment.
        places: the numbers of the commits, counted from 0 for the oldest.
        values: from those on; NaN where it was removed, or a version cannot be used.
        widths: of the tolerance around each value, in its unit.
        accepted: the places of the values that were accepted there, not only held.
    """

    name: str
    places: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)
    accepted: list[int] = field(default_factory=list)
    _held: tuple[float, float] = (math.nan, math.nan)

    def accept(self, place: int, fact: Fact | None, tolerance: Tolerance) -> None:
        """A new value; None where the fact was removed."""
        value = math.nan if fact is None else _number(fact)
        width = math.nan if fact is None else (fact.tolerance or tolerance).width(value)
        self._held = value, width
        self.accepted.append(len(self.places))
        self._add(place, value, width)

    def break_off(self, place: int) -> None:
        """A version that cannot be used."""
        self._add(place, math.nan, math.nan)

    def hold(self, place: int) -> None:
        """A version with the value of the one before."""
        self._add(place, *self._held)

    def _add(self, place: int, value: float, width: float) -> None:
        self.places.append(place)
        self.values.append(value)
        self.widths.append(width)


def check(path: Path) -> None:
    """See before anything is read whether the picture could be drawn.

    Raises:
        ConfigError: for another ending.
        MissingExtraError: if matplotlib is not installed.
    """
    if path.suffix.lower() not in ENDINGS:
        raise ConfigError(
            f"a picture ends in {', '.join(ENDINGS)}, got {path.name!r}",
            where="--plot",
            remedy="for instance: --plot history.svg",
        )
    try:
        import matplotlib as _  # noqa: F401
    except ImportError:
        raise MissingExtraError(
            "it takes matplotlib, which is not installed",
            where="--plot",
            remedy="pip install 'pytest-mlrepro[plot]'",
        ) from None


def series(entries: Sequence[Entry], tolerance: Tolerance) -> tuple[Series, ...]:
    """The numbers among the facts of a history, each with its values.

    Args:
        entries: the newest first; the first one may have neither lines nor a gap: there everything is as before.
        tolerance: of facts that bring none.
    """
    found: dict[tuple[str, str, str], Series] = {}
    for place, entry in enumerate(reversed(entries)):
        facts = _facts(entry)
        for key, fact in facts.items():
            if key not in found and fact is not None and not math.isnan(_number(fact)):
                label, address, environment = key
                found[key] = Series(f"{label} {address}{f' in {environment}' if environment else ''}")
        for key, each in found.items():
            if entry.step.gap:
                each.break_off(place)
            elif key in facts:
                each.accept(place, facts[key], tolerance)
            else:
                each.hold(place)
    return tuple(found.values())


def _facts(entry: Entry) -> dict[tuple[str, str, str], Fact | None]:
    return {
        (line.label, line.change.drift.address, line.change.environment): line.change.drift.current
        for line in entry.lines
    }


def _number(fact: Fact) -> float:
    if isinstance(fact.value, bool) or not isinstance(fact.value, int | float):
        return math.nan
    try:
        value = float(fact.value)
    except OverflowError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def draw(path: Path, entries: Sequence[Entry], tolerance: Tolerance) -> tuple[int, int]:
    """Draw the history of every number among the facts, each below the other, with its tolerance.

    Args:
        path: of the picture.
        entries: as of ``series``.
        tolerance: of facts that bring none.

    Returns:
        How many facts are drawn, and how many were left out.

    Raises:
        ConfigError: if none of them is a number, or the file cannot be written.
    """
    found = series(entries, tolerance)
    if not found:
        raise ConfigError(
            "none of these facts is a number",
            where="--plot",
            remedy="name one: mlrepro log results.f1 --plot f1.svg",
        )
    import matplotlib as mpl
    from matplotlib.figure import Figure

    shown = found[:_MOST_SERIES]
    with mpl.rc_context(_FIXED), warnings.catch_warnings():
        # A letter that no font has is drawn as a box.
        warnings.simplefilter("ignore")
        figure = Figure(figsize=(8, _HEIGHT * len(shown) + 0.8), layout="constrained")
        axes = figure.subplots(len(shown), 1, squeeze=False, sharex=True)
        for (each,), one in zip(axes, shown, strict=True):
            _line(each, one)
        _ticks(axes[-1][0], [short(entry.step.commit.name) for entry in reversed(entries)])
        # No time of drawing: the same history gives the same bytes.
        dates = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
        try:
            figure.savefig(path, metadata=dates.get(path.suffix.lower(), {}))
        except OSError as error:
            raise ConfigError(
                f"the picture cannot be written: {error.strerror}",
                where=f"--plot {path}",
                remedy="name a file in a writable folder",
            ) from None
    return len(shown), len(found) - len(shown)


def _line(axes: Any, one: Series) -> None:
    low = [value - width for value, width in zip(one.values, one.widths, strict=True)]
    high = [value + width for value, width in zip(one.values, one.widths, strict=True)]
    # A value holds until the next one was accepted.
    axes.fill_between(one.places, low, high, step="post", alpha=0.2, linewidth=0)
    axes.step(one.places, one.values, where="post", linewidth=1.5)
    axes.plot(one.places, one.values, "o", markersize=4, color="C0", markevery=one.accepted)
    axes.set_title(cut(visible(one.name), 90), fontsize="small", loc="left", parse_math=False)
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.grid(visible=True, alpha=0.3)


def _ticks(axes: Any, names: Iterable[str]) -> None:
    names = [*names]
    every = -(-len(names) // _MOST_TICKS)
    places = range(0, len(names), every)
    axes.set_xticks(
        [*places], [names[place] for place in places], rotation=45, ha="right", family="monospace"
    )
