"""Adapters for Hugging Face's datasets: tables, like Arrow's of the same values, and streams, item by item.

What is stored counts, in the order in which the data set gives it: a mapping of indices, chunks, files and a format
do not. A ``ClassLabel`` is a category. An image, sound or other document is the content of its file, wherever it
lies; the path is no value, what it is decoded to on reading (mode, sampling rate) is part of the type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import Any

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import arrow
from pytest_mlrepro.fingerprints.arrays import object_block
from pytest_mlrepro.fingerprints.columns import CELLS, Block, Column
from pytest_mlrepro.fingerprints.containers import category_column, code_block
from pytest_mlrepro.fingerprints.digests import Fingerprint, blake3, node, seal
from pytest_mlrepro.fingerprints.forms import Form
from pytest_mlrepro.fingerprints.gathered import Gathered, Order
from pytest_mlrepro.fingerprints.objects import encoded, python_object
from pytest_mlrepro.fingerprints.samples import iterated
from pytest_mlrepro.fingerprints.tables import Table

Rows = Callable[[int, int], Any]
"""Gives the rows of a column from one up to another as a chunked array."""

_STEP = 64
"""Rows of documents that are in memory at once."""

_NOT_VALUES = frozenset({"decode", "id", "dtype", "pa_type", "_type"})


def adapters() -> dict[type, Callable[..., Form | Fingerprint]]:
    """The adapters of this module, by type."""
    hf = import_module("datasets")
    return {
        hf.Dataset: dataset,
        hf.DatasetDict: splits,
        hf.IterableDataset: iterated,
        hf.IterableDatasetDict: splits,
    }


def dataset(obj: Any) -> Table:
    """The form of a data set: names, types and values of its columns, read where they lie.

    Raises:
        FingerprintError: for a file of a document that cannot be read here, a label without a name, and as for
            tables of Arrow.
    """
    table, indices = obj.data.table, obj._indices
    order = None if indices is None else Order(indices.column(0), table.num_columns)
    columns = [
        column(name, table.column(name), order, obj.features[name], len(obj)) for name in table.column_names
    ]
    return Table("table", columns, len(obj))


def splits(obj: Any, *, ordered: bool = True, sample: object = None) -> Fingerprint:
    """The fingerprint of data sets by name: that of the dict of them; ``ordered`` and ``sample`` hold for each.

    Raises:
        FingerprintError: see ``dataset``; for streams, ``samples.iterated``.
    """
    from pytest_mlrepro.fingerprints.registry import fingerprint

    if ordered and sample is None:
        return python_object(dict(obj))
    parts = {
        name: fingerprint(part, ordered=ordered, sample=sample, detail=False).digest
        for name, part in obj.items()
    }
    told = python_object(parts)
    return seal(node("splits", told.digest), told.detail)


def column(name: str, values: Any, order: Order | None, feature: Any, rows: int) -> Column:
    """The column of a feature.

    Args:
        name: of the feature.
        values: its stored values, a chunked array.
        order: which of them are given, and in which order; None for all as they are.
        feature: its type, as the data set declares it.
        rows: how many are given.

    Raises:
        FingerprintError: see ``dataset``.
    """
    values = _plain(values)
    if _is_label(feature):
        return _labels(name, _selected(name, values, order, rows), feature.names)
    meaning = _meaning(feature)
    if meaning is None:
        return _selected(name, values, order, rows)
    return _documents(name, _rows(values, order), feature, meaning, rows)


def _plain(values: Any) -> Any:
    """Without types of extensions or dictionaries, of which features know nothing."""
    pa = import_module("pyarrow")
    kind = values.type
    if isinstance(kind, pa.BaseExtensionType):
        return pa.chunked_array([chunk.storage for chunk in values.chunks], kind.storage_type)
    return values.cast(kind.value_type) if pa.types.is_dictionary(kind) else values


def _rows(values: Any, order: Order | None) -> Rows:
    if order is None:
        return lambda start, stop: values.slice(start, stop - start)
    return Gathered(values, order)


def _selected(name: str, values: Any, order: Order | None, rows: int) -> Column:
    """The column as Arrow's adapter makes it, of the rows that are given."""
    if order is None:
        return arrow.column(name, values)
    gathered = Gathered(values, order)

    def read(start: int, stop: int) -> Block:
        return arrow.column(name, gathered(start, stop)).read(0, stop - start)

    # Where all are missing, nothing tells objects from texts.
    parts = (gathered(start, min(start + CELLS, rows)) for start in range(0, rows, CELLS))
    model = next((part for part in parts if part.null_count < len(part)), values.slice(0, 0))
    return Column(name, arrow.column(name, model).dtype, rows, read)


