"""Gather what every test, fixture and process of a run contributed, and how each test ended."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from pytest_mlrepro.contribution import Contribution
from pytest_mlrepro.facets import same_value
from pytest_mlrepro.model import SESSION, Drift, Fact, Facts
from pytest_mlrepro.policy import Policies


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of the suite the run has seen.

    Attributes:
        collected: the node ids that were collected.
        whole: True where that is the whole suite, and all of it ran to its end.
    """

    collected: frozenset[str] = frozenset()
    whole: bool = False


@dataclass
class Ledger:
    """Contributions and outcomes as they come in. Only the process that reports holds one."""

    contributions: dict[str, Contribution] = field(default_factory=dict)
    environment: dict[str, Fact] = field(default_factory=dict)
    conflicts: list[Drift] = field(default_factory=list)
    _excused: set[str] = field(default_factory=set)
    _failed: set[str] = field(default_factory=set)
    _unwell: set[str] = field(default_factory=set)
    _done: set[str] = field(default_factory=set)
    _alive: Counter[str] = field(default_factory=Counter)

    def add(self, contribution: Contribution) -> None:
        """Take a contribution.

        The last attempt of a test that did not pass counts; copies of a fixture must agree, and so must those of a
        test that runs several times although it passes.
        """
        self._check(SESSION, self.environment, contribution.environment)
        self.environment.update(contribution.environment)
        if contribution.subject == SESSION:
            return
        self._alive[contribution.subject] += contribution.opened
        known = self.contributions.get(contribution.subject)
        if known is not None and not contribution.is_test:
            self._check(contribution.subject, known.facts, contribution.facts)
            contribution = replace(contribution, facts={**known.facts, **contribution.facts})
        elif known is not None and self._is_repeated(known, contribution):
            self._check(contribution.subject, known.facts, contribution.facts)
        self.contributions[contribution.subject] = contribution

    def _is_repeated(self, known: Contribution, again: Contribution) -> bool:
        """Whether a test runs again for no reason of its own, as with ``--dist=each``."""
        return known.complete and again.complete and known.subject not in self._unwell

    def _check(self, subject: str, known: Facts, new: Facts) -> None:
        for address, fact in new.items():
            first = known.get(address, fact)
            if first.dtype != fact.dtype or not same_value(first.value, fact.value):
                self.conflicts.append(Drift(subject, fact.facet, fact.key, "changed", first, fact))

    def outcome(
        self, nodeid: str, *, passed: bool, failed: bool, finished: bool, excused: bool = False
    ) -> None:
        """Note the outcome of one phase of a test.

        Args:
            nodeid: the test.
            passed: False if it failed, erred, was skipped, is expected to fail, or runs again.
            failed: True if it failed or erred.
            finished: True for the last phase.
            excused: True if it was skipped, or failed as expected: whatever it recorded is not judged.
        """
        if excused:
            self._excused.add(nodeid)
        if failed:
            self._failed.add(nodeid)
        if not passed:
            self._unwell.add(nodeid)
        if finished:
            self._done.add(nodeid)

    def is_passed(self, nodeid: str) -> bool:
        """Whether every phase of every attempt of a test passed."""
        return nodeid in self._done and nodeid not in self._unwell

    @property
    def has_unwell(self) -> bool:
        """Whether a test did not pass, for whatever reason."""
        return bool(self._unwell)

    @property
    def has_unheard(self) -> bool:
        """Whether a test may rest on what it could not say: it was skipped, or failed before it had recorded all."""
        heard = {name for name, each in self.contributions.items() if each.complete}
        return not self._unwell <= heard

    def is_excused(self, nodeid: str) -> bool:
        """Whether a test was skipped, or failed as expected."""
        return nodeid in self._excused

    def is_done(self, nodeid: str) -> bool:
        """Whether a test reported its last phase."""
        return nodeid in self._done

    def is_acceptable(self, contribution: Contribution) -> bool:
        """Whether an update may write it: the test passed; the fixture was torn down, and no test that uses it failed.

        A fixture that is left standing, where a run stops or a worker dies, may have had more to record.
        """
        if contribution.is_test:
            return contribution.complete and self.is_passed(contribution.subject)
        if self._alive[contribution.subject]:
            return False
        users = [each for each in self.contributions.values() if contribution.subject in each.rests_on]
        return not any(user.subject in self._failed for user in users)

    def recorded_environment(self, policies: Policies) -> Facts:
        """The facts of the processes, without those to be ignored."""
        return {
            address: fact for address, fact in self.environment.items() if policies.rule(address) != "ignore"
        }
