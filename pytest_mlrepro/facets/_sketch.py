"""Sketches of large arrays: whether every cell is within a width of what it was, without keeping what it was.

A cell x is rounded to the integer q nearest to x / step. Its last k bits are kept, and a digest of the q of all cells.
Who has the array as it is now finds, for each cell y, the integer nearest to y / step that ends in the k bits kept.
This is q if and only if y is nearer to q * step than half of 2**k steps. With width w and step w / (2**(k-1) - 1/2):

* every cell within w of its baseline: all q are found, the digests agree;
* the digests agree: all q are found, and every cell is within (2**k + 1) / (2**k - 1) * w of its baseline: 1.29 w with
  k = 3, 1.67 w with k = 2, 3 w with k = 1.

The step is a little wider than that, by what floating point may lose, so that the first promise holds to the last bit:
x / step and y / step may be off by a unit in the last place for each of converting, dividing and subtracting, five in
all. (To keep a remainder, and let the other side fill in the rest, is the coset code of Wyner and Ziv, "The
rate-distortion function for source coding with side information at the decoder", IEEE Trans. Inf. Theory 22, 1976.)
"""

from __future__ import annotations

import base64
import math
import struct
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

from pytest_mlrepro.facets._arrays import BLOCKS
from pytest_mlrepro.model import Nearness

SKETCH = "sketch"
"""The detail of a fact that holds one."""

_FORM = 1
_HEAD = struct.Struct("<BBddI")
_WHOLE, _SHORT = 16, 2
# Powers of two, between which no sum of squares overflows and no width is subnormal.
_LEAST_WIDTH, _LARGEST = 2.0**-900, 2.0**500
_MOST_MARGIN = 2.0**-5
_FURTHEST = 2.0**62


@dataclass(frozen=True, slots=True)
class Sketch:
    """What is kept of an array of n cells.

    Attributes:
        bits: k, how many are kept of each cell.
        width: every cell that moved by no more keeps the digests; in the array's unit.
        step: the distance between two neighbouring integers, in the array's unit.
        size: n.
        digest: of the integers of all cells, 16 bytes.
        blocks: of those of each block, 2 bytes each; they serve to say where.
        ends: the last bits of the integers, packed.
    """

    bits: int
    width: float
    step: float
    size: int
    digest: bytes
    blocks: tuple[bytes, ...]
    ends: bytes

    def text(self) -> str:
        """As one line of ASCII without quotes or backslashes; the same sketch gives the same text."""
        head = _HEAD.pack(_FORM, self.bits, self.width, self.step, self.size)
        return base64.b85encode(head + self.digest + b"".join(self.blocks) + self.ends).decode("ascii")


class _Digests(NamedTuple):
    whole: bytes
    blocks: tuple[bytes, ...]


def sketch(flat: Any, width: float, bits: int) -> Sketch | None:
    """The sketch of an array; None where the width is too narrow or the values too large for one.

    Args:
        flat: n finite cells as float64, shape (n,).
        width: how far a cell may move, in the array's unit.
        bits: k, from 1 to 3.
    """
    import numpy as np

    largest = float(np.abs(flat).max(initial=0.0))
    if not _LEAST_WIDTH <= width <= _LARGEST or largest > _LARGEST:
        return None
    # Five units of 2**-53, in steps, of which there are at most 2**(k-1) in a width.
    margin = 2.0**-48 * (largest / width) + 2.0**-40
    if margin > _MOST_MARGIN:
        return None
    step = width / (2.0 ** (bits - 1) - 0.5 - margin)
    with np.errstate(all="ignore"):
        whole = np.rint(flat / step).astype(np.int64)
    found = _digests(whole)
    ends = _packed(whole & (2**bits - 1), bits)
    return Sketch(bits, float(width), step, len(flat), found.whole, found.blocks, ends)


def parsed(text: object) -> Sketch | None:
    """The sketch that a text holds; None of anything else, such as one that a later release wrote."""
    if not isinstance(text, str):
        return None
    try:
        raw = base64.b85decode(text)
        form, bits, width, step, size = _HEAD.unpack_from(raw)
    except (ValueError, struct.error):
        return None
    at = _HEAD.size
    digests = raw[at : at + _WHOLE + BLOCKS * _SHORT]
    ends = raw[at + len(digests) :]
    usable = all(math.isfinite(number) and number > 0 for number in (width, step))
    if form != _FORM or bits not in (1, 2, 3) or not usable or len(ends) != (size * bits + 7) // 8:
        return None
    blocks = tuple(digests[start : start + _SHORT] for start in range(_WHOLE, len(digests), _SHORT))
    return Sketch(bits, width, step, size, digests[:_WHOLE], blocks, ends)


def nearness(flat: Any, text: object) -> Nearness | None:
    """How near an array is to the one that a sketch was made of.

    Args:
        flat: n finite cells as float64, shape (n,).
        text: what ``Sketch.text`` gave.

    Returns:
        None where it is no sketch of n cells.
    """
    import numpy as np

    known = parsed(text)
    if known is None or known.size != len(flat):
        return None
    ends = _unpacked(known.ends, known.size, known.bits)
    with np.errstate(all="ignore"):
        # Far from where it was, a cell may be beyond every integer.
        places = np.clip(flat / known.step, -_FURTHEST, _FURTHEST)
        whole = (np.rint((places - ends) / 2**known.bits) * 2**known.bits + ends).astype(np.int64)
    found = _digests(whole)
    holds = found.whole == known.digest
    beyond = [
        at for at, pair in enumerate(zip(found.blocks, known.blocks, strict=True)) if pair[0] != pair[1]
    ]
    furthest = float(np.abs(flat - whole * known.step).max()) if holds else math.inf
    # Half a step is where in its interval the baseline was, and a little for floating point.
    slack = known.step * (0.5 + _MOST_MARGIN)
    return Nearness(
        of=identity(text),
        holds=holds,
        width=known.width,
        least=max(furthest - slack, 0.0) if holds else known.width,
        most=furthest + slack,
        beyond=() if holds else tuple(beyond),
    )


def identity(text: object) -> str:
    """A short name for a sketch."""
    return blake2b(str(text).encode(), digest_size=8).hexdigest()


def _digests(whole: Any) -> _Digests:
    import numpy as np

    content = whole.astype("<i8")
    parts = np.array_split(content, BLOCKS)
    return _Digests(
        blake2b(content.tobytes(), digest_size=_WHOLE).digest(),
        tuple(blake2b(part.tobytes(), digest_size=_SHORT).digest() for part in parts),
    )


def _packed(ends: Any, bits: int) -> bytes:
    import numpy as np

    planes = np.unpackbits(ends.astype(np.uint8)[:, None], axis=1)[:, -bits:]
    return np.packbits(planes).tobytes()


def _unpacked(packed: bytes, size: int, bits: int) -> Any:
    import numpy as np

    planes = np.unpackbits(np.frombuffer(packed, dtype=np.uint8), count=size * bits).reshape(size, bits)
    return (planes @ (1 << np.arange(bits)[::-1])).astype(np.float64)
