"""What makes up a state: files composed of two commits, versions, variables and a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pytest_mlrepro.bisect.causes import Search
from pytest_mlrepro.bisect.elements import Element, kind_of
from pytest_mlrepro.bisect.outcomes import Outcome
from pytest_mlrepro.bisect.search import Row
from pytest_mlrepro.bisect.states import State, as_now
from pytest_mlrepro.replay import Change, Checkouts, Index

_LIBRARIES = "libraries."
_ENVIRON = "environ."


@dataclass(frozen=True)
class Mixtures:
    """Makes changes of states.

    Attributes:
        elements: all that differs.
        checkouts: of the project; not asked where no file differs.
        good, bad: the commits of then and now, the second one of the working folder where that is now.
        head: the last commit of now.
        index: where releases come from.
        packages: what every environment has besides the libraries that differ; None where none does, and everything
            is replayed in the environment that is there.
        without: files that are as then in every state: the lockfile.
    """

    elements: Sequence[Element]
    checkouts: Checkouts
    good: str
    bad: str
    head: str
    index: Index
    packages: tuple[str, ...] | None = None
    without: frozenset[str] = frozenset()

    def change(self, state: State, repeat: int = 0) -> Change:
        """The change that makes the project as a state has it.

        Raises:
            MlreproError: for a level that there is not.
        """
        levels = dict(state)
        variables: dict[str, str | None] = {}
        commit, seed = "", None
        if any(each.paths for each in self.elements):
            commit = self._commit(levels)
        for each in self.elements:
            value = _value(each, levels)
            if each.kind == "variable" and each.name not in levels:
                # As now is what every process gets anyway.
                variables[each.name.removeprefix(_ENVIRON)] = value
            elif each.kind == "seed" and value is not None:
                seed = int(value)
        return Change(
            seed=seed,
            packages=None if self.packages is None else self.requirements(state),
            commit=commit,
            repeat=repeat,
        ).setenv(variables)

    def _commit(self, levels: Mapping[str, str]) -> str:
        commit = self.good
        for each in self.elements:
            if not each.paths or each.name not in levels:
                continue
            level = levels[each.name]
            if not level:
                commit = self.checkouts.composed(commit, each.paths, self.bad)
            else:
                other = self.checkouts.resolve(level)
                commit = self.checkouts.composed(commit, self._paths(each), other)
        return commit

    def rows(self, element: Element) -> Row:
        """The levels of an element between then and now, oldest first: releases, or commits.

        Raises:
            ReplayError: if the index, or git, cannot be asked.
        """
        if element.kind == "library":
            return Row(tuple(self._releases(element)), element.now or "")
        paths = frozenset(self._paths(element))
        commits = [commit for commit, files in self._touched if not paths.isdisjoint(files)]
        if commits and paths.isdisjoint(self.checkouts.changed(commits[-1], self.bad)):
            # Nothing was done to these files since: the last commit is what is there now.
            return Row(tuple(commits[:-1]), commits[-1])
        return Row(tuple(commits))

    @cached_property
    def _touched(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The commits between then and now, each with its files."""
        return self.checkouts.touched(self.good, self.head)

    def _paths(self, element: Element) -> tuple[str, ...]:
        """Of code also the files that came and went between: what was there then may need them."""
        if element.kind != "source":
            return element.paths
        between = {path for _, files in self._touched for path in files if kind_of(path) == "source"}
        return tuple(sorted((between | {*element.paths}) - self.without))

    def _releases(self, element: Element) -> Sequence[str]:
        from packaging.version import Version

        assert element.then is not None
        assert element.now is not None
        name = element.name.removeprefix(_LIBRARIES)
        if Version(element.then) <= Version(element.now):
            return self.index.releases(name, element.then, element.now)
        return self.index.releases(name, element.now, element.then)[::-1]

    def requirements(self, state: State) -> tuple[str, ...]:
        """What an environment is asked for in a state."""
        levels = dict(state)
        found = [*(self.packages or ())]
        for each in self.elements:
            value = _value(each, levels)
            if each.kind == "library" and value is not None:
                found.append(f"{each.name.removeprefix(_LIBRARIES)}=={value}")
        return tuple(found)


def _value(element: Element, levels: Mapping[str, str]) -> str | None:
    """What it is in a state: a version, a value or a seed; None for none."""
    if element.name not in levels:
        return element.then
    return levels[element.name] or element.now


def needs(mixtures: Mixtures) -> dict[str, frozenset[str]]:
    """The libraries that one cannot be as now without, where the others are as then; by name, as far as there are any.

    Raises:
        ReplayError: if the index cannot be asked.
    """
    names = [each.name for each in mixtures.elements if each.kind == "library"]
    known: dict[frozenset[str], Outcome] = {}

    def test(some: frozenset[str]) -> Outcome:
        if some not in known:
            clash = mixtures.index.clash(mixtures.requirements(as_now(some)))
            known[some] = "holds" if clash else "drifts"
        return known[some]

    if len(names) < 2 or test(frozenset()) == "holds" or test(frozenset(names)) == "holds":
        return {}
    found = {}
    for name in names:
        if test(frozenset({name})) == "drifts":
            continue
        others = [each for each in names if each != name]
        enough = Search(others, lambda some, name=name: test(some | {name})).causes(1)  # type: ignore[misc]
        found[name] = frozenset(enough.found[0].changes)
    return found
