"""Batches: tables that come one after another, reduced as they go by, and what they come to as bytes for engines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints.columns import CELLS
from pytest_mlrepro.fingerprints.how import Advance, How
from pytest_mlrepro.fingerprints.multiset import RowSums
from pytest_mlrepro.fingerprints.partitions import Kind, Objects, Part, Parts, merged, part_of, whole
from pytest_mlrepro.fingerprints.summaries import Tally
from pytest_mlrepro.fingerprints.tables import Reduced, Table

_LACKING = re.compile(r"(?:No module named '|import of )(pytest_mlrepro|blake3|numpy|pyarrow)\b")


def reduced(
    tables: Iterable[Table], objects: Objects, *, detail: bool = True, advance: Advance | None = None
) -> Parts:
    """What tables come to together.

    Args:
        tables: are read one after another, and held no longer.
        objects: see ``Objects``.
        detail: whether statistics are gathered besides the sums.
        advance: is told of bytes read, about.
    """
    parts: Parts = ()
    for table in tables:
        parts = merged([parts, part_of(table, objects, detail=detail)])
        if advance is not None:
            advance(8 * table.rows * len(table.columns))
    return parts


def streamed(empty: Table, tables: Iterable[Table], how: How) -> Table:
    """The form of a table whose rows are read as batches: again and again, or once if types do not rest on values.

    Raises:
        FingerprintError: see ``whole``.
    """
    return whole(empty, lambda objects: reduced(tables, objects, detail=how.detail, advance=how.advance))


def arrow_tables(batches: Iterable[Any]) -> Iterator[Any]:
    """Record batches as tables that are long enough to be worth their while."""
    pa = import_module("pyarrow")
    held: list[Any] = []
    for batch in batches:
        held.append(batch)
        if sum(one.num_rows for one in held) >= CELLS:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)


def packed_of(tables: Iterable[Table], objects: Objects, *, detail: bool) -> bytes:
    """What tables come to, or the error that they meet, as bytes."""
    try:
        return packed(reduced(tables, objects, detail=detail))
    except FingerprintError as error:
        told = {"what": error.what, "where": error.where, "remedy": error.remedy}
        return json.dumps(told).encode("ascii")


@contextmanager
def missing_packages(engine: str, failed: type[Exception]) -> Iterator[None]:
    """Say which package the processes of an engine lack, where that is why it failed.

    Raises:
        FingerprintError: instead of an error of type ``failed`` that says so.
    """
    try:
        yield
    except failed as error:
        lacking = _LACKING.search(str(error))
        if lacking is None:
            raise
        raise FingerprintError(
            f"the processes in which {engine} computes cannot import {lacking[1]}",
            remedy="install pytest-mlrepro and pyarrow in their Python too",
        ) from None


def packed(parts: Parts) -> bytes:
    """Parts as bytes."""
    return json.dumps([_plain(part) for part in parts]).encode("ascii")


def unpacked(packages: Iterable[bytes]) -> Parts:
    """What all packages come to together.

    Raises:
        FingerprintError: the first that is in one of them.
    """
    return merged(map(_parts, packages))


def joined(packages: Iterable[bytes]) -> bytes:
    """All packages as one, or the first with an error."""
    parts: Parts = ()
    for package in packages:
        if package.startswith(b"{"):
            return package
        parts = merged([parts, _parts(package)])
    return packed(parts)


def _parts(package: bytes) -> Parts:
    plain = json.loads(package)
    if isinstance(plain, dict):
        raise FingerprintError(plain["what"], where=plain["where"], remedy=plain["remedy"])
    return tuple(map(_part, plain))


def _plain(part: Part) -> dict[str, Any]:
    return {
        "schema": part.schema.hex(),
        "kinds": [[kind.dtype, kind.meaning.hex(), kind.stated] for kind in part.kinds],
        "rows": part.rows,
        "lanes": part.reduced.sums.lanes.hex(),
        "tallies": [
            [*tally[:-1], None if tally.distinct is None else sorted(tally.distinct)]
            for tally in part.reduced.tallies
        ],
    }


def _part(plain: dict[str, Any]) -> Part:
    kinds = (Kind(dtype, bytes.fromhex(meaning), tuple(stated)) for dtype, meaning, stated in plain["kinds"])
    sums = RowSums(plain["rows"], bytes.fromhex(plain["lanes"]))
    tallies = tuple(map(_tally, plain["tallies"]))
    return Part(bytes.fromhex(plain["schema"]), tuple(kinds), Reduced(sums, tallies))


def _tally(plain: Sequence[Any]) -> Tally:
    missing, seen, total, low, high, distinct = (None if entry is None else tuple(entry) for entry in plain)
    known = None if distinct is None else frozenset(distinct)
    return Tally(missing or (), seen or (), total or (), low, high, known)
