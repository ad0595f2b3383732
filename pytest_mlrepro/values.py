"""Turn what a test hands over into plain values that a lockfile can hold and a reviewer can read."""

from __future__ import annotations

from typing import Any

from pytest_mlrepro.errors import RecordingError
from pytest_mlrepro.model import Value

_NATURAL_DTYPES = frozenset({"float64", "int64", "bool", "complex128"})
_MAX_DEPTH = 32


def to_value(obj: object, *, what: str = "value") -> tuple[Value, str]:
    """The plain value of a scalar, a numpy scalar, or a nested list, tuple or array of those.

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


def _convert(obj: object, what: str, depth: int) -> tuple[Value, str]:
    if obj is None or type(obj) in (bool, int, float, complex, str):
        return obj, ""  # type: ignore[return-value]
    if depth > _MAX_DEPTH:
        raise RecordingError(
            f"{what} is nested deeper than {_MAX_DEPTH} levels", remedy="flatten it before recording it"
        )
    if hasattr(obj, "dtype") and hasattr(obj, "tolist"):
        return _from_numpy(obj, what)
    if isinstance(obj, list | tuple):
        return _from_sequence(obj, what, depth)
    for plain in (bool, int, float, complex, str):
        # Subclasses (an IntEnum, a str Enum, numpy's float64) count as what they are made of.
        if isinstance(obj, plain):
            return plain(obj), ""
    raise RecordingError(
        f"{what} is of type {_type_name(obj)}, which is not a number, a string, or an array of those",
        remedy="record a number, a string, a (nested) list of them or a numpy array; "
        "for data sets use mlrepro.data(), for fitted estimators mlrepro.model()",
    )


def _from_sequence(items: list[Any] | tuple[Any, ...], what: str, depth: int) -> tuple[Value, str]:
    values: list[Value] = []
    dtypes: set[str] = set()
    for item in items:
        value, dtype = _convert(item, what, depth + 1)
        values.append(value)
        dtypes.add(dtype)
    # A list whose members carry different dtypes has none of its own: the values stay exact.
    return tuple(values), dtypes.pop() if len(dtypes) == 1 else ""


def _from_numpy(obj: Any, what: str) -> tuple[Value, str]:
    dtype = obj.dtype
    kind = getattr(dtype, "kind", None)
    if kind in ("U", "T"):
        return _tuples(obj.tolist()), ""
    if kind == "O":
        return _convert(obj.tolist(), what, 1)
    if kind not in ("b", "i", "u", "f", "c"):
        raise RecordingError(
            f"{what} is an array of dtype {dtype}, which holds neither numbers nor strings",
            remedy="convert it first, for instance with .astype(str) or .astype(float)",
        )
    name = str(dtype.name)
    if kind in ("f", "c") and name not in _NATURAL_DTYPES:
        value = _shortest(obj)
    else:
        value = _tuples(obj.tolist())
    return value, "" if name in _NATURAL_DTYPES else name


def _shortest(obj: Any) -> Value:
    """Narrow and wide floats as the shortest decimals that give them back: 0.1, not 0.10000000149."""
    if getattr(obj, "ndim", 0) == 0:
        scalar = obj[()]
        if obj.dtype.kind == "c":
            return complex(_shortest_real(scalar.real), _shortest_real(scalar.imag))
        return _shortest_real(scalar)
    return tuple(_shortest(item) for item in obj)


def _shortest_real(scalar: Any) -> float:
    return float(str(scalar))


def _tuples(items: Any) -> Value:
    return tuple(_tuples(item) for item in items) if isinstance(items, list) else items


def _type_name(obj: object) -> str:
    kind = type(obj)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
