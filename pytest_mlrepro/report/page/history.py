"""What a fact was at earlier commits, as the page takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Point:
    """An accepted value of a fact.

    Attributes:
        commit: the short name of the commit that accepted it.
        date: of the commit, as it is to be shown.
        title: the first line of the commit's message.
        value: in JSON's types, as reports hold values; None where the fact was not in the lockfile.
    """

    commit: str
    date: str
    title: str
    value: Any


Histories: TypeAlias = Mapping[tuple[str, str], tuple[Point, ...]]
"""The values of facts by subject and address (``facet.key``), oldest first."""

NO_HISTORY: Histories = MappingProxyType({})
