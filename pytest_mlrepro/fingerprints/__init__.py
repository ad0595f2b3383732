"""Fingerprints of data: a promise about values, whatever holds them.

Equal values give an equal digest in every process, memory layout and library version; a different value, type,
name, shape or order gives a different one, and the detail that goes with a digest says where two of them differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_mlrepro.fingerprints.cache import FileCache
    from pytest_mlrepro.fingerprints.differences import difference
    from pytest_mlrepro.fingerprints.digests import Fingerprint, hash_of
    from pytest_mlrepro.fingerprints.locating import is_located
    from pytest_mlrepro.fingerprints.registry import fingerprint

__all__ = ["HASHES", "FileCache", "Fingerprint", "difference", "fingerprint", "hash_of", "is_located"]

HASHES = ("blake3", "xxh3")
"""The hashes of bulk data, the default first."""

_HOMES = {
    "FileCache": "cache",
    "Fingerprint": "digests",
    "difference": "differences",
    "fingerprint": "registry",
    "hash_of": "digests",
    "is_located": "locating",
}


def __getattr__(name: str) -> Any:
    # Who only reads what was recorded, as most commands do, takes no fingerprint.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
