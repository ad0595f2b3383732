"""How a fingerprint is to be taken: what the caller asked for besides the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_mlrepro.fingerprints.digests import Algorithm, algorithm

if TYPE_CHECKING:
    from pytest_mlrepro.fingerprints.cache import FileCache

Advance = Callable[[int], None]
"""Told how many more bytes have been read."""


@dataclass(frozen=True, slots=True)
class How:
    """What is asked of a fingerprint.

    Attributes:
        ordered: whether the order of the rows counts.
        algorithm: the hash of bulk data.
        detail: whether what explains a difference is gathered too.
        locate: whether the detail holds sketches that locate single cells and rows.
        private: names of columns of which the detail says nothing but a short digest.
        cache: of files read before.
        advance: is told of progress; None where nobody wants to know.
    """

    ordered: bool = True
    algorithm: Algorithm = field(default_factory=algorithm)
    detail: bool = True
    locate: bool = False
    private: frozenset[object] = frozenset()
    cache: FileCache | None = None
    advance: Advance | None = None
