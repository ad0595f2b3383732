"""What stressing a selection of tests has shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from pytest_mlrepro.guard import Site
from pytest_mlrepro.steadiness import Hold
from pytest_mlrepro.stress.differences import Difference, Mark
from pytest_mlrepro.stress.perturbations import Perturbation

TOGETHER = "together"
"""The name of what only several changes at once bring about."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A subject that does not hold under a change.

    Attributes:
        subject: a test, or a fixture of higher scope.
        change: the name of the change.
        what: the change, as it follows "under".
        hold: what must hold.
        difference: what differs.
        source: what it most likely comes from.
        remedy: what to do.
        sites: where unpinned randomness was taken.
        proven: whether an experiment has shown it: a place was varied by itself, another test was left out.
        function: the first function of the project that returned something else, in words; empty where none is known.
    """

    subject: str
    change: str
    what: str
    hold: Hold
    difference: Difference
    source: str
    remedy: str
    sites: tuple[Site, ...] = ()
    proven: bool = False
    function: str = ""


@dataclass(frozen=True, slots=True)
class Varied:
    """A place that takes unpinned randomness, given other entropy than the other places.

    Attributes:
        site: the place.
        moved: the first fact that differs, by subject; empty where no fact depends on the place.
        problem: why it could not be tried; empty where it could.
    """

    site: Site
    moved: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""

    def without(self, restless: Collection[str]) -> Varied:
        """What is left if subjects that move by themselves do not count."""
        return replace(self, moved={name: each for name, each in self.moved.items() if name not in restless})


@dataclass(frozen=True, slots=True)
class Stressed:
    """All that was shown.

    Attributes:
        changes: those that were made, in the order in which they are shown.
        marks: by subject and name of a change.
        findings: by subject, in the order of the tests.
        varied: the unseeded places, where they were varied.
        unpinned: those that moved nothing, so that they were not.
        untried: why a change was not made, by its name.
        notes: what the reader has to know to judge the marks.
        failing: tests that fail as they are, with what they say.
        broken: changes under which the tests could not be run, with the reason.
        replays: how many were made or remembered.
    """

    changes: tuple[Perturbation, ...]
    marks: Mapping[str, Mapping[str, Mark]]
    findings: tuple[Finding, ...] = ()
    varied: tuple[Varied, ...] = ()
    unpinned: tuple[Site, ...] = ()
    untried: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    failing: Mapping[str, str] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    replays: int = 0

    @property
    def holds(self) -> bool:
        """Whether everything held under everything that it must hold under, as far as it could be tried."""
        return not self.findings and not self.failing and not self.broken
