"""Adapters for paths: the bytes of a file, the names and contents of a folder; never times, modes or places.

In a folder, links to files inside it count as what they point to; other links count as where they point, and are
not followed. Empty folders do not count.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints.cache import Content, FileCache
from pytest_mlrepro.fingerprints.digests import Fingerprint, blake3, node, seal
from pytest_mlrepro.fingerprints.ranges import Ranges
from pytest_mlrepro.model import Value

_CHUNK = 1 << 20
_TEXTS = frozenset(
    {".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".md", ".yaml", ".yml", ".xml", ".arff"}
)
_WHOLE, _WITH_BLOCKS, _WITH_LINES = range(3)
"""What is asked of a file's content: its digest, those of its blocks too, the number of its lines too."""
_NAMES_BUDGET = 1_600
_GROUPS = 32


def adapters() -> dict[type, Callable[..., Fingerprint]]:
    """The adapters of this module, by type."""
    return {Path: path}


def path(obj: Path, *, ordered: bool = True, cache: FileCache | None = None) -> Fingerprint:
    """The fingerprint of a file's bytes or of a folder's content.

    Args:
        obj: the path; a link is followed.
        ordered: True.
        cache: what is known of files that were read before.

    Raises:
        FingerprintError: for what cannot be read, is neither file nor folder, or changes meanwhile; for
            ``ordered=False``, as a file's rows are not known.
    """
    if not ordered:
        raise FingerprintError(
            f"ordered=False has no meaning for the bytes of {obj.name!r}",
            remedy="read the file and fingerprint the table, or leave ordered=False out",
        )
    with _explained(obj):
        status = obj.stat()
        if stat.S_ISDIR(status.st_mode):
            return _folder(obj, cache)
        kind = _WITH_LINES if obj.suffix.lower() in _TEXTS else _WITH_BLOCKS
        return _sealed(*_content(obj, obj.name, kind, cache))


def _sealed(size: int, content: Content) -> Fingerprint:
    detail: dict[str, Value] = {"kind": "file", "size": size}
    if content.lines is not None:
        detail["lines"] = content.lines
    if content.blocks:
        detail["blocks"] = content.blocks
    return seal(content.root, detail)


def _content(file: Path | str, name: str, kind: int, cache: FileCache | None) -> tuple[int, Content]:
    """A file's size and what its bytes come to, as the cache knows it, or read."""
    if cache is None:
        status, content = _file(file, name, kind)
        return status.st_size, content
    status = os.stat(file)  # noqa: PTH116 - a Path for each file of a folder takes longer than the call
    known = cache.find(status, kind)
    if known is not None:
        return status.st_size, known
    began = time.time_ns()
    status, content = _file(file, name, kind)
    cache.note(status, kind, content, began)
    return status.st_size, content


def _file(file: Path | str, name: str, kind: int) -> tuple[os.stat_result, Content]:
    # Not blocking: opening a FIFO would wait for a writer.
    descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with FileIO(descriptor) as handle:
        before = os.fstat(handle.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise FingerprintError(
                f"{name!r} is neither a file nor a folder",
                remedy="fingerprint what it leads to, or leave it out",
            )
        ranges = Ranges(before.st_size) if kind != _WHOLE else None
        read = _read(handle, before.st_size, ranges, lines=kind == _WITH_LINES)
        after = os.fstat(handle.fileno())
    if read is None or (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise FingerprintError(
            f"{name!r} changed while it was read", remedy="wait until whatever writes it has finished"
        )
    return before, read


def _read(handle: FileIO, size: int, ranges: Ranges | None, *, lines: bool) -> Content | None:
    """What the file's bytes come to; None if it has not the size it should have."""
    hasher = blake3()()
    position, breaks, last = 0, 0, b"\n"
    buffer = memoryview(bytearray(min(_CHUNK, size + 1)))
    while count := handle.readinto(buffer):
        if position + count > size:
            return None
        chunk = buffer[:count]
        hasher.update(chunk)
        if ranges is not None:
            for start, stop in _by_range(position, count, ranges.span):
                ranges.update(position + start, chunk[start:stop])
        if lines:
            breaks, last = breaks + bytes(chunk).count(b"\n"), bytes(chunk[-1:])
        position += count
    if position != size:
        return None
    count = breaks + (last != b"\n") if lines else None
    root = node("file", size, hasher.digest())
    return Content(root, count, ranges.digests() if ranges is not None else "")


def _by_range(position: int, count: int, span: int) -> Iterator[tuple[int, int]]:
    start = 0
    while start < count:
        stop = min(count, start + span - (position + start) % span)
        yield start, stop
        start = stop


def _folder(folder: Path, cache: FileCache | None) -> Fingerprint:
    root = folder.resolve()
    entries: list[tuple[str, bytes]] = []
    total, name = 0, ""
    try:
        for name, entry in sorted(_walk(root, "")):
            if entry.is_symlink() and _is_link_out(Path(entry.path), root):
                entries.append((name, node("link", Path(entry.path).readlink().as_posix())))
                continue
            size, content = _content(entry.path, name, _WHOLE, cache)
            entries.append((name, content.root))
            total += size
    except OSError as error:
        raise _unreadable(folder / name, error) from None
    digest = node("folder", *(part for name, content in entries for part in (name, content)))
    return seal(digest, {"kind": "folder", "files": len(entries), "size": total, **_listing(entries)})


def _walk(folder: Path | str, above: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """All that is not a folder, with its name relative to the root, parts joined by a slash."""
    with _explained(Path(folder)), os.scandir(folder) as found:
        entries = list(found)
    for entry in entries:
        name = f"{above}{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, f"{name}/")
        else:
            yield name, entry


def _is_link_out(entry: Path, root: Path) -> bool:
    """Whether a link leads to anything but a file inside the folder."""
    try:
        target = entry.resolve()
        return not (target.is_relative_to(root) and target.is_file())
    except (OSError, RuntimeError):
        # Links in a circle.
        return True


def _listing(entries: list[tuple[str, bytes]]) -> dict[str, Value]:
    """What tells later which file changed: every name if they fit, else neighbours in the order of names."""
    if sum(len(name) + 16 for name, _ in entries) <= _NAMES_BUDGET:
        return {"entries": tuple((name, content[:4].hex()) for name, content in entries)}
    size = -(-len(entries) // _GROUPS)
    groups = [entries[first : first + size] for first in range(0, len(entries), size)]
    return {
        "names": node("names", *(name for name, _ in entries))[:4].hex(),
        "groups": tuple(
            (_brief(group[0][0]), node("group", *(content for _, content in group))[:4].hex())
            for group in groups
        ),
    }


def _brief(name: str) -> str:
    return name if len(name) <= 40 else f"...{name[-37:]}"


@contextmanager
def _explained(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _unreadable(file, error) from None


def _unreadable(file: Path, error: OSError) -> FingerprintError:
    return FingerprintError(
        f"{file.name!r} cannot be read: {error.strerror or error}",
        remedy="check that it is there, and that you may read it",
    )
