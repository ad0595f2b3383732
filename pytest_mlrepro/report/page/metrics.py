"""The metrics of a run, each with its picture over time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pytest_mlrepro.report.cells import shown
from pytest_mlrepro.report.changes import change
from pytest_mlrepro.report.page.anchors import Address, Anchors
from pytest_mlrepro.report.page.cards import bound, direction
from pytest_mlrepro.report.page.history import Histories, Point
from pytest_mlrepro.report.page.scale import number
from pytest_mlrepro.report.page.timeline import Series, Timeline, timeline

_MOST_ROWS = 20
_RUNGS = ("drift", "band", "rounding", "identical")


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric as the page shows it.

    Attributes:
        anchor: the name of its place.
        subject, name: whose it is, and its address.
        rung: where it stands on the ladder.
        before, now: the values; ``before`` is empty where there is no baseline.
        change: their difference; empty where there is none.
        direction: ``better``, ``worse`` or empty.
        bound: what it is held to.
        picture: over time.
        drift: the link to what is said of its drift; empty where it did not drift.
        rows: the latest values that were accepted, newest first, as date, commit, title and value; the value is empty
            where there was none.
        earlier: how many more there are.
        accepted: how many values there were in all.
    """

    anchor: str
    subject: str
    name: str
    rung: str
    before: str
    now: str
    change: str
    direction: str
    bound: str
    picture: Timeline
    drift: str
    rows: tuple[tuple[str, str, str, str], ...]
    earlier: int
    accepted: int


def measured(document: Mapping[str, Any], histories: Histories) -> list[Address]:
    """The results that have a picture, what drifted first: numbers that somebody watches.

    Integers of which nobody said what is better, and which stay as they are, describe models rather than quality.
    """
    found = [
        ((_RUNGS.index(fact["rung"]), subject["subject"], fact["key"]), fact["facet"])
        for subject in document["subjects"]
        for fact in subject["facts"]
        if fact["facet"] == "results" and fact["rung"] in _RUNGS and _is_watched(subject, fact, histories)
    ]
    return [(subject, facet, key) for (_, subject, key), facet in sorted(found)]


def _is_watched(subject: Mapping[str, Any], fact: Mapping[str, Any], histories: Histories) -> bool:
    if number(fact["value"]) is None:
        return False
    known = histories.get((subject["subject"], f"{fact['facet']}.{fact['key']}"), ())
    is_plain_count = isinstance(fact["value"], int) and not fact["better"] and fact["rung"] == "identical"
    return not is_plain_count or len(known) > 1


def metrics(
    document: Mapping[str, Any], chosen: list[Address], histories: Histories, anchors: Anchors
) -> Iterator[Metric]:
    """The metrics, in the order of ``chosen``."""
    baselines = {
        (each["subject"], each["facet"], each["key"]): each["baseline"]
        for each in (*document["agreements"], *document["drifts"])
    }
    facts = {
        (subject["subject"], fact["facet"], fact["key"]): fact
        for subject in document["subjects"]
        for fact in subject["facts"]
    }
    for place in chosen:
        fact = facts[place]
        before = baselines.get(place, fact["value"])
        points = histories.get((place[0], f"{place[1]}.{place[2]}"), ())
        series = _series(fact, before, points)
        picture = timeline(replace(series, now=None) if document["mode"] == "accepted" else series)
        assert picture is not None
        yield Metric(
            anchors.metrics[place],
            place[0],
            f"{place[1]}.{place[2]}",
            fact["rung"],
            "" if before is None else shown(before),
            shown(fact["value"]),
            change(before, fact["value"]),
            direction(before, fact["value"], fact["better"]),
            bound(fact),
            picture,
            anchors.drift(place),
            tuple(_row(point) for point in reversed(points[-_MOST_ROWS:])),
            max(len(points) - _MOST_ROWS, 0),
            sum(point.value is not None for point in points),
        )


def _series(fact: Mapping[str, Any], before: Any, points: tuple[Point, ...]) -> Series:
    allowed = band = None
    centre, tolerance = number(before), fact["tolerance"]
    if centre is not None and tolerance is not None and (width := number(tolerance["width"])) is not None:
        ends = number(centre - width), number(centre + width)
        allowed = (ends[0], ends[1]) if ends[0] is not None and ends[1] is not None else None
    if fact["band"]:
        band = fact["band"]["low"], fact["band"]["high"]
    return Series(points, before, fact["value"], allowed, band)


def _row(point: Point) -> tuple[str, str, str, str]:
    return point.date, point.commit, point.title, "" if point.value is None else shown(point.value)
