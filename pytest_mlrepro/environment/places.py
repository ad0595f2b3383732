"""Where modules were imported from, or would be. Never to be recorded."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from typing import Any

INSTALLED = frozenset({"site-packages", "dist-packages"})
"""What the folders are called that installers put distributions into."""


def place_of(module: str) -> Path | None:
    """The file or folder of a top-level module, links followed, without importing it; None where it has none."""
    place = next(places_of(module), None)
    return Path(place).resolve() if place is not None else None


def places_of(module: str) -> Iterator[str]:
    """The same as it is written, and every folder of a namespace package."""
    try:
        spec = held(module, "__spec__") or find_spec(module)
    except (ImportError, ValueError, AttributeError):
        return
    if isinstance(spec, ModuleSpec):
        for location in (spec.origin, *(spec.submodule_search_locations or ())):
            if isinstance(location, str) and Path(location).is_absolute():
                yield location


def held(module: str, name: str) -> Any:
    """What a loaded module holds under a name, none of its code being run; None where it is not loaded or lacks it.

    An attribute of a module may be made by its ``__getattr__``, and one whose loading was put off loads when asked.
    """
    try:
        content = object.__getattribute__(sys.modules.get(module), "__dict__")
    except AttributeError:
        return None
    return content.get(name)


def is_inside(place: str, root: str) -> bool:
    """Whether a file lies in a folder, as the paths are written or once links are followed.

    Installers may link every file into a cache of their own, and folders may be links themselves.
    """
    root = root or os.curdir
    plain = os.path.abspath(place).startswith(os.path.join(os.path.abspath(root), ""))  # noqa: PTH100, PTH118
    return plain or os.path.realpath(place).startswith(os.path.join(os.path.realpath(root), ""))  # noqa: PTH118


def is_projects(place: Path, root: Path) -> bool:
    """Whether a file is the project's own, and not of an environment that lies in the project's folder.

    Args:
        place: of the file, links followed.
        root: the project's folder, likewise.
    """
    return place.is_relative_to(root) and INSTALLED.isdisjoint(place.relative_to(root).parts)
