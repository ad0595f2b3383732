"""What a drift leads to: fail, warn, note, or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from pytest_mlrepro.comparison import room
from pytest_mlrepro.facets import Versions
from pytest_mlrepro.model import Drift, Policy


@dataclass(frozen=True, slots=True)
class Policies:
    """Rules from address pattern to policy; the facet decides where none matches.

    A pattern is a glob over the address (``results.*.loss``); one that names whole leading parts
    stands for everything below them (``source``, ``results.test``). The longest matching pattern
    wins within a layer, an earlier layer wins over a later one.

    Attributes:
        layers: the rules, strongest first: a marker's before the project's.
        versions: how exactly versions of libraries must agree. One within its rule is a note, and what a rule for
            its address says holds for those beyond.
    """

    layers: tuple[Mapping[str, Policy], ...] = ()
    versions: Versions = field(default_factory=Versions)

    def over(self, rules: Mapping[str, Policy]) -> Policies:
        """These policies with stronger rules laid over them."""
        return replace(self, layers=(rules, *self.layers)) if rules else self

    def rule(self, address: str) -> Policy | None:
        """What the rules say of this address; None where they are silent."""
        for rules in self.layers:
            if matching := [pattern for pattern in rules if matches(pattern, address)]:
                return rules[max(matching, key=len)]
        return None

    def judge(self, drifts: Iterable[Drift]) -> tuple[Drift, ...]:
        """The drifts with their policies; those to be ignored are left out."""
        judged = map(self._judged, drifts)
        return tuple(drift for drift in judged if drift.policy != "ignore")

    def _judged(self, drift: Drift) -> Drift:
        rule = self.rule(drift.address) if self.layers else None
        if rule == "ignore":
            return replace(drift, policy=rule)
        default = room(drift.facet).default_policy(drift)
        judged = self.versions.judge(drift if drift.policy == default else replace(drift, policy=default))
        is_within = judged.current is not drift.current
        return replace(judged, policy=rule) if rule and not is_within else judged


def failing(drifts: Iterable[Drift]) -> tuple[Drift, ...]:
    """The drifts that fail the run."""
    return tuple(drift for drift in drifts if drift.policy == "fail")


def matches(pattern: str, address: str) -> bool:
    """Whether a rule's pattern is about an address."""
    # As it stands first: an address may hold brackets, which are special in a glob.
    is_below = f"{address}.".startswith(f"{pattern}.")
    return is_below or fnmatchcase(address, pattern) or fnmatchcase(address, f"{pattern}.*")
