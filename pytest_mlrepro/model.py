"""The nouns of the house: facts, runs, tolerances, drifts and what is said about them.

Everything here is frozen and knows nothing of pytest, files or any library beyond the standard one.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

from pytest_mlrepro.errors import RecordingError
from pytest_mlrepro.unread import Unread, laid_over

if TYPE_CHECKING:
    from pytest_mlrepro.bands import Band
    from pytest_mlrepro.traces import Trace

Value: TypeAlias = "bool | int | float | complex | str | tuple[Value, ...] | None"
"""What a fact can hold: a plain scalar, or a nested tuple of them."""

Role: TypeAlias = Literal["input", "output"]
Kind: TypeAlias = Literal["changed", "added", "removed"]
Policy: TypeAlias = Literal["fail", "warn", "note", "ignore"]
Strangers: TypeAlias = Literal["compare", "fail"]
Better: TypeAlias = Literal["higher", "lower"]
Rung: TypeAlias = Literal["identical", "rounding", "band", "drift"]

SESSION = "session"
"""The subject of facts about the run's environment."""

FACET_NAMES = (
    "source",
    "assumptions",
    "settings",
    "randomization",
    "data",
    "results",
    "libraries",
)
"""The seven facets, in the order in which they are written and shown."""

_LARGEST = sys.float_info.max
_NOTHING: Mapping[str, Value] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a float may be from its baseline: ``|current - baseline| <= atol + rtol * scale``.

    ``scale`` is the baseline's magnitude; for arrays, the largest magnitude in the baseline.

    Raises:
        RecordingError: if a bound is not a finite number >= 0.
    """

    rtol: float = 1e-9
    atol: float = 1e-12

    def __post_init__(self) -> None:
        for name in ("rtol", "atol"):
            bound = getattr(self, name)
            if isinstance(bound, int) and bound > _LARGEST:
                raise RecordingError(
                    f"{name} must be a number that a float can hold", remedy=f"pass for instance {name}=1e-6"
                )
            usable = isinstance(bound, int | float) and not isinstance(bound, bool)
            if not usable or bound < 0 or not math.isfinite(bound):
                raise RecordingError(
                    f"{name} must be a finite number >= 0, got {bound!r}",
                    remedy=f"pass for instance {name}=1e-6, or leave it out for the default",
                )
            object.__setattr__(self, name, float(bound))

    def width(self, scale: float) -> float:
        """The largest difference allowed at this scale (same unit as the metric)."""
        return self.atol + self.rtol * abs(scale)


DEFAULT_TOLERANCE = Tolerance()
"""Of floats where neither the fact, nor its test, nor the project says anything."""


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near a large array is to its baseline, cell by cell: found while the array is at hand, against a sketch.

    Attributes:
        of: names the sketch of the baseline.
        holds: whether the sketch proves that no cell moved much further than its width; where it does not hold,
            at least one cell moved further than that.
        width: the sketch's, in the array's unit.
        least, most: between which the largest change of a cell lies, in the array's unit.
        beyond: the blocks that hold a cell which moved further than the width, as far as is known.
    """

    of: str
    holds: bool
    width: float
    least: float
    most: float
    beyond: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """One recorded value.

    Attributes:
        facet: one of the facets' names.
        key: unique within a subject and facet, dotted: ``test.f1``.
        value: what is compared.
        dtype: numpy's name of the type where ``value`` alone does not tell it, such as ``float32``.
        tolerance: the fact's own tolerance; None for the project's default.
        better: which direction is an improvement, where somebody said so.
        detail: helps to explain a drift; stored, never compared.
        origin: ``file:line`` that recorded it in this run; neither stored nor compared.
        remark: how it differs from its baseline, where only who had the data could tell; neither stored nor compared.
        band: of a baseline that was calibrated; stored, and asked where the value is beyond its tolerance.
        nearness: of a large array to its baseline, where the recorder had both; neither stored nor compared.
    """

    facet: str
    key: str
    value: Value
    dtype: str = ""
    tolerance: Tolerance | None = field(default=None, compare=False)
    better: Better | None = field(default=None, compare=False)
    detail: Mapping[str, Value] = field(default_factory=lambda: _NOTHING, compare=False)
    origin: str = field(default="", compare=False)
    remark: str = field(default="", compare=False)
    band: Band | None = field(default=None, compare=False)
    nearness: Nearness | None = field(default=None, compare=False)

    @property
    def address(self) -> str:
        """``facet.key``."""
        return f"{self.facet}.{self.key}"


Facts: TypeAlias = Mapping[str, Fact]
"""Facts of one subject by address."""


