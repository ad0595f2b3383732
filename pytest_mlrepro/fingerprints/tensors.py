"""Adapters for torch: tensors, like numpy arrays of the same values and type.

Strides, views, the device and the graph do not count. What is not in the host's memory is copied there block by block.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints.arrays import array, array_column, number_block
from pytest_mlrepro.fingerprints.cells import dtype_name
from pytest_mlrepro.fingerprints.columns import Block, Column
from pytest_mlrepro.fingerprints.forms import Form
from pytest_mlrepro.fingerprints.tables import Grid, Table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NARROW = frozenset({"bfloat16", "float8_e4m3fn", "float8_e5m2"})
"""Types of floats that numpy does not have, and in which all bits set are a NaN."""


def adapters() -> dict[type, Callable[..., Form]]:
    """The adapters of this module, by type."""
    return {import_module("torch").Tensor: tensor}


def tensor(obj: Any) -> Form:
    """The form of a tensor: its shape, the type and the values of its cells.

    Raises:
        FingerprintError: for one that is sparse, quantized, without data, or of a type that no array has.
    """
    values = obj.detach()
    _refuse(values)
    if _dtype(values) not in NARROW and values.device.type == "cpu":
        return array(_host(values))
    shape = tuple(values.shape)
    return Grid(_column("", values if shape else values.reshape(1)), shape)


def rows_of_tensors(parts: Sequence[Any], numbers: NDArray[np.int64] | None = None) -> Table:
    """The form of tensors that belong together row by row: a table with a column for each.

    Args:
        parts: tensors of at least one dimension, all of the same length.
        numbers: those of the rows, shape (rows,); None for all.

    Raises:
        FingerprintError: see ``tensor``.
    """
    columns = [_rows(place, part.detach(), numbers) for place, part in enumerate(parts)]
    return Table("tensors", columns, len(parts[0]) if numbers is None else len(numbers))


def _rows(place: int, values: Any, numbers: NDArray[np.int64] | None) -> Column:
    _refuse(values)
    if numbers is None:
        return _column(place, values)
    torch = import_module("torch")

    def read(start: int, stop: int) -> Block:
        chosen = torch.from_numpy(numbers[start:stop]).to(values.device)
        return _column(place, values[chosen]).read(0, stop - start)

    return replace(_column(place, values[:0]), rows=len(numbers), read=read, raw=None, panel=0)


def _column(name: object, values: Any) -> Column:
    """The column whose rows lie along the first axis of a tensor."""
    dtype = _dtype(values)
    if dtype not in NARROW and values.device.type == "cpu":
        return array_column(name, _host(values))

    def read(start: int, stop: int) -> Block:
        part = values[start:stop]
        return narrow_block(*_bits(part)) if dtype in NARROW else number_block(_host(part))

    canonical = dtype if dtype in NARROW else dtype_name(_host(values[:0]).dtype)
    return Column(name, canonical, len(values), read, tuple(values.shape[1:]))


def _dtype(values: Any) -> str:
    return str(values.dtype).removeprefix("torch.")


def narrow_block(bits: NDArray[Any], numbers: NDArray[Any]) -> Block:
    """The block of floats of a type that numpy does not have.

    Args:
        bits: as unsigned integers of the same width, shape (rows, ...).
        numbers: the same as 32-bit floats.
    """
    import numpy as np

    nan = np.isnan(numbers)
    if nan.any():
        bits = np.where(nan, np.iinfo(bits.dtype).max, bits)
    return Block(number_block(bits).cells, numbers=numbers)


def _refuse(values: Any) -> None:
    torch = import_module("torch")
    if values.layout is not torch.strided:
        raise FingerprintError(
            f"a tensor of layout {values.layout} has no fingerprint", remedy="use to_dense()"
        )
    if values.is_quantized:
        raise FingerprintError(
            "a quantized tensor has no fingerprint", remedy="use dequantize() or int_repr()"
        )
    if values.device.type == "meta":
        raise FingerprintError("a tensor on the meta device has no values", remedy="materialise it first")


def _host(values: Any) -> NDArray[Any]:
    """As numpy's array: a view where that can be."""
    try:
        return values.cpu().resolve_conj().resolve_neg().numpy()  # type: ignore[no-any-return]
    except (TypeError, RuntimeError) as error:
        raise FingerprintError(
            f"a tensor of type {values.dtype} does not go into an array: {error}",
            remedy="convert it to another type, for instance with .to(torch.float32)",
        ) from None


def _bits(values: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    torch = import_module("torch")
    import numpy as np

    here = values.cpu()
    signed, unsigned = (torch.int16, np.uint16) if here.element_size() == 2 else (torch.int8, np.uint8)
    return here.view(signed).numpy().view(unsigned), here.float().numpy()
