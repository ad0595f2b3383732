"""The picture of a metric over time: accepted values, what is allowed around the baseline, and the present run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from pytest_mlrepro.report.cells import shown
from pytest_mlrepro.report.page.history import Point
from pytest_mlrepro.report.page.scale import Scale, Tick, around, number

WIDTH, HEIGHT = 380, 150
_TOP, _RIGHT, _BOTTOM = 12.0, 18.0, 26.0
_DIGIT = 6.6
_MOST_DOTS = 60
_MOST_POINTS = 400
# A band narrower than this could not be seen.
_THINNEST = 2.0


@dataclass(frozen=True, slots=True)
class Zone:
    """What is allowed: a horizontal stripe."""

    kind: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Dot:
    """A value: ``accepted``, ``baseline`` or ``now``."""

    kind: str
    x: float
    y: float
    told: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """All that is drawn, in units of a picture of ``width`` x ``height``.

    Attributes:
        left, right, bottom: where the axes are.
        zones: what is allowed.
        lines: the points of lines through accepted values, broken where there was no number.
        step: the points of the line from the baseline to the present run; empty where one of them is missing.
        dots: values, the present one last.
        ticks: of the values' axis.
        first, last: what stands below the ends of the axis of time.
    """

    width: int
    height: int
    left: float
    right: float
    bottom: float
    zones: tuple[Zone, ...]
    lines: tuple[str, ...]
    step: str
    dots: tuple[Dot, ...]
    ticks: tuple[Tick, ...]
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Series:
    """What is to be drawn, values in JSON's types.

    Attributes:
        points: accepted values, oldest first; may be empty.
        baseline: what the present value is compared with; None for none.
        now: the present value.
        allowed: ends of what the tolerance allows; None for none.
        band: ends of the calibrated band; None for none.
    """

    points: tuple[Point, ...]
    baseline: Any
    now: Any
    allowed: tuple[float, float] | None = None
    band: tuple[float, float] | None = None


def timeline(series: Series) -> Timeline | None:
    """The picture; None where no value is a finite number."""
    accepted = _accepted(series)
    numbers = [number(point.value) for point in accepted]
    now = number(series.now)
    ends = [end for pair in (series.allowed, series.band) for end in pair or ()]
    found = [value for value in (*numbers, now) if value is not None]
    if not found:
        return None
    upwards = around([*found, *ends], HEIGHT - _BOTTOM, _TOP)
    ticks = upwards.ticks()
    left = 16 + _DIGIT * max((len(tick.text) for tick in ticks), default=0)
    count = len(accepted) + (series.now is not None)
    along = Scale(0, max(count - 1, 1), left + 12, WIDTH - _RIGHT - 8)
    places = [
        (along.at(i), upwards.at(value)) if value is not None else None for i, value in enumerate(numbers)
    ]
    here = (along.at(count - 1), upwards.at(now)) if now is not None else None
    last = next((place for place in reversed(places) if place), None)
    return Timeline(
        WIDTH,
        HEIGHT,
        round(left, 1),
        WIDTH - _RIGHT,
        HEIGHT - _BOTTOM,
        tuple(_zones(series, upwards)),
        tuple(_line(run) for present, run in groupby(places, key=bool) if present),
        _line([last, here]) if last and here else "",
        tuple(_dots(accepted, places, here, series.now)),
        ticks,
        _below(accepted[0]) if accepted else "",
        "this run" if series.now is not None else _below(accepted[-1]) if len(accepted) > 1 else "",
    )


def _accepted(series: Series) -> list[Point]:
    """What was accepted, thinned where there is too much of it, the baseline last."""
    points = _thinned(series.points, _MOST_POINTS)
    if series.baseline is not None and (not points or points[-1].value != series.baseline):
        points.append(Point("", "", "baseline", series.baseline))
    return points


def _thinned(points: Sequence[Point], most: int) -> list[Point]:
    """The points, or of each of ``most / 2`` stretches of time the least and the largest."""
    if len(points) <= most:
        return list(points)
    stretches = most // 2
    kept: set[int] = {0, len(points) - 1}
    for index in range(stretches):
        part = range(index * len(points) // stretches, (index + 1) * len(points) // stretches)
        known = [(value, place) for place in part if (value := number(points[place].value)) is not None]
        if known:
            kept |= {min(known)[1], max(known)[1]}
    return [points[place] for place in sorted(kept)]


def _zones(series: Series, upwards: Scale) -> Iterator[Zone]:
    for kind, ends in (("band", series.band), ("tolerance", series.allowed)):
        if ends is not None:
            top, bottom = upwards.at(ends[1]), upwards.at(ends[0])
            lacking = max(_THINNEST - (bottom - top), 0.0)
            yield Zone(kind, round(top - lacking / 2, 1), round(bottom - top + lacking, 1))


def _line(places: Any) -> str:
    return " ".join(f"{x},{y}" for x, y in places)


def _dots(
    accepted: Sequence[Point],
    places: Sequence[tuple[float, float] | None],
    here: tuple[float, float] | None,
    now: Any,
) -> Iterator[Dot]:
    shown_from = len(accepted) - _MOST_DOTS
    for index, (point, place) in enumerate(zip(accepted, places, strict=True)):
        is_last = index == len(accepted) - 1
        if place is not None and (index >= shown_from or index == 0):
            yield Dot("baseline" if is_last else "accepted", *place, _told(point))
    if here is not None:
        yield Dot("now", *here, f"{shown(now)}, this run")


def _told(point: Point) -> str:
    return ", ".join(part for part in (shown(point.value), point.date, point.commit, point.title) if part)


def _below(point: Point) -> str:
    return point.date or point.commit or point.title
