"""Tell a seed that was made from the time of day."""

from __future__ import annotations

import time
from operator import index

_UNITS = (1, 10**3, 10**6, 10**9)
_SMALL = 10**6
"""Smaller numbers are not looked at: most seeds are. Milliseconds cut to 32 bits may be anything."""
_LATEST = 10**20
_WRAP = 2**32
_BEFORE, _AFTER = 5.0, 1.0
"""Seconds."""


class Clock:
    """Knows the time; a test that sets a clock of its own sets that clock, and not this one."""

    def __init__(self) -> None:
        self._now = time.time

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._now()

    def gave(self, value: object, since: float) -> bool:
        """Whether a number is the time of day in s, ms, us or ns, from a little before ``since`` up to now.

        Process ids are not looked for: those of containers are small, and so are seeds.
        """
        if isinstance(value, float):
            number = value
        else:
            try:
                number = index(value)  # type: ignore[arg-type]
            except TypeError:
                return False
        if not _SMALL <= number <= _LATEST:
            return False
        now = self._now()
        first, last = since - _BEFORE, now + _AFTER
        if any(first <= number / unit <= last for unit in _UNITS):
            return True
        # Milliseconds are cut to 32 bits for numpy. Any large seed may look so once in a while: only of late.
        first = max(first, now - _BEFORE)
        return number < _WRAP and (number - first * 1000) % _WRAP <= (last - first) * 1000
