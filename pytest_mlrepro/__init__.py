"""Reproducibility assertions for machine learning, as a pytest plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_mlrepro._version import __version__

if TYPE_CHECKING:
    from pytest_mlrepro.capture import Recorder
    from pytest_mlrepro.comparison import compare
    from pytest_mlrepro.fingerprints import Fingerprint, fingerprint
    from pytest_mlrepro.lockfile import load_lockfile
    from pytest_mlrepro.model import Drift, Fact, Run, Tolerance

__all__ = [
    "Drift",
    "Fact",
    "Fingerprint",
    "Recorder",
    "Run",
    "Tolerance",
    "__version__",
    "compare",
    "fingerprint",
    "load_lockfile",
]

_HOMES = {
    "Drift": "model",
    "Fact": "model",
    "Fingerprint": "fingerprints",
    "Recorder": "capture",
    "Run": "model",
    "Tolerance": "model",
    "compare": "comparison",
    "fingerprint": "fingerprints",
    "load_lockfile": "lockfile",
}


def __getattr__(name: str) -> Any:
    # Every pytest run imports this package: what nobody asks for is not loaded.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
