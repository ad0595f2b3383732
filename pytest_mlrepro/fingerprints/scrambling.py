"""Scrambling: a bijection of 64-bit words that makes any two of them differ in about half of their bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MASK = (1 << 64) - 1

# The finalizer of splitmix64 (Steele, Lea and Flood): each step can be undone.
_STEPS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1))


def scrambled(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The images of words, of any shape."""
    import numpy as np

    words = words.copy()
    for shift, factor in _STEPS:
        words ^= words >> np.uint64(shift)
        if factor != 1:
            words *= np.uint64(factor)
    return words


def scrambled_word(word: int) -> int:
    """The image of one word."""
    for shift, factor in _STEPS:
        word = ((word ^ word >> shift) * factor) & MASK
    return word


def unscrambled_word(word: int) -> int:
    """The word whose image this is."""
    for shift, factor in reversed(_STEPS):
        word = (word * pow(factor, -1, 1 << 64)) & MASK
        # Each step of a shift brings back as many bits; 64 bits take three at most.
        word ^= word >> shift ^ word >> 2 * shift
    return word
