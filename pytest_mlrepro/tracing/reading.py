"""A value while it is read: what is to be hashed, the floats in it, and how much may still be spent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from pytest_mlrepro.fingerprints.digests import blake3
from pytest_mlrepro.traces import Seen
from pytest_mlrepro.tracing.sketches import sketch

_DEEPEST = 24

Handler: TypeAlias = "Callable[[Reading, Any, int], None]"
"""Takes the reading, an object and how deep it lies, 0 for the value itself."""


class Budget:
    """What may be spent on one trace, so that its cost is bounded whatever is returned; no clock is asked.

    Attributes:
        nodes: objects that may still be looked at one by one, beyond ``small_nodes`` a value.
        bulk: bytes that may still be hashed, beyond ``small_bulk`` an array.
    """

    most_nodes, small_nodes = 20_000, 500
    most_bulk, small_bulk = 64 << 20, 1 << 20
    most_sample, small_sample = 4 << 20, 1 << 18

    def __init__(self, nodes: int = 1_000_000, bulk: int = 1 << 30) -> None:
        self.nodes = nodes
        self.bulk = bulk

    def nodes_a_value(self) -> int:
        """How many objects of the next value are looked at."""
        return self.most_nodes if self.nodes > 0 else self.small_nodes

    def whole(self, size: int) -> bool:
        """Whether bulk data of this many bytes is hashed whole; if so it is paid for."""
        if size > (self.most_bulk if self.bulk > 0 else self.small_bulk):
            return False
        self.bulk -= size
        return True

    def sample(self) -> int:
        """How many bytes are taken of an array that is not hashed whole."""
        return self.most_sample if self.bulk > 0 else self.small_sample


class Reading:
    """One value being read."""

    def __init__(self, budget: Budget, handler: Callable[[type], Handler]) -> None:
        self.budget = budget
        self.parts: list[bytes] = []
        self.floats: list[bytes] = []
        self.leaves: list[Any] = []
        self.form = ""
        self.bag = b""
        self._handler = handler
        self._most = self.left = budget.nodes_a_value()
        self._above: list[int] = []

    def visit(self, obj: Any, depth: int = 0) -> None:
        """Take an object and what is in it."""
        self.left -= 1
        if self.left < 0 or depth >= _DEEPEST or id(obj) in self._above:
            self.parts.append(b"cut;")
            self.name("deep", depth)
            return
        self._above.append(id(obj))
        self._handler(type(obj))(self, obj, depth)
        self._above.pop()

    def name(self, form: str, depth: int) -> None:
        """Say what the value is, where it is the one."""
        if not depth:
            self.form = form

    def add(self, tag: str, text: str = "") -> None:
        """Take a text, with its length."""
        data = f"{tag}{len(text)}:{text}".encode("utf-8", "surrogatepass")
        self.parts.append(data)

    def add_floats(self, data: bytes, leaf: Any) -> None:
        """Take floats: their bytes, or the digest of those, and themselves in one dimension."""
        self.floats.append(data)
        self.leaves.append(leaf)

    def seen(self) -> Seen:
        """What is known of the value now."""
        self.budget.nodes -= self._most - max(self.left, 0)
        if not self.leaves:
            return Seen(self.form, short(b"".join(self.parts)), "", self.bag.hex())
        sums, odd = sketch(self.leaves)
        self.add("odd", odd)
        digest, floats = short(b"".join(self.parts)), short(b"".join(self.floats))
        return Seen(self.form, digest, floats, self.bag.hex(), sums)


def short(data: bytes) -> str:
    """A digest of 64 bits: it is compared with that of the same step of another run, and no other."""
    return blake3()(data).digest(8).hex()  # type: ignore[no-any-return]
