"""Progress on a terminal: which data set is being read, from its second second on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

_PATIENCE = 1.0
_PAUSE = 0.2


class Progress:
    """Tells of reading that takes long, in one line of the terminal that is wiped out afterwards."""

    def __init__(self, config: pytest.Config, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._clock = clock

    @contextmanager
    def telling(self, name: str) -> Iterator[Callable[[int], None] | None]:
        """While the data set of this name is read: what is to be told of each piece, in bytes; None for nobody."""
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None or not reporter.isatty:
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
            text = f"mlrepro: reading data {name!r}, {read / 1e9:.1f} GB"
            width = max(width, len(text))
            self._write(f"\r{text}")

        try:
            yield advance
        finally:
            if width:
                self._write(f"\r{' ' * width}\r")

    def _write(self, text: str) -> None:
        manager = self._config.pluginmanager.get_plugin("capturemanager")
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        assert reporter is not None
        if manager is None:
            reporter.write(text, flush=True)
            return
        with manager.global_and_fixture_disabled():
            reporter.write(text, flush=True)
