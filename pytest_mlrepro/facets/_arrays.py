"""Arrays as facts: small ones value by value, large ones as a fingerprint and a summary.

A fingerprint tells that something changed, but not how far. The summary does: with every cell of an
array of n cells within a tolerance w of its baseline, its least and largest value, its mean and its standard
deviation stay within w too (each is 1-Lipschitz in the largest cell difference). The cells, in C order, are cut into
16 blocks, and each block keeps two sums:

* the plain sum: a single cell that moved by more than w moves its block's sum by as much;
* the sum weighted by the fractional parts of i * (sqrt(5) - 1) / 2 for i = 1, 2, ...: low-discrepancy weights, of
  which neighbours are 0.38 or 0.62 apart, so that changes that cancel in the plain sum (two cells swapped) show here.

Both are held to w as well. Rounding of many cells at once may add up beyond it: the sums then say drift although each
cell holds, never the other way round. With float64 and rtol 1e-9 this takes millions of cells; with a wider tolerance
a few hundred. Arrays that are not too large therefore have a sketch too, which knows no sums: see ``_sketch``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pytest_mlrepro.errors import FingerprintError, RecordingError
from pytest_mlrepro.facets._blocks import BLOCK_DIGESTS, block_digests
from pytest_mlrepro.model import Value
from pytest_mlrepro.values import as_array, is_arraylike, to_value, type_name

SMALL = 256
"""Arrays of at most so many values are recorded value by value."""

BLOCKS = 16
STATISTICS = ("min", "max", "mean", "std")
SUMMARY = ("shape", "nonfinite_at", *STATISTICS, "sums", "weighted")
"""What the detail of a large array tells of its values."""

SYMBOLS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""One a label in the detail ``codes``, which tells which label stands where."""

_GOLDEN = 0.6180339887498949
_MOST_CODES = 4096


class Recorded(NamedTuple):
    """What a fact of an array holds."""

    value: Value
    dtype: str
    detail: Mapping[str, Value]


def to_array(obj: object, what: str) -> Any:
    """Anything array-like, or a (nested) list, as a numpy array.

    Raises:
        RecordingError: if it is none, or ragged, or a data frame of several types.
    """
    if not is_arraylike(obj) and not isinstance(obj, list | tuple | range):
        raise RecordingError(
            f"{what} is of type {type_name(obj)}, not an array",
            remedy="pass a numpy array, a tensor, a column, or a (nested) list; for one number use mlrepro.metric()",
        )
    try:
        # Lists may hold tensors, which numpy would not take from their device.
        array = as_array(obj) if is_arraylike(obj) else _from_list(obj)
    except (TypeError, ValueError, RuntimeError) as error:
        raise RecordingError(
            f"{what} is not a rectangular array: {error}", remedy="record its parts one by one"
        ) from None
    return array


def _from_list(items: Any) -> Any:
    import numpy as np

    if _is_ragged(items):
        # Old releases of numpy make an array of lists of it, with a warning only.
        raise ValueError("its rows are of different lengths")
    array = np.asarray(_converted(items))
    # Numpy would turn the numbers, and the NaN, among strings into strings.
    is_mixed = array.dtype.kind == "U" and not all(isinstance(item, str) for item in _flat(items))
    return np.asarray(items, dtype=object) if is_mixed else array


def _is_ragged(items: Any) -> bool:
    rows = [item for item in items if isinstance(item, list | tuple)]
    if not rows:
        return False
    return len(rows) < len(items) or len({len(row) for row in rows}) > 1 or any(map(_is_ragged, rows))


def _flat(items: Any) -> Iterator[object]:
    for item in items:
        if isinstance(item, list | tuple):
            yield from _flat(item)
        else:
            yield item


def _converted(items: Any) -> Any:
    if isinstance(items, list | tuple):
        # One pass finds out whether there is anything to convert: plain numbers are left to numpy.
        return [_converted(item) for item in items] if any(map(_needs_converting, items)) else items
    return as_array(items) if is_arraylike(items) else items


def _needs_converting(item: object) -> bool:
    return isinstance(item, list | tuple) or hasattr(type(item), "detach")


def sparse_parts(matrix: Any) -> Iterator[tuple[str, Any]]:
    """The canonical CSR form: sorted, without duplicates; its index type does not count."""
    canonical = matrix.tocsr(copy=True)
    canonical.sum_duplicates()
    yield "shape", to_array(list(canonical.shape), "shape")
    yield "data", canonical.data
    yield "indices", canonical.indices.astype("int64")
    yield "indptr", canonical.indptr.astype("int64")


