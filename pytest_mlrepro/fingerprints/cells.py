"""Cells: the canonical form of numpy values, in which equal values have equal bytes on every machine.

Little endian and C order; one NaN; -0.0 apart from 0.0; dates as seconds and attoseconds, so that their unit does
not matter; nothing behind missing cells. The names of the types are canonical too: ``str`` for any text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_mlrepro.errors import FingerprintError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NAMES = {
    "b": "bool",
    "M": "datetime64",
    "m": "timedelta64",
    "S": "bytes",
    "U": "str",
    "T": "str",
    "O": "object",
}
_LENGTHLESS = {"Y": -1, "M": -1, "generic": -2}
_NAT = -(2**63)
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9, "ps": 10**12, "fs": 10**15, "as": 10**18}


def dtype_name(dtype: np.dtype[Any]) -> str:
    """The canonical name of a type: kind and width, neither byte order nor unit nor length of text."""
    kind, bits = dtype.kind, dtype.itemsize * 8
    if kind in "iu":
        return f"{'u' if kind == 'u' else ''}int{bits}"
    if kind == "f":
        return f"float{bits}" if bits <= 64 else "longdouble"
    if kind == "c":
        return f"complex{bits}" if bits <= 128 else "clongdouble"
    if kind == "V":
        return f"void{bits}"
    return _NAMES[kind]


def is_text(dtype: np.dtype[Any]) -> bool:
    """Whether its values have no fixed width: texts, bytes and Python objects."""
    return dtype.kind in "SUTO"


def canonical(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """The canonical cells of numpy values of fixed width.

    Args:
        values: shape (rows, ...); it is not changed, and not copied where it is canonical already.

    Returns:
        The cells, shape (rows, ...) or (rows, ..., parts), and which values are missing (NaT), shape (rows, ...);
        None where none is.
    """
    import numpy as np

    kind = values.dtype.kind
    if kind in "mM":
        return _instants(values)
    if kind == "V":
        raw = np.ascontiguousarray(values)
        return raw.view(np.uint8).reshape(*values.shape, values.dtype.itemsize), None
    little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<")).reshape(values.shape)
    if kind == "b" and little.size and little.view(np.uint8).max() > 1:
        # Whatever made them called any byte true.
        little = little.view(np.uint8) != 0
    if kind == "c":
        little = little[..., None].view(little.real.dtype)
    if little.dtype.kind == "f":
        little = _one_nan(_parts(little) if little.dtype.itemsize > 8 else little)
    return little, None


def _one_nan(values: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    # The minimum is NaN where one value is: cheaper than a mask of all of them.
    with np.errstate(invalid="ignore"):
        clean = not values.size or not np.isnan(values.reshape(-1).min())
    if clean:
        return values
    values = values.copy()
    values[np.isnan(values)] = np.nan
    return values


def _parts(values: NDArray[Any]) -> NDArray[np.float64]:
    """Extended floats as three floats and an exponent: their own bytes hold padding and differ by platform."""
    import numpy as np

    with np.errstate(invalid="ignore", over="ignore"):
        rest, exponent = np.frexp(values)
        pieces = []
        for _ in range(3):
            pieces.append(rest.astype("<f8"))
            rest = rest - pieces[-1]
    pieces.append(np.where(np.isfinite(values), exponent, 0).astype("<f8"))
    # What is left of an infinity is NaN; zeros keep their sign in the first piece alone.
    pieces[1:] = [np.where(np.isfinite(piece), piece + 0.0, 0.0) for piece in pieces[1:]]
    return np.stack(pieces, axis=-1)


def _instants(values: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
    """Dates and durations as (seconds, attoseconds)."""
    import numpy as np

    kind = values.dtype.kind
    unit = np.datetime_data(values.dtype)[0]
    if kind == "m" and unit in _LENGTHLESS:
        return _lengthless(values, unit)
    target = unit if unit in _PER_SECOND else "s"
    counts = _counts(values, f"{kind}8[{target}]", "seconds")
    # NaT is the least of all integers.
    missing = counts == _NAT if counts.size and counts.min() == _NAT else None
    if missing is not None:
        counts = np.where(missing, 0, counts)
    per_second = _PER_SECOND[target]
    cells = np.empty((*counts.shape, 2), dtype="<i8")
    # In contiguous memory, then copied: numpy is twice as slow where it skips every second number.
    numbers = counts // per_second
    cells[..., 0] = numbers
    numbers *= per_second
    np.subtract(counts, numbers, out=numbers)
    numbers *= _PER_SECOND["as"] // per_second
    cells[..., 1] = numbers
    return cells, missing


def _counts(values: NDArray[Any], target: str, unit: str) -> NDArray[np.signedinteger[Any]]:
    """Dates or durations as whole numbers of another unit."""
    import numpy as np

    plain = np.ascontiguousarray(values).reshape(values.shape)
    try:
        converted = plain.astype(f"<{target}", copy=False)
        fits = np.datetime_data(values.dtype) == np.datetime_data(target) or np.array_equal(
            converted.astype(values.dtype)[~np.isnat(values)], values[~np.isnat(values)]
        )
    except OverflowError:
        # Before 2.5 numpy wraps around.
        fits = False
    if not fits:
        raise FingerprintError(
            f"a value of type {values.dtype.name} is beyond what 64 bits of {unit} can hold",
            remedy="correct it, or convert it to another unit",
        )
    return converted.view("<i8")


def _lengthless(values: NDArray[Any], unit: str) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
    """Durations without a length in seconds: years and months as (months, -1), plain counts as (count, -2)."""
    import numpy as np

    missing = np.isnat(values)
    counts = np.where(missing, 0, _counts(values, "m8" if unit == "generic" else "m8[M]", "months"))
    marks = np.full(counts.shape, _LENGTHLESS[unit])
    cells = np.stack([counts, np.where(missing, 0, marks)], axis=-1).astype("<i8")
    return cells, missing if missing.any() else None
