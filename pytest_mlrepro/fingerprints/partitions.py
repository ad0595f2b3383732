"""Partitions: tables whose rows lie in parts, in other processes or one after another, and whose order does not count.

Each part is reduced to a few numbers where it is, and these are added up in any order; the whole is never in one place.
Parts of a table have the same names and types. Two types are known from values only: a column of Python objects is
one of texts if all of them are. So parts say which types they found, sums are kept for each set of types, and where
that leaves more than one, the parts are reduced once more, as objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints.columns import Block, Column, item_block
from pytest_mlrepro.fingerprints.how import How
from pytest_mlrepro.fingerprints.objects import encoded
from pytest_mlrepro.fingerprints.tables import Grid, Reduced, Table

Objects = frozenset[int]
"""The places of columns whose texts are read as objects, as those of another part hold others."""


class Kind(NamedTuple):
    """The type of a column: see ``Column``."""

    dtype: str
    meaning: bytes
    stated: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of the same types, reduced; plain values, to be sent.

    Attributes:
        schema: the digest of names and types.
        kinds: the types of the columns, those of the index first.
        reduced: what the rows come to.
    """

    schema: bytes
    kinds: tuple[Kind, ...]
    reduced: Reduced

    @property
    def rows(self) -> int:
        """How many."""
        return self.reduced.sums.rows

    def merged(self, other: Part) -> Part:
        """The rows of both, which have the same schema."""
        mine, theirs = self.reduced, other.reduced
        tallies = (one.merged(two) for one, two in zip(mine.tallies, theirs.tallies, strict=True))
        return replace(self, reduced=Reduced(mine.sums.merged(theirs.sums), tuple(tallies)))


Parts = tuple[Part, ...]
"""One for each schema that was found, in the order of the schemas' digests."""

Gather = Callable[[Objects], Parts]
"""Reduces all parts of a table; called again where the types that were found differ."""


def part_of(table: Table, objects: Objects = frozenset(), *, detail: bool = True) -> Parts:
    """What one part of a table comes to.

    Args:
        table: the part, its index included.
        objects: see ``Objects``.
        detail: whether statistics are gathered besides the sums.
    """
    split = len(table.index)
    every = [
        _as_objects(column) if place in objects and column.dtype == "str" else column
        for place, column in enumerate(table.every())
    ]
    table = replace(table, index=every[:split], columns=every[split:])
    kinds = tuple(Kind(column.dtype, column.meaning, column.stated) for column in every)
    how = How(ordered=False, detail=detail)
    return (Part(table.schema(ordered=False), kinds, table.reduced(how)),)


def grid_part(grid: Grid, objects: Objects = frozenset(), *, detail: bool = True) -> Parts:
    """What some rows of an array come to; see ``part_of``."""
    column = _as_objects(grid.column) if objects and grid.column.dtype == "str" else grid.column
    grid = replace(grid, column=column, turned=None)
    kind = Kind(column.dtype, column.meaning, column.stated)
    return (Part(grid.schema(), (kind,), grid.reduced(How(ordered=False, detail=detail))),)


def merged(found: Iterable[Parts]) -> Parts:
    """What several parts come to together."""
    by_schema: dict[bytes, Part] = {}
    for part in (part for parts in found for part in parts):
        before = by_schema.get(part.schema)
        by_schema[part.schema] = part if before is None else before.merged(part)
    filled = {schema: part for schema, part in by_schema.items() if part.rows}
    # Without rows the types of objects are not known; one part is kept for its names.
    return tuple(part for _, part in sorted((filled or by_schema).items()))[: None if filled else 1]


def whole(empty: Table, gather: Gather) -> Table:
    """The form of a table, given its names and how its parts are reduced.

    Raises:
        FingerprintError: for parts that differ in names or types.
    """
    part, columns = _settled(empty.every(), gather)
    if part is None:
        return empty
    split = len(empty.index)
    index, columns = columns[:split], columns[split:]
    table = replace(empty, index=index, columns=columns, rows=part.rows, elsewhere=part.reduced)
    if table.schema(ordered=False) != part.schema:
        raise _unlike()
    return table


