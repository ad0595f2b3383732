"""What an update writes: the facts of what passed, and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass, replace

from pytest_mlrepro.comparison import room
from pytest_mlrepro.contribution import Contribution
from pytest_mlrepro.facets import same_value
from pytest_mlrepro.gate import Judgement, Terms
from pytest_mlrepro.ledger import Ledger
from pytest_mlrepro.model import SESSION, Fact, Facts, Run
from pytest_mlrepro.sharing import share
from pytest_mlrepro.unread import laid_over


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A change of the lockfile: called with the run that it holds, it gives the new one.

    Attributes:
        terms: of the run; they say which facets are accepted.
        facts: of the subjects that are accepted.
        environment: facts of the session that are accepted with them.
        drop: subjects that no longer exist.
        refused: subjects that recorded facts and are not accepted; they keep what they have.
        moved: of the accepted ones those of which no fact is just within rounding of its baseline.
        prune: whether facts of the session that this run did not see are dropped.
    """

    terms: Terms
    facts: Mapping[str, Facts]
    environment: Facts
    drop: frozenset[str]
    refused: tuple[str, ...]
    prune: bool
    moved: frozenset[str] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is accepted."""
        return not (self.facts or self.environment or self.drop)

    def __call__(self, before: Run) -> Run:
        """Lay what was accepted over what the lockfile holds; all else stays as it is."""
        now, changed = self._view(before), self._changed_since(before)
        own: dict[str, Facts] = {subject: {} for subject in self.drop - changed}
        for subject, new in self.facts.items():
            if subject not in changed and self._is_taken_whole(subject):
                own[subject] = new
            else:
                known = now.facts(subject)
                own[subject] = self._overlaid(known, new, missed=known)
        if self.environment:
            # What another update has written since this run began is nothing that this run misses.
            missed = self._judged_by(SESSION) if self.prune else {}
            own[SESSION] = self._overlaid(now.facts(SESSION), self.environment, missed=missed)
        after = laid_over(now.subjects, own)
        if not self.terms.environment:
            return Run(after)
        return share(before, self.terms.environment, after, self._agrees)

    def _is_taken_whole(self, subject: str) -> bool:
        """Whether nothing of the baseline that a subject was compared with is kept, so that it need not be made."""
        if not (self.terms.accepts_all and subject in self.moved):
            return False
        # What is held as text has no band.
        baseline = self.terms.baseline
        return baseline is None or subject not in baseline or bool(baseline.text(subject))

    def overtaken(self, before: Run, after: Run) -> tuple[str, ...]:
        """The subjects that somebody else had changed while the run was going, and that it has changed again.

        Args:
            before: what the lockfile held when the run had ended.
            after: what this makes of it.
        """
        old, new = self._view(before), self._view(after)
        changed = self._changed_since(before)
        return tuple(sorted(name for name in changed if _differ(old.facts(name), new.facts(name))))

    def _changed_since(self, before: Run) -> set[str]:
        """Subjects that are not as they were when the run began, of those that it accepts or drops."""
        now, then = self._view(before), self.terms.baseline or Run()
        mine = (*self.facts, *self.drop, *([SESSION] if self.environment else []))
        return {name for name in mine if not _stands_as(now, then, name)}

    def _view(self, run: Run) -> Run:
        return run.view(self.terms.environment) if self.terms.environment else run

    def _judged_by(self, subject: str) -> Facts:
        return self.terms.baseline.facts(subject) if self.terms.baseline else {}

    def _agrees(self, accepted: Fact, new: Fact) -> bool:
        return room(new.facet).rung(accepted, new, self.terms.tolerance) in ("identical", "rounding")

    def _overlaid(self, known: Facts, new: Facts, *, missed: Container[str]) -> Facts:
        """New facts over known ones, without those that were missed: they were expected, and did not come."""
        kept = {
            address: fact
            for address, fact in known.items()
            if not self.terms.accepts(fact.facet) or (address not in missed and address not in new)
        }
        taken = {
            address: self._without_creep(known.get(address), fact)
            for address, fact in new.items()
            if self.terms.accepts(fact.facet)
        }
        return {**kept, **taken}

    def _without_creep(self, known: Fact | None, new: Fact) -> Fact:
        if known is None:
            return new
        rung = room(new.facet).rung(known, new, self.terms.tolerance)
        if rung == "drift":
            # A band says how far seeds move the value that it was made for: of another one it knows nothing.
            return new
        if rung == "identical":
            return replace(new, band=known.band) if known.band and not new.band else new
        # What only rounding moved is no change to review, and many small steps must not add up unseen.
        return replace(new, value=known.value, detail=known.detail, band=new.band or known.band)


def acceptance(
    ledger: Ledger,
    terms: Terms,
    *,
    judgements: Collection[Judgement],
    clashing: Collection[str],
    stale: Iterable[str],
    whole: bool,
) -> Acceptance:
    """What an update of a run accepts.

    Args:
        ledger: of the run.
        terms: of the run.
        judgements: of all subjects of the run.
        clashing: subjects with two values for one fact.
        stale: subjects of the lockfile that the suite no longer has.
        whole: whether the whole suite ran to its end.
    """
    red = {each.subject for each in judgements if each.red}
    accepted = {
        name: each
        for name, each in ledger.contributions.items()
        if ledger.is_acceptable(each) and name not in red and name not in clashing
    }
    moved = frozenset(each.subject for each in judgements if not each.comparison.near)
    refused = tuple(
        sorted(name for name, each in ledger.contributions.items() if each.facts and name not in accepted)
    )
    settled = whole and not ledger.has_unheard and not refused
    # A new environment is accepted together with the results that it gave, or not at all.
    environment: Facts = {}
    if accepted and not clashing and not (terms.only and (refused or red)):
        recorded = ledger.recorded_environment(terms.policies)
        environment = recorded if settled else _vouched_for(recorded, accepted.values())
    facts = {name: each.facts for name, each in accepted.items()}
    drop = frozenset() if terms.only else frozenset(stale)
    return Acceptance(terms, facts, environment, drop, refused, prune=settled, moved=moved)


def _stands_as(now: Run, then: Run, subject: str) -> bool:
    """Whether a subject has the same facts in both, which need not be made where they stand in the same words."""
    text = now.text(subject)
    same_words = bool(text) and text == then.text(subject)
    return same_words or not _differ(now.facts(subject), then.facts(subject))


def _differ(left: Facts, right: Facts) -> bool:
    return left.keys() != right.keys() or not all(
        fact.dtype == right[address].dtype and same_value(fact.value, right[address].value)
        for address, fact in left.items()
    )


def _vouched_for(facts: Facts, accepted: Iterable[Contribution]) -> Facts:
    """The facts of the processes that accepted subjects vouch for: the machine's, and their libraries."""
    used = {name for each in accepted for name in each.uses}
    return {
        address: fact
        for address, fact in facts.items()
        if fact.facet != "libraries" or "." in fact.key or fact.key in used
    }
