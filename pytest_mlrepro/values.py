"""Turn what a test hands over into plain values that a lockfile can hold and a reviewer can read."""

from __future__ import annotations

from typing import Any

from pytest_mlrepro.errors import RecordingError
from pytest_mlrepro.model import Value

_NATURAL_DTYPES = frozenset({"float64", "int64", "bool", "complex128"})
_MAX_DEPTH = 32
_SCALARS: tuple[Any, ...] = (bool, int, float, complex, str)


def to_value(obj: object, *, what: str = "value") -> tuple[Value, str]:
    """The plain value of a scalar, a numpy scalar, or a nested list, tuple or array of those.

    Arrays and tensors of other libraries count as numpy's; they are copied to the CPU where they are not there.

    Args:
        obj: the object; it is not changed.
        what: how to call it in an error message, for instance ``metric 'f1'``.

    Returns:
        The value, and the numpy dtype's name where the value alone does not tell it
        (``float32`` but neither ``float64`` nor Python's own types).

    Raises:
        RecordingError: if it is anything else.
    """
    return _convert(obj, what, 0)


MOST_BITS = 1 << 12
"""Of an integer that a fact can hold: Python writes no decimals of thousands of digits."""


def is_long(value: Value) -> bool:
    """Whether a value is, or holds, an integer that nobody could read."""
    if isinstance(value, tuple):
        return any(map(is_long, value))
    return isinstance(value, int) and value.bit_length() > MOST_BITS


def is_plain(obj: object) -> bool:
    """Whether it is one of Python's own scalars, a string or None."""
    return obj is None or type(obj) in (bool, int, float, complex, str)


def is_arraylike(obj: object) -> bool:
    """Whether it is an array, a tensor, a numpy scalar, or a column or frame of a data frame library."""
    return hasattr(type(obj), "__array__") or hasattr(type(obj), "to_numpy")


def is_sparse(obj: object) -> bool:
    """Whether it is a sparse matrix or array of scipy."""
    return hasattr(type(obj), "tocsr") and hasattr(type(obj), "tocoo")


def as_array(obj: Any) -> Any:
    """What ``is_arraylike`` as a numpy array (a numpy scalar as a 0-d array), without a copy where that can be.

    Raises:
        TypeError, ValueError, RuntimeError: where its library says that numpy cannot hold it.
    """
    import numpy as np

    if isinstance(obj, np.ndarray):
        return obj
    if hasattr(obj, "detach"):
        # A tensor of torch: off its graph and its device; numpy knows no bfloat16.
        tensor = obj.detach().cpu().resolve_conj().resolve_neg()
        return np.asarray((tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy())
    return np.asarray(obj.to_numpy() if hasattr(obj, "to_numpy") else obj)


def type_name(obj: object) -> str:
    """The type of an object for a reader, or a class or function itself: ``pathlib.Path``, ``int``.

    Private modules are left out: where a library keeps a name for itself changes between its releases.
    """
    # A generator object has a qualified name too: that of its function.
    is_named = isinstance(obj, type) or (callable(obj) and hasattr(obj, "__qualname__"))
    kind: Any = obj if is_named else type(obj)
    name = getattr(kind, "__qualname__", "") or kind.__name__
    parts = [part for part in (getattr(kind, "__module__", "") or "").split(".") if part and part[0] != "_"]
    return name if parts in ([], ["builtins"]) else ".".join([*parts, name])


def _convert(obj: object, what: str, depth: int) -> tuple[Value, str]:
    if is_plain(obj):
        return obj, ""  # type: ignore[return-value]
    if depth > _MAX_DEPTH:
        raise RecordingError(
            f"{what} is nested deeper than {_MAX_DEPTH} levels", remedy="flatten it before recording it"
        )
    if is_arraylike(obj):
        return _from_array(numpy_array(obj, what), what)
    if isinstance(obj, list | tuple):
        return _from_sequence(obj, what, depth)
    for plain in _SCALARS:
        # Subclasses (an IntEnum, a str Enum) count as what they are made of.
        if isinstance(obj, plain):
            return plain(obj), ""
    raise RecordingError(
        f"{what} is of type {type_name(obj)}, which is not a number, a string, or an array of those",
        remedy="record a number, a string, a (nested) list of them or a numpy array; "
        "for data sets use mlrepro.data(), for fitted estimators mlrepro.model()",
    )


def numpy_array(obj: object, what: str) -> Any:
    """The object as a numpy array.

    Raises:
        RecordingError: if numpy cannot hold it; ``what`` is how the message calls it.
    """
    try:
        return as_array(obj)
    except (TypeError, ValueError, RuntimeError) as error:
        raise RecordingError(
            f"{what} is of type {type_name(obj)}, which numpy cannot hold: {error}",
            remedy="convert it to a numpy array first",
        ) from None


def _from_sequence(items: list[Any] | tuple[Any, ...], what: str, depth: int) -> tuple[Value, str]:
    values: list[Value] = []
    dtypes: set[str] = set()
    for item in items:
        value, dtype = _convert(item, what, depth + 1)
        values.append(value)
        dtypes.add(dtype)
    # A list whose members carry different dtypes has none of its own: the values stay exact.
    return tuple(values), dtypes.pop() if len(dtypes) == 1 else ""


def _from_array(array: Any, what: str) -> tuple[Value, str]:
    dtype = array.dtype
    if dtype.kind in ("U", "T"):
        return _tuples(array.tolist()), ""
    if dtype.kind == "O" or hasattr(array, "mask"):
        # Masked cells come out as None.
        return _convert(array.tolist(), what, 1)
    if dtype.kind not in ("b", "i", "u", "f", "c"):
        raise RecordingError(
            f"{what} is an array of dtype {dtype}, which holds neither numbers nor strings",
            remedy="convert it first, for instance with .astype(str) or .astype(float)",
        )
    name = str(dtype.name)
    if name in _NATURAL_DTYPES:
        return _tuples(array.tolist()), ""
    return _shortest(array) if dtype.kind in ("f", "c") else _tuples(array.tolist()), name


def _shortest(array: Any) -> Value:
    """Narrow and wide floats as the shortest decimals that give them back: 0.1, not 0.10000000149."""
    if array.ndim:
        return tuple(_shortest(array[index, ...]) for index in range(len(array)))
    scalar = array[()]
    if array.dtype.kind == "c":
        return complex(_shortest_real(scalar.real), _shortest_real(scalar.imag))
    return _shortest_real(scalar)


def _shortest_real(scalar: Any) -> float:
    return float(str(scalar))


def _tuples(items: Any) -> Value:
    return tuple(_tuples(item) for item in items) if isinstance(items, list) else items
