"""What one subject recorded, as it travels from the process that ran it to the one that reports."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field, replace
from typing import Any

from pytest_mlrepro.lockfile.facts import decode_fact, encode_fact
from pytest_mlrepro.model import Comparison, Facts, Nearness, Policy, by_address


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one subject recorded, as it travels from the process that ran it.

    Attributes:
        subject: a test or fixture.
        facts: all of them.
        complete: False where the body did not run to its end, so that facts may be missing.
        overlay: policies of its marker.
        rests_on: subjects of the fixtures that it uses.
        uses: the distributions that its code uses.
        environment: facts of the process, where they are new since the last contribution.
        is_test: False for a fixture.
        opened: of a fixture: 1 where it has been set up, -1 where it has been torn down.
        comparison: of a test's facts with their baseline, where the process that reports has made it itself.
    """

    subject: str
    facts: Facts = field(default_factory=dict)
    complete: bool = True
    overlay: Mapping[str, Policy] = field(default_factory=dict)
    rests_on: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    environment: Facts = field(default_factory=dict)
    is_test: bool = True
    opened: int = 0
    comparison: Comparison | None = field(default=None, compare=False)

    def to_json(self) -> str:
        """As text: what travels between processes must be made of plain types."""
        return json.dumps(
            {
                "subject": self.subject,
                "facts": _encoded(self.facts),
                "complete": self.complete,
                "overlay": dict(self.overlay),
                "rests_on": self.rests_on,
                "uses": self.uses,
                "environment": _encoded(self.environment),
                "is_test": self.is_test,
                "opened": self.opened,
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str) -> Contribution:
        """The contribution that ``to_json`` wrote."""
        raw = json.loads(text)
        return cls(
            raw["subject"],
            _decoded(raw["facts"]),
            raw["complete"],
            raw["overlay"],
            tuple(raw["rests_on"]),
            tuple(raw["uses"]),
            _decoded(raw["environment"]),
            raw["is_test"],
            raw["opened"],
        )


def _encoded(facts: Facts) -> list[list[object]]:
    return [
        [
            fact.facet,
            fact.key,
            encode_fact(fact),
            fact.origin,
            fact.remark,
            fact.nearness and astuple(fact.nearness),
        ]
        for fact in facts.values()
    ]


def _decoded(raw: Iterable[tuple[str, str, object, str, str, list[Any] | None]]) -> Facts:
    return by_address(
        replace(decode_fact(facet, key, node), origin=origin, remark=remark, nearness=_nearness(near))
        for facet, key, node, origin, remark, near in raw
    )


def _nearness(raw: list[Any] | None) -> Nearness | None:
    if not raw:
        return None
    of, holds, width, least, most, beyond = raw
    return Nearness(of, holds, width, least, most, tuple(beyond))
