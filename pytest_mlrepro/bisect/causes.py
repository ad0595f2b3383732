"""Which of many changes make a result drift: the smallest sets that do."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic

from pytest_mlrepro.bisect.delta import ddmin
from pytest_mlrepro.bisect.halving import PATIENCE, boundary
from pytest_mlrepro.bisect.outcomes import Item, Outcome, Test

MOST = 4
"""How many causes are looked for, of which each suffices."""


@dataclass(frozen=True, slots=True)
class Cause(Generic[Item]):
    """Changes that together make the result drift.

    Attributes:
        changes: in the order in which they were given.
        companions: those among them that are there only because others cannot be made without them.
        without: what is left of the drift when one of them is left out, with what needs it; where they are several.
        alone: what the companions lead to by themselves, where there are any.
    """

    changes: tuple[Item, ...]
    companions: frozenset[Item] = frozenset()
    without: Mapping[Item, Outcome] = field(default_factory=dict)
    alone: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Causes(Generic[Item]):
    """All that was found.

    Attributes:
        found: of which each suffices, in the order in which they were found.
        rest: what the changes lead to that are in none of them: ``drifts`` where the search ended before them.
    """

    found: tuple[Cause[Item], ...]
    rest: Outcome


class Search(Generic[Item]):
    """The search in one set of changes."""

    def __init__(
        self,
        changes: Sequence[Item],
        test: Test[Item],
        needs: Mapping[Item, Collection[Item]] | None = None,
        patience: int = PATIENCE,
    ) -> None:
        """Make one.

        Args:
            changes: all of them together drift, none of them holds.
            test: says what some lead to; never asked of a set that lacks what one of its members needs.
            needs: changes that one cannot be made without.
            patience: see ``boundary``.
        """
        self._needs = {each: frozenset(dict(needs or {}).get(each, ())) - {each} for each in changes}
        self._changes = ordered(changes, self._needs)
        self._asked = test
        self._patience = patience

    def causes(self, most: int = MOST) -> Causes[Item]:
        """Find one, then what else drifts without it, and so on."""
        found: list[Cause[Item]] = []
        rest, outcome = self._changes, "drifts"
        while outcome == "drifts" and len(found) < most:
            found.append(self._cause(rest))
            gone = self._with_dependents(found[-1].changes, rest)
            rest = tuple(each for each in rest if each not in gone)
            outcome = self._test(frozenset(rest)) if rest else "holds"
        return Causes(tuple(found), outcome)  # type: ignore[arg-type]

    def _cause(self, changes: Sequence[Item]) -> Cause[Item]:
        chosen, kept = self._grown(changes)
        kept = self._pruned(kept)
        chosen = frozenset(self._tops(kept, chosen))
        without = {}
        if len(chosen) > 1:
            for each in sorted(chosen, key=changes.index):
                without[each] = self._test(kept - self._with_dependents([each], kept))
        companions = kept - chosen
        return Cause(
            tuple(each for each in changes if each in kept),
            companions,
            without,
            self._test(companions) if companions else None,
        )

    def _grown(self, changes: Sequence[Item]) -> tuple[frozenset[Item], frozenset[Item]]:
        """Changes that drift together: each time the last of the shortest beginning that does, with those before.

        Each costs a binary search, so that one cause among n takes no more than log2(n) questions and one to see that
        it suffices.
        """
        chosen: frozenset[Item] = frozenset()
        kept: frozenset[Item] = frozenset()
        left = [*changes]
        while left and (not kept or self._test(kept) != "drifts"):
            context, row = kept, tuple(left)
            found = boundary(
                0,
                len(row),
                lambda place, context=context, row=row: self._test(context | {*row[:place]}),  # type: ignore[misc]
                patience=self._patience,
            )
            before = context | {*row[: found.holds]}
            block = row[found.holds : found.drifts]
            if len(block) > 1:
                block = ddmin(block, lambda some, before=before: self._closed_test(before, some))  # type: ignore[misc]
            chosen |= {*block}
            kept |= self._closed(block)
            left = [each for each in row[: found.holds] if each not in kept]
        return chosen, kept

    def _pruned(self, kept: frozenset[Item]) -> frozenset[Item]:
        """Without what can be left out after all, as it may where there were no answers, or not monotone ones."""
        again = True
        while again:
            again = False
            for each in self._tops(kept):
                fewer = kept - self._with_dependents([each], kept)
                if fewer and self._test(fewer) == "drifts":
                    kept, again = fewer, True
                    break
        return kept

    def _tops(self, kept: frozenset[Item], liked: frozenset[Item] = frozenset()) -> Iterator[Item]:
        """Those that no other needs; of some that need each other one, a liked one first."""
        seen: set[Item] = set()
        for each in sorted(kept, key=lambda one: (one not in liked, self._changes.index(one))):
            above = self._with_dependents([each], kept)
            if each not in seen and all(self._closed([other]) == self._closed([each]) for other in above):
                seen |= above
                yield each

    def _test(self, some: frozenset[Item]) -> Outcome:
        return self._asked(some) if self._closed(some) == some else "unresolved"

    def _closed_test(self, before: frozenset[Item], some: frozenset[Item]) -> Outcome:
        return self._test(before | self._closed(some))

    def _closed(self, some: Iterable[Item]) -> frozenset[Item]:
        return closed(some, self._needs)

    def _with_dependents(self, some: Iterable[Item], among: Iterable[Item]) -> frozenset[Item]:
        """With all among others that need them."""
        gone = frozenset(some)
        return gone | {each for each in among if self._closed([each]) & gone}


def closed(some: Iterable[Item], needs: Mapping[Item, Collection[Item]]) -> frozenset[Item]:
    """Changes with all that they need."""
    found: set[Item] = set()
    waiting = [*some]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += needs.get(each, ())
    return frozenset(found)


def ordered(changes: Sequence[Item], needs: Mapping[Item, Collection[Item]]) -> tuple[Item, ...]:
    """The changes with what each needs before it, else as they were; those that need each other in a row."""
    reach = {each: closed([each], needs) for each in changes}
    found: dict[Item, None] = {}

    def take(each: Item) -> None:
        if each in found:
            return
        for other in changes:
            if reach[other] < reach[each]:
                take(other)
        found.update(dict.fromkeys(other for other in changes if reach[other] == reach[each]))

    for each in changes:
        take(each)
    return tuple(found)
