"""Import libraries whose import changes the process, and undo what it changed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import PathFinder
from typing import Any

_SEARCH = "find_distributions"


def metadata_library() -> Any:
    """``importlib.metadata`` as of Python 3.13, on older ones its backport.

    The backport's import puts its finder in the place of the standard one, so that afterwards the
    whole process gets its classes from ``importlib.metadata``; this is undone.
    """
    if sys.version_info >= (3, 13):
        return import_module("importlib.metadata")
    with unchanged():
        return import_module("importlib_metadata")


def threadpool_library() -> Any:
    """``threadpoolctl``, without the environment variable that its import sets."""
    with unchanged():
        return import_module("threadpoolctl")


@contextmanager
def unchanged() -> Iterator[None]:
    """Put environment variables and import finders back as they were; modules stay imported."""
    variables = dict(os.environ)
    finders = list(map(id, sys.meta_path))
    search = vars(PathFinder).get(_SEARCH)
    try:
        yield
    finally:
        for name in os.environ.keys() - variables.keys():
            del os.environ[name]
        for name, value in variables.items():
            if os.environ.get(name) != value:
                os.environ[name] = value
        sys.meta_path[:] = [finder for finder in sys.meta_path if id(finder) in finders]
        if search is not None and vars(PathFinder).get(_SEARCH) is not search:
            setattr(PathFinder, _SEARCH, search)
