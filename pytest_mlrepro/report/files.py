"""Report files: the ending says which."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_mlrepro.config import unknown
from pytest_mlrepro.errors import ConfigError, MissingExtraError
from pytest_mlrepro.report import machine, markdown

if TYPE_CHECKING:
    from pytest_mlrepro.report.page import Histories

Past: TypeAlias = "Callable[[], Histories]"
"""Finds out what the metrics were at earlier commits."""


def _page(document: dict[str, Any], past: Past) -> str:
    # The rooms of the page take as long to import as all other reports: only who wants one pays for it.
    from pytest_mlrepro.report import page

    return page.written(document, past())


FORMATS: Mapping[str, Callable[[dict[str, Any], Past], str]] = MappingProxyType(
    {
        ".html": _page,
        ".json": lambda document, _: machine.written(document),
        ".md": lambda document, _: markdown.written(document),
    }
)
"""What turns the document of a run, and its past where that is shown, into the text of a file, by ending."""

_NEEDS: Mapping[str, tuple[str, str]] = MappingProxyType({".html": ("jinja2", "html")})
"""The package that a report is made with, and the extra that brings it."""


def check(path: Path, where: str) -> None:
    """See whether a report can be written, before there is one.

    Args:
        path: of the report.
        where: the option that names it.

    Raises:
        ConfigError: if no report has this ending.
        MissingExtraError: if a library that it needs is not installed.
    """
    if path.suffix not in FORMATS:
        raise unknown(path.suffix, FORMATS, "ending of a report", where)
    library, extra = _NEEDS.get(path.suffix, ("", ""))
    if library and find_spec(library) is None:
        raise MissingExtraError(
            f"the report as a web page needs the package {library}",
            where=where,
            remedy=f'pip install "pytest-mlrepro[{extra}]"',
        )


def _none() -> Histories:
    return {}


def write(path: Path, document: dict[str, Any], *, shown: str = "", past: Past = _none) -> None:
    """Write a report.

    Args:
        path: its ending is one of ``FORMATS``.
        document: as ``machine.document`` makes it.
        shown: how to call the file in an error message; empty for its path.
        past: asked where the report shows it.

    Raises:
        ConfigError: if the file cannot be written.
    """
    content = FORMATS[path.suffix](document, past)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"the report cannot be written: {error.strerror}",
            where=shown or str(path),
            remedy="name a file in a writable folder",
        ) from None
