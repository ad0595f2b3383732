"""What a replay's process tells beside the facts: how each test ended, in which order facts came, what was read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pytest_mlrepro.errors import ReplayError
from pytest_mlrepro.guard import Site
from pytest_mlrepro.lockfile import dumps, loads
from pytest_mlrepro.model import Run

Ending: TypeAlias = Literal["passed", "failed", "skipped", "error"]

ORDERS = "MLREPRO_REPLAY"
"""The environment variable that tells the child what to do: the JSON text of ``Orders``."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What the child is told.

    Attributes:
        witness: the file to write.
        perturbations: see ``Change``.
        home: the folder that nothing may be imported from: the user's checkout, where another one is under test.
        inside: folders whose files need no mention, for they are known by their versions.
    """

    witness: str
    perturbations: tuple[str, ...] = ()
    home: str = ""
    inside: tuple[str, ...] = ()

    def to_json(self) -> str:
        """As text."""
        return json.dumps([self.witness, self.perturbations, self.home, self.inside])

    @classmethod
    def from_json(cls, text: str) -> Orders:
        """The orders that ``to_json`` wrote."""
        witness, perturbations, home, inside = json.loads(text)
        return cls(witness, tuple(perturbations), home, tuple(inside))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a test ended.

    Attributes:
        ending: as pytest calls it; ``error`` where it was a fixture that failed.
        message: the last line of what went wrong; empty where nothing did.
    """

    ending: Ending
    message: str = ""


@dataclass(frozen=True, slots=True)
class Witness:
    """What the child tells.

    Attributes:
        outcomes: by test, in the order in which they ran.
        order: addresses by subject, in the order of recording; subjects in the order of their ends.
        unpinned: where unpinned randomness was used, with the subjects that came by.
        reads: files outside the project that were opened, with size and time of modification (ns).
        partial: what tests had recorded that then failed; ``Run`` of a replay holds only those that ran to their end.
        strays: modules that were imported from the folder that they should not come from.
        loaded: what the process had loaded at its end, such as the BLAS and its number of threads.
    """

    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    order: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unpinned: tuple[tuple[Site, tuple[str, ...]], ...] = ()
    reads: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    strays: tuple[str, ...] = ()
    partial: Run = field(default_factory=Run)
    loaded: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """As text."""
        return json.dumps(
            {
                "outcomes": {name: [each.ending, each.message] for name, each in self.outcomes.items()},
                "order": {subject: list(some) for subject, some in self.order.items()},
                "unpinned": [[site.plain(), list(subjects)] for site, subjects in self.unpinned],
                "reads": {path: list(stamp) for path, stamp in self.reads.items()},
                "strays": list(self.strays),
                "partial": dumps(self.partial),
                "loaded": dict(self.loaded),
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Witness:
        """The witness that ``to_json`` wrote."""
        raw = json.loads(text)
        return cls(
            {name: Outcome(*each) for name, each in raw["outcomes"].items()},
            {subject: tuple(some) for subject, some in raw["order"].items()},
            tuple((Site.of(site), tuple(subjects)) for site, subjects in raw["unpinned"]),
            {path: (size, moment) for path, (size, moment) in raw["reads"].items()},
            tuple(raw["strays"]),
            loads(raw["partial"], "witness"),
            raw["loaded"],
        )

    @classmethod
    def read(cls, path: Path) -> Witness:
        """Read the file that a child wrote.

        Raises:
            ReplayError: if it is not there, because the child ended before it could write it.
        """
        try:
            return cls.from_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise ReplayError(
                "the process ended before it could tell how its tests went", where="replay"
            ) from None