def recorded(array: Any, what: str, *, tolerant: bool = False, located: bool = True) -> Recorded:
    """How an array is recorded.

    Args:
        array: of any shape and dtype that holds numbers or strings.
        what: how to call it in an error message.
        tolerant: integers have a tolerance, so that they need a summary too when there are many.
        located: of labels also keep which stands where, to say which ones changed.

    Raises:
        RecordingError: if the cells are neither numbers nor strings.
    """
    if 0 < array.size <= SMALL or array.shape == (0,):
        value, dtype = to_value(array, what=what)
        return Recorded(value, dtype, {})
    kind = array.dtype.kind
    if kind not in "biufcUTO":
        to_value(array, what=what)
    dtype = "str" if kind in "UT" else str(array.dtype.name)
    detail: dict[str, Value] = {"shape": tuple(array.shape), "dtype": dtype}
    if kind in "fc" or (tolerant and kind in "iu"):
        detail |= _summary(array)
    elif array.size:
        detail |= _labels(array, located=located)
        if located and array.size > _MOST_CODES:
            detail[BLOCK_DIGESTS] = block_digests(array)
    _, dtype = to_value(array.ravel()[:0], what=what)
    return Recorded(digest(array, what), dtype, detail)


def digest(obj: object, what: str) -> str:
    """The fingerprint of an array or a text."""
    from pytest_mlrepro.fingerprints import fingerprint

    try:
        return str(fingerprint(obj).digest)
    except FingerprintError as error:
        raise RecordingError(f"{what}: {error.what}", remedy=error.remedy) from None


def flattened(array: Any) -> Any:
    """The cells of a numeric array in C order as float64, shape (n,), complex ones as pairs."""
    import numpy as np

    flat = np.ravel(array)
    if flat.dtype.kind == "c":
        flat = np.stack([flat.real, flat.imag], axis=-1).ravel()
    # A long double may be beyond the largest float64, and is infinity then.
    with np.errstate(over="ignore"):
        return flat.astype(np.float64)


def _summary(array: Any) -> dict[str, Value]:
    import numpy as np

    if array.size == 0:
        return {}
    flat = flattened(array)
    finite = np.isfinite(flat)
    detail: dict[str, Value] = {}
    if not finite.all():
        detail["nonfinite"] = int(finite.size - finite.sum())
        detail["nonfinite_at"] = _pattern(flat)
        flat = np.where(finite, flat, 0.0)
    known = flat[finite] if finite.any() else np.zeros(1)
    weights = (np.arange(1, flat.size + 1) * _GOLDEN) % 1.0
    # Values near the largest float overflow in a sum: infinity equals infinity in the comparison.
    with np.errstate(over="ignore", invalid="ignore"):
        statistics = (known.min(), known.max(), known.mean(), known.std())
        detail["sums"] = _block_sums(flat)
        detail["weighted"] = _block_sums(flat * weights)
    detail |= {name: float(value) for name, value in zip(STATISTICS, statistics, strict=True)}
    return detail


def _block_sums(flat: Any) -> tuple[float, ...]:
    import numpy as np

    return tuple(float(block.sum()) for block in np.array_split(flat, BLOCKS))


def _pattern(flat: Any) -> str:
    """Where NaN and the infinities stand; a NaN's sign and payload do not count."""
    from hashlib import blake2b

    import numpy as np

    codes = np.isnan(flat) + 2 * np.isposinf(flat) + 3 * np.isneginf(flat)
    return blake2b(codes.astype(np.uint8).tobytes(), digest_size=16).hexdigest()


def block_range(index: int, size: int) -> tuple[int, int]:
    """The first and last flat index of a block, as ``numpy.array_split`` cuts them."""
    each, more = divmod(size, BLOCKS)
    start = index * each + min(index, more)
    return start, start + each + (index < more) - 1


def _labels(array: Any, *, located: bool) -> dict[str, Value]:
    """The labels of a discrete array and how often each occurs; of not too many cells also which stands where."""
    labels, counts, codes = _counted(array)
    if len(labels) > len(SYMBOLS):
        return {"distinct": len(labels)}
    detail: dict[str, Value] = {"labels": labels, "counts": counts}
    if located and len(codes) <= _MOST_CODES:
        detail["codes"] = "".join(SYMBOLS[code] for code in codes)
    return detail


def _counted(array: Any) -> tuple[tuple[Value, ...], tuple[int, ...], list[int]]:
    if array.dtype.kind == "O":
        return _counted_objects(array)
    import numpy as np

    labels, codes, counts = np.unique(array.ravel(), return_inverse=True, return_counts=True)
    if len(labels) > len(SYMBOLS):
        return tuple(range(len(labels))), (), []
    return tuple(labels.tolist()), tuple(counts.tolist()), codes.ravel().tolist()


def _counted_objects(array: Any) -> tuple[tuple[Value, ...], tuple[int, ...], list[int]]:
    """Of objects, by what they are and not by how they sort: None and strings may stand side by side."""
    found: dict[tuple[type, Value], int] = {}
    codes: list[int] = []
    counts: list[int] = []
    for item in array.ravel().tolist():
        value, _ = to_value(item, what="a label")
        code = found.setdefault((type(value), value), len(found))
        codes.append(code)
        if code == len(counts):
            counts.append(0)
        counts[code] += 1
    return tuple(value for _, value in found), tuple(counts), codes
