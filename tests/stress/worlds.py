"""A scripted stand-in for replays: what each test records, as a function of the conditions that a change makes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from pytest_mlrepro.guard import Site
from pytest_mlrepro.model import Fact, Run
from pytest_mlrepro.replay import Change, Outcome, Replay, Witness
from pytest_mlrepro.stress.experiment import Experiment
from pytest_mlrepro.stress.machine import Machine
from pytest_mlrepro.stress.perturbations import catalogue, clean

MACHINE = Machine(
    locale="de_DE.UTF-8",
    cores=4,
    blas=("openblas",),
    kernels=("SkylakeX",),
    simd=("X86_V3", "X86_V4"),
)
SITE = Site("test_m.py", 5, "test_m", "default_rng()", "numpy")
OTHER = Site("test_m.py", 9, "test_m", "uuid.uuid4()", "uuid")
CLOCK = Site("test_m.py", 7, "test_m", "random.seed(<clock>)", "random")


class Fails(Exception):
    """A test that fails."""


@dataclass
class Conditions:
    """What a test sees."""

    change: Change
    number: int
    before: list[str] = field(default_factory=list)
    used: list[Site] = field(default_factory=list)

    def variable(self, name: str) -> str:
        return dict(self.change.variables).get(name) or ""

    def does(self, name: str) -> bool:
        return name in self.change.perturbations

    @property
    def threads(self) -> int:
        return int(self.variable("OMP_NUM_THREADS"))

    @property
    def is_pinned(self) -> bool:
        return "--mlrepro-guard=pin" in self.change.options

    def entropy(self, site: Site) -> int:
        """Another number in every replay, unless it is pinned."""
        self.used.append(replace(site, pinned=self.is_pinned))
        varied = json.loads(self.variable("MLREPRO_GUARD_VARY") or "{}").get(site.address, 0)
        return 1000 + varied if self.is_pinned else self.number

    def address(self) -> int:
        """Another number in every replay."""
        return self.number


Test = Callable[[Conditions], Mapping[str, Any]]


@dataclass
class World:
    """Gives what the tests would give; the first of two tests is run first."""

    tests: Mapping[str, Test]
    loaded: Callable[[Conditions], Mapping[str, Any]] = lambda conditions: {}
    broken: Callable[[Conditions], str] = lambda conditions: ""
    asked: list[Change] = field(default_factory=list)
    batches: list[str] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: count(1))

    def __call__(self, changes: Sequence[Change], what: str) -> list[Replay]:
        self.batches.append(what)
        self.asked += changes
        return [self._replay(change) for change in changes]

    def _order(self, change: Change) -> list[str]:
        for name in change.perturbations:
            if name.startswith("only:"):
                return json.loads(name.removeprefix("only:"))
        return [*self.tests][::-1] if "order" in change.perturbations else [*self.tests]

    def _replay(self, change: Change) -> Replay:
        conditions = Conditions(change, next(self._numbers))
        if problem := self.broken(conditions):
            return Replay(change, problem=problem)
        outcomes: dict[str, Outcome] = {}
        facts: dict[str, list[Fact]] = {}
        unpinned: dict[Site, list[str]] = {}
        for test in self._order(change):
            conditions.used = []
            try:
                recorded = self.tests[test](conditions)
                outcomes[test] = Outcome("passed")
                facts[test] = [_fact(address, value) for address, value in recorded.items()]
            except Fails as error:
                outcomes[test] = Outcome("failed", str(error))
            for site in conditions.used:
                unpinned.setdefault(site, []).append(test)
            conditions.before.append(test)
        return Replay(
            change,
            Run.of({name: some for name, some in facts.items() if some}),
            Witness(
                outcomes,
                {name: tuple(each.address for each in some) for name, some in facts.items()},
                tuple((site, tuple(names)) for site, names in unpinned.items()),
                loaded=self.loaded(conditions),
            ),
        )

    def stress(self, *names: str, each: bool = False, guard: str | None = None, **holds: Any) -> Any:
        """Stress the tests under some changes, or all."""
        changes = [
            change
            for change in catalogue(MACHINE, holds)
            if (not names or change.name in names) and change.hold != "off"
        ]
        return Experiment(clean(MACHINE, guard), changes, self, each=each).run()


def _fact(address: str, value: Any) -> Fact:
    if isinstance(value, Fact):
        return value
    facet, _, key = address.partition(".")
    return Fact(facet, key, value)


def steady(conditions: Conditions) -> Mapping[str, Any]:
    return {"results.f1": 0.5, "results.loss": 0.25}


def row(told: Any, subject: str) -> dict[str, str]:
    """The changes that are not bitwise the same."""
    return {name: mark for name, mark in told.marks[subject].items() if mark != "same"}
