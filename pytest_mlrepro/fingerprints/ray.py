"""The adapter for Ray's data sets: blocks are reduced by Ray's tasks, from Arrow's tables.

Only ``ordered=False``: the fingerprint is that of an Arrow table of the same rows.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import arrow, batches
from pytest_mlrepro.fingerprints.columns import Column, text_block
from pytest_mlrepro.fingerprints.forms import Form
from pytest_mlrepro.fingerprints.how import How
from pytest_mlrepro.fingerprints.partitions import Objects, Parts, refuse_locate, refuse_order, whole
from pytest_mlrepro.fingerprints.tables import Table


def adapters() -> dict[type, Callable[..., Form]]:
    """The adapters of this module, by type."""
    return {import_module("ray.data").Dataset: dataset}


def dataset(obj: Any, *, ordered: bool = True, how: How) -> Table:
    """The form of a data set: names, types and values of its columns.

    Raises:
        FingerprintError: if the order is to count; for a data set without a schema; for values without a form.
    """
    if ordered:
        raise refuse_order("Ray Dataset")
    refuse_locate(how)
    detail = how.detail
    names = obj.columns() or []

    def gather(objects: Objects) -> Parts:
        def reduced(block: Any) -> dict[str, list[bytes]]:
            return {"parts": [batches.packed_of(map(arrow.table, [block]), objects, detail=detail)]}

        found = obj.map_batches(reduced, batch_format="pyarrow", batch_size=None)
        with batches.missing_packages("Ray", import_module("ray.exceptions").RayError):
            return batches.unpacked(row["parts"] for row in found.iter_rows())

    form = whole(Table("table", [Column(name, "", 0, _nothing) for name in names], 0), gather)
    if form.elsewhere is None or not form.columns:
        raise FingerprintError(
            "the Ray Dataset is empty, and its types are not known", remedy="fingerprint it once it has rows"
        )
    return form


def _nothing(start: int, stop: int) -> Any:
    return text_block([], (0,))