class Worded(Mapping[str, Fact]):
    """Facts that can tell how a lockfile writes them, without being made."""

    __slots__ = ()

    def text(self, subject: str) -> str:
        """What a lockfile says of a subject that has these, to the letter; empty where that takes the facts to say."""
        raise NotImplementedError


Own: TypeAlias = "Mapping[str, Mapping[str, Fact | None]]"
"""What one environment has of its own, by subject and address; None where it lacks what the others share."""


@dataclass(frozen=True, slots=True)
class Run:
    """All the facts of one execution, by subject and address. A baseline is a run somebody accepted.

    Attributes:
        subjects: facts by subject; of a lockfile those that its environments share.
        traces: what functions returned, by subject, where that was traced; a baseline has none.
        environments: the environments that the facts were recorded in, by name, with what each has of its own.
    """

    subjects: Mapping[str, Facts] = field(default_factory=dict)
    traces: Mapping[str, Trace] = field(default_factory=dict)
    environments: Mapping[str, Own] = field(default_factory=dict)

    @classmethod
    def of(cls, facts: Mapping[str, Iterable[Fact]]) -> Run:
        """Make a run from facts by subject."""
        return cls({subject: by_address(some) for subject, some in facts.items()})

    def facts(self, subject: str) -> Facts:
        """The facts of a subject; none where it is unknown."""
        return self.subjects.get(subject, {})

    def text(self, subject: str) -> str:
        """The text that holds the facts of a subject, of a lockfile where it is as it would be written; else empty."""
        return self.subjects.text(subject) if isinstance(self.subjects, Unread) else ""

    def view(self, environment: str) -> Run:
        """What an environment is compared with: the shared facts, with its own laid over them.

        One that is not recorded sees what is shared.
        """
        own = self.environments.get(environment, {})
        named = {environment: own} if environment in self.environments else {}
        changed = {subject: _laid_over(self.facts(subject), facts) for subject, facts in own.items()}
        return Run(laid_over(self.subjects, changed), self.traces, named)

    def below(self, prefix: str) -> Run:
        """The facts of the subjects whose names begin so, without traces."""
        own = {
            name: {subject: facts for subject, facts in each.items() if subject.startswith(prefix)}
            for name, each in self.environments.items()
        }
        shared = {subject: self.subjects[subject] for subject in self.subjects if subject.startswith(prefix)}
        return Run(shared, environments=own)

    def __contains__(self, subject: object) -> bool:
        return subject in self.subjects

    def __iter__(self) -> Iterator[tuple[str, Fact]]:
        for subject, facts in self.subjects.items():
            for fact in facts.values():
                yield subject, fact


def _laid_over(shared: Facts, own: Mapping[str, Fact | None]) -> Facts:
    if not own:
        return shared
    laid = {**shared, **own}
    return {address: fact for address, fact in laid.items() if fact is not None}


def by_address(facts: Iterable[Fact]) -> Facts:
    """Facts of one subject as a mapping."""
    return {fact.address: fact for fact in facts}


@dataclass(frozen=True, slots=True)
class Drift:
    """A fact that differs from its baseline.

    ``baseline`` is None where the fact was added, ``current`` where it was removed.
    """

    subject: str
    facet: str
    key: str
    kind: Kind
    baseline: Fact | None
    current: Fact | None
    policy: Policy = "fail"

    @property
    def address(self) -> str:
        """``facet.key``."""
        return f"{self.facet}.{self.key}"


@dataclass(frozen=True, slots=True)
class Agreement:
    """A fact that is green without being identical: within its tolerance or its calibrated band."""

    subject: str
    rung: Rung
    baseline: Fact
    current: Fact


@dataclass(frozen=True, slots=True)
class Suspect:
    """An input drift that may be why a result drifted: a suspect until a replay has proved it."""

    drift: Drift
    sentence: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is said about one drift: one sentence, and its suspects, likeliest first."""

    drift: Drift
    sentence: str
    suspects: tuple[Suspect, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """What comparing two runs found.

    Attributes:
        drifts: every difference, in the order of subjects, facets and keys.
        identical, rounding, band: how many facts stood on each green rung of the ladder.
        near: the facts on the rungs ``rounding`` and ``band``, in the same order.
        beneath: inputs that are equal to their baselines but for what a remark tells: no drifts, only suspects.
    """

    drifts: tuple[Drift, ...] = ()
    identical: int = 0
    rounding: int = 0
    band: int = 0
    near: tuple[Agreement, ...] = ()
    beneath: tuple[Drift, ...] = ()
