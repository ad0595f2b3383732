"""Parameters that are one value each: what a setting is when it is no container of further settings."""

from __future__ import annotations

import datetime
import enum
import re
import types
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePath
from typing import Any

from pytest_mlrepro.errors import FingerprintError, RecordingError
from pytest_mlrepro.model import Value
from pytest_mlrepro.redaction import portable, portable_path
from pytest_mlrepro.values import is_arraylike, is_plain, numpy_array, to_value, type_name

_MAX_DEPTH = 32
LARGEST = 256
"""Arrays and sequences of more values are recorded as a fingerprint."""


def atom(obj: object, what: str) -> tuple[Value, str] | None:  # noqa: PLR0911 - one return a kind
    """The value of a parameter that has no parts, and its dtype where it has one; None of anything else.

    Paths lose the folders of this machine, callables and classes are named, random generators and large
    arrays become a fingerprint of their state. No value holds a memory address.

    Raises:
        RecordingError: if it is an array that cannot be recorded.
    """
    if is_plain(obj):
        return (portable(obj) if isinstance(obj, str) else obj), ""  # type: ignore[return-value]
    for kinds, written in _WRITTEN:
        if isinstance(obj, kinds):
            return written(obj), ""
    if _is_any_of(obj, _GENERATORS):
        return f"{type(obj).__name__}:{_digest(_state(obj), what)}", ""
    if _is_any_of(obj, _TOLD):
        return str(obj), ""
    if is_arraylike(obj):
        return _array(obj, what)
    if isinstance(obj, type) or (callable(obj) and hasattr(obj, "__name__")):
        return _name_of(obj), ""
    if isinstance(obj, bool | int | float | complex | str):
        # Subclasses count as what they are made of.
        return to_value(obj, what=what)
    return None


def sequence(items: Iterable[Any], what: str, *, ordered: bool = True) -> tuple[Value, ...] | str | None:
    """The value of a (nested) list of atoms; a fingerprint of many; None where a member has parts or a dtype."""
    values = _members(items, what, _MAX_DEPTH)
    if values is not None and not ordered:
        # By their values: the order of a set, and of what its members are at, differs from run to run.
        values = tuple(sorted(values, key=lambda value: (type(value).__name__, repr(value))))
    return _digest(values, what) if values is not None and _count(values) > LARGEST else values


def _members(items: Iterable[Any], what: str, depth: int) -> tuple[Value, ...] | None:
    values: list[Value] = []
    for item in items:
        if type(item) in (list, tuple):
            # A list deeper than that may hold itself: whoever walks on sees it.
            below = _members(item, what, depth - 1) if depth else None
            if below is None:
                return None
            values.append(below)
            continue
        found = atom(item, what)
        if found is None or found[1]:
            return None
        values.append(found[0])
    return tuple(values)


def _count(value: Value) -> int:
    return sum(map(_count, value)) if isinstance(value, tuple) else 1


def _member_name(member: enum.Enum) -> str:
    told = f"{type(member).__qualname__}.{member.name}"
    return f"{told} = {member.value!r}" if is_plain(member.value) else told


def _bytes(obj: bytes | bytearray) -> str:
    return f"bytes:{bytes(obj).hex()}" if len(obj) <= 32 else f"bytes:{_digest(bytes(obj), 'bytes')}"


# In order: an enumeration's member may also be a number, a time stamp is also a date.
_WRITTEN: tuple[tuple[Any, Callable[[Any], str]], ...] = (
    (enum.Enum, _member_name),
    (PurePath, portable_path),
    ((datetime.date, datetime.time), lambda obj: obj.isoformat()),
    (datetime.timedelta, str),
    (re.Pattern, lambda obj: f"re:{obj.pattern}"),
    ((range, slice, types.EllipsisType), repr),
    ((bytes, bytearray), _bytes),
    (types.ModuleType, lambda obj: obj.__name__),
)


def _name_of(obj: Any) -> str:
    """``module.name`` of a class or callable; the bound object of a method is its class."""
    if isinstance(getattr(obj, "__self__", None), type):
        return f"{type_name(obj.__self__)}.{obj.__name__}"
    if type(obj).__module__ == "numpy":
        return f"numpy.{obj.__name__}"
    return type_name(obj)


def _is_any_of(obj: object, kinds: frozenset[tuple[str, str]]) -> bool:
    """Whether its class or one that it derives from is one of these: their libraries are not imported to ask."""
    return any((kind.__module__.partition(".")[0], kind.__name__) in kinds for kind in type(obj).__mro__)


_GENERATORS = frozenset(
    {
        ("numpy", "RandomState"),
        ("numpy", "Generator"),
        ("numpy", "BitGenerator"),
        ("numpy", "SeedSequence"),
        ("random", "Random"),
    }
)


_TOLD = frozenset(
    {
        ("decimal", "Decimal"),
        ("fractions", "Fraction"),
        ("numpy", "dtype"),
        ("torch", "device"),
        ("torch", "dtype"),
        ("uuid", "UUID"),
    }
)
"""What ``str`` tells in full."""


def _state(obj: Any) -> object:
    if hasattr(obj, "getstate"):
        return obj.getstate()
    if hasattr(obj, "get_state"):
        return obj.get_state(legacy=False)
    return getattr(obj, "bit_generator", obj).state


def _array(obj: object, what: str) -> tuple[Value, str]:
    array = numpy_array(obj, what)
    if array.dtype.kind in "mM":
        array = array.astype(str)
    if array.size > LARGEST:
        return _digest(array, what), str(array.dtype.name)
    return to_value(array, what=what)


def _digest(obj: object, what: str) -> str:
    from pytest_mlrepro.fingerprints import fingerprint

    try:
        return str(fingerprint(_with_lists(obj)).digest)
    except FingerprintError as error:
        raise RecordingError(f"{what}: {error.what}", remedy=error.remedy) from None


def _with_lists(obj: object) -> object:
    """Mappings of a generator's state as pairs: their keys are few and known, their order is not."""
    if isinstance(obj, Mapping):
        return [[key, _with_lists(obj[key])] for key in sorted(obj)]
    return obj
