"""Where randomness is taken, and who takes it there."""

from __future__ import annotations

from typing import NamedTuple


class Point(NamedTuple):
    """A choke point: something that everybody goes through who takes unpinned randomness.

    Attributes:
        via: the library it belongs to.
        call: what it is called in reports where nothing of Python stands between; empty for what the code says.
        direct: whether it counts only where the project's own code calls it. Libraries ask the system for
            randomness to make names and keys.
    """

    via: str
    call: str = ""
    direct: bool = False


class Found(NamedTuple):
    """Who takes randomness: the fields are those of ``Site``."""

    file: str
    line: int
    function: str
    call: str
    via: str
    direct: bool
