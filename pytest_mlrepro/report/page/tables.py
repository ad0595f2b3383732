"""The tables of the page: all subjects with their facts, the environment, unpinned randomness."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_mlrepro.facets import facet_names
from pytest_mlrepro.guard import Site
from pytest_mlrepro.model import SESSION
from pytest_mlrepro.report.cells import shown
from pytest_mlrepro.report.page.anchors import Address, Anchors, address
from pytest_mlrepro.report.page.cards import readable

_MOST_FACTS = 3000
_GREEN = ("identical", "rounding", "band", "ignored")
_NOTED = "noted"


@dataclass(frozen=True, slots=True)
class Row:
    """A fact.

    Attributes:
        facet, name: its facet and address.
        rung: where it stands on the ladder; of one that is not on it what became of it: ``drift`` if it failed.
        before: its value where that was another one.
        now: its value; empty where it is gone.
        href: where more is said of it; empty where nothing is.
    """

    facet: str
    name: str
    rung: str
    before: str
    now: str
    href: str


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject and its facts.

    Attributes:
        name: ``the environment`` for the session.
        facets: of its facts.
        counts: of its facts by rung.
        rows: the facts; empty where there is no room for them.
    """

    name: str
    facets: tuple[str, ...]
    counts: Mapping[str, int]
    rows: tuple[Row, ...]

    @property
    def size(self) -> int:
        """How many facts there are."""
        return sum(self.counts.values())

    @property
    def drifts(self) -> int:
        """How many are not what they were, notes aside."""
        return self.size - sum(self.counts.get(name, 0) for name in (*_GREEN, _NOTED))


def subjects(document: Mapping[str, Any], anchors: Anchors) -> Iterator[Subject]:
    """Every subject, those with drifts first. Room that is short goes to the facts of the first ones."""
    drifts = {address(each): each for each in document["drifts"]}
    near = {address(each): each["baseline"] for each in document["agreements"]}
    removed: dict[str, list[Row]] = {}
    for each in document["drifts"]:
        if each["kind"] == "removed":
            row = Row(
                each["facet"],
                _name(each),
                _became(each),
                readable(each["facet"], each["baseline"]),
                "",
                anchors.drift(address(each)),
            )
            removed.setdefault(each["subject"], []).append(row)
    room = _MOST_FACTS
    found = []
    for raw in document["subjects"]:
        name = raw["subject"]
        rows = [_row(name, fact, drifts, near, anchors) for fact in raw["facts"]]
        found.append((name, [*rows, *removed.get(name, [])]))
    found.sort(key=lambda each: -sum(row.rung not in (*_GREEN, _NOTED) for row in each[1]))
    for name, rows in found:
        room -= len(rows)
        yield Subject(
            "the environment" if name == SESSION else name,
            tuple(sorted({row.facet for row in rows}, key=_place)),
            Counter(row.rung for row in rows),
            tuple(sorted(rows, key=_order)) if room >= 0 else (),
        )


def _order(row: Row) -> tuple[bool, bool, tuple[bool, int, str], str]:
    return row.rung in (*_GREEN, _NOTED), row.rung in _GREEN, _place(row.facet), row.name


def _became(drift: Mapping[str, Any]) -> str:
    return "drift" if drift["outcome"] in ("failed", "new") else str(drift["outcome"])


def _place(facet: str) -> tuple[bool, int, str]:
    """Results first, then the others as they are always listed, then those of other distributions."""
    names = facet_names()
    return facet != "results", names.index(facet) if facet in names else len(names), facet


def _row(
    subject: str,
    fact: Mapping[str, Any],
    drifts: Mapping[Address, Mapping[str, Any]],
    near: Mapping[Address, Any],
    anchors: Anchors,
) -> Row:
    place = subject, fact["facet"], fact["key"]
    drift = drifts.get(place)
    before = ""
    if place in near:
        before = readable(fact["facet"], near[place])
    elif drift is not None and drift["kind"] == "changed":
        before = readable(fact["facet"], drift["baseline"])
    now = readable(fact["facet"], fact["value"])
    return Row(
        fact["facet"],
        _name(fact),
        fact["rung"] if drift is None else _became(drift),
        before,
        now,
        anchors.drift(place) or anchors.metric(place),
    )


def _name(fact: Mapping[str, Any]) -> str:
    return f"{fact['facet']}.{fact['key']}"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The environment.

    Attributes:
        name: its name.
        same: what is as it was, as rows of the table.
        context: what is good to know and moves no number, by name.
        notes: what of it is not known, or not quite, by address.
    """

    name: str
    same: tuple[Row, ...]
    context: tuple[tuple[str, str], ...]
    notes: tuple[tuple[str, str, str], ...]


def surroundings(document: Mapping[str, Any], anchors: Anchors) -> Surroundings:
    """The environment of the run."""
    told = document["environment"]
    facts = [fact for raw in document["subjects"] if raw["subject"] == SESSION for fact in raw["facts"]]
    return Surroundings(
        told["name"],
        tuple(_row(SESSION, fact, {}, {}, anchors) for fact in facts if fact["rung"] != "drift"),
        tuple(
            (name, value if isinstance(value, str) else shown(value))
            for name, value in told["context"].items()
        ),
        tuple((_name(each), readable(each["facet"], each["value"]), each["note"]) for each in told["notes"]),
    )


def sites(document: Mapping[str, Any]) -> list[tuple[Site, int]]:
    """What the guard has seen, with the number of the tests."""
    return [
        (Site.of({name: value for name, value in raw.items() if name != "subjects"}), len(raw["subjects"]))
        for raw in document["unpinned"]
    ]
