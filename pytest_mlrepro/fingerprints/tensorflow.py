"""Adapters for tensorflow: tensors and variables, like numpy arrays of the same values and type, and data sets.

A ``tf.data.Dataset`` gives its items one by one, see ``samples``. One that is shuffled anew at each iteration gives
others when it is read again, and that is an error: shuffle with ``reshuffle_each_iteration=False``.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from pytest_mlrepro.fingerprints.digests import Fingerprint
from pytest_mlrepro.fingerprints.forms import Form
from pytest_mlrepro.fingerprints.jax import on_host
from pytest_mlrepro.fingerprints.samples import iterated


def adapters() -> dict[type, Callable[..., Form | Fingerprint]]:
    """The adapters of this module, by type."""
    tf = import_module("tensorflow")
    return {tf.Tensor: on_host, tf.Variable: on_host, tf.data.Dataset: iterated}
