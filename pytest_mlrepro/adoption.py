"""Accept facts of a recorded run, as an update of it would have: nothing is run again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pytest_mlrepro.acceptance import Acceptance
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.model import SESSION, Fact, Facts, Run


@dataclass(frozen=True, slots=True)
class Adoption:
    """A change of the lockfile: called with the run that it holds, it gives the new one.

    What only rounding moved keeps its accepted value, calibrated bands stay with the values that they were made for,
    and what other environments are compared with stays as it is. A subject that the run does not hold is left alone.

    Attributes:
        terms: of an update in the environment that the run was recorded in.
        run: what was recorded, as that environment sees it.
        means: which facts are accepted, by subject and address.
    """

    terms: Terms
    run: Run
    means: Callable[[str, str], bool]

    def __call__(self, before: Run) -> Run:
        """Lay the chosen facts over what the lockfile holds."""
        known = self._seen(before)
        refused = self.refused(before)
        facts = {
            subject: self._laid(known.facts(subject), self.run.facts(subject), meant)
            for subject in self.run.subjects
            if subject not in refused and (meant := self._meant(subject, known))
        }
        return Acceptance(self.terms, facts, {}, frozenset(), (), prune=False)(before)

    def refused(self, before: Run) -> tuple[str, ...]:
        """New subjects of which only a part is chosen: a baseline of that would say nothing of the rest."""
        known = self._seen(before)
        return tuple(
            subject
            for subject, facts in self.run.subjects.items()
            if subject not in known and 0 < len(self._meant(subject, known)) < len(facts)
        )

    def sides(self, before: Run) -> tuple[Run, Run]:
        """The facts that are accepted, as the lockfile has them and as the run has them."""
        known, refused = self._seen(before), self.refused(before)
        chosen = {
            subject: self._meant(subject, known) for subject in self.run.subjects if subject not in refused
        }
        old, new = (
            {
                subject: {
                    address: side.facts(subject)[address]
                    for address in meant
                    if address in side.facts(subject)
                }
                for subject, meant in chosen.items()
            }
            for side in (known, self.run)
        )
        return Run(_filled(old)), Run(_filled(new))

    def _seen(self, before: Run) -> Run:
        return before.view(self.terms.environment) if self.terms.environment else before

    def _meant(self, subject: str, known: Run) -> frozenset[str]:
        return frozenset(
            address for address in offered(self.run, known, subject) if self.means(subject, address)
        )

    @staticmethod
    def _laid(known: Facts, new: Facts, meant: frozenset[str]) -> Facts:
        # The very same objects where nothing is accepted: an object of its own counts as accepted anew.
        kept: dict[str, Fact] = {address: fact for address, fact in known.items() if address not in meant}
        return {**kept, **{address: fact for address, fact in new.items() if address in meant}}


def offered(run: Run, known: Run, subject: str) -> Iterator[str]:
    """The addresses of a subject that can be accepted, those that it no longer records included.

    Of the environment only what was recorded: tests that did not run may use what this run did not.
    """
    facts = run.facts(subject)
    yield from facts
    if subject != SESSION:
        yield from (address for address in known.facts(subject) if address not in facts)


def _filled(subjects: dict[str, dict[str, Fact]]) -> dict[str, Facts]:
    return {subject: facts for subject, facts in subjects.items() if facts}
