"""The places of a page that links lead to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Address: TypeAlias = tuple[str, str, str]
"""Subject, facet and key of a fact."""


def address(each: Mapping[str, Any]) -> Address:
    """Whose fact an entry of the report is about."""
    return each["subject"], each["facet"], each["key"]


@dataclass(frozen=True, slots=True)
class Anchors:
    """Names of places: numbers only, so that nothing of a fact's name gets into a link.

    Attributes:
        drifts, metrics: by the facts that are told there.
    """

    drifts: Mapping[Address, str] = field(default_factory=dict)
    metrics: Mapping[Address, str] = field(default_factory=dict)

    def drift(self, fact: Address) -> str:
        """The link to what is said of a drift; empty where nothing is."""
        return f"#{self.drifts[fact]}" if fact in self.drifts else ""

    def metric(self, fact: Address) -> str:
        """The link to the plot of a metric; empty where there is none."""
        return f"#{self.metrics[fact]}" if fact in self.metrics else ""
