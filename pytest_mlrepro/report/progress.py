"""Progress on a terminal: what is being read, from its second second on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_PATIENCE = 1.0
_PAUSE = 0.2


class Progress:
    """Tells of reading that takes long, in one line that is wiped out afterwards."""

    def __init__(
        self, writer: Callable[[], Callable[[str], None] | None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Make a teller.

        Args:
            writer: gives what writes to the terminal; None where there is none.
            clock: in seconds.
        """
        self._writer = writer
        self._clock = clock

    @contextmanager
    def telling(self, what: str) -> Iterator[Callable[[int], None] | None]:
        """While something is read: what is to be told of each piece, in bytes; None for nobody."""
        write = self._writer()
        if write is None:
            yield None
            return
        begun = told = self._clock()
        read, width = 0, 0

        def advance(more: int) -> None:
            nonlocal read, told, width
            read += more
            now = self._clock()
            if now - begun < _PATIENCE or now - told < _PAUSE:
                return
            told = now
            text = f"mlrepro: reading {what}, {read / 1e9:.1f} GB"
            width = max(width, len(text))
            write(f"\r{text}")

        try:
            yield advance
        finally:
            if width:
                write(f"\r{' ' * width}\r")
