"""Digests: how bytes, and digests of parts, become the one digest of the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pytest_mlrepro.model import Value

ALGORITHM = "mlr1-blake3"
"""Version of the encoding and name of the hash. A change of either is a new name."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What identifies a piece of data.

    Attributes:
        digest: ``mlr1-blake3:`` and 32 hexadecimal digits; equality is equality of digests.
        detail: what explains a difference: kind, dtype, shape, digests and summaries of parts. Never compared.
    """

    digest: str
    detail: Mapping[str, Value] = field(compare=False)

    def __str__(self) -> str:
        return self.digest


@cache
def blake3() -> Callable[..., Any]:
    """The hash, imported when it is first needed."""
    from blake3 import blake3

    return blake3


def leaf(buffers: Iterable[Any]) -> bytes:
    """The digest (32 bytes) of raw bytes, given in pieces; where the pieces end does not matter."""
    hasher = blake3()()
    for buffer in buffers:
        hasher.update(buffer)
    return hasher.digest()  # type: ignore[no-any-return]


def node(tag: str, *parts: bytes | str | int) -> bytes:
    """The digest (32 bytes) of a structure: its tag says what the parts are, each part carries its length."""
    pieces: list[bytes] = []
    for part in (tag, *parts):
        data = part if isinstance(part, bytes) else text_bytes(str(part))
        pieces += (len(data).to_bytes(8, "little"), data)
    return blake3()(b"".join(pieces)).digest()  # type: ignore[no-any-return]


def seal(root: bytes, detail: Mapping[str, Value]) -> Fingerprint:
    """The fingerprint whose structure has this digest: 128 bits of it, with the algorithm's name."""
    return Fingerprint(f"{ALGORITHM}:{root[:16].hex()}", detail)


def text_bytes(text: str) -> bytes:
    """UTF-8, lone surrogates included."""
    return text.encode("utf-8", "surrogatepass")
