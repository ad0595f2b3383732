"""Draw the sum of a run at its end: judge every subject, find what is stale, say what an update would write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_mlrepro.comparison import merged, room
from pytest_mlrepro.contribution import Contribution
from pytest_mlrepro.explain import explain
from pytest_mlrepro.gate import Judgement, Terms, judge
from pytest_mlrepro.ledger import Extent, Ledger
from pytest_mlrepro.model import SESSION, Comparison, Drift, Explanation, Facts, Run
from pytest_mlrepro.policy import failing
from pytest_mlrepro.subjects import grounds, looks_like_test

if TYPE_CHECKING:
    from pytest_mlrepro.acceptance import Acceptance


@dataclass(frozen=True, slots=True)
class Sum:
    """A run drawn together.

    Attributes:
        run: the facts of all that ran to its end.
        judgements: of every subject in ``run``, tests included.
        conflicts: facts with two values in this one run: not reproducible between its processes or repetitions.
        stale: subjects of the lockfile that the whole suite no longer has.
        off_test: the subjects that are no tests: fixtures and the session.
        refused: subjects that an update did not accept although they recorded facts.
        accept: from the lockfile's content to the new one; None where nothing is accepted.
    """

    run: Run
    judgements: tuple[Judgement, ...]
    conflicts: tuple[Explanation, ...]
    stale: tuple[str, ...]
    off_test: frozenset[str] = frozenset()
    refused: tuple[str, ...] = ()
    accept: Acceptance | None = None

    @property
    def comparison(self) -> Comparison:
        """Counts and drifts of the whole run."""
        return merged(judgement.comparison for judgement in self.judgements)

    @property
    def is_red(self) -> bool:
        """Whether anything fails the run: a subject, or a fact with two values."""
        return bool(self.conflicts) or any(judgement.red for judgement in self.judgements)

    def drifts(self) -> Iterator[Drift]:
        """Every drift, whatever its policy."""
        for judgement in self.judgements:
            yield from judgement.comparison.drifts


def draw(ledger: Ledger, terms: Terms, extent: Extent) -> Sum:
    """Judge the whole run, and say what an update of it would write."""
    complete = {
        name: each
        for name, each in ledger.contributions.items()
        if each.complete and not ledger.is_excused(name)
    }
    facts: dict[str, Facts] = {name: each.facts for name, each in complete.items()}
    if environment := ledger.recorded_environment(terms.policies):
        facts[SESSION] = environment
    run = Run({name: facts[name] for name in sorted(facts)})
    settled = extent.whole and not ledger.has_unheard
    judgements = tuple(_judgements(complete, run, terms, settled=settled))
    stale = tuple(_stale(ledger, terms, extent))
    clashes = terms.policies.judge(_clashes(ledger, terms))
    conflicts = explain(failing(clashes), tolerance=terms.tolerance)
    off_test = frozenset(name for name in run.subjects if name == SESSION or not complete[name].is_test)
    total = Sum(run, judgements, conflicts, stale, off_test)
    if not terms.update:
        return total
    from pytest_mlrepro.acceptance import acceptance

    clashing = {conflict.drift.subject for conflict in conflicts}
    change = acceptance(
        ledger, terms, judgements=judgements, clashing=clashing, stale=stale, whole=extent.whole
    )
    return replace(total, refused=change.refused, accept=None if change.is_empty else change)


def _clashes(ledger: Ledger, terms: Terms) -> Iterator[Drift]:
    """Facts with two values in this run. Those of a test that ran twice may differ as they may from the baseline."""
    for drift in ledger.conflicts:
        contribution = ledger.contributions.get(drift.subject)
        of_test = contribution is not None and contribution.is_test
        if not of_test or _is_apart(drift, terms):
            yield drift


def _is_apart(drift: Drift, terms: Terms) -> bool:
    assert drift.baseline is not None
    assert drift.current is not None
    return room(drift.facet).rung(drift.baseline, drift.current, terms.tolerance) == "drift"


def contrast(current: Run, terms: Terms) -> Sum:
    """Compare a recorded run with a baseline, both from files. Fixtures near a test count as what it rests on."""
    assert terms.baseline is not None
    names = sorted({*current.subjects, *terms.baseline.subjects})
    found = {name: terms.compare(name, current.facts(name), {}) for name in names}
    judgements = []
    for name in names:
        around = [drift for each in grounds(name, names) if each in found for drift in found[each].drifts]
        judgements.append(judge(terms, name, found[name], around))
    return Sum(current, tuple(judgements), (), ())


def _judgements(
    complete: Mapping[str, Contribution], run: Run, terms: Terms, *, settled: bool
) -> Iterator[Judgement]:
    comparisons = {
        subject: _comparison(subject, facts, complete.get(subject), terms)
        for subject, facts in run.subjects.items()
    }
    if SESSION in comparisons and not settled:
        comparisons[SESSION] = _without_removed(comparisons[SESSION])
    session = comparisons[SESSION].drifts if SESSION in comparisons else ()
    for subject, comparison in comparisons.items():
        around: list[Drift] = []
        if subject != SESSION and comparison.drifts:
            fixtures = [comparisons[name] for name in complete[subject].rests_on if name in comparisons]
            around = [drift for each in fixtures for drift in (*each.drifts, *each.beneath)]
            around += session
        yield judge(terms, subject, comparison, around)


def _comparison(subject: str, facts: Facts, contribution: Contribution | None, terms: Terms) -> Comparison:
    if contribution is None:
        return terms.compare(subject, facts, {})
    # What a test of this process recorded was compared when the test had ended.
    return contribution.comparison or terms.compare(subject, facts, contribution.overlay)


def _without_removed(comparison: Comparison) -> Comparison:
    # Tests that did not run may use what this run did not.
    return replace(comparison, drifts=tuple(each for each in comparison.drifts if each.kind != "removed"))


def _stale(ledger: Ledger, terms: Terms, extent: Extent) -> Iterator[str]:
    if not extent.whole or terms.baseline is None:
        return
    for subject in terms.baseline.subjects:
        gone = subject not in ledger.contributions and subject not in extent.collected and subject != SESSION
        # A fixture may be missing only because the tests that use it were skipped or failed.
        if gone and (not ledger.has_unwell or looks_like_test(subject)):
            yield subject
