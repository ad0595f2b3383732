"""What the seven rooms have in common."""

from __future__ import annotations

import math
from typing import ClassVar, Literal, TypeAlias

from pytest_mlrepro.model import (
    DEFAULT_TOLERANCE,
    Agreement,
    Drift,
    Fact,
    Policy,
    Role,
    Rung,
    Tolerance,
    Value,
)

Reach: TypeAlias = Literal["far", "rounding", "nowhere"]
"""How far something can move a number: by any amount, in its last digits, or not by itself."""


class Facet:
    """One kind of knowledge about a model run. A new facet is a subclass in a file of its own.

    A facet observes and never changes the process. Give three attributes, and a method
    ``capture(...)`` that turns what a test declared into facts; the rest has working defaults:
    facts match when they are equal, a drift has the facet's policy, and is told as "was X, is Y".
    """

    name: ClassVar[str]
    role: ClassVar[Role] = "input"
    policy: ClassVar[Policy] = "fail"

    def rung(self, baseline: Fact, current: Fact, default: Tolerance) -> Rung:
        """Where the current fact stands against its baseline, on the ladder of agreement."""
        same = baseline.dtype == current.dtype and same_value(baseline.value, current.value)
        return "identical" if same else "drift"

    def default_policy(self, drift: Drift) -> Policy:
        """What a drift of this facet leads to where the project's settings do not say."""
        return self.policy

    def reach(self, drift: Drift) -> Reach:
        """How far what drifted can move a number: the order of suspects follows from it."""
        return "far"

    def explain(self, drift: Drift, default: Tolerance = DEFAULT_TOLERANCE) -> str:
        """One sentence, no address and no full stop: what changed, in this facet's terms.

        Args:
            drift: of this facet.
            default: the project's tolerance, for facets that know one.
        """
        if drift.baseline is None:
            assert drift.current is not None
            return f"not in the baseline, now {show(drift.current.value)}"
        if drift.current is None:
            return f"was {show(drift.baseline.value)}, no longer recorded"
        return f"{show(drift.baseline.value)} -> {show(drift.current.value)}"

    def agree(self, agreement: Agreement, default: Tolerance = DEFAULT_TOLERANCE) -> str:
        """One sentence on a fact that is green without being identical: how near it is."""
        return f"{show(agreement.baseline.value)} -> {show(agreement.current.value)}"


def same_value(left: Value, right: Value) -> bool:
    """Equality as a lockfile means it: NaN equals NaN, -0.0 is not 0.0, True is not 1, 1 is not 1.0."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float) and isinstance(right, float):
        if left != right:
            return math.isnan(left) and math.isnan(right)
        return math.copysign(1.0, left) == math.copysign(1.0, right)
    if isinstance(left, complex) and isinstance(right, complex):
        return same_value(left.real, right.real) and same_value(left.imag, right.imag)
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(map(same_value, left, right))
    return left == right


def show(value: Value, limit: int = 60) -> str:
    """A value as a reader writes it, cut to ``limit`` characters."""
    text = _written(value)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def _written(value: Value) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_written, value))}]"
    return repr(value)
