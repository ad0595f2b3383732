"""Gather what every test, fixture and process of a run contributed, and draw the sum at its end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from pytest_mlrepro.comparison import merged
from pytest_mlrepro.explain import explain
from pytest_mlrepro.facets import same_value
from pytest_mlrepro.gate import Judgement, Terms, judge
from pytest_mlrepro.lockfile.codec import decode_fact, encode_fact
from pytest_mlrepro.model import SESSION, Comparison, Drift, Explanation, Fact, Facts, Policy, Run, by_address
from pytest_mlrepro.policy import failing


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one subject recorded, as it travels from the process that ran it.

    Attributes:
        subject: a test or fixture.
        facts: all of them.
        complete: False where the body did not run to its end, so that facts may be missing.
        overlay: policies of its marker.
        rests_on: subjects of the fixtures that it uses.
        uses: the distributions that its code uses.
        environment: facts of the process, where they are new since the last contribution.
        is_test: False for a fixture.
    """

    subject: str
    facts: Facts = field(default_factory=dict)
    complete: bool = True
    overlay: Mapping[str, Policy] = field(default_factory=dict)
    rests_on: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    environment: Facts = field(default_factory=dict)
    is_test: bool = True

    def to_json(self) -> str:
        """As text: what travels between processes must be made of plain types."""
        return json.dumps(
            {
                "subject": self.subject,
                "facts": _encoded(self.facts),
                "complete": self.complete,
                "overlay": dict(self.overlay),
                "rests_on": self.rests_on,
                "uses": self.uses,
                "environment": _encoded(self.environment),
                "is_test": self.is_test,
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str) -> Contribution:
        """The contribution that ``to_json`` wrote."""
        raw = json.loads(text)
        return cls(
            raw["subject"],
            _decoded(raw["facts"]),
            raw["complete"],
            raw["overlay"],
            tuple(raw["rests_on"]),
            tuple(raw["uses"]),
            _decoded(raw["environment"]),
            raw["is_test"],
        )


def _encoded(facts: Facts) -> list[list[object]]:
    return [[fact.facet, fact.key, encode_fact(fact), fact.origin] for fact in facts.values()]


def _decoded(raw: Iterable[tuple[str, str, object, str]]) -> Facts:
    return by_address(
        replace(decode_fact(facet, key, node), origin=origin) for facet, key, node, origin in raw
    )


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
    _failed: set[str] = field(default_factory=set)
    _unwell: set[str] = field(default_factory=set)
    _done: set[str] = field(default_factory=set)

    def add(self, contribution: Contribution) -> None:
        """Take a contribution. The last attempt of a test counts; copies of a fixture must agree."""
        self._check(SESSION, self.environment, contribution.environment)
        self.environment.update(contribution.environment)
        if contribution.subject == SESSION:
            return
        known = self.contributions.get(contribution.subject)
        if known is not None and not contribution.is_test:
            self._check(contribution.subject, known.facts, contribution.facts)
            contribution = replace(contribution, facts={**known.facts, **contribution.facts})
        self.contributions[contribution.subject] = contribution

    def _check(self, subject: str, known: Facts, new: Facts) -> None:
        for address, fact in new.items():
            first = known.get(address, fact)
            if first.dtype != fact.dtype or not same_value(first.value, fact.value):
                self.conflicts.append(Drift(subject, fact.facet, fact.key, "changed", first, fact))

    def outcome(self, nodeid: str, *, passed: bool, failed: bool, finished: bool) -> None:
        """Note the outcome of one phase of a test.

        Args:
            nodeid: the test.
            passed: False if it failed, erred, was skipped, is expected to fail, or runs again.
            failed: True if it failed or erred.
            finished: True for the last phase.
        """
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

    def is_done(self, nodeid: str) -> bool:
        """Whether a test reported its last phase."""
        return nodeid in self._done

    def is_acceptable(self, contribution: Contribution) -> bool:
        """Whether an update may write it: the test passed, or no test that uses the fixture did not."""
        if contribution.is_test:
            return contribution.complete and self.is_passed(contribution.subject)
        users = [each for each in self.contributions.values() if contribution.subject in each.rests_on]
        return not any(user.subject in self._failed for user in users)


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
    accept: Callable[[Run], Run] | None = None

    @property
    def comparison(self) -> Comparison:
        """Counts and drifts of the whole run."""
        return merged(judgement.comparison for judgement in self.judgements)

    def drifts(self) -> Iterator[Drift]:
        """Every drift, whatever its policy."""
        for judgement in self.judgements:
            yield from judgement.comparison.drifts


def draw(ledger: Ledger, terms: Terms, extent: Extent) -> Sum:
    """Judge the whole run, and say what an update of it would write."""
    complete = {name: each for name, each in ledger.contributions.items() if each.complete}
    facts: dict[str, Facts] = {name: each.facts for name, each in complete.items()}
    environment = {
        address: fact
        for address, fact in ledger.environment.items()
        if terms.policies.rule(address) != "ignore"
    }
    if environment:
        facts[SESSION] = environment
    run = Run({name: facts[name] for name in sorted(facts)})
    settled = extent.whole and not ledger.has_unheard
    judgements = tuple(_judgements(complete, run, terms, settled=settled))
    stale = tuple(_stale(ledger, terms, extent))
    conflicts = explain(failing(terms.policies.judge(ledger.conflicts)), tolerance=terms.tolerance)
    off_test = frozenset(name for name in run.subjects if name == SESSION or not complete[name].is_test)
    total = Sum(run, judgements, conflicts, stale, off_test)
    return _with_acceptance(total, ledger, terms, extent) if terms.update else total


def contrast(current: Run, terms: Terms) -> Sum:
    """Compare a recorded run with a baseline, both from files. Fixtures near a test count as what it rests on."""
    assert terms.baseline is not None
    names = sorted({*current.subjects, *terms.baseline.subjects})
    found = {name: terms.compare(name, current.facts(name), {}) for name in names}
    fixtures = [name for name in names if name != SESSION and not _looks_like_test(name)]
    judgements = []
    for name in names:
        near = [each for each in fixtures if each != name and _is_near(each, name)] + [SESSION] * (
            name != SESSION
        )
        around = [drift for each in near if each in found for drift in found[each].drifts]
        judgements.append(judge(terms, name, found[name], around))
    return Sum(current, tuple(judgements), (), ())


def _is_near(fixture: str, test: str) -> bool:
    """Whether a fixture is defined where pytest would let this test use it."""
    folder, slash, name = fixture.partition("::")[0].rpartition("/")
    return test.startswith(f"{folder}{slash}" + ("" if name == "conftest.py" else f"{name}::"))


def _judgements(
    complete: Mapping[str, Contribution], run: Run, terms: Terms, *, settled: bool
) -> Iterator[Judgement]:
    comparisons = {
        subject: terms.compare(subject, facts, complete[subject].overlay if subject in complete else {})
        for subject, facts in run.subjects.items()
    }
    if SESSION in comparisons and not settled:
        comparisons[SESSION] = _without_removed(comparisons[SESSION])
    session = comparisons[SESSION].drifts if SESSION in comparisons else ()
    for subject, comparison in comparisons.items():
        around: list[Drift] = []
        if subject != SESSION:
            fixtures = complete[subject].rests_on
            around = [drift for name in fixtures if name in comparisons for drift in comparisons[name].drifts]
            around += session
        yield judge(terms, subject, comparison, around)


def _without_removed(comparison: Comparison) -> Comparison:
    # Tests that did not run may use what this run did not.
    return replace(comparison, drifts=tuple(each for each in comparison.drifts if each.kind != "removed"))


def _stale(ledger: Ledger, terms: Terms, extent: Extent) -> Iterator[str]:
    if not extent.whole or terms.baseline is None:
        return
    for subject in terms.baseline.subjects:
        gone = subject not in ledger.contributions and subject not in extent.collected and subject != SESSION
        # A fixture may be missing only because the tests that use it were skipped or failed.
        if gone and (not ledger.has_unwell or _looks_like_test(subject)):
            yield subject


def _looks_like_test(subject: str) -> bool:
    return subject.partition("[")[0].rpartition("::")[2].startswith("test")


def _with_acceptance(total: Sum, ledger: Ledger, terms: Terms, extent: Extent) -> Sum:
    clashing = {conflict.drift.subject for conflict in total.conflicts}
    red = {judgement.subject for judgement in total.judgements if judgement.red}
    accepted = {
        name: each
        for name, each in ledger.contributions.items()
        if ledger.is_acceptable(each) and name not in clashing | red
    }
    refused = tuple(
        sorted(name for name, each in ledger.contributions.items() if each.facts and name not in accepted)
    )
    # A new environment is accepted together with the results that it gave, or not at all.
    settled = extent.whole and not ledger.has_unheard and not refused
    environment: Facts = {}
    if accepted and not clashing and not (terms.only and (refused or red)):
        environment = _environment(total.run.facts(SESSION), accepted.values(), whole=settled)
    new = {name: each.facts for name, each in accepted.items()}
    drop = total.stale if not terms.only else ()
    change = partial(
        _accept,
        facts=new,
        environment=environment,
        drop=drop,
        terms=terms,
        prune=settled,
    )
    nothing = not new and not environment and not drop
    return replace(total, refused=refused, accept=None if nothing else change)


def _environment(facts: Facts, accepted: Iterable[Contribution], *, whole: bool) -> Facts:
    """The facts of the process that accepted subjects vouch for: their libraries, and the machine's."""
    if whole:
        return facts
    used = {name for each in accepted for name in each.uses}
    return {
        address: fact
        for address, fact in facts.items()
        if fact.facet != "libraries" or "." in fact.key or fact.key in used
    }


def _accept(
    before: Run,
    *,
    facts: Mapping[str, Facts],
    environment: Facts,
    drop: Iterable[str],
    terms: Terms,
    prune: bool,
) -> Run:
    """Lay what was accepted over what the lockfile holds; all else stays as it is."""
    subjects = {name: known for name, known in before.subjects.items() if name not in set(drop)}
    for subject, new in facts.items():
        subjects[subject] = _overlaid(subjects.get(subject, {}), new, terms, prune=True)
    if environment:
        subjects[SESSION] = _overlaid(subjects.get(SESSION, {}), environment, terms, prune=prune)
    return Run({name: known for name, known in subjects.items() if known})


def _overlaid(known: Facts, new: Facts, terms: Terms, *, prune: bool) -> Facts:
    kept = {
        address: fact
        for address, fact in known.items()
        if not terms.accepts(fact.facet) or (not prune and address not in new)
    }
    taken = {address: fact for address, fact in new.items() if terms.accepts(fact.facet)}
    return {**kept, **taken}
