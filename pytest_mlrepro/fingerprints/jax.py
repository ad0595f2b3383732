"""Adapters for jax: arrays, like numpy arrays of the same values and type."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints.arrays import array
from pytest_mlrepro.fingerprints.columns import Block, Column
from pytest_mlrepro.fingerprints.forms import Form
from pytest_mlrepro.fingerprints.tables import Grid
from pytest_mlrepro.fingerprints.tensors import NARROW, narrow_block


def adapters() -> dict[type, Callable[..., Form]]:
    """The adapters of this module, by type."""
    return {import_module("jax").Array: on_host}


def on_host(obj: Any) -> Form:
    """The form of an array that gives itself to numpy: its shape, the type and the values of its cells.

    Raises:
        FingerprintError: for one without values, such as a traced one, or keys of generators.
    """
    import numpy as np

    try:
        values = np.asarray(obj)
    except (TypeError, ValueError, RuntimeError, NotImplementedError) as error:
        raise FingerprintError(
            f"an array of type {obj.dtype} does not go into numpy's: {str(error).splitlines()[0]}",
            remedy="fingerprint values, outside of what is traced; of a key its jax.random.key_data(key)",
        ) from None
    if values.dtype.name not in NARROW:
        return array(values)
    rows = values if values.ndim else values.reshape(1)

    def read(start: int, stop: int) -> Block:
        part = np.ascontiguousarray(rows[start:stop])
        return narrow_block(part.view(f"u{part.dtype.itemsize}"), part.astype(np.float32))

    return Grid(Column("", values.dtype.name, len(rows), read, rows.shape[1:]), values.shape)
