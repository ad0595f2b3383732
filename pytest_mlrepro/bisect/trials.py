"""Replays of states, and what each says of the result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from pytest_mlrepro.bisect.outcomes import Outcome
from pytest_mlrepro.bisect.states import State
from pytest_mlrepro.comparison import room
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.model import SESSION, Drift, Fact, Run
from pytest_mlrepro.replay import Change, Replay

Place: TypeAlias = tuple[str, str]
"""Subject and address of a result."""

_RESULTS = "results"
_NOTHING = "the test records no result"
_RAISED = ("failed", "error")


@dataclass(frozen=True, slots=True)
class Judged:
    """What a replay says.

    Attributes:
        outcome: whether a result that is looked at drifts.
        reason: why that cannot be told, where it cannot.
        results: by place.
        drifts: from the baseline, of the results that are looked at.
        beside: how many other results drift.
    """

    outcome: Outcome
    reason: str = ""
    results: Mapping[Place, Fact] = field(default_factory=dict)
    drifts: tuple[Drift, ...] = ()
    beside: int = 0


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges replays by the baseline.

    Attributes:
        terms: with the accepted run.
        subjects: whose results count.
        targets: the results that are looked at; empty for all.
    """

    terms: Terms
    subjects: tuple[str, ...]
    targets: frozenset[Place] = frozenset()

    def judge(self, replay: Replay) -> Judged:
        """What a replay says."""
        run = heard(replay)
        results = results_of(run, self.subjects)
        if reason := silence(replay) or ("" if results else _NOTHING):
            return Judged("unresolved", reason)
        drifts = [drift for subject in self.subjects for drift in self._drifts(replay, run, subject)]
        meant = tuple(each for each in drifts if not self.targets or place_of(each) in self.targets)
        if not meant and (reason := raised(replay)) and not (self.targets and self.targets <= results.keys()):
            # What it had not recorded yet may have drifted.
            return Judged("unresolved", reason, results)
        return Judged("drifts" if meant else "holds", "", results, meant, len(drifts) - len(meant))

    def _drifts(self, replay: Replay, run: Run, subject: str) -> Iterator[Drift]:
        if not run.facts(subject):
            return
        is_partial = subject in replay.witness.partial
        for drift in self.terms.compare(subject, run.facts(subject), {}).drifts:
            counts = drift.facet == _RESULTS and drift.policy in ("fail", "warn")
            if counts and not (is_partial and drift.kind == "removed"):
                yield drift

    def differ(self, one: Judged, other: Judged) -> bool:
        """Whether two replays contradict each other: one drifts and the other does not, or not to the same values."""
        if "unresolved" in (one.outcome, other.outcome) or one.outcome != other.outcome:
            return one.outcome != other.outcome
        return one.outcome == "drifts" and any(
            self._apart(one.results.get(place), other.results.get(place))
            for place in {place_of(each) for each in (*one.drifts, *other.drifts)}
        )

    def _apart(self, one: Fact | None, other: Fact | None) -> bool:
        if one is None or other is None:
            return one is not other
        return room(one.facet).rung(one, other, self.terms.tolerance) == "drift"


def heard(replay: Replay) -> Run:
    """What was recorded, also by tests that failed afterwards: a metric that moved may well fail an assertion."""
    return Run({**replay.witness.partial.subjects, **replay.run.subjects})


def silence(replay: Replay) -> str:
    """Why a replay says nothing of any result; empty where it does."""
    if replay.problem or any(fact.facet == _RESULTS for _, fact in heard(replay)):
        return replay.problem
    endings = {each.ending for each in replay.witness.outcomes.values()}
    return raised(replay) or ("the test is skipped" if endings == {"skipped"} else _NOTHING)


def raised(replay: Replay) -> str:
    """Which test raised, and what; empty where none did."""
    for name, outcome in replay.witness.outcomes.items():
        if outcome.ending in _RAISED:
            return f"{name} raises: {outcome.message}".rstrip(": ")
    return ""


def place_of(drift: Drift) -> Place:
    """Where a drift is."""
    return drift.subject, drift.address


def results_of(run: Run, subjects: Iterable[str]) -> dict[Place, Fact]:
    """The results of some subjects."""
    return {
        (subject, address): fact
        for subject in subjects
        if subject != SESSION
        for address, fact in run.facts(subject).items()
        if fact.facet == _RESULTS
    }


@dataclass(frozen=True, slots=True)
class Trial:
    """One replay of a state.

    Attributes:
        number: from 1 on, in the order in which they were asked for.
        state: None for everything as it is, in the environment that is there.
        replay: what it gave.
        judged: what that says.
        again: whether it only repeats another one, to see whether the same comes out.
    """

    number: int
    state: State | None
    replay: Replay
    judged: Judged
    again: bool = False


Replays: TypeAlias = Callable[[Sequence[Change]], Sequence[Replay]]


class Trials:
    """Asks for replays of states, and remembers what they said.

    Attributes:
        judge: of the replays.
        all: of them, in the order in which they were asked for.
        expected: about how many are still to come, as far as whoever searches can say.
    """

    def __init__(self, replays: Replays, change: Callable[[State, int], Change], judge: Judge) -> None:
        """Make one.

        Args:
            replays: makes them.
            change: what makes up a state; the number tells repetitions of it apart.
            judge: of them.
        """
        self._replays = replays
        self._change = change
        self.judge = judge
        self.all: list[Trial] = []
        self.expected = 0
        self._known: dict[State, Trial] = {}

    def note(self, state: State | None, replay: Replay, *, again: bool = False) -> Trial:
        """Take a replay that was made already."""
        trial = Trial(len(self.all) + 1, state, replay, self.judge.judge(replay), again)
        self.all.append(trial)
        if state is not None and not again:
            self._known[state] = trial
        return trial

    def twice(self, states: Sequence[State]) -> tuple[tuple[Trial, Trial], ...]:
        """Each state replayed two times, all side by side; those that were replayed already, once more."""
        asked = [
            (state, number) for state in states for number in (0, 1) if number or state not in self._known
        ]
        made = self._replays([self._change(*each) for each in asked])
        again: dict[State, Trial] = {}
        for (state, number), replay in zip(asked, made, strict=True):
            trial = self.note(state, replay, again=bool(number))
            if number:
                again[state] = trial
        return tuple((self._known[state], again[state]) for state in states)

    def trial(self, state: State) -> Trial:
        """A state replayed, or as it was before."""
        if state not in self._known:
            self.expected = max(0, self.expected - 1)
            (made,) = self._replays([self._change(state, 0)])
            self.note(state, made)
        return self._known[state]

    def outcome(self, state: State) -> Outcome:
        """What a state leads to."""
        return self.trial(state).judged.outcome

    def outcomes(self) -> dict[State, Outcome]:
        """What all states led to that were asked for."""
        return {state: trial.judged.outcome for state, trial in self._known.items()}
