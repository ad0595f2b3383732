"""The search for what makes a result drift, from the first doubt to the first commit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, TypeAlias

from pytest_mlrepro.bisect.causes import Cause, Causes, Search
from pytest_mlrepro.bisect.elements import Element
from pytest_mlrepro.bisect.halving import Boundary, boundary
from pytest_mlrepro.bisect.outcomes import Outcome, contradictions
from pytest_mlrepro.bisect.states import THEN, State, as_now
from pytest_mlrepro.bisect.trials import Trial, Trials
from pytest_mlrepro.errors import ReplayError

_SOME = 16
"""How many levels are expected between then and now before anybody knows."""

Verdict: TypeAlias = Literal["found", "holds", "flaky", "elsewhere"]


@dataclass(frozen=True, slots=True)
class Row:
    """What an element was on its way.

    Attributes:
        between: the levels between then and now, oldest first.
        now: the name of the level that is now; empty where it has none, such as files that nobody has committed.
    """

    between: tuple[str, ...] = ()
    now: str = ""


Rows: TypeAlias = Callable[[Element], Row]
"""Says what an element was."""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Where between then and now an element begins to make the result drift.

    Attributes:
        element: which.
        row: its levels: then (empty), those between, now (empty).
        now: the name of the last level, where it has one.
        found: the two places in the row.
        earlier, later: places outside the two that contradict them: they drift before, or hold after. The history of
            the result is not monotone.
        before: what the level before it leads to; ``holds``, but where it is the first and could not be told.
        moved: whether the drift at the first level that drifts is not the one of now: something moved it again.
        problem: why the levels between are not known; empty where they are.
    """

    element: Element
    row: tuple[str, ...]
    now: str
    found: Boundary
    earlier: tuple[int, ...] = ()
    later: tuple[int, ...] = ()
    before: Outcome = "holds"
    moved: bool = False
    problem: str = ""

    @property
    def holds(self) -> str:
        """The level before it begins; empty for then."""
        return self.row[self.found.holds]

    @property
    def drifts(self) -> str:
        """The level with which it begins; empty for a nameless now."""
        return self.row[self.found.drifts] or self.now


