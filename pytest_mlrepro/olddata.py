"""Old data: rows of a file that changed, shown where git or the working folder still has both of its contents.

A content is recognised by its fingerprint, so what is shown is what was recorded, wherever it was found.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice, zip_longest
from pathlib import Path, PurePosixPath, PureWindowsPath

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import fingerprint, hash_of
from pytest_mlrepro.history import versions
from pytest_mlrepro.model import Drift, Fact

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_SHOWN = 20
_LONGEST = 200
_ALIGNED = 4_000
"""Rows, between the first and the last that differ, that are still aligned one with another."""

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """What a file held.

    Attributes:
        place: the commit where it was found; empty for the working folder.
        data: its bytes.
    """

    place: str
    data: bytes


def told(drifts: Iterable[Drift], root: Path) -> Iterator[str]:
    """For each file of delimited text whose data changed, the rows that did.

    Args:
        drifts: any.
        root: the project's folder, which the paths in details start from.
    """
    for drift in drifts:
        before, now = drift.baseline, drift.current
        if drift.facet != "data" or before is None or now is None:
            continue
        path = now.detail.get("path")
        old_path = before.detail.get("path", path)
        if not (isinstance(path, str) and isinstance(old_path, str)) or not _is_delimited(path):
            continue
        yield ""
        if _is_inside(root, path) and _is_inside(root, old_path):
            yield from _file(drift.address, (old_path, before), (path, now), root)
        else:
            yield f"{drift.address}: its path leads out of the project, so no rows are shown"


def _is_delimited(path: str) -> bool:
    return PurePosixPath(path).suffix.lower() in _DELIMITERS


def _is_inside(root: Path, path: str) -> bool:
    """Whether a path of a lockfile stays below the project's folder, as every system reads it, links included."""
    windows = PureWindowsPath(path)
    if PurePosixPath(path).is_absolute() or windows.drive or windows.root or ".." in windows.parts:
        return False
    try:
        return (root / path).resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError, ValueError):
        # Links in a circle; a name that no file can have.
        return False


def _file(address: str, before: tuple[str, Fact], now: tuple[str, Fact], root: Path) -> Iterator[str]:
    old, new = find(root, *before), find(root, *now)
    path = now[0]
    for content, which in ((old, "baseline"), (new, "run")):
        if content is None:
            yield f"{address}: neither git nor the folder has {path} as the {which} had it, so no rows are shown"
            return
    assert old is not None
    assert new is not None
    yield f"{address}: {path}{_at(old)} -> {path}{_at(new)}"
    delimiter = _DELIMITERS[PurePosixPath(path).suffix.lower()]
    try:
        lines = changed(_rows(old.data, delimiter), _rows(new.data, delimiter))
    except csv.Error as error:
        yield f"  no rows are shown: {error}"
        return
    for line in islice(lines, _SHOWN):
        yield f"  {line if len(line) <= _LONGEST else f'{line[: _LONGEST - 3]}...'}"
    if rest := sum(1 for _ in lines):
        yield f"  and {rest} more"


def _at(content: Content) -> str:
    return f" at {content.place}" if content.place else ""


def find(root: Path, path: str, fact: Fact) -> Content | None:
    """The content of a file that has the fingerprint that was recorded.

    Args:
        root: the project's folder.
        path: of the file below it, parts joined by a slash; nothing outside of the folder is read.
        fact: about it.
    """
    for content in _candidates(root, path):
        if _is(content.data, PurePosixPath(path).name, fact):
            return content
    return None


def _candidates(root: Path, path: str) -> Iterator[Content]:
    if not _is_inside(root, path):
        return
    file = root / path
    data = None
    with suppress(OSError):
        # A pipe or a device would be waited for.
        data = file.read_bytes() if file.is_file() else None
    if data is not None:
        yield Content("", data)
    for commit, data in versions(root, path):
        yield Content(commit, data)


def _is(data: bytes, name: str, fact: Fact) -> bool:
    digest = str(fact.value)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_bytes(data)
        try:
            own = fingerprint(
                file,
                ordered=bool(fact.detail.get("ordered", True)),
                by_value=bool(fact.detail.get("by_value")),
                digest=hash_of(digest),
                detail=False,
            )
        except FingerprintError:
            return False
    return own.digest == digest


def _rows(data: bytes, delimiter: str) -> list[Row]:
    text = io.StringIO(data.decode("utf-8-sig", "replace"), newline="")
    return [tuple(row) for row in csv.reader(text, delimiter=delimiter)]


def changed(before: Sequence[Row], after: Sequence[Row]) -> Iterator[str]:
    """The rows that differ, a line each; rows are counted from 0 below the header.

    Args:
        before: the old rows, the header first.
        after: the new ones.
    """
    if not before or not after or before[0] != after[0]:
        yield f"header {_line(before[:1])} -> {_line(after[:1])}"
    header = after[0] if after else ()
    old, new = list(before[1:]), list(after[1:])
    if len(old) == len(new):
        for number, (was, now) in enumerate(zip(old, new, strict=True)):
            if was != now:
                yield f"row {number}: {', '.join(_cells(header, was, now))}"
        return
    first = _common(zip(old, new, strict=False))
    last = _common(zip(reversed(old[first:]), reversed(new[first:]), strict=False))
    old, new = old[first : len(old) - last], new[first : len(new) - last]
    if max(len(old), len(new)) > _ALIGNED:
        yield from _sets(old, new, first)
        return
    for verb, was_from, was_to, now_from, now_to in SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        if verb == "equal":
            continue
        for place in range(was_from, was_to):
            yield f"row {first + place} of before: removed: {_line(old[place : place + 1])}"
        for place in range(now_from, now_to):
            yield f"row {first + place}: added: {_line(new[place : place + 1])}"


def _common(pairs: Iterable[tuple[Row, Row]]) -> int:
    count = 0
    for one, other in pairs:
        if one != other:
            break
        count += 1
    return count


def _sets(old: Sequence[Row], new: Sequence[Row], first: int) -> Iterator[str]:
    """Rows that only one of them has, where there are too many to align."""
    left, right = Counter(old), Counter(new)
    for verb, rows, others in (("removed", old, left - right), ("added", new, right - left)):
        for place, row in enumerate(rows):
            if others[row] > 0:
                others[row] -= 1
                yield f"row {first + place}{' of before' if verb == 'removed' else ''}: {verb}: {_line([row])}"


def _cells(header: Row, was: Row, now: Row) -> Iterator[str]:
    for place, (one, other) in enumerate(zip_longest(was, now)):
        if one != other:
            name = header[place] if place < len(header) else str(place)
            yield f"{name} {_cell(one)} -> {_cell(other)}"


def _cell(text: str | None) -> str:
    return "nothing" if text is None else repr(text)


def _line(rows: Sequence[Row]) -> str:
    return ",".join(rows[0]) if rows else "nothing"
