"""Soundness: whether a detail that was read from a file is one that can be used to explain a difference.

A lockfile may have been merged or edited by hand. A detail only explains: one that is damaged is passed over, and stops
no run. What is not known here is let be, as a later release may write more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from pytest_mlrepro.fingerprints.layout import ITEM, SHORT, group_size

_Test = Callable[[Any], bool]


def is_sound(detail: Mapping[str, Any]) -> bool:
    """Whether everything in a detail is of the type, and the size, that it has when it is made."""
    if not all(_TESTS[name](detail[name]) for name in _TESTS.keys() & detail.keys()):
        return False
    return _has_columns(detail) and _has_parts(detail) and _has_shape(detail) and _has_digests(detail)


def _has_columns(detail: Mapping[str, Any]) -> bool:
    if detail.get("kind") == "array":
        return all(row and _is_text(row[0]) for row in detail.get("columns", ()))
    return all(len(row) >= 3 and _is_text(row[1]) and _is_text(row[2]) for row in detail.get("columns", ()))


def _has_parts(detail: Mapping[str, Any]) -> bool:
    """Short digests of the columns, or of groups of them, belong to a width."""
    if "parts" not in detail:
        return True
    shape = detail.get("shape", ())
    width = detail.get("width", shape[1] if len(shape) > 1 else 0)
    if width < 1 or len(detail["parts"]) != -(-width // group_size(width)) * SHORT:
        return False
    dtypes, names = detail.get("dtypes", ()), detail.get("names", ())
    return bool(sum(count for _, count in dtypes) in (0, width) and len(names) in (0, width))


def _has_shape(detail: Mapping[str, Any]) -> bool:
    return detail.get("kind") != "sparse" or len(detail.get("shape", (0,))) > 0


def _has_digests(detail: Mapping[str, Any]) -> bool:
    """Those of a sample, one an item, and which items they are of."""
    if "digests" not in detail:
        return True
    items, chosen = detail.get("items", 0), detail.get("chosen", "")
    if len(detail["digests"]) != items * ITEM:
        return False
    if chosen == "spread":
        return bool(items <= detail.get("length", 0))
    return _is_text(chosen) or len(chosen) == items


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 64


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, tuple)


def _every(test: _Test) -> _Test:
    return lambda value: isinstance(value, tuple) and all(map(test, value))


def _pair(first: _Test, second: _Test) -> _Test:
    return lambda value: isinstance(value, tuple) and len(value) == 2 and first(value[0]) and second(value[1])


_PAIRS = _every(_pair(_is_text, _is_text))
_ROWS = _every(lambda row: isinstance(row, tuple))

_TESTS: Mapping[str, _Test] = MappingProxyType(
    {
        **dict.fromkeys(("rows", "width", "size", "lines", "files", "length", "items", "stored"), _is_count),
        **dict.fromkeys(("kind", "dtype", "blocks", "parts", "turned", "digests", "unit", "class"), _is_text),
        **dict.fromkeys(("names digest", "path"), _is_text),
        **dict.fromkeys(("entries", "keys", "groups"), _PAIRS),
        **dict.fromkeys(("ordered", "by_value"), _is_flag),
        "shape": _every(_is_count),
        "summary": _every(_is_scalar),
        "columns": _ROWS,
        "index": _ROWS,
        "dtypes": _every(_pair(_is_text, _is_count)),
        "names": lambda value: _is_text(value) or _every(_is_scalar)(value),
        "chosen": lambda value: _is_text(value) or _every(_is_count)(value),
        "private": _every(_is_text),
        "value": _is_scalar,
    }
)
