"""Texts in Arrow's memory, and Python's texts by way of it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pytest_mlrepro.fingerprints.columns import Block

if TYPE_CHECKING:
    from numpy.typing import NDArray


def object_texts(values: NDArray[Any]) -> Block | None:
    """The block of an array of Python's texts and what pandas holds for missing; None where Arrow cannot have it."""
    pa = import_module("pyarrow")
    import numpy as np

    # Arrays that Arrow holds for pandas 2.0 would come back in their own type.
    values = np.asarray(values, dtype=object)
    try:
        texts = pa.array(values, type=pa.large_string(), from_pandas=True)
        return text_block(texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts)
    except (pa.ArrowException, UnicodeError):
        # A lone surrogate, for instance.
        return None


def text_block(part: Any) -> Block:
    """The block of an array of texts, as they lie in Arrow's memory: offsets, and the bytes between them."""
    if str(part.type) == "string_view":
        part = part.cast(import_module("pyarrow").large_string())
    missing = missing_in(part)
    lengths, text = _offsets(part)
    if missing is not None and lengths[missing].any():
        # Something lies behind nulls.
        lengths, text = _offsets(part.fill_null(""))
    return Block(lengths, text, missing)


def _offsets(part: Any) -> tuple[NDArray[Any], Any]:
    """The lengths in bytes, and the bytes, of an array of texts without views."""
    import numpy as np

    _, places, text = part.buffers()
    if places is None or not len(part):
        return np.zeros(len(part), dtype=np.int64), b""
    kind = np.int64 if str(part.type).startswith("large") else np.int32
    starts = np.frombuffer(places, dtype=kind)[part.offset : part.offset + len(part) + 1]
    held = memoryview(text) if text is not None else b""
    return np.diff(starts).astype(np.int64, copy=False), held[int(starts[0]) : int(starts[-1])]


def missing_in(part: Any) -> NDArray[Any] | None:
    """Which values of an array are null; None where none is."""
    if not part.null_count:
        return None
    import numpy as np

    bits = part.buffers()[0]
    if bits is None:
        # Of the null type, all values are.
        return np.ones(len(part), dtype=bool)
    first, start = divmod(part.offset, 8)
    held = np.frombuffer(bits, dtype=np.uint8)[first : first + -(-(start + len(part)) // 8)]
    missing: NDArray[Any] = np.unpackbits(held, bitorder="little")[start : start + len(part)] == 0
    return missing
