"""What this process has found so far: facts of fixtures, and what every subject contributes to the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from pytest_mlrepro.contribution import Contribution
from pytest_mlrepro.crew import Crew
from pytest_mlrepro.explain import explain
from pytest_mlrepro.gate import Judgement, Terms, judge
from pytest_mlrepro.model import SESSION, Comparison, Drift, Explanation, Facts, Policy
from pytest_mlrepro.plugin.surroundings import Surroundings
from pytest_mlrepro.recording import Recording

_NO_POLICIES: Mapping[str, Policy] = MappingProxyType({})


@dataclass
class Turn:
    """One subject's turn: what it records, the generators' state before it, whether its fixtures have begun,
    whether the guard watches it, whether it is a fixture that was taken, and the threads that are its own."""

    recording: Recording
    state: Any = None
    touched: bool = False
    begun: bool = False
    watched: bool = False
    opened: bool = False
    marked: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    crew: Crew = field(default_factory=Crew)

    @property
    def subject(self) -> str:
        """Whose turn it is."""
        return self.recording.subject

    @property
    def overlay(self) -> Mapping[str, Policy]:
        """The policies of its marker."""
        policy: Mapping[str, Policy] = self.marked.get("policy", _NO_POLICIES)
        return policy

    def facts(self) -> Facts:
        """What it has recorded; nothing, not even its seed, where it never touched the recorder."""
        return self.recording.facts() if self.touched else {}


class Findings:
    """Judges the subjects of this process, and keeps what is to be handed to the one that reports.

    Attributes:
        pending: what has come since ``take`` was last called.
    """

    def __init__(self, terms: Terms, around: Surroundings, *, judges: bool) -> None:
        """Make one.

        Args:
            terms: of the run.
            around: of the process.
            judges: False where the run only records.
        """
        self._terms = terms
        self._around = around
        self._judges = judges
        self._fixtures: dict[int, str] = {}
        self._comparisons: dict[str, Comparison] = {}
        self._facts: dict[str, Facts] = {}
        self._rests: dict[str, tuple[str, ...]] = {}
        self._uses: dict[frozenset[str], tuple[str, ...]] = {}
        self.pending: list[Contribution] = []

    def is_judged(self, subject: str) -> bool:
        """Whether a subject is compared even if it records nothing."""
        return self._judges and self._terms.baseline is not None and subject in self._terms.baseline

    def take(self) -> list[Contribution]:
        """What has come since the last time, to be handed over."""
        pending, self.pending = self.pending, []
        return pending

    def close(self) -> None:
        """At the end of the process: what its environment has become."""
        if self._around.used and (news := self._around.news(refresh=True)):
            self.pending.append(Contribution(SESSION, environment=news, is_test=False))

    # Fixtures of higher scope

    def subjects_of(self, fixtures: Iterable[object]) -> tuple[str, ...]:
        """The subjects that fixture definitions have been, as far as they have been any."""
        if not self._fixtures:
            return ()
        return tuple(sorted({self._fixtures[id(each)] for each in fixtures if id(each) in self._fixtures}))

    def fixture(self, turn: Turn, definition: object, below: tuple[str, ...]) -> None:
        """Take what a fixture recorded when it was set up.

        Args:
            turn: the fixture's.
            definition: pytest's.
            below: subjects of the fixtures that it asks for.
        """
        self._fixtures[id(definition)] = turn.subject
        self._rests[turn.subject] = tuple(
            sorted({*below, *(deep for name in below for deep in self._rests[name])})
        )
        turn.opened = True
        self._add_fixture(turn, opened=1)

    def fixture_left(self, turn: Turn) -> None:
        """Take what it recorded when it was torn down, if anything, and that it was."""
        if turn.opened:
            turn.opened = False
            self._add_fixture(turn, opened=-1)

    def _add_fixture(self, turn: Turn, *, opened: int) -> None:
        known, facts = self._facts.get(turn.subject, {}), turn.facts()
        contribution = self._contribution(turn, self._rests[turn.subject], is_test=False)
        news = facts if opened > 0 else {key: fact for key, fact in facts.items() if key not in known}
        self.pending.append(replace(contribution, facts=news, opened=opened))
        if opened > 0 or news:
            self._facts[turn.subject] = facts
            if self._judges:
                self._comparisons[turn.subject] = self._terms.compare(turn.subject, facts, {})

    # Tests

    def test(self, turn: Turn, rests_on: tuple[str, ...]) -> Judgement | None:
        """Take what a test recorded, and judge it; None where nothing it recorded can fail it."""
        facts = turn.facts()
        if not self._judges or self._terms.accepts_all:
            self.pending.append(self._contribution(turn, rests_on, facts))
            return None
        comparison = self._terms.compare(turn.subject, facts, turn.overlay)
        self.pending.append(self._contribution(turn, rests_on, facts, comparison=comparison))
        drifts = self._drifts_around(rests_on) if comparison.drifts else ()
        return judge(self._terms, turn.subject, comparison, drifts)

    def around(self, turn: Turn, rests_on: tuple[str, ...]) -> Mapping[str, Facts]:
        """The facts of a test and of what it rests on."""
        fixtures = {name: self._facts[name] for name in rests_on}
        return {turn.subject: turn.facts(), SESSION: self._around.environment, **fixtures}

    def failed(self, turn: Turn, rests_on: tuple[str, ...]) -> tuple[Explanation, ...]:
        """Take what a test had recorded when it failed by itself: its baseline is kept.

        Returns:
            What had drifted before.
        """
        self.pending.append(self._contribution(turn, rests_on, complete=False))
        if self._terms.baseline is None or not self._judges:
            return ()
        own = self._terms.compare(turn.subject, turn.facts(), turn.overlay).drifts
        drifts = [each for each in (*own, *self._drifts_around(rests_on)) if each.kind == "changed"]
        return explain(drifts, tolerance=self._terms.tolerance)

    def failed_silently(self, subject: str, rests_on: tuple[str, ...]) -> None:
        """A test that recorded nothing failed: what it rests on must not be accepted."""
        if rests_on:
            self.pending.append(Contribution(subject, complete=False, rests_on=rests_on))

    def _drifts_around(self, rests_on: tuple[str, ...]) -> tuple[Drift, ...]:
        known = [self._comparisons[name] for name in rests_on]
        fixtures = [drift for each in known for drift in (*each.drifts, *each.beneath)]
        session = self._terms.compare(SESSION, self._around.environment, {}).drifts
        return (*fixtures, *(drift for drift in session if drift.kind != "removed"))

    def _sorted(self, uses: frozenset[str]) -> tuple[str, ...]:
        # All tests of a file use the same.
        if uses not in self._uses:
            self._uses[uses] = tuple(sorted(uses))
        return self._uses[uses]

    def _contribution(
        self,
        turn: Turn,
        rests_on: tuple[str, ...],
        facts: Facts | None = None,
        *,
        complete: bool = True,
        is_test: bool = True,
        comparison: Comparison | None = None,
    ) -> Contribution:
        uses = self._around.uses(turn.recording)
        return Contribution(
            turn.subject,
            turn.facts() if facts is None else facts,
            complete=complete,
            overlay=turn.overlay,
            rests_on=rests_on,
            uses=self._sorted(uses),
            environment=self._around.news(uses),
            is_test=is_test,
            comparison=comparison,
        )
