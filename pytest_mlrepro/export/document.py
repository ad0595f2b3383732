"""What goes into an export, and what comes out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """The lockfile that an export is made from.

    Attributes:
        name: of the file, without its folder.
        sha256: of the file's bytes, hexadecimal.
    """

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Document:
    """An export.

    Attributes:
        text: the content, ASCII, ending with a line end. The same lockfile gives the same text.
        notes: what the reader should know and the format has no place for, a sentence each.
    """

    text: str
    notes: tuple[str, ...] = ()
