"""The adapter for Spark's data frames: partitions are reduced on the executors, from Arrow's batches.

Only ``ordered=False``: the fingerprint is that of an Arrow table of the same rows, and so of a frame of pandas or
polars with these values. A ``timestamp`` is an instant, in UTC whatever the zone of the session; a ``timestamp_ntz``
has no zone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from inspect import signature
from typing import Any

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import arrow, batches
from pytest_mlrepro.fingerprints.forms import Form
from pytest_mlrepro.fingerprints.how import How
from pytest_mlrepro.fingerprints.partitions import Objects, Parts, refuse_locate, refuse_order, whole
from pytest_mlrepro.fingerprints.tables import Table

_REDUCED = "parts binary"
_LAST = 4
"""How many partitions the results of all others are joined in, before they come to the driver."""


def adapters() -> dict[type, Callable[..., Form]]:
    """The adapters of this module, by type."""
    return {import_module("pyspark.sql").DataFrame: frame}


def frame(obj: Any, *, ordered: bool = True, how: How) -> Table:
    """The form of a frame: names, types and values of its columns.

    Raises:
        FingerprintError: if the order is to count; if the executors have no pytest-mlrepro; for values without a form.
    """
    if ordered:
        raise refuse_order("Spark DataFrame")
    refuse_locate(how)
    detail = how.detail
    names = _empty(obj.schema)

    def gather(objects: Objects) -> Parts:
        def first(found: Iterable[Any]) -> Iterator[Any]:
            tables = (arrow.table(_in_utc(table)) for table in batches.arrow_tables(found))
            yield _batch(batches.packed_of(tables, objects, detail=detail))

        def last(found: Iterable[Any]) -> Iterator[Any]:
            yield _batch(
                batches.joined(package for batch in found for package in batch.column(0).to_pylist())
            )

        parts = obj.mapInArrow(first, _REDUCED).repartition(_LAST).mapInArrow(last, _REDUCED)
        with batches.missing_packages("Spark", import_module("pyspark.errors").PySparkException):
            return batches.unpacked(bytes(row.parts) for row in parts.collect())

    return whole(arrow.table(names), gather)


def _empty(schema: Any) -> Any:
    """The Arrow table of no rows."""
    convert = import_module("pyspark.sql.pandas.types").to_arrow_schema
    # Asked for since Spark 4, UTC before.
    zone = {"timezone": "UTC"} if "timezone" in signature(convert).parameters else {}
    try:
        return convert(schema, **zone).empty_table()
    except import_module("pyspark.errors").PySparkTypeError as error:
        raise FingerprintError(
            f"Arrow has no form for a column of the Spark DataFrame: {str(error).splitlines()[0]}",
            remedy="cast it to another type, or leave the column out",
        ) from None


def _batch(package: bytes) -> Any:
    pa = import_module("pyarrow")
    return pa.record_batch([pa.array([package], pa.binary())], names=["parts"])


def _in_utc(table: Any) -> Any:
    """The same instants, whatever the zone that the session shows them in."""
    pa = import_module("pyarrow")
    for place, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type) and field.type.tz is not None:
            utc = pa.field(field.name, pa.timestamp(field.type.unit, tz="UTC"))
            table = table.set_column(place, utc, table.column(place).cast(utc.type))
    return table
