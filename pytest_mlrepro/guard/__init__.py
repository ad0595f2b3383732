"""The entropy guard: sees every use of unpinned randomness while a test runs, and can pin it."""

from pytest_mlrepro.guard.errors import UnpinnedError, message
from pytest_mlrepro.guard.guard import Guard, parse_variations
from pytest_mlrepro.guard.sightings import Sightings
from pytest_mlrepro.guard.site import Site

__all__ = ["Guard", "Sightings", "Site", "UnpinnedError", "message", "parse_variations"]
