"""Merge two lockfiles that come from a third, fact by fact.

What is merged is what each environment is compared with: whether a side stores a value as shared or as an
environment's own makes no difference. Facts are the same where they are written alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from pytest_mlrepro.lockfile import toml
from pytest_mlrepro.lockfile.facts import encode_fact
from pytest_mlrepro.model import Fact, Run

_Place: TypeAlias = "tuple[str, str]"
_Facts: TypeAlias = "Mapping[_Place, Fact]"
_Held = TypeVar("_Held")
_Sides: TypeAlias = "tuple[Fact | None, Fact | None, Fact | None]"


@dataclass(frozen=True, slots=True)
class Clash:
    """A fact that both sides changed differently; None where a side does not have it.

    Attributes:
        subject, address: of the fact.
        base, ours, theirs: the fact on each side.
        environments: in which it clashes; empty for all that there are.
    """

    subject: str
    address: str
    base: Fact | None
    ours: Fact | None
    theirs: Fact | None
    environments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Merged:
    """Both sides in one; where they clash, ours."""

    run: Run
    clashes: tuple[Clash, ...] = ()


def merge(base: Run, ours: Run, theirs: Run) -> Merged:
    """Merge two runs that were made of a third; traces are left out."""
    shared, clashes = _picked(_flat(base), _flat(ours), _flat(theirs))
    names = _names(base, ours, theirs)
    if not names:
        return Merged(Run(_nested(shared)), tuple(_told({"": clashes})))
    views: dict[str, dict[_Place, Fact]] = {}
    found: dict[str, dict[_Place, _Sides]] = {}
    for name in names:
        views[name], found[name] = _view(name, base, ours, theirs, shared)
    orphans = _orphans(shared, views)
    for side in (ours, theirs):
        # What a side keeps so, nobody has left in this merge.
        orphans -= _orphans(_flat(side), {name: _flat(side.view(name)) for name in side.environments})
    for place in orphans:
        _put(shared, place, views[names[0]].get(place))
    own = {name: _nested(_own(shared, view)) for name, view in views.items()}
    return Merged(Run(_nested(shared), environments=own), tuple(_told(found)))


def is_same(left: Fact | None, right: Fact | None) -> bool:
    """Whether two facts are written alike."""
    if left is None or right is None or left is right:
        return left is right
    return toml.text(encode_fact(left)) == toml.text(encode_fact(right))


def _names(base: Run, ours: Run, theirs: Run) -> list[str]:
    """The environments of the result: those that a side added, and those that no side took away."""
    mine, other, before = (set(run.environments) for run in (ours, theirs, base))
    return sorted((mine & other) | (mine - before) | (other - before))


def _flat(run: Run) -> _Facts:
    return {(subject, fact.address): fact for subject, fact in run}


def _picked(base: _Facts, ours: _Facts, theirs: _Facts) -> tuple[dict[_Place, Fact], dict[_Place, _Sides]]:
    """Every fact of the side that changed it, and what both changed differently."""
    merged: dict[_Place, Fact] = {}
    clashes: dict[_Place, _Sides] = {}
    for place in base.keys() | ours.keys() | theirs.keys():
        was, mine, other = base.get(place), ours.get(place), theirs.get(place)
        changed_here, changed_there = not is_same(was, mine), not is_same(was, other)
        if changed_here and changed_there and not is_same(mine, other):
            clashes[place] = (was, mine, other)
        _put(merged, place, mine if changed_here else other)
    return merged, clashes


def _view(
    name: str, base: Run, ours: Run, theirs: Run, shared: _Facts
) -> tuple[dict[_Place, Fact], dict[_Place, _Sides]]:
    """What an environment is compared with, and what clashes in it."""
    before, mine, other = (_flat(run.view(name)) for run in (base, ours, theirs))
    known = [run for run in (ours, theirs) if name in run.environments]
    if name in base.environments or len(known) == 2:
        return _picked(before, mine, other)
    stranger = theirs if known == [ours] else ours
    if not stranger.environments:
        # A lockfile without names belongs to every environment.
        return _picked(before, mine, other)
    own, foreign = (mine, other) if known == [ours] else (other, mine)
    return _newcomer(before, own, foreign, shared), {}


def _newcomer(before: _Facts, own: _Facts, foreign: _Facts, shared: _Facts) -> dict[_Place, Fact]:
    """What an environment is compared with that one side alone knows.

    What the other side accepted of tests that it knows was accepted for others; new tests are new for all.
    """
    subjects = {subject for subject, _ in own}
    gone = {subject for subject, _ in before} - {subject for subject, _ in foreign}
    view = {place: fact for place, fact in shared.items() if place[0] not in subjects}
    for place, fact in own.items():
        if place[0] not in gone or not is_same(before.get(place), fact):
            view[place] = fact
    return view


def _orphans(shared: _Facts, views: Mapping[str, _Facts]) -> set[_Place]:
    """Where no environment is compared with what is shared any more."""
    places = {*shared, *(place for view in views.values() for place in view)}
    return {
        place
        for place in places
        if views and not any(is_same(shared.get(place), view.get(place)) for view in views.values())
    }


def _own(shared: _Facts, view: _Facts) -> dict[_Place, Fact | None]:
    return {
        place: view.get(place)
        for place in shared.keys() | view.keys()
        if not is_same(shared.get(place), view.get(place))
    }


def _put(facts: dict[_Place, Fact], place: _Place, fact: Fact | None) -> None:
    facts.pop(place, None)
    if fact is not None:
        facts[place] = fact


def _nested(facts: Mapping[_Place, _Held]) -> dict[str, dict[str, _Held]]:
    tree: dict[str, dict[str, _Held]] = {}
    for (subject, address), fact in facts.items():
        tree.setdefault(subject, {})[address] = fact
    return tree


def _told(found: Mapping[str, Mapping[_Place, _Sides]]) -> Iterator[Clash]:
    """The clashes of all environments, one for those that clash alike."""
    for subject, address in sorted({place for clashes in found.values() for place in clashes}):
        groups: list[tuple[_Sides, list[str]]] = []
        for name, clashes in found.items():
            sides = clashes.get((subject, address))
            if sides is None:
                continue
            alike = next((names for one, names in groups if all(map(is_same, one, sides))), None)
            if alike is None:
                groups.append((sides, [name]))
            else:
                alike.append(name)
        for sides, names in groups:
            yield Clash(subject, address, *sides, () if len(names) == len(found) else tuple(names))
