"""Adapters for tensorflow: tensors and variables, like numpy arrays of the same values and type."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from pytest_mlrepro.fingerprints.forms import Form
from pytest_mlrepro.fingerprints.jax import on_host


def adapters() -> dict[type, Callable[..., Form]]:
    """The adapters of this module, by type."""
    tf = import_module("tensorflow")
    return {tf.Tensor: on_host, tf.Variable: on_host}
