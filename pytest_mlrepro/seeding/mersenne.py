"""numpy's global generator, saved and put back exactly, and in a few microseconds."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

_KEY_BYTES = 624 * 4
_SIZE = _KEY_BYTES + 4
"""Bytes of a Mersenne Twister in numpy: 624 words of 32 bits and the position, an int of 32 bits."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A state of numpy's global generator.

    Attributes:
        generator: the bit generator that was in use.
        words: its memory; empty where ``full`` is the state.
        held: the normal deviate that was held back for the next call of ``randn``, if any.
        full: what ``np.random.get_state(legacy=False)`` gave.
    """

    generator: Any
    words: bytes = b""
    held: float | None = None
    full: Any = None


class Mersenne:
    """Seeds numpy's global state, reads it, and puts it back.

    Reading and setting it with ``get_state`` and ``set_state`` costs some 80 microseconds. Copying the generator's
    memory, at the address that numpy publishes, costs one. That the memory is laid out as we think is seen by
    comparing it with what ``get_state`` gives, once for each generator; if not, the slow way is taken.
    """

    def __init__(self) -> None:
        self._known: Any = None

    def seed(self, library: Any, seed: int) -> None:
        """``np.random.seed(seed)``, or a new generator of its kind where it is not a Mersenne Twister."""
        generator = _bit_generator(library)
        if isinstance(generator, library.MT19937):
            library.seed(seed)
        else:
            library.set_bit_generator(type(generator)(seed))

    def state(self, library: Any) -> Saved:
        """The exact state."""
        generator = _bit_generator(library)
        if generator is not self._known:
            full = library.get_state(legacy=False)
            self._known = generator if _laid_out(library, generator, full) else None
            return Saved(generator, full=full)
        words = _words(generator)
        # The memory does not show a deviate that is held back. But a draw takes that one first, and then
        # leaves the memory as it was.
        deviate = library.standard_normal()
        if _words(generator) == words:
            saved = Saved(generator, words, deviate)
            _set(library, saved)
            return saved
        # Deviates come in pairs: this draw takes the second one, and none is left.
        library.standard_normal()
        _overwrite(generator, words)
        return Saved(generator, words)

    def put_back(self, library: Any, saved: Saved) -> None:
        """Set an exact state, with the bit generator that had it."""
        if _bit_generator(library) is not saved.generator:
            library.set_bit_generator(saved.generator)
        if saved.full is not None:
            library.set_state(saved.full)
        else:
            _set(library, saved)


def _set(library: Any, saved: Saved) -> None:
    # Seeding drops a deviate that is held back.
    library.seed(0)
    _overwrite(saved.generator, saved.words)
    if saved.held is not None:
        full = library.get_state(legacy=False)
        library.set_state({**full, "has_gauss": 1, "gauss": saved.held})


def _laid_out(library: Any, generator: Any, full: Any) -> bool:
    if not isinstance(generator, library.MT19937):
        return False
    words, state = _words(generator), full["state"]
    position = int.from_bytes(words[_KEY_BYTES:], sys.byteorder)
    return bool(words[:_KEY_BYTES] == state["key"].tobytes() and position == state["pos"])


def _bit_generator(library: Any) -> Any:
    # numpy 1.23 has no public way to reach it.
    public = getattr(library, "get_bit_generator", None)
    return public() if public is not None else library.mtrand._rand._bit_generator


def _words(generator: Any) -> bytes:
    import ctypes

    with generator.lock:
        return ctypes.string_at(generator.ctypes.state_address, _SIZE)


def _overwrite(generator: Any, words: bytes) -> None:
    import ctypes

    with generator.lock:
        ctypes.memmove(generator.ctypes.state_address, words, len(words))
