"""Mixtures of then and now: which elements are as now, or as somewhere between."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias
from urllib.parse import quote, unquote

from pytest_mlrepro.bisect.elements import Element
from pytest_mlrepro.config import unknown
from pytest_mlrepro.errors import ConfigError

State: TypeAlias = frozenset[tuple[str, str]]
"""The elements that are not as they were then: name, and level. An empty level is as now, another one between."""

THEN: State = frozenset()
NOTHING = "none"
_SAFE = "/:.@ ~"


def as_now(names: Iterable[str]) -> State:
    """The state where these are as now."""
    return frozenset((name, "") for name in names)


def spec(state: State, elements: Sequence[Element]) -> str:
    """A state in one word, as ``--replay`` reads it: ``libraries.numpy,source=1a2b3c4``."""
    if not state:
        return NOTHING
    levels = dict(state)
    return ",".join(
        quote(each.name, safe=_SAFE)
        + (f"={quote(levels[each.name], safe=_SAFE)}" if levels[each.name] else "")
        for each in elements
        if each.name in levels
    )


def parse(text: str, elements: Sequence[Element]) -> State:
    """The state that a word means.

    Raises:
        ConfigError: for an element that does not differ between the two; it names the nearest.
    """
    if text.strip() == NOTHING:
        return THEN
    names = [each.name for each in elements]
    found = {}
    for part in text.split(","):
        name, _, level = part.partition("=")
        name = unquote(name.strip())
        if name not in names:
            raise unknown(name, [NOTHING, *names], "change", "--replay")
        if level and not any(each.name == name and each.has_levels for each in elements):
            raise ConfigError(
                "there is nothing between then and now", where=f"--replay {part}", remedy=f"--replay {name}"
            )
        found[name] = unquote(level.strip())
    return frozenset(found.items())
