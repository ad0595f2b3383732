"""Between values and TOML's types, and how to say that a node is none of ours.

What TOML has no word for carries a ``type``: ``{ type = "none" }``, ``{ type = "complex", value = [0.0, 1.0] }``,
an integer of more than 64 bits, a text with lone surrogates (as the hexadecimal digits of its bytes).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.lockfile import toml
from pytest_mlrepro.lockfile.toml import Node
from pytest_mlrepro.model import Value
from pytest_mlrepro.values import MOST_BITS, is_long

MISSING = object()
"""The node where there is none."""

_INT64 = range(-(2**63), 2**63)
_DEEPEST = 64
_LONGEST = 80
_LONGEST_KEY = 200


def encode(value: Value) -> Node:
    """A value in TOML's types."""
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    if value is None:
        return {"type": "none"}
    if isinstance(value, complex):
        return {"type": "complex", "value": [value.real, value.imag]}
    if isinstance(value, str):
        return value if _encodable(value) else {"type": "str", "value": value.encode(*_SURROGATES).hex()}
    if type(value) is int and value not in _INT64:
        return {"type": "int", "value": hex(value)}
    return value


def decode(node: object, where: str = "lockfile", path: tuple[str, ...] = (), depth: int = 0) -> Value:
    """The value that ``encode`` made this of.

    Raises:
        LockfileError: if it is nothing that ``encode`` makes.
    """
    if isinstance(node, bool | int | float | str):
        return _read(node, where, path)
    if depth > _DEEPEST:
        raise too_deep(where)
    if isinstance(node, list):
        return tuple([decode(item, where, path, depth + 1) for item in node])
    if isinstance(node, dict) and "type" in node:
        return _decode_typed(node, where, path)
    raise wrong(where, path, "a number, a string, an array of those, or an inline table with a value", node)


def _decode_typed(node: dict[str, Any], where: str, path: tuple[str, ...]) -> Value:
    kind, value = node["type"], node.get("value", MISSING)
    if not isinstance(kind, str) or kind not in _TYPES:
        raise wrong(where, (*path, "type"), f"one of {', '.join(_TYPES)}", kind)
    read, expected = _TYPES[kind]
    try:
        return _read(read(value), where, path)
    except (TypeError, ValueError, OverflowError):
        raise wrong(where, (*path, "value"), expected, value) from None


def _read(value: Value, where: str, path: tuple[str, ...]) -> Value:
    if is_long(value):
        raise LockfileError(
            f"an integer of more than {MOST_BITS:,} bits",
            where=f"{where}, {dotted(path)}",
            remedy=restore(where),
        )
    return value


_SURROGATES = ("utf-8", "surrogatepass")


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _none(node: object) -> None:
    if node is not MISSING:
        raise TypeError


def _complex(node: Any) -> complex:
    real, imaginary = node
    return complex(float(real), float(imaginary))


_TYPES: Mapping[str, tuple[Callable[[Any], Value], str]] = {
    "none": (_none, "no value with the type none"),
    "complex": (_complex, "[real, imaginary]"),
    "int": (lambda node: int(node, 16), "a string of hexadecimal digits"),
    "str": (lambda node: bytes.fromhex(node).decode(*_SURROGATES), "a string of hexadecimal digits"),
}
"""How to read what carries a type, and what to expect of its value."""


def wrong(where: str, path: tuple[str, ...], expected: str, got: object) -> LockfileError:
    """The error for a node of a file, found by its path, that is not what it should be."""
    return LockfileError(
        f"expected {expected}, got {shown(got)}", where=f"{where}, {dotted(path)}", remedy=restore(where)
    )


def too_deep(where: str) -> LockfileError:
    """The error for a file that no sane writer made."""
    return LockfileError("nested too deeply to be a lockfile", where=where, remedy=restore(where))


def shown(node: object) -> str:
    """A node as it stands in the file, cut to a part of a line."""
    if node is MISSING:
        return "none"
    try:
        text = re.sub(r"\s*\n\s*", "", toml.text(node))  # type: ignore[arg-type]
    except TypeError:
        # TOML has dates, values do not.
        text = str(node)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def dotted(path: tuple[str, ...]) -> str:
    """A path of keys as TOML writes it, long ones cut."""
    return ".".join(
        toml.key(each if len(each) <= _LONGEST_KEY else f"{each[:_LONGEST_KEY]}...") for each in path
    )


def restore(where: str) -> str:
    """What to do about a file that cannot be used."""
    return f"restore it from git (git checkout -- {shlex.quote(where)}), or delete it and run: pytest --mlrepro-update"
