"""What is said of a drift: the values, the change, the tolerance, why, and the suspects with links to theirs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_mlrepro.model import SESSION
from pytest_mlrepro.report.cells import reason, shown
from pytest_mlrepro.report.changes import change
from pytest_mlrepro.report.page.anchors import Anchors, address
from pytest_mlrepro.report.page.histogram import Histogram, histogram
from pytest_mlrepro.report.page.matrices import Picture, pictures
from pytest_mlrepro.report.page.scale import number

_MOST_SUSPECTS = 5
_GUARD = "guard: "


@dataclass(frozen=True, slots=True)
class Suspect:
    """What may be why a result drifted.

    Attributes:
        name: an address, or a place in the code.
        told: how it changed, in one sentence.
        whose: the subject, where it is another one's.
        href: where more is said of it; empty where nothing is.
    """

    name: str
    told: str
    whose: str
    href: str


@dataclass(frozen=True, slots=True)
class Card:
    """A drift as the page shows it; all texts are as they were recorded.

    Attributes:
        anchor: the name of its place.
        subject, name: whose fact it is, and its address.
        facet, kind, outcome: as the report has them.
        before, now: the values; empty where there is none.
        change: the difference of numbers; empty where there is none.
        direction: ``better``, ``worse`` or empty.
        bound: what it is held to.
        why: the sentence, without the values.
        suspects: likeliest first; ``more`` of them are left out.
        plot: the link to its history; empty where there is none.
        matrices: pictures of a confusion matrix.
        moves: by how much the values of an array moved.
    """

    anchor: str
    subject: str
    name: str
    facet: str
    kind: str
    outcome: str
    before: str
    now: str
    change: str
    direction: str
    bound: str
    why: str
    suspects: tuple[Suspect, ...] = ()
    more: int = 0
    plot: str = ""
    matrices: tuple[Picture, ...] = ()
    moves: Histogram | None = None

    @property
    def is_result(self) -> bool:
        """Whether it is what the others are there to explain."""
        return self.facet == "results"


def ordered(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The drifts that a page tells one by one: results first, the environment last; not what has no baseline at all."""
    told = [each for each in document["drifts"] if each["outcome"] != "new"]
    return sorted(told, key=lambda each: (each["facet"] != "results", each["subject"] == SESSION))


def card(each: Mapping[str, Any], sites: Mapping[str, str], anchors: Anchors, *, drawn: bool = True) -> Card:
    """The card of a drift.

    Args:
        each: as the JSON report holds it.
        sites: what the guard says, by its names among the suspects.
        anchors: of the page.
        drawn: whether it has pictures.
    """
    facet, old, new = each["facet"], each["baseline"], each["current"]
    has_old, has_new = each["kind"] != "added", each["kind"] != "removed"
    suspects = list(_suspects(each, sites, anchors))
    place = address(each)
    matrices = pictures(old, new, each["classes"]) if drawn and each["classes"] else ()
    has_moves = drawn and facet == "results" and not matrices
    return Card(
        anchors.drifts[place],
        each["subject"],
        f"{facet}.{each['key']}",
        facet,
        each["kind"],
        each["outcome"],
        readable(facet, old) if has_old else "",
        readable(facet, new) if has_new else "",
        change(old, new) if each["kind"] == "changed" else each["kind"],
        direction(old, new, each["better"]),
        bound(each),
        reason(each["explanation"], shown(old) if has_old else "", shown(new) if has_new else ""),
        tuple(suspects[:_MOST_SUSPECTS]),
        max(len(suspects) - _MOST_SUSPECTS, 0),
        anchors.metric(place),
        matrices,
        histogram(old, new) if has_moves else None,
    )


def readable(facet: str, value: Any) -> str:
    """A value as it is shown; a version, which is always a text, without quotes."""
    return value if facet == "libraries" and isinstance(value, str) else shown(value)


def direction(before: object, now: object, better: str | None) -> str:
    """Whether a number got better or worse; empty where that is not known."""
    old, new = number(before), number(now)
    if better is None or old is None or new is None or old == new:
        return ""
    return "better" if (new > old) == (better == "higher") else "worse"


def bound(each: Mapping[str, Any]) -> str:
    """What a fact is held to, in a few words."""
    tolerance, band = each["tolerance"], each["band"]
    if tolerance is None:
        told = "must be equal"
    else:
        width = tolerance["width"]
        size = f"{width:.3g}" if isinstance(width, float) else width
        told = f"\N{PLUS-MINUS SIGN}{size} (rtol {tolerance['rtol']:g}, atol {tolerance['atol']:g})"
    return f"{told}, or within {band['low']:.6g} to {band['high']:.6g} (calibrated)" if band else told


def _suspects(each: Mapping[str, Any], sites: Mapping[str, str], anchors: Anchors) -> Iterator[Suspect]:
    for name in each["suspects"]:
        if name.startswith(_GUARD):
            yield Suspect(name.removeprefix(_GUARD), sites.get(name, ""), "", "#unpinned")
    for other in each["suspected"]:
        whose = other["subject"]
        own = whose == each["subject"]
        yield Suspect(
            f"{other['facet']}.{other['key']}",
            other["explanation"],
            "" if own else "the environment" if whose == SESSION else whose,
            anchors.drift(address(other)),
        )


def striking(cards: Sequence[Card]) -> list[Card]:
    """The same drifts; first what says most at a glance: results that got better or worse, other results, the rest."""
    return sorted(cards, key=lambda each: (not each.is_result, not each.direction))


def likeliest(cards: Sequence[Card], most: int = 3) -> tuple[Suspect, ...]:
    """The suspects of all these drifts together: those that stand high among many come first."""
    scores: dict[Suspect, float] = defaultdict(float)
    for each in cards:
        for rank, suspect in enumerate(each.suspects):
            scores[suspect] += 1 / (1 + rank)
    return tuple(sorted(scores, key=lambda suspect: -scores[suspect])[:most])
