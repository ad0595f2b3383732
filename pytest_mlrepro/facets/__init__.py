"""The seven facets, one room each, and those that other distributions add."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from pytest_mlrepro.errors import ConfigError
from pytest_mlrepro.facets._protocol import Facet, same_value, show
from pytest_mlrepro.facets._versions import VERSION_RULES, VersionRule, Versions
from pytest_mlrepro.facets.assumptions import Assumptions
from pytest_mlrepro.facets.data import Data
from pytest_mlrepro.facets.libraries import Libraries
from pytest_mlrepro.facets.randomization import Randomization
from pytest_mlrepro.facets.results import Results
from pytest_mlrepro.facets.settings import Settings
from pytest_mlrepro.facets.source import Source

__all__ = [
    "FACETS",
    "VERSION_RULES",
    "Facet",
    "VersionRule",
    "Versions",
    "facet",
    "facet_names",
    "further_facets",
    "same_value",
    "show",
]

FACETS: Mapping[str, Facet] = MappingProxyType(
    {
        room.name: room
        for room in (
            Source(),
            Assumptions(),
            Settings(),
            Randomization(),
            Data(),
            Results(),
            Libraries(),
        )
    }
)


def facet(name: str) -> Facet | None:
    """The facet of this name, None if neither we nor an installed distribution has it."""
    # Entry points are only looked up for a name that is not ours: reading them costs milliseconds.
    return FACETS.get(name) or further_facets().get(name)


def facet_names() -> tuple[str, ...]:
    """The names of our facets, in the order in which they are written and shown."""
    return tuple(FACETS)


@cache
def further_facets() -> Mapping[str, Facet]:
    """Facets of other distributions: entry points of the group ``mlrepro.facets``, each a ``Facet`` subclass.

    Raises:
        ConfigError: if one cannot be loaded or is no facet.
    """
    from importlib.metadata import entry_points

    found: dict[str, Facet] = {}
    for point in entry_points(group="mlrepro.facets"):
        try:
            kind = point.load()
        except (ImportError, AttributeError) as error:
            raise ConfigError(
                f"the facet {point.name!r} of entry point {point.value!r} cannot be loaded: {error}",
                remedy="uninstall or mend the distribution that brings it",
            ) from error
        if not (isinstance(kind, type) and issubclass(kind, Facet)):
            raise ConfigError(
                f"the entry point {point.value!r} is not a subclass of pytest_mlrepro.facets.Facet",
                remedy="uninstall or mend the distribution that brings it",
            )
        found[kind.name] = kind()
    return MappingProxyType(found)
