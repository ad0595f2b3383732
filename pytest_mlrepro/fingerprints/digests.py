"""Digests: how bytes, and digests of parts, become the one digest of the whole."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

from pytest_mlrepro.errors import FingerprintError, MissingExtraError
from pytest_mlrepro.fingerprints import HASHES
from pytest_mlrepro.model import Value

FORMAT = "mlr1"
"""Version of the encoding. A change of what is hashed, or in which order, is a new name."""

_LENGTH = struct.Struct("<Q").pack


class Hasher(Protocol):
    """What takes bytes piece by piece and gives their digest."""

    def update(self, data: Any, /) -> object:
        """Take more bytes."""

    def digest(self) -> bytes:
        """The digest of all bytes so far."""


@dataclass(frozen=True, slots=True)
class Algorithm:
    """How the bytes of bulk data are hashed; structures are always hashed with BLAKE3.

    Attributes:
        name: ``blake3``, or ``xxh3`` (XXH3 with 128 bits: as fast as memory, but no defence against who means harm).
        new: makes a hasher, with the first bytes or without.
    """

    name: str
    new: Callable[..., Hasher] = field(compare=False)

    @property
    def label(self) -> str:
        """What the digests made with it start with: ``mlr1-blake3``."""
        return f"{FORMAT}-{self.name}"

    def leaf(self, buffers: Iterable[Any]) -> bytes:
        """The digest of raw bytes, given in pieces; where the pieces end does not matter."""
        hasher = self.new()
        for buffer in buffers:
            hasher.update(buffer)
        return hasher.digest()

    def seal(self, root: bytes, detail: Mapping[str, Value]) -> Fingerprint:
        """The fingerprint whose structure has this digest: 128 bits of it, with the algorithm's name."""
        return Fingerprint(f"{self.label}:{root[:16].hex()}", detail)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What identifies a piece of data.

    Attributes:
        digest: ``mlr1-blake3:`` and 32 hexadecimal digits; equality is equality of digests.
        detail: what explains a difference: kind, dtype, shape, digests and summaries of parts. Never compared.
        remark: how it differs from what it was compared with, where only who had the data could tell. Never compared.
    """

    digest: str
    detail: Mapping[str, Value] = field(compare=False)
    remark: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.digest


@cache
def blake3() -> Callable[..., Any]:
    """The hash of structures, imported when it is first needed."""
    from blake3 import blake3

    return blake3


@cache
def algorithm(name: str = HASHES[0]) -> Algorithm:
    """The algorithm of this name.

    Raises:
        FingerprintError: for an unknown one.
        MissingExtraError: where its library is not installed.
    """
    if name == "blake3":
        return Algorithm(name, blake3())
    if name != "xxh3":
        raise FingerprintError(f"unknown digest {name!r}", remedy=f"known: {', '.join(HASHES)}")
    try:
        from xxhash import xxh3_128
    except ImportError:
        raise MissingExtraError(
            'digest = "xxh3" needs the package xxhash', remedy='pip install "pytest-mlrepro[xxh3]"'
        ) from None
    return Algorithm(name, xxh3_128)


def hash_of(digest: str) -> str:
    """The name of the hash that a digest was made with; empty where its format is not that of this version."""
    version, _, name = digest.partition(":")[0].partition("-")
    return name if version == FORMAT and name in HASHES else ""


def node(tag: str, *parts: bytes | str | int) -> bytes:
    """The digest (32 bytes) of a structure: its tag says what the parts are, each part carries its length."""
    pieces: list[bytes] = []
    for part in (tag, *parts):
        # Not text_bytes(): of a large folder it would be called 20,000 times.
        data = part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogatepass")
        pieces += (_LENGTH(len(data)), data)
    return blake3()(b"".join(pieces)).digest()  # type: ignore[no-any-return]


def seal(root: bytes, detail: Mapping[str, Value]) -> Fingerprint:
    """The fingerprint of a structure without bulk data."""
    return algorithm().seal(root, detail)


def text_bytes(text: str) -> bytes:
    """UTF-8, lone surrogates included."""
    # Not text.encode(): a class that descends from str may have put something else in its place.
    return str.encode(text, "utf-8", "surrogatepass")
