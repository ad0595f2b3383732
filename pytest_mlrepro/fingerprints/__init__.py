"""Fingerprints of data: a promise about values, whatever holds them.

Equal values give an equal digest in every process, memory layout and library version; a different value, type,
name, shape or order gives a different one, and the detail that goes with a digest says where two of them differ.
"""

from __future__ import annotations

from pytest_mlrepro.fingerprints.cache import FileCache
from pytest_mlrepro.fingerprints.differences import difference
from pytest_mlrepro.fingerprints.digests import Fingerprint
from pytest_mlrepro.fingerprints.registry import fingerprint

__all__ = ["FileCache", "Fingerprint", "difference", "fingerprint"]
