"""Judge what one subject recorded by the terms of the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from pytest_mlrepro.comparison import compare_facts
from pytest_mlrepro.explain import explain
from pytest_mlrepro.model import (
    SESSION,
    Comparison,
    Drift,
    Explanation,
    Facts,
    Policy,
    Run,
    Strangers,
    Tolerance,
    Worded,
)
from pytest_mlrepro.policy import Policies, failing


@dataclass(frozen=True, slots=True)
class Terms:
    """What a run is judged by.

    Attributes:
        baseline: the accepted run as this environment sees it; None where there is no lockfile yet.
        update: whether what passes is accepted.
        only: the facets to compare, or with ``update`` to accept; empty for all.
        policies: of the project.
        tolerance: of floats that bring none of their own.
        environment: the name of the one that the run is made in.
        recorded: the names of those that the lockfile knows; empty where it names none.
        strangers: what becomes of a run in an environment that is not recorded, where others are.
    """

    baseline: Run | None = None
    update: bool = False
    only: frozenset[str] = frozenset()
    policies: Policies = field(default_factory=Policies)
    tolerance: Tolerance = field(default_factory=Tolerance)
    environment: str = ""
    recorded: frozenset[str] = frozenset()
    strangers: Strangers = "compare"

    @property
    def is_stranger(self) -> bool:
        """Whether the lockfile knows environments, and not this one."""
        return bool(self.recorded) and self.environment not in self.recorded

    def accepts(self, facet: str) -> bool:
        """Whether this run accepts drifts of a facet."""
        return self.update and (not self.only or facet in self.only)

    @property
    def accepts_all(self) -> bool:
        """Whether this run accepts whatever has drifted."""
        return self.update and not self.only

    def lacks(self, subject: str) -> bool:
        """Whether a subject cannot be judged because nobody has accepted it yet."""
        if self.refuses(subject):
            return True
        if self.baseline is not None and subject in self.baseline:
            return False
        # Accepting one facet of a new subject would leave a baseline that says nothing of its results.
        return not self.accepts_all

    def refuses(self, subject: str) -> bool:
        """Whether the subject is an environment that is not recorded, where the project wants that to fail."""
        return subject == SESSION and self.is_stranger and self.strangers == "fail" and not self.update

    def compare(self, subject: str, facts: Facts, overlay: Mapping[str, Policy]) -> Comparison:
        """The subject's facts against its baseline, with the policies that hold in this run."""
        if self._is_as_written(subject, facts):
            return _identical(len(facts))
        before = self.baseline.facts(subject) if self.baseline else {}
        found = compare_facts(subject, before, facts, tolerance=self.tolerance)
        if not found.drifts:
            return found
        judged = self.policies.over(overlay).judge(found.drifts)
        return replace(found, drifts=tuple(self._as_known(self._as_asked(drift)) for drift in judged))

    def _is_as_written(self, subject: str, facts: Facts) -> bool:
        """Whether the lockfile says of a subject, to the letter, what it would say of these facts: most say so."""
        if self.baseline is None or not isinstance(facts, Worded):
            return False
        written = self.baseline.text(subject)
        return bool(written) and facts.text(subject) == written

    def _as_asked(self, drift: Drift) -> Drift:
        # What this run does not compare still serves to explain the rest.
        unasked = not self.update and self.only and drift.facet not in self.only
        return replace(drift, policy="note") if unasked else drift

    def _as_known(self, drift: Drift) -> Drift:
        # What another environment is made of is no promise about this one; it explains what moved.
        foreign = self.is_stranger and drift.subject == SESSION and drift.facet == "libraries"
        return replace(drift, policy="note") if foreign else drift

    def fails(self, drifts: Iterable[Drift]) -> tuple[Drift, ...]:
        """The drifts that fail: those this run accepts do not."""
        return tuple(drift for drift in failing(drifts) if not self.accepts(drift.facet))


@lru_cache(maxsize=64)
def _identical(count: int) -> Comparison:
    """The comparison of so many facts that are as they were: a run keeps one for each of its tests."""
    return Comparison(identical=count)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is found about one subject.

    Attributes:
        subject: whom it is about.
        comparison: with every drift and its policy.
        failed: the drifts that fail it, explained.
        warned: the drifts that are shown as warnings, explained.
        lacking: True where nobody has accepted a baseline yet.
    """

    subject: str
    comparison: Comparison
    failed: tuple[Explanation, ...] = ()
    warned: tuple[Explanation, ...] = ()
    lacking: bool = False

    @property
    def red(self) -> bool:
        """Whether the subject fails the run."""
        return self.lacking or bool(self.failed)


def judge(terms: Terms, subject: str, comparison: Comparison, around: Iterable[Drift] = ()) -> Judgement:
    """Judge one subject.

    Args:
        terms: of the run.
        subject: whom the comparison is about.
        comparison: as ``Terms.compare`` made it.
        around: drifts of what the subject rests on, for the suspects.
    """
    if not comparison.drifts and not terms.refuses(subject):
        # Who recorded nothing needs no baseline, and never gets one.
        return Judgement(subject, comparison)
    if terms.lacks(subject):
        return Judgement(subject, comparison, lacking=True)
    red = set(terms.fails(comparison.drifts))
    amber = {
        drift for drift in comparison.drifts if drift.policy == "warn" and not terms.accepts(drift.facet)
    }
    if not red and not amber:
        return Judgement(subject, comparison)
    explained = explain(comparison.drifts, (*around, *comparison.beneath), tolerance=terms.tolerance)
    return Judgement(
        subject,
        comparison,
        failed=tuple(each for each in explained if each.drift in red),
        warned=tuple(each for each in explained if each.drift in amber),
    )
