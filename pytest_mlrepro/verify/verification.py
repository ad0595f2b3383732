"""What verifying a revision found: for each test how its facts came out again, and what of the environment did not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pytest_mlrepro.balance import Sum, contrast
from pytest_mlrepro.explain import explain
from pytest_mlrepro.gate import Judgement, Terms
from pytest_mlrepro.model import SESSION, Explanation
from pytest_mlrepro.replay import Outcome, Replay
from pytest_mlrepro.subjects import looks_like_test

State: TypeAlias = Literal["bitwise", "tolerance", "drifted", "not run"]


@dataclass(frozen=True, slots=True)
class Verified:
    """One subject of the lockfile, recorded again.

    Attributes:
        subject: a test, or a fixture of higher scope.
        state: the worst of its facts'; ``not run`` where it recorded nothing this time.
        identical, near: how many facts came out bitwise, and how many within their tolerance or band.
        drifts: what came out otherwise.
        reason: why it did not run, or how its own assertions failed; empty where all went well.
    """

    subject: str
    state: State
    identical: int = 0
    near: int = 0
    drifts: tuple[Explanation, ...] = ()
    reason: str = ""

    @property
    def holds(self) -> bool:
        """Whether every fact came out again."""
        return self.state in ("bitwise", "tolerance")


@dataclass(frozen=True, slots=True)
class Verification:
    """One revision.

    Attributes:
        revision: as it was named.
        commit: its full name.
        title: the subject line of the commit.
        environment: whose side of the lockfile was verified; empty where it names none.
        rebuilt: what was installed, such as ``Python 3.11, 14 packages``.
        subjects: of the lockfile, by name.
        surroundings: what of the environment is not as it was.
        notes: what could not be rebuilt, a sentence each.
        problem: why nothing could be verified; empty where something was.
    """

    revision: str
    commit: str
    title: str
    environment: str
    rebuilt: str
    subjects: tuple[Verified, ...] = ()
    surroundings: tuple[Explanation, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""

    @property
    def holds(self) -> bool:
        """Whether everything that was accepted came out again."""
        return not self.problem and all(each.holds for each in self.subjects)

    def names(self, *, holding: bool) -> tuple[str, ...]:
        """The subjects that came out again, or those that did not."""
        return tuple(each.subject for each in self.subjects if each.holds == holding)


def verified(replay: Replay, terms: Terms) -> tuple[tuple[Verified, ...], tuple[Explanation, ...]]:
    """Hold what was recorded again against what was accepted.

    Args:
        replay: of the lockfile's tests, one that could be made.
        terms: with the lockfile's side as the baseline.

    Returns:
        The subjects of the lockfile by name, and what differs of the session.
    """
    total = contrast(replay.run, terms)
    subjects = tuple(_subjects(total, replay, terms))
    session = [drift for drift in total.drifts() if drift.subject == SESSION]
    return subjects, explain(session, tolerance=terms.tolerance)


def _subjects(total: Sum, replay: Replay, terms: Terms) -> Iterator[Verified]:
    assert terms.baseline is not None
    for judgement in total.judgements:
        name = judgement.subject
        if name == SESSION or name not in terms.baseline:
            # What was never accepted is no promise that could be broken.
            continue
        outcome = replay.witness.outcomes.get(name, Outcome("passed"))
        if name not in replay.run:
            yield Verified(name, "not run", reason=_absence(name, outcome))
        else:
            yield _verified(judgement, outcome)


def _verified(judgement: Judgement, outcome: Outcome) -> Verified:
    found = judgement.comparison
    near = found.rounding + found.band
    broken = outcome.ending in ("failed", "error")
    state: State = "drifted" if judgement.failed or broken else "tolerance" if near else "bitwise"
    return Verified(
        judgement.subject,
        state,
        found.identical,
        near,
        judgement.failed,
        f"the test failed: {outcome.message}" if broken else "",
    )


def _absence(subject: str, outcome: Outcome) -> str:
    if outcome.message:
        return outcome.message
    if outcome.ending == "skipped":
        return "it was skipped"
    return "there is no such test" if looks_like_test(subject) else "no test has set it up"