def whole_grid(empty: Grid, gather: Gather) -> Grid:
    """The form of an array, given one of no rows and how its parts are reduced.

    Raises:
        FingerprintError: for parts that differ in type, or in the shape of a row.
    """
    part, (column,) = _settled([empty.column], gather)
    if part is None:
        return empty
    grid = Grid(column, (part.rows, *empty.shape[1:]), elsewhere=part.reduced)
    if grid.schema() != part.schema:
        raise _unlike()
    return grid


def _settled(columns: Sequence[Column], gather: Gather) -> tuple[Part | None, list[Column]]:
    """The one part that all others come to, and the columns with the types that were found."""
    parts = gather(frozenset())
    if len(parts) > 1:
        parts = gather(_objects([column.name for column in columns], parts))
    if not parts:
        return None, list(columns)
    if len(parts) > 1 or len(parts[0].kinds) != len(columns):
        raise _unlike()
    return parts[0], [
        replace(column, rows=parts[0].rows, plain=None, **kind._asdict())
        for column, kind in zip(columns, parts[0].kinds, strict=True)
    ]


def refuse_locate(how: How) -> None:
    """Refuse sketches of data that is not here.

    Raises:
        FingerprintError: if they are asked for.
    """
    if how.locate:
        raise FingerprintError(
            "locate=True needs the rows in one process",
            remedy="leave it out, or fingerprint a part that fits in memory",
        )


def refuse_order(kind: str) -> FingerprintError:
    """The error where data without an order of its own, or in parts, is to be fingerprinted in order."""
    return FingerprintError(
        f"a {kind} has its rows in partitions, whose fingerprint does not depend on their order",
        remedy="pass ordered=False, or compute it and fingerprint the result",
    )


def _objects(names: Sequence[object], parts: Parts) -> Objects:
    """The columns that hold objects in some parts and texts in others.

    Raises:
        FingerprintError: for columns that differ in any other way.
    """
    if {len(part.kinds) for part in parts} != {len(names)}:
        raise _unlike()
    found: set[int] = set()
    for place, name in enumerate(names):
        kinds = {part.kinds[place] for part in parts}
        dtypes = {kind.dtype for kind in kinds}
        if dtypes == {"str", "object"}:
            found.add(place)
        elif len(dtypes) > 1:
            raise FingerprintError(
                f"column {name!r} is of type {' in some partitions and of type '.join(sorted(dtypes))} in others",
                remedy=f"give it one type first, for instance astype({{{name!r}: {_wider(dtypes)!r}}})",
            )
        elif len(kinds) > 1:
            raise FingerprintError(
                f"column {name!r} is a category with other categories in each partition",
                remedy=f"state all of them first: astype({{{name!r}: pandas.CategoricalDtype([...])}})",
            )
    if not found:
        raise _unlike()
    return frozenset(found)


def _wider(dtypes: set[str]) -> str:
    return next(
        (dtype for dtype in ("str", "float64", "float32") if dtype in dtypes), max(sorted(dtypes), key=len)
    )


def _unlike() -> FingerprintError:
    return FingerprintError(
        "the partitions have other columns than the whole says", remedy="give all of them the same names"
    )


def _as_objects(column: Column) -> Column:
    """A column of texts, each encoded with its type like other Python objects."""
    import numpy as np

    def read(start: int, stop: int) -> Block:
        block = column.read(start, stop)
        missing = np.zeros(block.cells.shape, dtype=bool) if block.missing is None else block.missing
        items = [
            b"" if gone else encoded(item.decode("utf-8", "surrogatepass"))
            for item, gone in zip(block.items(), missing.reshape(-1), strict=True)
        ]
        return item_block(items, missing)

    return replace(column, dtype="object", read=read)
