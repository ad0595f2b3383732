"""Report files: the ending says which."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pytest_mlrepro.errors import ConfigError
from pytest_mlrepro.report import machine, markdown

FORMATS: Mapping[str, Callable[[dict[str, Any]], str]] = MappingProxyType(
    {".json": machine.written, ".md": markdown.written}
)
"""What turns the document of a run into the text of a file, by ending."""


def write(path: Path, document: dict[str, Any]) -> None:
    """Write a report.

    Args:
        path: its ending is one of ``FORMATS``.
        document: as ``machine.document`` makes it.

    Raises:
        ConfigError: if the file cannot be written.
    """
    content = FORMATS[path.suffix](document)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"the report cannot be written: {error.strerror}",
            where=str(path),
            remedy="name a file in a writable folder",
        ) from None
