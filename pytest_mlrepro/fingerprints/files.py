"""Adapters for paths: the bytes of a file, the names and contents of a folder, or the values that files hold."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import contents
from pytest_mlrepro.fingerprints.cache import Content, FileCache, identity
from pytest_mlrepro.fingerprints.contents import Kind, endings, kind_of
from pytest_mlrepro.fingerprints.digests import Algorithm, Fingerprint, algorithm, node
from pytest_mlrepro.fingerprints.folders import folder_fingerprint, summed, walk
from pytest_mlrepro.fingerprints.how import Advance
from pytest_mlrepro.fingerprints.reading import (
    WHOLE,
    WITH_BLOCKS,
    WITH_LINES,
    Reader,
    changed,
    not_a_file,
    unreadable,
)
from pytest_mlrepro.model import Value

_LARGE = 1 << 24
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
    known: Fingerprint | None = None,
    detail: bool = True,
    locate: bool = False,
    private: frozenset[object] = frozenset(),
    cache: FileCache | None = None,
    advance: Advance | None = None,
) -> Fingerprint:
    """The fingerprint of a file's bytes or of a folder's content.

    Args:
        obj: the path; a link is followed.
        ordered: whether the order of the rows counts, where a table is read by value.
        by_value: whether what files hold counts instead of their bytes, see ``contents``.
        hashing: the hash of the bytes; BLAKE3 where none is given.
        known: what it is compared with.
        detail: whether parts and lines of a file are told of.
        locate, private: for the columns of a table that is read by value.
        cache: what is known of files that were read before; by value each is read.
        advance: is told how many more bytes have been read.

    Raises:
        FingerprintError: for what cannot be read, is neither file nor folder, or changes meanwhile; for
            ``ordered=False`` where no rows are known.
    """
    reader = Reader(hashing or algorithm(), cache, advance)
    name = obj.name or str(obj)
    status = _status(obj, name)
    if not (ordered or by_value):
        raise FingerprintError(
            f"ordered=False has no meaning for the bytes of {name!r}",
            remedy="let its values count, with by_value=True, or leave ordered=False out",
        )
    if (locate or private) and (not by_value or stat.S_ISDIR(status.st_mode)):
        raise FingerprintError(
            f"locate and private are for the columns of a table, not for the bytes of {name!r}",
            remedy="let the values of a file count, with by_value=True, or leave them out",
        )
    try:
        if stat.S_ISDIR(status.st_mode):
            return _folder_by_value(obj, reader, ordered) if by_value else folder_fingerprint(obj, reader)
        if not stat.S_ISREG(status.st_mode):
            raise not_a_file(name)
        if by_value:
            asked = {"known": known, "detail": detail, "locate": locate, "private": private}
            return _by_value(obj, name, _kind(name), reader, ordered=ordered, **asked)
        kind = WHOLE if not detail else WITH_LINES if obj.suffix.lower() in _TEXTS else WITH_BLOCKS
        if known is not None and status.st_size > _LARGE and reader.find(identity(status), kind) is None:
            # Half the work where nothing changed.
            whole = reader.hashing.seal(*_file(obj, status, WHOLE, reader, name))
            if whole == known:
                return known
        return reader.hashing.seal(*_file(obj, status, kind, reader, name))
    except OSError as error:
        raise unreadable(name, error) from None


def _status(obj: Path, name: str) -> os.stat_result:
    try:
        return obj.stat()
    except OSError as error:
        raise unreadable(name, error) from None
    except ValueError as error:
        # A NUL, or characters that the file system's encoding does not have.
        raise FingerprintError(
            f"{name!r} is no name of a file: {error}", remedy="check where the path comes from"
        ) from None


def _kind(name: str) -> Kind:
    kind = kind_of(name)
    if kind is None:
        raise FingerprintError(
            f"{name!r} cannot be read by value, its ending is none of {endings()}",
            remedy="read it and fingerprint what you get, or let its bytes count, without by_value",
        )
    return kind


def _by_value(
    file: Path, name: str, kind: Kind, reader: Reader, *, ordered: bool = True, **asked: Any
) -> Fingerprint:
    """The fingerprint of what a file holds."""
    from pytest_mlrepro.fingerprints.registry import fingerprint

    if not (ordered or kind.has_rows):
        raise FingerprintError(
            f"ordered=False has no meaning for {name!r}, which has no rows", remedy="leave ordered=False out"
        )
    before = file.stat()
    values = contents.read(file, name, kind)
    with contents.explained(name, kind.late()):
        taken = fingerprint(
            values, ordered=ordered, digest=reader.hashing.name, advance=reader.advance, **asked
        )
    after = file.stat()
    if (after.st_size, after.st_mtime_ns, after.st_ino) != (
        before.st_size,
        before.st_mtime_ns,
        before.st_ino,
    ):
        raise changed(name)
    return taken


def _folder_by_value(folder: Path, reader: Reader, ordered: bool) -> Fingerprint:
    """The fingerprint of a folder: of each file its values, where they can be read, else its bytes."""
    if not ordered:
        raise FingerprintError(
            f"ordered=False has no meaning for the folder {folder.name!r}", remedy="leave ordered=False out"
        )
    root = folder.resolve()
    tree = walk(root)
    roots, size = {}, 0
    for name in sorted(tree.files()):
        file = root / name
        try:
            status = file.stat()
            if (kind := kind_of(name)) is not None:
                value = _by_value(file, name, kind, reader, detail=False)
                roots[name] = node("value", value.digest)
            else:
                roots[name], _ = _file(file, status, WHOLE, reader, name)
        except OSError as error:
            raise unreadable(name, error) from None
        size += status.st_size
    return reader.hashing.seal(*summed(roots, tree.targets, size, "folder by value"))


def _file(
    file: Path, status: os.stat_result, kind: int, reader: Reader, name: str
) -> tuple[bytes, dict[str, Value]]:
    """A file's digest and detail, as the cache knows them, or read."""
    size, content = status.st_size, reader.find(identity(status), kind)
    if content is None:
        size, content, _ = reader.read(file, name, kind)
    return content.root, _told(size, content, kind)


def _told(size: int, content: Content, kind: int) -> dict[str, Value]:
    told: dict[str, Value] = {"kind": "file", "size": size}
    if kind == WITH_LINES and content.lines is not None:
        told["lines"] = content.lines
    if kind != WHOLE and content.blocks:
        told["blocks"] = content.blocks
    return told
