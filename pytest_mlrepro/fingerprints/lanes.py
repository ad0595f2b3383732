"""Lanes: two 64-bit hashes side by side, mixed in different ways, so that what collides in one differs in the other.

Both mixers are finalizers with full avalanche: one changed bit of a word changes each bit of its hash with
probability 1/2. They are bijections of 64 bits, so two words never collide under one key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_mlrepro.fingerprints.digests import blake3

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LANES = (0, 1)
CHUNK = 16_384
"""Words that are mixed at once: they stay in the cache with what is made of them."""

# Of splitmix64 (Steele, Lea and Flood) and of MurmurHash3 (Appleby).
_MIXERS = (
    (30, 0xBF58476D1CE4E5B9, 27, 0x94D049BB133111EB, 31),
    (33, 0xFF51AFD7ED558CCD, 33, 0xC4CEB9FE1A85EC53, 33),
)


def stream(key: bytes, count: int) -> NDArray[np.uint64]:
    """As many 64-bit numbers as wanted, drawn from a key."""
    import numpy as np

    return np.frombuffer(blake3()(key).digest(8 * count), dtype="<u8").astype(np.uint64)


def mixed(values: NDArray[np.uint64], lane: int) -> NDArray[np.uint64]:
    """The hashes of words in one of the lanes, any shape."""
    return mix(values.copy(), lane)


def mix(values: NDArray[np.uint64], lane: int, spare: Any = None) -> NDArray[np.uint64]:
    """Replace words by their hashes in one of the lanes; ``spare`` is memory of the same shape to work in."""
    import numpy as np

    if spare is None:
        spare = np.empty_like(values)
    first, one, second, other, third = map(np.uint64, _MIXERS[lane])
    np.right_shift(values, first, out=spare)
    np.bitwise_xor(values, spare, out=values)
    np.multiply(values, one, out=values)
    np.right_shift(values, second, out=spare)
    np.bitwise_xor(values, spare, out=values)
    np.multiply(values, other, out=values)
    np.right_shift(values, third, out=spare)
    np.bitwise_xor(values, spare, out=values)
    return values
