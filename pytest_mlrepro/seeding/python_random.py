"""The standard library's global generator, pinned, saved and put back exactly, and in a few microseconds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

_WORDS = 624
_SIZE = 4 + _WORDS * 4
"""Bytes of a Mersenne Twister in CPython: the position, an int of 32 bits, and 624 words."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A state of the global generator.

    Attributes:
        words: its memory; empty where ``full`` is the state.
        held: the normal deviate that was held back for the next call of ``gauss``, if any.
        full: what ``random.getstate()`` gave.
    """

    words: bytes = b""
    held: float | None = None
    full: Any = None


class PythonRandom:
    """Seeds ``random``, reads its state, and puts it back.

    ``getstate`` makes 625 numbers of the state and ``setstate`` takes them, three quarters of what pinning would cost.
    Copying the generator's memory costs a tenth. That it is laid out as we think is seen by comparing it with what
    ``getstate`` gives, once for each generator; if not, or on another Python than CPython, the slow way is taken.
    """

    def __init__(self) -> None:
        self._known: Any = None
        self._memory: Any = None
        self._seed_known: Callable[[int], object] = lambda seed: None
        self._seeded: tuple[int, bytes] | None = None

    def seed(self, library: Any, seed: int) -> None:
        """``random.seed(seed)``."""
        generator = self._generator(library)
        if generator is None:
            library.seed(seed)
            return
        if self._seeded is not None and self._seeded[0] == seed:
            # A test is pinned more than once to one seed.
            self._memory.raw = self._seeded[1]
        else:
            self._seed_known(seed)
            self._seeded = seed, self._memory.raw
        generator.gauss_next = None

    def state(self, library: Any) -> Saved:
        """The exact state."""
        generator = self._generator(library)
        if generator is not None:
            return Saved(self._memory.raw, generator.gauss_next)
        full = library.getstate()
        candidate = getattr(library.getstate, "__self__", None)
        base = _base(candidate)
        if base is not None and _agrees(_words(candidate), full):
            self._known = candidate
            self._memory = _memory(candidate)
            # What Random.seed calls for an integer.
            self._seed_known = partial(base.seed, candidate)
            self._seeded = None
        return Saved(full=full)

    def put_back(self, library: Any, saved: Saved) -> None:
        """Set a state that ``state`` gave."""
        generator = self._generator(library)
        if saved.full is not None:
            library.setstate(saved.full)
        elif generator is not None:
            self._memory.raw = saved.words
            generator.gauss_next = saved.held
        else:
            # Somebody has put another generator in the place of the one that was saved.
            library.setstate(_full(saved))

    def _generator(self, library: Any) -> Any:
        """The global generator if its memory is known; None if it is not, or somebody has replaced a function."""
        known = self._known
        for function in (library.seed, library.getstate, library.setstate):
            if getattr(function, "__self__", None) is not known:
                return None
        return known


def _base(generator: Any) -> Any:
    """CPython's class below ``random.Random``, where this is one of these and there is room for its memory."""
    base = next((kind for kind in type(generator).__mro__ if kind.__module__ == "_random"), None)
    is_plain = type(generator).__bases__ == (base,) and type(generator).__module__ == "random"
    has_room = base is not None and base.__basicsize__ >= object.__basicsize__ + _SIZE
    return base if sys.implementation.name == "cpython" and is_plain and has_room else None


def _agrees(words: bytes, full: Any) -> bool:
    return bool(full[0] == 3 and _full(Saved(words, full[2])) == full)


def _full(saved: Saved) -> Any:
    numbers = [int.from_bytes(saved.words[at : at + 4], sys.byteorder) for at in range(0, _SIZE, 4)]
    return 3, (*numbers[1:], numbers[0]), saved.held


def _words(generator: Any) -> bytes:
    words: bytes = _memory(generator).raw
    return words


def _memory(generator: Any) -> Any:
    """The generator's words; assigning to ``raw`` overwrites them."""
    import ctypes

    return (ctypes.c_char * _SIZE).from_address(id(generator) + object.__basicsize__)
