"""The entropy guard: sees every use of unpinned randomness while a test runs, and can pin it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_mlrepro.guard.guard import Guard, parse_variations
from pytest_mlrepro.guard.sightings import Sightings

if TYPE_CHECKING:
    from pytest_mlrepro.guard.errors import UnpinnedError, message
    from pytest_mlrepro.guard.site import Site

__all__ = ["Guard", "Sightings", "Site", "UnpinnedError", "message", "parse_variations"]

_HOMES = {"Site": "site", "UnpinnedError": "errors", "message": "errors"}


def __getattr__(name: str) -> Any:
    # Where nothing is seen there is nothing to say.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
