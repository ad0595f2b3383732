"""Fingerprints of data: a promise about values, whatever holds them.

Equal values give an equal digest in every process, memory layout and library version; a different value, type,
name, shape or order gives a different one, and the detail that goes with a digest says where two of them differ.
"""

from __future__ import annotations

from pytest_mlrepro.fingerprints.cache import FileCache
from pytest_mlrepro.fingerprints.differences import difference
from pytest_mlrepro.fingerprints.digests import HASHES, Fingerprint, hash_of
from pytest_mlrepro.fingerprints.locating import is_located
from pytest_mlrepro.fingerprints.registry import fingerprint

__all__ = ["HASHES", "FileCache", "Fingerprint", "difference", "fingerprint", "hash_of", "is_located"]
