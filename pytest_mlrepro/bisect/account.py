"""All that is told of a search, before it is written as text or JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pytest_mlrepro.bisect.elements import Element
from pytest_mlrepro.bisect.search import Finding
from pytest_mlrepro.bisect.states import State, spec
from pytest_mlrepro.bisect.trials import Place, Trial
from pytest_mlrepro.history.repository import short
from pytest_mlrepro.model import Fact


@dataclass(frozen=True, slots=True)
class Account:
    """What was found, and from what.

    Attributes:
        test: as it was named.
        good, bad: what then and now are: a commit with its title, or the working folder.
        elements: that differ.
        unchanged: what differs too and cannot be replayed, a sentence each.
        baseline: the accepted results that are looked at, by place.
        finding: what came of it; None where states were only replayed.
        trials: all replays, in the order in which they were asked for.
        command: that asks for states again, without the states.
        title: of a commit.
    """

    test: str
    good: str
    bad: str
    elements: Sequence[Element]
    unchanged: Sequence[str]
    baseline: dict[Place, Fact]
    finding: Finding | None
    trials: Sequence[Trial]
    command: Sequence[str]
    title: Callable[[str], str] = field(default=lambda _: "")

    def level(self, element: Element, level: str, *, then: bool = False) -> str:
        """A level of an element, as people call it."""
        if element.paths:
            if level:
                return f"{short(level)} {self.title(level)}".rstrip()
            return self.good if then else self.bad
        return level or str(element.then if then else element.now)

    def state(self, state: State | None) -> str:
        """A state, as people call it."""
        if state is None:
            return "as it is here"
        if not state:
            return "everything as then"
        levels = dict(state)
        if len(self.elements) > 1 and len(levels) == len(self.elements) and not any(levels.values()):
            return "everything as now"
        told = [self._part(each, levels[each.name]) for each in self.elements if each.name in levels]
        if len(told) > 3:
            return f"{', '.join(told[:2])} and {len(told) - 2} more as now"
        return ", ".join(told)

    def _part(self, element: Element, level: str) -> str:
        if element.paths:
            return f"{element.name} at {short(level)}" if level else f"{element.name} as now"
        if element.kind == "variable" and not level and element.now is None:
            return f"{element.name} not set"
        return f"{element.name} {level or element.now or 'gone'}"

    def repeating(self, states: Sequence[State]) -> tuple[str, ...]:
        """The command that replays some states again."""
        words = [word for state in states for word in ("--replay", spec(_short(state), self.elements))]
        return (*self.command, *words)

    @property
    def seconds(self) -> float:
        """What the replays took, those that were remembered left out."""
        return sum(each.replay.seconds for each in self.trials if not each.replay.remembered)


def _short(state: State) -> State:
    """With commits as people write them."""
    return frozenset((name, short(level) if _is_commit(level) else level) for name, level in state)


def _is_commit(level: str) -> bool:
    return len(level) in (40, 64) and all(letter in "0123456789abcdef" for letter in level)
