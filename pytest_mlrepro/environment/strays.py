"""Modules in use that no distribution accounts for: copied, vendored, generated, or inside a frozen application."""

from __future__ import annotations

import re
import sys
import sysconfig
from pathlib import Path

from pytest_mlrepro.environment.places import INSTALLED, held, is_projects, place_of

_VERSION = re.compile(r"v?\d[0-9A-Za-z.+!_-]{0,63}")
_EMBEDDED = frozenset({"frozen", "built-in"})


def is_stray(module: str, root: Path | None) -> bool:
    """Whether a module that no distribution provides is there, and is neither Python's nor the project's.

    Args:
        module: a top-level name.
        root: the project's folder, links followed.
    """
    if module in sys.stdlib_module_names or module.startswith("__"):
        return False
    place = place_of(module)
    if place is None:
        return _is_embedded(module)
    return not _is_pythons(place) and not (root is not None and is_projects(place, root))


def told_version(module: str) -> str:
    """The version that a loaded module tells of itself; empty where it tells none that looks like one."""
    told = held(module, "__version__")
    return told if isinstance(told, str) and _VERSION.fullmatch(told) else ""


def _is_embedded(module: str) -> bool:
    """Whether it was built into the interpreter, as freezing an application does."""
    return getattr(held(module, "__spec__"), "origin", None) in _EMBEDDED


def _is_pythons(place: Path) -> bool:
    """Whether it lies in the standard library, under a name that the list of its modules lacks."""
    paths = (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))
    return any(
        place.is_relative_to(folder) and INSTALLED.isdisjoint(place.relative_to(folder).parts)
        for folder in (Path(path).resolve() for path in paths if path)
    )
