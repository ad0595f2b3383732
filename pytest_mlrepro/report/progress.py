"""Progress on a terminal: what is being read, from its second second on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

_PATIENCE = 1.0
_PAUSE = 0.2
_BAR = 20


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

    def telling(self, what: str) -> AbstractContextManager[Callable[[int], None] | None]:
        """While something is read: what is to be told of each piece, in bytes; None for nobody."""
        return self._told(lambda read: f"mlrepro: reading {what}, {read / 1e9:.1f} GB")

    def counting(self, what: str, total: int) -> AbstractContextManager[Callable[[int], None] | None]:
        """The same for things that are counted."""
        return self._told(
            lambda read: f"mlrepro: reading {what}, {_bar(read / max(1, total))} {read} of {total}"
        )

    @contextmanager
    def _told(self, line: Callable[[int], str]) -> Iterator[Callable[[int], None] | None]:
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
            text = line(read)
            width = max(width, len(text))
            write(f"\r{text}")

        try:
            yield advance
        finally:
            if width:
                write(f"\r{' ' * width}\r")


def _bar(share: float) -> str:
    done = round(_BAR * min(1.0, share))
    return f"[{'#' * done}{'.' * (_BAR - done)}]"