@dataclass(frozen=True, slots=True)
class Culprit:
    """A cause, and where each of its elements begins to be one.

    Attributes:
        cause: the names of its elements.
        narrowed: those that have levels, where the search for them made sense.
        decisive: two states that differ in one thing: the first holds, or is unresolved, and the second drifts.
        is_whole: whether it makes the result what it is now; otherwise other changes move it too.
    """

    cause: Cause[str]
    narrowed: tuple[Narrowed, ...]
    decisive: tuple[State, State]
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of it.

    Attributes:
        verdict: in a word.
        culprits: where something was found; each suffices.
        rest: what is left without them all.
        masked: pairs of sets of names: the smaller drifts, the larger holds.
        why: a sentence, where nothing was found.
    """

    verdict: Verdict
    culprits: tuple[Culprit, ...] = ()
    rest: Outcome = "holds"
    masked: tuple[tuple[frozenset[str], frozenset[str]], ...] = ()
    why: str = ""


def doubts(trials: Trials, elements: Sequence[Element]) -> Finding | None:
    """See whether there is anything to look for: then must hold and now drift, whenever they are asked.

    Raises:
        ReplayError: if one of the two cannot be told.
    """
    if not elements:
        return Finding("elsewhere", why="nothing that a replay can change differs between then and now")
    everything = as_now(each.name for each in elements)
    now, then = trials.twice([everything, THEN])
    for name, pair in (("now", now), ("then", then)):
        if trials.judge.differ(pair[0].judged, pair[1].judged):
            return Finding("flaky", why=f"two replays of everything as {name} differ: {_two(pair)}")
        if pair[0].judged.outcome == "unresolved":
            raise ReplayError(
                f"everything as {name} cannot be judged",
                where="bisect",
                said=tuple(f"  {each}" for each in pair[0].judged.reason.splitlines()),
                remedy="name another state: --good REV, --bad REV",
            )
    if now[0].judged.outcome == "holds":
        return Finding(
            "elsewhere",
            why="it drifts here, but not where everything that is recorded is made up again as it is now: what "
            "matters is not recorded, such as another build of a library, or a file that git does not keep",
        )
    if then[0].judged.outcome == "drifts":
        return Finding(
            "elsewhere",
            why="the state in which the baseline was accepted drifts here as well, with everything that is recorded "
            "made up again as it was then: what matters cannot be replayed",
        )
    return None


def _two(pair: tuple[Trial, Trial]) -> str:
    return f"numbers {pair[0].number} and {pair[1].number}"


def search(
    trials: Trials, elements: Sequence[Element], needs: Mapping[str, Collection[str]], rows: Rows
) -> Finding:
    """Find the causes, and where in the history of each they begin.

    Args:
        trials: which have seen that then holds and now drifts.
        elements: all that differs, the likeliest cause first.
        needs: by name, those that one cannot be made without.
        rows: the levels between then and now.
    """
    by_name = {each.name: each for each in elements}
    trials.expected = _questions(len(elements)) + (
        _questions(_SOME) if any(map(_has_levels, elements)) else 0
    )
    causes: Causes[str] = Search([*by_name], lambda names: trials.outcome(as_now(names)), needs).causes()
    culprits = []
    for cause in causes.found:
        narrowed = tuple(
            _narrowed(trials, cause, by_name[name], rows)
            for name in cause.changes
            if name not in cause.companions and by_name[name].has_levels
        )
        alone, now = (trials.trial(as_now(names)).judged for names in (cause.changes, by_name))
        culprits.append(
            Culprit(cause, narrowed, _decisive(cause, narrowed), not trials.judge.differ(alone, now))
        )
    whole = {
        frozenset(name for name, _ in state): outcome
        for state, outcome in trials.outcomes().items()
        if not any(level for _, level in state)
    }
    return Finding("found", tuple(culprits), causes.rest, contradictions(whole))


def _questions(number: int) -> int:
    """About how many replays tell which of so many it is, and that it is."""
    return (number - 1).bit_length() + 2 if number > 1 else 0


def _has_levels(element: Element) -> bool:
    return element.has_levels


def _decisive(cause: Cause[str], narrowed: Sequence[Narrowed]) -> tuple[State, State]:
    if narrowed:
        first = narrowed[0]
        return _at(cause, first, first.found.holds), _at(cause, first, first.found.drifts)
    left_out = next(name for name in reversed(cause.changes) if name not in cause.companions)
    return as_now(name for name in cause.changes if name != left_out), as_now(cause.changes)


def _at(cause: Cause[str], narrowed: Narrowed, place: int) -> State:
    return _placed(cause, narrowed.element.name, narrowed.row, place)


def _placed(cause: Cause[str], name: str, row: Sequence[str], place: int) -> State:
    others = as_now(each for each in cause.changes if each != name)
    return others if place == 0 else others | {(name, row[place])}


def _narrowed(trials: Trials, cause: Cause[str], element: Element, rows: Rows) -> Narrowed:
    problem = ""
    told = Row()
    try:
        told = rows(element)
    except ReplayError as error:
        problem = "\n".join((error.what, *error.said))
    row = ("", *told.between, "")

    def test(place: int) -> Outcome:
        return trials.outcome(_placed(cause, element.name, row, place))

    trials.expected = _questions(len(row) - 1)
    found = boundary(0, len(row) - 1, test)
    asked = {0, len(row) - 1, *found.asked}
    outcomes = {place: test(place) for place in found.asked}
    probed = {place: test(place) for place in _probes(found, asked, len(row))}
    outcomes |= probed
    earlier = tuple(
        sorted(place for place, told in probed.items() if place < found.holds and told == "drifts")
    )
    if earlier:
        # The first that drifts is wanted, and this is a sooner one.
        start = max(
            (place for place, told in outcomes.items() if place < earlier[0] and told == "holds"), default=0
        )
        sooner = boundary(start, earlier[0], test)
        outcomes |= {place: test(place) for place in sooner.asked}
        found = replace(sooner, asked=tuple(sorted({*outcomes})))
    else:
        found = replace(found, asked=tuple(sorted({*outcomes})))
    return Narrowed(
        element,
        row,
        told.now,
        found,
        earlier,
        tuple(sorted(place for place, told in outcomes.items() if place > found.drifts and told == "holds")),
        test(found.holds),
        _is_moved(trials, cause, element.name, row, found.drifts),
        problem,
    )


def _probes(found: Boundary, asked: set[int], length: int) -> list[int]:
    """A place in the middle of what was not asked before, and one after: a row that is not monotone may show there."""
    chosen = []
    for low, high in ((0, found.holds), (found.drifts, length - 1)):
        known = sorted(place for place in asked if low <= place <= high)
        gaps = [(later - sooner, sooner) for sooner, later in pairwise(known)]
        width, start = max(gaps, default=(0, 0))
        if width > 1:
            chosen.append(start + width // 2)
    return chosen


def _is_moved(trials: Trials, cause: Cause[str], name: str, row: Sequence[str], place: int) -> bool:
    first, last = (trials.trial(_placed(cause, name, row, each)).judged for each in (place, len(row) - 1))
    return first.outcome == last.outcome == "drifts" and trials.judge.differ(first, last)
