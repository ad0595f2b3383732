"""Short digests of blocks of rows: where a large array of labels changed, when it is recorded as a fingerprint.

A block is a run of whole rows, 64 values or more, so that there are at most 512 blocks; each has 16 bits of a digest of
its labels. They serve to explain only: one changed block in 65,536 looks unchanged, the fingerprint never does.
"""

from __future__ import annotations

import math
from hashlib import blake2b
from typing import Any

from pytest_mlrepro.model import Fact, Value

BLOCK_DIGESTS = "blocks"
_LEAST_VALUES = 64
_MOST_BLOCKS = 512
_DIGITS = 4


def block_digests(array: Any) -> str:
    """The digests of an array of labels or integers, of at least one value, one after the other."""
    rows = _rows_of_block(array.shape)
    labels = _as_integers(array).reshape(len(array), -1)
    starts = range(0, len(array), rows)
    return "".join(_short(labels[start : start + rows].tobytes()) for start in starts)


def changed_blocks(baseline: Fact, current: Fact) -> list[tuple[int, int]]:
    """The first and last row of every block that differs; none where either fact does not tell."""
    before, now = baseline.detail.get(BLOCK_DIGESTS), current.detail.get(BLOCK_DIGESTS)
    told = baseline.detail.get("shape")
    sizes = tuple(size for size in told if isinstance(size, int)) if isinstance(told, tuple) else ()
    if not isinstance(before, str) or not isinstance(now, str) or len(before) != len(now) or not sizes:
        return []
    rows = _rows_of_block(sizes)
    return [
        (at // _DIGITS * rows, min(at // _DIGITS * rows + rows, sizes[0]) - 1)
        for at in range(0, len(before), _DIGITS)
        if before[at : at + _DIGITS] != now[at : at + _DIGITS]
    ]


def _rows_of_block(sizes: tuple[int, ...]) -> int:
    width = max(math.prod(sizes[1:]), 1)
    return max(-(-_LEAST_VALUES // width), -(-sizes[0] // _MOST_BLOCKS), 1)


def _as_integers(array: Any) -> Any:
    import numpy as np

    if array.dtype.kind in "biu":
        return array.astype("<i8")
    if array.dtype.kind == "O":
        known: dict[tuple[type, Value], int] = {}
        ranks = [known.setdefault((type(item), item), len(known)) for item in array.ravel().tolist()]
        codes = np.asarray(ranks, dtype=np.intp)
        words = [f"{kind.__name__} {item!r}" for kind, item in known]
    else:
        # By their values, not by their ranks: a new label must not change every block.
        found, codes = np.unique(array.ravel(), return_inverse=True)
        words = found.tolist()
    table = np.array([int.from_bytes(_long(word), "little") for word in words], dtype="<u8")
    return table[codes.ravel()]


def _short(content: bytes) -> str:
    return blake2b(content, digest_size=_DIGITS // 2).hexdigest()


def _long(word: str) -> bytes:
    return blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
