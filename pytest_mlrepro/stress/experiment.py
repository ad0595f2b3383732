"""Which replays to make, and what follows from them: everything at once, then one change at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from pytest_mlrepro.errors import ReplayError
from pytest_mlrepro.guard import Site
from pytest_mlrepro.guard.site import CLOCK
from pytest_mlrepro.model import DEFAULT_TOLERANCE, Tolerance
from pytest_mlrepro.replay import Change, Replay
from pytest_mlrepro.stress import verdict
from pytest_mlrepro.stress.differences import Difference, differences, failed, subjects, violates
from pytest_mlrepro.stress.findings import Stressed, Varied
from pytest_mlrepro.stress.perturbations import ALONE, ORDER, PROCESS, Perturbation, only, pinned, together
from pytest_mlrepro.stress.search import Search

Replays: TypeAlias = Callable[[Sequence[Change], str], Sequence[Replay]]
"""Makes replays, in the order asked, and says meanwhile what they are for."""

_VARY = "MLREPRO_GUARD_VARY"
_TRACE = "--mlrepro-trace"
_MOST_SITES = 20
_MOST_SEARCHES = 4


@dataclass(frozen=True)
class Experiment:
    """What is to be tried.

    Attributes:
        base: the clean replay.
        perturbations: the changes.
        replays: makes replays.
        tolerance: the project's, of floats without one of their own.
        each: whether each change is made alone, even if all at once change nothing.
    """

    base: Change
    perturbations: Sequence[Perturbation]
    replays: Replays
    tolerance: Tolerance = DEFAULT_TOLERANCE
    each: bool = False
    _count: list[int] = field(default_factory=list)

    def run(self) -> Stressed:
        """Make the replays that it takes.

        Raises:
            ReplayError: if the tests cannot be run as they are, or record nothing.
        """
        lacking = {each.name: each.lacking for each in self.perturbations if each.lacking}
        tried = tuple(each for each in self.perturbations if not each.lacking)
        at_once = tuple(each for each in tried if each.name != ALONE)
        clean, everything = self._make(
            [self.base, together(at_once).over(self.base)], "everything changed at once"
        )
        self._check(clean)
        apart = differences(clean, everything, self.tolerance)
        if self._is_settled(clean, everything, apart, tried):
            told = verdict.settled(clean, everything, tried, apart)
        else:
            told = self._singly(clean, everything, tried, apart)
        failing = {
            test: outcome.message for test, outcome in clean.witness.outcomes.items() if failed(clean, test)
        }
        return replace(told, untried={**lacking, **told.untried}, failing=failing, replays=sum(self._count))

    def _make(self, changes: Sequence[Change], what: str) -> Sequence[Replay]:
        self._count.append(len(changes))
        return self.replays(changes, what)

    def _check(self, clean: Replay) -> None:
        if clean.problem:
            what, *said = clean.problem.splitlines()
            raise ReplayError(
                f"the tests cannot be run as they are: {what}",
                said=tuple(said),
                remedy="see that pytest runs them, then stress them again",
            )
        if not subjects(clean) and not any(failed(clean, test) for test in clean.witness.outcomes):
            raise ReplayError(
                "no test recorded a fact, so that nothing can differ",
                remedy='let a test ask for the fixture mlrepro and record its results: mlrepro.metric("f1", f1)',
            )

    def _is_settled(
        self,
        clean: Replay,
        everything: Replay,
        apart: Mapping[str, Difference],
        tried: Sequence[Perturbation],
    ) -> bool:
        """Whether nothing is left to be found out by changing one thing at a time."""
        at_once = [each for each in tried if each.name != ALONE]
        if len(at_once) < len(tried) and not any(each.name == ORDER for each in at_once):
            return False
        # Both replays may have begun within the same second.
        timed = any(CLOCK in site.call for site, _ in clean.witness.unpinned)
        if self.each or everything.problem or timed:
            return False
        if any(each.mark == "drifted" for each in apart.values()):
            return False
        strict = [each for each in at_once if each.hold == "bitwise"]
        if not apart or not strict or len(strict) == len(at_once):
            return not apart or not strict
        (found,) = self._make([together(strict).over(self.base)], "everything that must be bitwise the same")
        return not found.problem and not differences(clean, found, self.tolerance)

    def _singly(
        self,
        clean: Replay,
        everything: Replay,
        tried: Sequence[Perturbation],
        apart: Mapping[str, Difference],
    ) -> Stressed:
        sites = _sites(clean, everything)
        steady = pinned(self.base) if any(not site.pinned for site in sites) else self.base
        singles = {each.name: each for each in tried if each.name not in (PROCESS, ALONE)}
        asked = {
            "": replace(self.base, repeat=1),
            **({"steady": steady, "again": replace(steady, repeat=1)} if steady != self.base else {}),
            **{name: each.change.over(steady) for name, each in singles.items()},
            **{site.address: _varying(steady, site) for site in sites[:_MOST_SITES]},
        }
        made = dict(zip(asked, self._make([*asked.values()], "one change at a time"), strict=True))
        reference = made.get("steady", clean)
        by_name = {name: made[name] for name in singles}
        found = verdict.Evidence(
            clean=clean,
            reference=reference,
            second=made[""],
            again=made.get("again", made[""]),
            singles=by_name,
            together=apart,
            tolerance=self.tolerance,
        )
        restless = found.restless()
        varied = [self._varied(reference, site, made[site.address]) for site in sites[:_MOST_SITES]]
        found = replace(found, varied=tuple(each.without(restless) for each in varied))
        found = self._confirmed(found, singles, steady)
        if any(each.name == ALONE for each in tried):
            found = replace(found, alone=self._alone(found, steady))
        if found.alone and ORDER in found.singles:
            found = replace(found, culprits=self._culprits(found, steady))
        return verdict.drawn(found, tried, everything)

    def _varied(self, reference: Replay, site: Site, made: Replay) -> Varied:
        if made.problem:
            return Varied(site, problem=made.problem)
        moved = differences(reference, made, self.tolerance)
        return Varied(site, {subject: each.address for subject, each in moved.items()})

    def _confirmed(
        self, found: verdict.Evidence, singles: Mapping[str, Perturbation], steady: Change
    ) -> verdict.Evidence:
        """With what drifted made again: does it give the same again, and which function of the project is the first?"""
        restless = found.restless()
        doubtful = [
            name
            for name, each in singles.items()
            if any(
                violates(difference.mark, each.hold) and subject not in restless
                for subject, difference in found.apart(name).items()
            )
        ]
        if not doubtful and not restless:
            return found
        traced = replace(steady, options=(*steady.options, _TRACE))
        asked = {
            "": traced,
            **({PROCESS: replace(traced, repeat=1)} if restless else {}),
            **{name: replace(singles[name].change.over(traced), repeat=1) for name in doubtful},
        }
        made = dict(zip(asked, self._make([*asked.values()], "what drifted once more"), strict=True))
        return replace(found, traced=made.pop(""), repeats=made)

    def _alone(self, found: verdict.Evidence, steady: Change) -> Mapping[str, Replay]:
        """Each test alone, where the order matters."""
        of_all = self.each or ORDER not in found.singles
        moved = {} if of_all else {*found.apart(ORDER)} - {*found.restless()}
        tests = [
            test
            for test in found.clean.witness.outcomes
            if not failed(found.clean, test) and (of_all or test in moved)
        ]
        changes = [only([test]).over(steady) for test in tests]
        return dict(zip(tests, self._make(changes, "tests alone"), strict=True)) if changes else {}

    def _culprits(self, found: verdict.Evidence, steady: Change) -> Mapping[str, str]:
        """By test whose result follows the order of the tests: the one other test that makes the difference."""
        moved = {*found.apart(ORDER)} - {*found.restless()}
        searches = [
            Search.of(test, [*found.moved_in(test).witness.outcomes], alone)
            for test, alone in found.alone.items()
            if test in moved and not alone.problem
        ]
        searches = [each for each in searches if each.suspects][:_MOST_SEARCHES]
        while waiting := [each for each in searches if not each.over]:
            changes = [only([*each.trial, each.victim]).over(steady) for each in waiting]
            made = self._make(changes, "which test leaves something behind")
            for search, replay in zip(waiting, made, strict=True):
                apart = differences(search.alone, replay, self.tolerance)
                search.take(moved=not replay.problem and search.victim in apart)
        return {each.victim: each.suspects[0] for each in searches if each.found}


def _sites(*replays: Replay) -> list[Site]:
    """Where unpinned randomness was used, each line once."""
    found: dict[str, Site] = {}
    for each in replays:
        for site, _ in each.witness.unpinned:
            found.setdefault(site.address, site)
    return [*found.values()]


def _varying(steady: Change, site: Site) -> Change:
    return steady.setenv({_VARY: json.dumps({site.address: 1})})
