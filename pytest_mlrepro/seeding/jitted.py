"""numba's own generators, saved and put back exactly.

Code that numba compiles draws neither from ``np.random`` nor from ``random`` but from two Mersenne Twisters of its own,
one a kind in each thread. Without a seed they start from ``os.urandom``.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

_WORDS = 624
_KEY_BYTES = 4 + _WORDS * 4
_SIZE = _KEY_BYTES + 4 + 8
"""Bytes of a state in numba: position, key, whether a normal deviate is held back (an int of 32 bits), and that."""


@dataclass(frozen=True, slots=True)
class Twister:
    """A state of one of the two.

    Attributes:
        words: its memory; empty where ``full`` is the state.
        full: what ``rnd_get_state`` gave: position and key, without a deviate that is held back.
    """

    words: bytes = b""
    full: Any = None


class Jitted:
    """Seeds the generators of compiled code in this thread, reads them, and puts them back.

    Compiles nothing: numba's own helpers do it, in a microsecond each. They do not tell the normal deviate that is held
    back for the next call, so the memory is copied, once it has been seen to hold what the helpers tell.
    """

    def __init__(self) -> None:
        self._laid_out: bool | None = None

    def seed(self, helpers: Any, seed: int) -> None:
        """What ``np.random.seed(seed)`` and ``random.seed(seed)`` do in compiled code."""
        for place in _places(helpers):
            helpers.rnd_seed(place, seed)

    def state(self, helpers: Any) -> tuple[Twister, ...]:
        """The exact states, of ``np.random`` and of ``random``."""
        places = _places(helpers)
        if self._laid_out is None:
            self._laid_out = all(_agrees(_words(place), helpers.rnd_get_state(place)) for place in places)
        if self._laid_out:
            return tuple(Twister(_words(place)) for place in places)
        return tuple(Twister(full=helpers.rnd_get_state(place)) for place in places)

    def put_back(self, helpers: Any, saved: tuple[Twister, ...]) -> None:
        """Set states that ``state`` gave."""
        import ctypes

        for place, twister in zip(_places(helpers), saved, strict=True):
            if twister.words:
                ctypes.memmove(place, twister.words, len(twister.words))
            else:
                helpers.rnd_set_state(place, twister.full)


def _places(helpers: Any) -> tuple[int, int]:
    # Asked each time: every thread has its own.
    return helpers.rnd_get_np_state_ptr(), helpers.rnd_get_py_state_ptr()


def _words(place: int) -> bytes:
    import ctypes

    return ctypes.string_at(place, _SIZE)


def _agrees(words: bytes, told: tuple[int, list[int]]) -> bool:
    numbers = [int.from_bytes(words[at : at + 4], sys.byteorder) for at in range(0, _KEY_BYTES + 4, 4)]
    return numbers[:-1] == [told[0], *told[1]] and numbers[-1] in (0, 1)
