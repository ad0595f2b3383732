"""What one subject recorded, kept small: it becomes facts whenever somebody looks.

A run keeps what each of its tests recorded up to its end, where nobody looks at what did not drift. Facts are objects
that Python's garbage collector visits again and again; plain numbers and texts are not.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from typing import Protocol, TypeAlias

from pytest_mlrepro.facets.randomization import Randomization
from pytest_mlrepro.facets.results import Results
from pytest_mlrepro.lockfile import toml
from pytest_mlrepro.model import Fact, Tolerance, Worded

Jot: TypeAlias = tuple[str, "float | int | bool | str", str, int]
"""A plain result as it was noted: key, value, and the file and line that noted it."""

_SEED = f"{Randomization.name}.seed"
_RECEIPT = "seed = {{ value = {}, detail = {{ base = {} }} }}"


class Shows(Protocol):
    """Says how a place in the code is called."""

    def of(self, file: str, line: int) -> str:
        """``file:line``."""


class Notes(Worded):
    """Facts by address, each made when it is asked for."""

    __slots__ = ("_origins", "_receipt", "_rows", "_tolerance")

    def __init__(
        self,
        rows: Mapping[str, Fact | Jot],
        receipt: tuple[int, int] | None,
        tolerance: Tolerance | None,
        origins: Shows,
    ) -> None:
        """Make them.

        Args:
            rows: by address; nobody may change them any more.
            receipt: the seed, and the base seed that it was derived from; None where the rows hold them, if at all.
            tolerance: of results that are floats and have none of their own.
            origins: shows places in the code.
        """
        self._rows = rows
        self._receipt = receipt
        self._tolerance = tolerance
        self._origins = origins

    def __getitem__(self, address: str) -> Fact:
        if address == _SEED and self._receipt is not None:
            return self._seed(*self._receipt)
        return self.fact(self._rows[address])

    def __contains__(self, address: object) -> bool:
        return address in self._rows or (address == _SEED and self._receipt is not None)

    def __iter__(self) -> Iterator[str]:
        if self._receipt is not None:
            yield _SEED
        yield from self._rows

    def __len__(self) -> int:
        return len(self._rows) + (self._receipt is not None)

    def items(self) -> ItemsView[str, Fact]:
        """Addresses and facts."""
        return self._made().items()

    def values(self) -> ValuesView[Fact]:
        """The facts."""
        return self._made().values()

    def __repr__(self) -> str:
        return repr(self._made())

    def text(self, subject: str) -> str:
        """See ``Worded.text``."""
        if self._receipt is None or self._tolerance is not None:
            return ""
        rows = self._rows
        lines = []
        for address in sorted(rows):
            noted = rows[address]
            if isinstance(noted, Fact):
                return ""
            name, value, _, _ = noted
            # Most are floats, which are written as Python writes them.
            written = repr(value) if type(value) is float else toml.text(value)
            lines.append(f"\n{toml.key(name)} = {written}")
        # The name of each subject is asked for once: it would only drive others from what ``key`` remembers.
        whose = toml.string(subject) if "::" in subject else toml.key(subject)
        seed = f"[{whose}.{Randomization.name}]\n{_RECEIPT.format(*self._receipt)}"
        return f"{seed}\n\n[{whose}.{Results.name}]{''.join(lines)}" if lines else seed

    def fact(self, noted: Fact | Jot) -> Fact:
        """The fact that was noted."""
        if isinstance(noted, Fact):
            return noted
        name, value, file, line = noted
        tolerance = self._tolerance if type(value) is float else None
        return Fact(Results.name, name, value, tolerance=tolerance, origin=self._origins.of(file, line))

    def _seed(self, seed: int, base: int) -> Fact:
        return Randomization().capture(seed, base=base)[0]

    def _made(self) -> dict[str, Fact]:
        seed = {} if self._receipt is None else {_SEED: self._seed(*self._receipt)}
        return seed | {address: self.fact(each) for address, each in self._rows.items()}
