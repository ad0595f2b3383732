"""What a reader must see first: the verdict, the counts, what drifted and what is likely why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_mlrepro.report.page.cards import Card, Suspect, likeliest, ordered, striking
from pytest_mlrepro.report.text import plural

_MOST = 4
_ENDINGS = {
    1: "pytest itself failed: what a failed test recorded is not compared.",
    2: "pytest was interrupted: this is not the whole suite.",
    5: "No test ran.",
}


@dataclass(frozen=True, slots=True)
class Step:
    """A rung of the ladder: how many facts stand on it."""

    name: str
    count: int
    told: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Overview:
    """The head of the page.

    Attributes:
        state: ``good``, ``doubtful``, ``bad`` or ``written``.
        title: the verdict in words.
        told: what it rests on, sentences.
        steps: the ladder, from the top down; empty where nothing was compared.
        drifted: the drifts that matter most; ``more`` are told below.
        why: the likeliest suspects of these results.
        is_explained: whether there is a result that suspects could be looked for.
        lookout: what to look at where there is no suspect.
        accept: the command that accepts; empty where there is nothing to accept.
    """

    state: str
    title: str
    told: tuple[str, ...]
    steps: tuple[Step, ...]
    drifted: tuple[Card, ...]
    more: int
    why: tuple[Suspect, ...]
    is_explained: bool
    lookout: tuple[str, ...]
    accept: str


def overview(document: Mapping[str, Any], cards: Sequence[Card]) -> Overview:
    """Read the head of the page off the report.

    Args:
        document: as ``machine.document`` makes it.
        cards: of its drifts, results first.
    """
    told_first = "accepted" if document["verdict"] == "updated" else "failed"
    main = [each for each in cards if each.outcome == told_first]
    moved = [each for each in main if each.is_result]
    state, title = _verdict(document)
    return Overview(
        state,
        title,
        tuple(part for part in (document["headline"], *_told(document, cards)) if part),
        _steps(document),
        tuple(striking(main)[:_MOST]),
        max(len(main) - _MOST, 0),
        likeliest(moved),
        bool(moved),
        tuple(document["hints"]),
        _accept(document, main),
    )


def _verdict(document: Mapping[str, Any]) -> tuple[str, str]:
    lockfile = document["lockfile"]
    if document["mode"] == "accepted":
        return "written", f"What {lockfile} holds"
    if document["verdict"] == "drifted":
        return "bad", "Not reproduced"
    if document["verdict"] == "updated":
        return {
            True: ("written", f"Updated {lockfile}"),
            False: ("good", f"{lockfile} is up to date"),
            None: ("doubtful", f"Nothing accepted, {lockfile} is as it was"),
        }[document["written"]]
    if document["exitstatus"]:
        return "doubtful", "Reproduced, as far as it ran"
    return "good", "Reproduced"


def _told(document: Mapping[str, Any], cards: Sequence[Card]) -> list[str]:
    counts = document["counts"]
    of_all = f"{plural(counts['facts'], 'fact')} of {plural(counts['subjects'], 'subject')}"
    if document["mode"] == "accepted":
        return [f"{of_all}, as somebody accepted them. No test was run, and nothing compared."]
    only = f", {', '.join(document['only'])} only" if document["only"] else ""
    outcomes = Counter(each["outcome"] for each in document["drifts"])
    failed = [each for each in ordered(document) if each["outcome"] == "failed"]
    facets = Counter(each["facet"] for each in failed)
    kinds = f" ({', '.join(f'{count} {facet}' for facet, count in facets.most_common())})"
    found = [f"{len(failed)} drifted{kinds}"] if failed else []
    if document["conflicts"]:
        found.append(f"{len(document['conflicts'])} had two values within this one run")
    if lacking := len({each["subject"] for each in document["drifts"] if each["outcome"] == "new"}):
        found.append(f"{plural(lacking, 'subject')} had no baseline to compare with")
    if outcomes["accepted"]:
        found.append(f"{outcomes['accepted']} accepted")
    directions = Counter(each.direction for each in cards if each.outcome == "failed")
    found += [f"{directions[name]} got {name}" for name in ("worse", "better") if directions[name]]
    said = [f"{of_all} compared{only}{': ' if found else ', nothing drifted'}{', '.join(found)}."]
    if ending := _ending(document):
        said.append(ending)
    environment = document["environment"]
    if not environment["recorded"] and document["mode"] == "check":
        said.append(
            f"The environment {environment['name']} is not recorded yet: results were compared with the shared "
            "values, libraries fail nothing."
        )
    return said


def _ending(document: Mapping[str, Any]) -> str:
    status = document["exitstatus"]
    if status == 0 or (status == 1 and document["verdict"] == "drifted"):
        return ""
    return _ENDINGS.get(status, f"pytest ended with exit status {status}.")


def _steps(document: Mapping[str, Any]) -> tuple[Step, ...]:
    counts = document["counts"]
    if document["mode"] == "accepted":
        return ()
    outcomes = Counter(each["outcome"] for each in document["drifts"])
    silent = sum(outcomes[name] for name in ("noted", "warned", "left", "accepted"))
    silent_told = "accepted or noted" if outcomes["accepted"] else "noted"
    return (
        Step("identical", counts["identical"], "identical", "the same to the last bit"),
        Step("rounding", counts["rounding"], "within rounding", "as near as the tolerance asks"),
        Step("band", counts["band"], "within the band", "as near as another seed would come"),
        Step("noted", silent, silent_told, "changed, and failed nothing"),
        Step(
            "drift",
            outcomes["failed"] + outcomes["new"],
            "drifted",
            "another value, or nothing to compare with",
        ),
    )


def _accept(document: Mapping[str, Any], main: Sequence[Card]) -> str:
    lacking = any(each["outcome"] == "new" for each in document["drifts"])
    needed = document["mode"] == "check" and bool(main or document["stale"])
    return document["accept"] if needed or lacking else ""
