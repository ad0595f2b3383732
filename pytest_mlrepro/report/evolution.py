"""The history of facts: which changes of a commit are told, and what else changed with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import NamedTuple

from pytest_mlrepro.comparison import room
from pytest_mlrepro.explain import explain
from pytest_mlrepro.facets import facet
from pytest_mlrepro.history.changes import Change
from pytest_mlrepro.history.timeline import Step
from pytest_mlrepro.model import SESSION, Suspect, Tolerance
from pytest_mlrepro.policy import Policies
from pytest_mlrepro.subjects import grounds


@dataclass(frozen=True, slots=True)
class Chosen:
    """The facts that somebody asked for; without words, all.

    Attributes:
        addresses: of facts, or what they begin with (``results.test``), or patterns (``results.*.loss``).
        subjects: their names, or the beginnings of them.
        facets: names; empty for all.
    """

    addresses: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    facets: frozenset[str] = frozenset()

    @classmethod
    def of(cls, words: Iterable[str], facets: Iterable[str]) -> Chosen:
        """Tell addresses from subjects: an address begins with the name of a facet."""
        words = tuple(words)
        addresses = tuple(word for word in words if _is_address(word))
        return cls(addresses, tuple(word for word in words if word not in addresses), frozenset(facets))

    def takes(self, change: Change, names: Iterable[str]) -> bool:
        """Whether a change is one of them.

        Args:
            change: any.
            names: of its subject, through its renames; empty ones are none.
        """
        drift = change.drift
        if self.facets and drift.facet not in self.facets:
            return False
        if self.addresses and not any(_matches(each, drift.address) for each in self.addresses):
            return False
        return not self.subjects or any(name.startswith(self.subjects) for name in names)


def _is_address(word: str) -> bool:
    head, dot, _ = word.partition(".")
    return (
        "::" not in word and "/" not in word and word != SESSION and bool(dot or facet(head)) and _known(head)
    )


def _known(head: str) -> bool:
    return facet(head) is not None or any(wild in head for wild in "*?[")


def _matches(pattern: str, address: str) -> bool:
    return f"{address}.".startswith(f"{pattern}.") or fnmatchcase(address, pattern)


class Line(NamedTuple):
    """One fact that a commit accepted anew.

    Attributes:
        change: the fact before and after.
        label: the newest name of its subject.
        suspects: of a result: the inputs that changed in the same commit, likeliest first.
    """

    change: Change
    label: str
    suspects: tuple[Suspect, ...] = ()


class Entry(NamedTuple):
    """What is told of one commit.

    Attributes:
        step: what it did.
        lines: the changes that were asked for.
        others: how many further facts it changed, suspects of the lines not counted.
    """

    step: Step
    lines: tuple[Line, ...] = ()
    others: int = 0


@dataclass(slots=True)
class Names:
    """Subjects by the names that they have had.

    Attributes:
        labels: the newest name by an older one.
        seen: all subjects and addresses.
        environments: all of them.
    """

    labels: dict[str, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    environments: set[str] = field(default_factory=set)

    def knows(self, word: str) -> bool:
        """Whether an address or subject, or the beginning of one, was ever seen."""
        if _is_address(word):
            return any(_matches(word, name) for name in self.seen)
        return any(name.startswith(word) for name in self.seen)

    def label(self, subject: str) -> str:
        """The newest name."""
        return self.labels.get(subject, subject)

    def learn(self, step: Step) -> None:
        """Take in what a version says; the newest version first."""
        self.environments |= step.environments
        for change in step.changes:
            self.seen |= {change.drift.subject, change.drift.address}

    def before(self, step: Step) -> None:
        """From here on the versions are older than this one."""
        for new, old in step.moved.items():
            self.labels.setdefault(old, self.label(new))


def entries(
    steps: Iterable[Step], chosen: Chosen, names: Names, policies: Policies, tolerance: Tolerance
) -> Iterator[Entry]:
    """What is told of each commit that changed a fact asked for, or whose version cannot be used.

    Args:
        steps: the newest first.
        chosen: the facts asked for.
        names: what is learnt on the way; empty at the start.
        policies: of the project: they tell a suspect that somebody changed from one that the machine did.
        tolerance: of the project.
    """
    for step in steps:
        if step.gap:
            yield Entry(step)
            continue
        names.learn(step)
        lines = tuple(_lines(step, chosen, names, policies, tolerance))
        if lines:
            yield Entry(step, lines, _others(step, lines))
        names.before(step)


def _others(step: Step, lines: Sequence[Line]) -> int:
    """How many changes of a step are neither lines nor suspects of them."""
    if len(lines) == len(step.changes):
        return 0
    told = {line.change.key for line in lines}
    told |= {
        (each.drift.subject, each.drift.address, environment)
        for line in lines
        for each in line.suspects
        for environment in ("", line.change.environment)
    }
    return sum(change.key not in told for change in step.changes)


def _lines(
    step: Step, chosen: Chosen, names: Names, policies: Policies, tolerance: Tolerance
) -> Iterator[Line]:
    by_subject: dict[str, list[Change]] = {}
    for change in step.changes:
        by_subject.setdefault(change.drift.subject, []).append(change)
    for change in step.changes:
        drift = change.drift
        label = names.label(drift.subject)
        if chosen.takes(change, (drift.subject, label, change.formerly)):
            suspects = _suspects(change, by_subject, policies, tolerance)
            yield Line(change, label, suspects)


def _suspects(
    change: Change, by_subject: Mapping[str, Sequence[Change]], policies: Policies, tolerance: Tolerance
) -> tuple[Suspect, ...]:
    """The inputs that changed with a result, in what its environment sees."""
    drift = change.drift
    if drift.kind != "changed" or room(drift.facet).role == "input":
        return ()
    near = [drift.subject, *grounds(drift.subject, by_subject)]
    seen = {
        each.key[:2]: each.drift
        for name in near
        for each in sorted(by_subject.get(name, ()), key=lambda each: each.environment)
        if each.environment in ("", change.environment) and room(each.drift.facet).role == "input"
    }
    inputs = policies.judge(seen.values())
    if not inputs:
        return ()
    return explain([replace(drift, policy="fail")], inputs, tolerance=tolerance)[0].suspects
