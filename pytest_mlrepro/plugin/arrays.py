"""Arrays with what no library promises made another: how they lie in memory, and what is in them when they are new."""

from __future__ import annotations

import sys
from functools import wraps
from typing import Any

_NUMBERS = "biufc"
_POISON = 0x5A
_POISONED = frozenset("iufcmM")
# Whoever asks for much more may never touch most of it.
_LARGEST = 1 << 26
_MAKERS = ("empty", "empty_like")


def relaid(data: Any) -> Any:
    """The same values in the other order in memory, C for Fortran and back; anything but a table of numbers as it is.

    Args:
        data: what a test gave to ``mlrepro.data``.
    """
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return data
    if type(data) is numpy.ndarray:
        return _turned(numpy, data)
    pandas = sys.modules.get("pandas")
    if pandas is not None and type(data) is pandas.DataFrame and _is_plain(numpy, data):
        values = _turned(numpy, data.to_numpy())
        return pandas.DataFrame(values, index=data.index, columns=data.columns, copy=False)
    return data


def _turned(numpy: Any, array: Any) -> Any:
    if array.ndim < 2 or array.dtype.kind not in _NUMBERS:
        return array
    flags = array.flags
    if flags.c_contiguous == flags.f_contiguous:
        return array
    return numpy.array(array, order="F" if flags.c_contiguous else "C", copy=True)


def _is_plain(numpy: Any, frame: Any) -> bool:
    """Whether all columns have one type, one of numpy's."""
    kinds = {*frame.dtypes}
    return len(kinds) == 1 and isinstance(only := kinds.pop(), numpy.dtype) and only.kind in _NUMBERS


class Poison:
    """Fills what ``numpy.empty`` and ``numpy.empty_like`` give.

    The allocator of the system can be told to fill what it gives, but numpy keeps small blocks for itself.
    """

    def __init__(self) -> None:
        self._originals: dict[str, Any] = {}

    def install(self) -> None:
        """Fill from now on, if numpy is loaded; its compilers know the functions themselves, and are left alone."""
        numpy: Any = sys.modules.get("numpy")
        if numpy is None or self._originals or "numba" in sys.modules:
            return
        for name in _MAKERS:
            original = self._originals[name] = getattr(numpy, name)
            setattr(numpy, name, _filling(original))

    def restore(self) -> None:
        """Give what numpy gives."""
        numpy: Any = sys.modules.get("numpy")
        for name, original in self._originals.items():
            setattr(numpy, name, original)
        self._originals.clear()


def _filling(original: Any) -> Any:
    @wraps(original)
    def filled(*arguments: Any, **keywords: Any) -> Any:
        array = original(*arguments, **keywords)
        # A subclass may give a meaning to being assigned to.
        if type(array) is sys.modules["numpy"].ndarray and array.nbytes <= _LARGEST:
            _fill(array)
        return array

    return filled


def _fill(array: Any) -> None:
    import numpy as np

    if array.dtype.kind == "b":
        array.fill(True)
    elif array.dtype.kind in _POISONED:
        array[...] = np.frombuffer(bytes([_POISON]) * array.dtype.itemsize, dtype=array.dtype)[0]
