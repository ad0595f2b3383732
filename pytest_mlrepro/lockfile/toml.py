"""Write the part of TOML 1.0 that a lockfile needs: a key a line, sorted, floats that round-trip."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

Node: TypeAlias = "bool | int | float | str | Sequence[Node] | Mapping[str, Node]"

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SPECIAL = re.compile(r'[\x00-\x1f\x7f"\\]')
_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_WIDE = 100
_LONG = 1 << 12
_INDENT = "    "


def header(*parts: str) -> str:
    """The line that opens a table."""
    return f"[{'.'.join(map(key, parts))}]"


def line(name: str, node: Node) -> str:
    """A key and its value. Rows of a table of numbers stand a row a line when they are many."""
    return f"{key(name)} = {text(node)}"


@lru_cache(maxsize=1 << 10)
def key(name: str) -> str:
    """A bare key where TOML allows one, quoted otherwise (a dot is part of the name)."""
    return name if _BARE.fullmatch(name) else string(name)


def string(content: str) -> str:
    """A basic string on one line."""
    return f'"{_SPECIAL.sub(_escape, content)}"'


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    return _SHORT.get(character) or f"\\u{ord(character):04X}"


def text(node: Node) -> str:
    """A value in TOML's words; long tables of numbers on several lines."""
    # bool before int: True is an int to Python.
    if isinstance(node, bool):
        return "true" if node else "false"
    if isinstance(node, str):
        return string(node)
    if isinstance(node, int):
        # Python writes no decimals of thousands of digits.
        return repr(node) if node.bit_length() < _LONG else hex(node)
    if isinstance(node, float):
        return repr(node)
    if isinstance(node, Mapping):
        inside = ", ".join(f"{key(name)} = {text(node[name])}" for name in node)
        return f"{{ {inside} }}" if inside else "{}"
    return _array(node)


def _array(items: Sequence[Node]) -> str:
    texts = [text(item) for item in items]
    flat = f"[{', '.join(texts)}]"
    rows = all(isinstance(item, Sequence) and not isinstance(item, str) for item in items)
    if len(flat) <= _WIDE or not rows:
        return flat
    return "\n".join(["[", *(f"{_INDENT}{each}," for each in texts), "]"])
