"""Texts: two 64-bit hashes of each of many, a word of eight bytes at a time in all of them at once.

A text is a row of little-endian words, the last filled up with zeros. Each word is mixed under a key of its place,
and the hashes are added; the key of the first word is that of the text's length in bytes, so that zeros at the end
count. Texts longer than 256 bytes are reduced to two words by BLAKE3 first: no text makes the others wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_mlrepro.fingerprints.digests import blake3
from pytest_mlrepro.fingerprints.lanes import CHUNK, LANES, mix, mixed, stream

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LONGEST = 256
_WORDS = _LONGEST // 8
_KEYS = _LONGEST + 1 + _WORDS + 2


def text_hashes(lengths: NDArray[Any], data: Any, key: bytes) -> NDArray[np.uint64]:
    """The hashes of texts, shape (2, texts), the same on every platform.

    Args:
        lengths: in bytes, shape (texts,).
        data: the bytes of all texts, one after another.
        key: under another one all hashes are others.
    """
    import numpy as np

    keys = stream(key, 2 * _KEYS).reshape(2, _KEYS)
    lengths = lengths.astype(np.int64, copy=False)
    ends = np.cumsum(lengths)
    hashes = np.empty((2, len(lengths)), dtype=np.uint64)
    words = _Words(data)
    short = np.where(lengths > _LONGEST, 0, lengths)
    step = max(1, CHUNK * len(short) // (len(short) + (int(short.sum()) >> 3) or 1))
    for start in range(0, len(short), step):
        part = slice(start, start + step)
        _add(hashes[:, part], short[part], ends[part] - lengths[part], words, keys)
    raw, new = memoryview(data), blake3()
    for place in np.flatnonzero(lengths > _LONGEST).tolist():
        digest = new(raw[int(ends[place] - lengths[place]) : int(ends[place])]).digest(16)
        hashes[:, place] = _long(digest, keys)
    return hashes


def _add(
    hashes: NDArray[np.uint64],
    lengths: NDArray[Any],
    starts: NDArray[Any],
    words: _Words,
    keys: NDArray[np.uint64],
) -> None:
    """Set the hashes of some texts that are not long, shape (2, texts)."""
    import numpy as np

    first, spare = words.at(starts, lengths), np.empty(len(lengths), dtype=np.uint64)
    for lane in LANES:
        np.add(first, keys[lane].take(lengths), out=hashes[lane])
        mix(hashes[lane], lane, spare)
    longer = np.flatnonzero(lengths > 8)
    if not len(longer):
        return
    counts = lengths[longer] - 1 >> 3
    before = np.cumsum(counts) - counts
    places = np.arange(1, int(counts.sum()) + 1) - np.repeat(before, counts)
    passed = places << 3
    rest = words.at(np.repeat(starts[longer], counts) + passed, np.repeat(lengths[longer], counts) - passed)
    for lane in LANES:
        more = mix(rest + keys[lane, _LONGEST:].take(places), lane)
        hashes[lane, longer] += np.add.reduceat(more, before)


def _long(digest: bytes, keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    import numpy as np

    words = np.frombuffer(digest, dtype="<u8").astype(np.uint64)
    return np.stack([mixed(words + keys[lane, -2:], lane).sum(dtype=np.uint64) for lane in LANES])


class _Words:
    """The words of eight bytes of some data, from any byte on."""

    def __init__(self, data: Any) -> None:
        import numpy as np

        if len(data) < 8:
            data = bytes(data) + bytes(8 - len(data))
        self._last = len(data) - 8
        # Each byte starts a word: a view, no copy.
        self._words: NDArray[Any] = np.ndarray((self._last + 1,), "<u8", data, strides=(1,))
        masks = [(1 << 8 * count) - 1 for count in range(9)]
        self._masks = np.array(masks, dtype=np.uint64)

    def at(self, starts: NDArray[Any], lengths: NDArray[Any]) -> NDArray[np.uint64]:
        """The words from these bytes on, ascending, with zeros from these lengths on where they are less than 8."""
        import numpy as np

        fit = int(np.searchsorted(starts, self._last, side="right"))
        words = np.empty(len(starts), dtype=np.uint64)
        words[:fit] = self._words[starts[:fit]]
        if fit < len(starts):
            # Fewer than eight bytes are left. Where none is, the length is 0, and so is the mask.
            beyond = 8 * (starts[fit:] - self._last) % 64
            words[fit:] = self._words[self._last] >> beyond.astype(np.uint64)
        words &= self._masks.take(np.minimum(lengths, 8))
        return words
