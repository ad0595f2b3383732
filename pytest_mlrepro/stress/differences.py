"""What differs between two replays of the same tests: the first fact in the order of recording, by subject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from pytest_mlrepro.comparison import compare_facts
from pytest_mlrepro.explain import agreement, sentence
from pytest_mlrepro.model import SESSION, Agreement, Drift, Facts, Tolerance
from pytest_mlrepro.replay import Outcome, Replay
from pytest_mlrepro.steadiness import Hold

Mark: TypeAlias = Literal["same", "within", "drifted", "unclear", "untried"]
"""Bitwise the same; the same within tolerances; not the same; it differs by itself already; not tried."""

# They say under which conditions the test ran, not what came of it.
_CONDITIONS = ("libraries", "randomization", "source")
_ENVIRON = "assumptions.environ."
_JUDGED = "mlrepro:"
_EXACT = Tolerance(0.0, 0.0)
_ASKED = ", bitwise equality was asked for"


@dataclass(frozen=True, slots=True)
class Difference:
    """How a subject differs from its clean replay.

    Attributes:
        mark: ``within`` or ``drifted``.
        address: of the first fact in the order of recording that differs; empty where the test ended otherwise.
        sentence: how.
        place: of that fact in the order of recording, from 1 on; 0 where there is none.
        differing, facts: how many facts differ, of how many.
        drift: the first that differs by more than its tolerance; None where that is none of the facts.
    """

    mark: Mark
    address: str
    sentence: str
    place: int = 0
    differing: int = 0
    facts: int = 0
    drift: Drift | None = None


def differences(clean: Replay, other: Replay, tolerance: Tolerance) -> Mapping[str, Difference]:
    """What differs, by subject; subjects that agree bitwise are left out, as are tests that fail as they are.

    Nothing is said where one of the two could not be made.

    Args:
        clean: the replay to compare with.
        other: the one under a change.
        tolerance: the project's, of floats without one of their own.
    """
    if clean.problem or other.problem:
        return {}
    subjects = dict.fromkeys((*clean.witness.outcomes, *clean.run.subjects, *other.run.subjects))
    found = {
        subject: _difference(subject, clean, other, tolerance)
        for subject in subjects
        if subject != SESSION and not failed(clean, subject)
    }
    return {subject: each for subject, each in found.items() if each is not None}


def bitwise(difference: Difference) -> Difference:
    """The same difference, told for whom no tolerance counts."""
    drift = difference.drift
    if drift is None or drift.address != difference.address:
        return difference
    if drift.current is not None:
        drift = replace(drift, current=replace(drift.current, tolerance=_EXACT))
    told = sentence(drift, _EXACT).removesuffix(_ASKED)
    return replace(difference, sentence=told)


def failed(replay: Replay, subject: str) -> bool:
    """Whether a test failed; one whose facts were compared with a lockfile, and drifted, has not."""
    outcome = replay.witness.outcomes.get(subject)
    return outcome is not None and outcome.ending in ("failed", "error") and not _is_judged(outcome)


def subjects(clean: Replay) -> tuple[str, ...]:
    """What facts were recorded about, in the order of their ends."""
    known = (*clean.witness.order, *clean.run.subjects)
    return tuple(
        subject
        for subject in dict.fromkeys(known)
        if subject != SESSION and not failed(clean, subject) and _compared(clean.run.facts(subject))
    )


def violates(mark: Mark, hold: Hold) -> bool:
    """Whether that is more than may differ."""
    return hold != "off" and (mark == "drifted" or (mark == "within" and hold == "bitwise"))


def _difference(subject: str, clean: Replay, other: Replay, tolerance: Tolerance) -> Difference | None:
    if told := _ended_otherwise(subject, clean, other):
        return Difference("drifted", "", told)
    before, now = _compared(clean.run.facts(subject)), _compared(other.run.facts(subject))
    if before and not now and subject not in clean.witness.outcomes:
        # A fixture that no test has asked for any more: its tests tell.
        return None
    found = compare_facts(subject, before, now, tolerance=tolerance)
    if not found.drifts and not found.near:
        return None
    drifts = {each.address: each for each in found.drifts}
    near = {each.current.address: each for each in found.near}
    order = _order(subject, clean, other, (*drifts, *near))
    first = next(address for address in order if address in drifts or address in near)
    return Difference(
        "drifted" if drifts else "within",
        first,
        _told(drifts.get(first), near.get(first), tolerance),
        order.index(first) + 1,
        len(drifts) + len(near),
        len(order),
        next((drifts[address] for address in order if address in drifts), None),
    )


def _told(drift: Drift | None, near: Agreement | None, tolerance: Tolerance) -> str:
    if drift is not None:
        return sentence(drift, tolerance)
    assert near is not None
    return agreement(near, tolerance)


def _order(subject: str, clean: Replay, other: Replay, differing: tuple[str, ...]) -> list[str]:
    """The addresses that are compared, in the order of recording; those that only one has come last."""
    told = (*clean.witness.order.get(subject, ()), *other.witness.order.get(subject, ()))
    facts = {**clean.run.facts(subject), **other.run.facts(subject)}
    known = _compared(facts)
    return [*dict.fromkeys(address for address in (*told, *differing) if address in known)]


def _compared(facts: Facts) -> Facts:
    return {
        address: fact
        for address, fact in facts.items()
        if fact.facet not in _CONDITIONS and not address.startswith(_ENVIRON)
    }


def _ended_otherwise(subject: str, clean: Replay, other: Replay) -> str:
    before, now = clean.witness.outcomes.get(subject), other.witness.outcomes.get(subject)
    if before is None or now is None or before.ending == now.ending or _is_judged(before) or _is_judged(now):
        return ""
    if now.ending in ("failed", "error"):
        return f"{before.ending} before, fails now: {now.message or 'it does not say why'}"
    return f"{before.ending} before, {now.ending} now"


def _is_judged(outcome: Outcome) -> bool:
    return outcome.ending == "failed" and outcome.message.startswith(_JUDGED)
