"""What replays under many seeds recorded: the values of each result, and which of them can have a band."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pytest_mlrepro.model import SESSION, Fact, Facts, Run, Value
from pytest_mlrepro.replay import Replay

FEWEST = 5
"""Of seeds: below this a band says nothing."""
FEW = 10
"""Below this a band is several times as wide as it need be."""
_RESULTS = "results"


@dataclass(frozen=True, slots=True)
class Sample:
    """One result under many seeds.

    Attributes:
        subject, address: which.
        facts: by base seed, ascending.
    """

    subject: str
    address: str
    facts: Mapping[int, Fact]

    @property
    def key(self) -> str:
        """Its name within the facet."""
        return self.address.partition(".")[2]

    @property
    def seeds(self) -> tuple[int, ...]:
        """The base seeds under which it was recorded."""
        return tuple(self.facts)

    @property
    def values(self) -> tuple[float, ...]:
        """In the order of the seeds; of a metric that can have a band."""
        return tuple(fact.value for fact in self.facts.values() if isinstance(fact.value, float))

    @property
    def is_constant(self) -> bool:
        """Whether it is the same under all seeds, -0.0 and 0.0 being the same."""
        first, *others = self.facts.values()
        return all(fact.value == first.value and fact.dtype == first.dtype for fact in others)


@dataclass(frozen=True, slots=True)
class Observations:
    """What became of replays under base seeds.

    Attributes:
        facts: by base seed, subject and address; of tests that failed by themselves too.
        failed: the base seeds under which a test failed by itself, by test, with the first message.
        problems: why a replay could not be made, by base seed.
        remembered: the base seeds of the replays that were not run now.
        environment: that they were made in.
    """

    facts: Mapping[int, Mapping[str, Facts]] = field(default_factory=dict)
    failed: Mapping[str, tuple[tuple[int, ...], str]] = field(default_factory=dict)
    problems: Mapping[int, str] = field(default_factory=dict)
    remembered: tuple[int, ...] = ()
    environment: str = ""

    @classmethod
    def of(cls, replays: Iterable[Replay]) -> Observations:
        """What replays of changes with a seed gave."""
        facts: dict[int, Mapping[str, Facts]] = {}
        failed: dict[str, tuple[tuple[int, ...], str]] = {}
        problems: dict[int, str] = {}
        remembered: list[int] = []
        environment = ""
        for replay in replays:
            seed = replay.change.seed
            if seed is None:
                continue
            if replay.problem:
                problems[seed] = replay.problem
                continue
            remembered += [seed] * replay.remembered
            environment = environment or next(iter(replay.run.environments), "")
            facts[seed] = {**replay.run.subjects, **replay.witness.partial.subjects}
            for test, outcome in replay.witness.outcomes.items():
                if outcome.ending in ("failed", "error"):
                    seeds, message = failed.get(test, ((), outcome.message))
                    failed[test] = (*seeds, seed), message
        return cls(facts, failed, problems, tuple(remembered), environment)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The base seeds of the replays that were made, ascending."""
        return tuple(sorted(self.facts))

    def only(self, seeds: Iterable[int]) -> Observations:
        """What came of some of the seeds."""
        kept = {*seeds}
        failed = {
            test: (own, message)
            for test, (some, message) in self.failed.items()
            if (own := tuple(seed for seed in some if seed in kept))
        }
        return Observations(
            {seed: facts for seed, facts in self.facts.items() if seed in kept},
            failed,
            {seed: problem for seed, problem in self.problems.items() if seed in kept},
            tuple(seed for seed in self.remembered if seed in kept),
            self.environment,
        )

    def samples(self) -> tuple[Sample, ...]:
        """Every result that one of them recorded, in the order of subjects and keys."""
        found: dict[tuple[str, str], dict[int, Fact]] = {}
        for seed in self.seeds:
            for subject, facts in self.facts[seed].items():
                for address, fact in facts.items():
                    if fact.facet == _RESULTS and subject != SESSION:
                        found.setdefault((subject, address), {})[seed] = fact
        return tuple(Sample(*place, facts) for place, facts in sorted(found.items()))

    def run(self, seed: int) -> Run:
        """The facts of one replay."""
        return Run(dict(self.facts.get(seed, {})))


def refusal(sample: Sample) -> str:
    """Why a result can have no band, in a few words; empty where it can have one."""
    facts = [*sample.facts.values()]
    kinds = {_kind(fact.value) for fact in facts}
    if len(kinds) > 1 or len({fact.dtype for fact in facts}) > 1:
        names = sorted({fact.dtype or _kind(fact.value) for fact in facts})
        return f"of several types: {', '.join(names)}"
    (kind,) = kinds
    if kind != "float":
        return kind
    for seed, fact in sample.facts.items():
        if isinstance(fact.value, float) and not math.isfinite(fact.value):
            return f"{fact.value!r} under seed {seed}"
    if len(facts) < FEWEST:
        return f"recorded under {len(facts)} of the seeds, {FEWEST} are needed"
    return ""


def _kind(value: Value) -> str:
    if isinstance(value, tuple):
        return "array"
    # bool before int: True is an int to Python.
    names = ((bool, "truth value"), (int, "whole number"), (float, "float"), (complex, "complex number"))
    for kind, name in (*names, (str, "text, model or large array")):
        if isinstance(value, kind):
            return name
    return "None"