def _labels(name: str, numbers: Column, names: list[str]) -> Column:
    """The category of labels; a negative number stands for no label, and is no missing value."""
    pa = import_module("pyarrow")

    def read(start: int, stop: int) -> Block:
        block = numbers.read(start, stop)
        if block.cells.size and not -(2**31) <= block.cells.min() <= block.cells.max() < len(names):
            raise FingerprintError(
                f"column {name!r} holds a label that is none of the {len(names)} of its ClassLabel",
                remedy="correct it, or cast the column to integers",
            )
        return code_block(block.cells, block.missing)

    categories = arrow.column(None, pa.array(names, pa.string()))
    return category_column(name, numbers.rows, categories, ordered=False, read=read)


def _meaning(feature: Any) -> Any:
    """What of a type is no part of the stored values: names of labels, how documents are decoded; None for nothing."""
    if _is_label(feature):
        return list(feature.names)
    if _is_document(feature):
        settings = {field.name: getattr(feature, field.name) for field in fields(feature)}
        set_ = {key: value for key, value in settings.items() if key not in _NOT_VALUES and value is not None}
        return [type(feature).__name__, set_]
    inner = {key: _meaning(part) for key, part in _inside(feature)}
    return {key: part for key, part in inner.items() if part is not None} or None


def _inside(feature: Any) -> Iterator[tuple[str, Any]]:
    """The features that one is made of: those of a dict by name, that of a list as ``[]``."""
    if isinstance(feature, dict):
        yield from feature.items()
    elif isinstance(feature, list):
        yield "[]", feature[0]
    elif (part := getattr(feature, "feature", None)) is not None:
        if isinstance(part, dict) and type(feature).__name__ == "Sequence":
            # Stored as a dict of lists.
            yield from ((key, [each]) for key, each in part.items())
        else:
            yield "[]", part


def _is_label(feature: Any) -> bool:
    return isinstance(feature, import_module("datasets").ClassLabel)


def _is_document(feature: Any) -> bool:
    """Whether its values are files, stored as bytes or as a path."""
    pa = import_module("pyarrow")
    kind = getattr(feature, "pa_type", None)
    return isinstance(kind, pa.StructType) and {part.name for part in kind} == {"bytes", "path"}


@dataclass(frozen=True, slots=True)
class _Plain:
    """Turns stored values into what counts of them."""

    name: str

    def of(self, feature: Any, value: Any) -> Any:
        """The value, with the digest of each document in its place."""
        if value is None:
            return None
        if _is_document(feature):
            return self._content(value)
        inside = dict(_inside(feature))
        if not inside:
            return value
        if isinstance(value, dict):
            return {key: self.of(inside[key], part) if key in inside else part for key, part in value.items()}
        if "[]" in inside:
            return [self.of(inside["[]"], part) for part in value]
        return value

    def _content(self, value: dict[str, Any]) -> Any:
        data, path = value["bytes"], value["path"]
        if data is None and path is None:
            return None
        if data is None:
            try:
                data = Path(path).read_bytes()
            except OSError as error:
                raise FingerprintError(
                    f"column {self.name!r} refers to the file {path!r}, which cannot be read: {error.strerror}",
                    remedy="put it there, or store the contents in the data set: "
                    "datasets.table.embed_table_storage",
                ) from None
        return blake3()(data).digest()


def _documents(name: str, rows_of: Rows, feature: Any, meaning: Any, rows: int) -> Column:
    """The column of values with documents or labels in them, a few rows in memory at once."""
    import numpy as np

    plain = _Plain(name)

    def read(start: int, stop: int) -> Block:
        items: list[Any] = []
        for first in range(start, stop, _STEP):
            stored = rows_of(first, min(first + _STEP, stop)).to_pylist()
            items += [plain.of(feature, value) for value in stored]
        return object_block(items, np.array([item is None for item in items], dtype=bool), name)

    kind = type(feature).__name__.lower() if _is_document(feature) else "object"
    return Column(name, kind, rows, read, meaning=node("feature", encoded(meaning)))
