"""A place in the project's code that takes randomness which no seed decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

CLOCK = "<clock>"
"""Stands in a call for a seed that was made from the time of day."""

_SEEDING = ("seed", "random.seed", "torch.seed")
_SYSTEM = ("SystemRandom.", "secrets.", "os.")


@dataclass(frozen=True, slots=True)
class Site:
    """One place that used unpinned randomness.

    Attributes:
        file: below the project's root, with slashes.
        line: of the call, from 1 on.
        function: qualified name of what the line stands in.
        call: what took the randomness, such as ``default_rng()``; ``<clock>`` for a seed made from the time.
        via: the library that the line called.
        direct: whether the line made the call itself, not a library on its behalf.
        pinned: whether it was given pinned entropy.
        count: how often.
    """

    file: str
    line: int
    function: str
    call: str
    via: str
    direct: bool = True
    pinned: bool = False
    count: int = 1

    @property
    def address(self) -> str:
        """``file:line``."""
        return f"{self.file}:{self.line}"

    @property
    def remedy(self) -> str:
        """What to do about it, a few words."""
        name = self.call.partition("(")[0]
        if CLOCK in self.call:
            told = f"seed it with mlrepro.seed, not with the clock: {name}(mlrepro.seed)"
        elif not self.direct:
            told = f"give {self.via} a seed or a generator there: mlrepro.seed or mlrepro.rng"
        elif self.via == "numba":
            told = "seed it within the compiled function: np.random.seed(seed)"
        elif name in _SEEDING:
            told = "leave it out, the generator is pinned already; or give it mlrepro.seed"
        elif name == "uuid.uuid4":
            told = "make it from a pinned generator: uuid.UUID(bytes=random.randbytes(16), version=4)"
        elif name.startswith(_SYSTEM):
            told = "draw from a pinned generator: random.randbytes(n) or mlrepro.rng"
        else:
            told = f"pass a seed: {name}(mlrepro.seed)"
        return told

    @property
    def told(self) -> str:
        """What took the randomness: ``default_rng() via numpy``."""
        return self.call if self.call.startswith(f"{self.via}.") else f"{self.call} via {self.via}"

    def __str__(self) -> str:
        return f"{self.address} {self.told}"

    def plain(self) -> dict[str, Any]:
        """As plain types."""
        return asdict(self)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Site:
        """The site that ``plain`` gave."""
        return cls(**raw)
