"""The nouns of a trace: what the project's own functions gave back, in order, as digests and sums."""

from __future__ import annotations

from dataclasses import dataclass

SKETCHED = 1 << 20
"""Floats that go into one sketch; of more, every second, third ... does."""


@dataclass(frozen=True, slots=True)
class Routine:
    """A function of the project.

    Attributes:
        file: below the root, parts joined by a slash.
        line: where it begins.
        name: with the classes and functions around it.
        yields: whether it is a generator, so that its steps are what it yields.
    """

    file: str
    line: int
    name: str
    yields: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What it is known by in a run of edited code, where lines have moved."""
        return self.file, self.name


@dataclass(frozen=True, slots=True)
class Sketch:
    """The floats in a value, summed up so that those of two values can be told apart by size.

    Attributes:
        count: how many there are.
        total: their sum.
        norm: the root of the sum of their squares.
        missing: how many are not a number.
        marks: up to eight sums, each float in one of them with a weight of its own; of up to eight floats, the floats.

    Infinities and what is not a number count as 0 in the sums; where they stand is part of a value's digest.
    """

    count: int
    total: float
    norm: float
    missing: int
    marks: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of one value.

    Attributes:
        form: its type and size in words, for small integers the value: ``list of 3``.
        digest: of all but the values of its floats.
        floats: the digest of those; empty where there are none.
        bag: the digest of the items of a container in any order; empty where it was not taken.
        sketch: of its floats.
    """

    form: str
    digest: str
    floats: str = ""
    bag: str = ""
    sketch: Sketch | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One value that a function returned or yielded."""

    routine: Routine
    seen: Seen


@dataclass(frozen=True, slots=True)
class Trace:
    """The steps of one subject, in the order in which the calls ended.

    Attributes:
        steps: those that were kept.
        cut: functions with further calls of which no steps were kept.
        stopped: why nothing was kept from some step on; empty where the trace is whole.
    """

    steps: tuple[Step, ...] = ()
    cut: frozenset[tuple[str, str]] = frozenset()
    stopped: str = ""
