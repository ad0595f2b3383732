"""One answer of a person: a key on a terminal, a line elsewhere."""

from __future__ import annotations

import os
import sys

# A terminal that waited for a line when Ctrl-D came gives a zero for it once it is read key by key.
_END = ("", "\x04", "\0")
_STEP = 0.5
"""Seconds."""


def answer() -> str:
    """The next answer, one character in lower case; empty for a line without any.

    Raises:
        EOFError: if there are no more.
        KeyboardInterrupt: on Ctrl-C.
    """
    key = _key() if sys.stdin.isatty() else sys.stdin.readline()
    if key in _END:
        raise EOFError
    return key.strip()[:1].lower()


def _key() -> str:
    if sys.platform == "win32":
        import msvcrt

        key = msvcrt.getwch()
        if key == "\x03":
            raise KeyboardInterrupt
        return key
    import select
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    try:
        # Keys come one by one, and Ctrl-C still interrupts. What was typed ahead counts.
        tty.setcbreak(terminal, termios.TCSADRAIN)
        # In steps: a Ctrl-C that comes just before the wait begins is noticed after it.
        while not select.select([terminal], [], [], _STEP)[0]:
            pass
        return os.read(terminal, 1).decode("latin-1")
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
