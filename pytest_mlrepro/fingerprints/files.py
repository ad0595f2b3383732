"""Adapters for paths: the bytes of a file, the names and contents of a folder, or the values that files hold."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints.cache import Content, FileCache, identity
from pytest_mlrepro.fingerprints.digests import Algorithm, Fingerprint, algorithm
from pytest_mlrepro.fingerprints.folders import folder_fingerprint
from pytest_mlrepro.fingerprints.reading import (
    WHOLE,
    WITH_BLOCKS,
    WITH_LINES,
    Advance,
    Reader,
    not_a_file,
    unreadable,
)
from pytest_mlrepro.model import Value

_TEXTS = frozenset(
    {".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".md", ".yaml", ".yml", ".xml", ".arff"}
)


def adapters() -> dict[type, Callable[..., Fingerprint]]:
    """The adapters of this module, by type."""
    return {Path: path}


def path(
    obj: Path,
    *,
    ordered: bool = True,
    by_value: bool = False,
    hashing: Algorithm | None = None,
    detail: bool = True,
    cache: FileCache | None = None,
    advance: Advance | None = None,
) -> Fingerprint:
    """The fingerprint of a file's bytes or of a folder's content.

    Args:
        obj: the path; a link is followed.
        ordered: whether the order of the rows counts, where a table is read by value.
        by_value: whether what files hold counts instead of their bytes, see ``contents``.
        hashing: the hash of the bytes; BLAKE3 where none is given.
        detail: whether parts and lines of a file are told of.
        cache: what is known of files that were read before; by value each is read.
        advance: is told how many more bytes have been read.

    Raises:
        FingerprintError: for what cannot be read, is neither file nor folder, or changes meanwhile; for
            ``ordered=False`` where no rows are known.
    """
    reader = Reader(hashing or algorithm(), cache, advance)
    status = _status(obj)
    if not (ordered or by_value):
        raise FingerprintError(
            f"ordered=False has no meaning for the bytes of {obj.name!r}",
            remedy="let its values count, with by_value=True, or leave ordered=False out",
        )
    try:
        if stat.S_ISDIR(status.st_mode):
            return folder_fingerprint(obj, reader)
        if not stat.S_ISREG(status.st_mode):
            raise not_a_file(obj.name)
        kind = WHOLE if not detail else WITH_LINES if obj.suffix.lower() in _TEXTS else WITH_BLOCKS
        return reader.hashing.seal(*_file(obj, status, kind, reader))
    except OSError as error:
        raise unreadable(obj.name, error) from None


def _status(obj: Path) -> os.stat_result:
    try:
        return obj.stat()
    except OSError as error:
        raise unreadable(obj.name, error) from None
    except ValueError as error:
        # A NUL, or characters that the file system's encoding does not have.
        raise FingerprintError(
            f"{obj.name!r} is no name of a file: {error}", remedy="check where the path comes from"
        ) from None


def _file(obj: Path, status: os.stat_result, kind: int, reader: Reader) -> tuple[bytes, dict[str, Value]]:
    """A file's digest and detail, as the cache knows them, or read."""
    content = reader.find(identity(status), kind)
    if content is None:
        status, content, _ = reader.read(obj, obj.name, kind)
    return content.root, _told(status.st_size, content, kind)


def _told(size: int, content: Content, kind: int) -> dict[str, Value]:
    told: dict[str, Value] = {"kind": "file", "size": size}
    if kind == WITH_LINES and content.lines is not None:
        told["lines"] = content.lines
    if kind != WHOLE and content.blocks:
        told["blocks"] = content.blocks
    return told
