"""Python's own scalars and containers, read with the methods of their types."""

from __future__ import annotations

import datetime as dt
import struct
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import repeat
from operator import is_
from types import MappingProxyType, NoneType
from typing import Any

from pytest_mlrepro.fingerprints.digests import blake3
from pytest_mlrepro.tracing.objects import is_a, title
from pytest_mlrepro.tracing.reading import Handler, Reading

_MOST_SORTED = 100_000
_FEW = 8


def _none(reading: Reading, obj: None, depth: int) -> None:
    reading.add("N")
    reading.name("None", depth)


def _bool(reading: Reading, obj: Any, depth: int) -> None:
    reading.add("T" if obj else "F")
    reading.name("bool True" if obj else "bool False", depth)


def _int(reading: Reading, obj: Any, depth: int) -> None:
    # Of a subclass the number: its own methods are not asked.
    number = int.__pos__(obj)
    reading.add("i", hex(number))
    if not depth:
        reading.form = f"int {number}" if abs(number) < 10**15 else "int"


def _float(reading: Reading, obj: Any, depth: int) -> None:
    number = float.__pos__(obj)
    reading.add("f")
    reading.add_floats(struct.pack("<d", number), (number,))
    reading.name("float", depth)


def _complex(reading: Reading, obj: Any, depth: int) -> None:
    number = complex.__pos__(obj)
    reading.add("c")
    reading.add_floats(struct.pack("<dd", number.real, number.imag), (number.real, number.imag))
    reading.name("complex", depth)


def _str(reading: Reading, obj: Any, depth: int) -> None:
    text = str.__str__(obj)
    reading.add("s", text)
    if not depth:
        reading.form = f"str of length {len(text)}"


def _bytes(reading: Reading, obj: Any, depth: int) -> None:
    data = b"".join((obj,))
    reading.add("b", f"{len(data)} {blake3()(data).hexdigest()}")
    reading.name(f"bytes of length {len(data)}", depth)


def _range(reading: Reading, obj: range, depth: int) -> None:
    reading.add("r", f"{obj.start} {obj.stop} {obj.step}")
    reading.name(f"range of {obj.start} to {obj.stop} by {obj.step}", depth)


def _moment(reading: Reading, obj: Any, depth: int) -> None:
    # A time zone may be a class of the project, so that it is not asked.
    reading.add(type(obj).__name__, obj.replace(tzinfo=None).isoformat())
    reading.name(type(obj).__name__, depth)


def _said(reading: Reading, obj: Any, depth: int) -> None:
    reading.add(type(obj).__name__, str(obj))
    reading.name(type(obj).__name__, depth)


def _list(reading: Reading, obj: Any, depth: int) -> None:
    _sequence(reading, list(list.__iter__(obj)), "list", type(obj), depth)


def _tuple(reading: Reading, obj: Any, depth: int) -> None:
    _sequence(reading, list(tuple.__iter__(obj)), "tuple", type(obj), depth)


def _deque(reading: Reading, obj: Any, depth: int) -> None:
    _sequence(reading, list(deque.__iter__(obj)), "deque", type(obj), depth)


def _set(reading: Reading, obj: Any, depth: int) -> None:
    own = set if is_a(type(obj), set) else frozenset
    _sequence(reading, list(own.__iter__(obj)), own.__name__, type(obj), depth)


def _dict(reading: Reading, obj: Any, depth: int) -> None:
    own: Any = OrderedDict if is_a(type(obj), OrderedDict) else dict
    keys, values = list(own.keys(obj)), list(own.values(obj))
    form = _form(type(obj), "dict", len(keys))
    reading.name(form, depth)
    reading.add("{", form)
    _items(reading, keys, depth)
    _items(reading, values, depth)
    if not depth:
        reading.bag = _bag(keys)


def _sequence(reading: Reading, items: list[Any], name: str, kind: type, depth: int) -> None:
    form = _form(kind, name, len(items))
    reading.name(form, depth)
    reading.add("[", form)
    _items(reading, items, depth)
    if not depth:
        reading.bag = _bag(items)


def _form(kind: type, name: str, count: int) -> str:
    own = title(kind)
    return f"{name} of {count}" if own.rpartition(".")[2] == name else f"{own} ({name}) of {count}"


def _items(reading: Reading, items: list[Any], depth: int) -> None:
    if len(items) > _FEW:
        for kind, bulk in _BULK:
            if _all_are(kind, items):
                bulk(reading, items)
                return
    for place, item in enumerate(items):
        if reading.left <= 0:
            reading.add("cut", str(len(items) - place))
            break
        reading.visit(item, depth + 1)


def _floats(reading: Reading, items: list[Any]) -> None:
    reading.add("f*")
    reading.add_floats(blake3()(struct.pack(f"<{len(items)}d", *items)).digest(), items)


def _ints(reading: Reading, items: list[Any]) -> None:
    reading.add("i*", ",".join(map(hex, items)))


def _strs(reading: Reading, items: list[Any]) -> None:
    reading.add("l*", ",".join(map(str, map(len, items))))
    reading.add("s*", "".join(items))


_BULK: tuple[tuple[type, Callable[[Reading, list[Any]], None]], ...] = (
    (float, _floats),
    (int, _ints),
    (str, _strs),
)
"""How to read many items of one type at once."""


def _all_are(kind: type, items: list[Any]) -> bool:
    # By identity, as fast as a set of the types: a metaclass may have an __eq__ or __hash__ of its own.
    return all(map(is_, map(type, items), repeat(kind)))


def _bag(items: list[Any]) -> bytes:
    """The digest of texts or integers in any order; nothing for other items."""
    if not 2 <= len(items) <= _MOST_SORTED or not (_all_are(str, items) or _all_are(int, items)):
        return b""
    text = "".join(f"{len(item)}:{item}" for item in sorted(map(str, items)))
    return blake3()(text.encode("utf-8", "surrogatepass")).digest(8)  # type: ignore[no-any-return]


EXACT: Mapping[int, Handler] = MappingProxyType(
    {
        id(kind): handler
        for kind, handler in {
            NoneType: _none,
            bool: _bool,
            range: _range,
            dt.datetime: _moment,
            dt.time: _moment,
            dt.date: _said,
            dt.timedelta: _said,
            Decimal: _said,
        }.items()
    }
)
"""By the identity of a type; of subclasses they say nothing."""

BASES: Mapping[int, Handler] = MappingProxyType(
    {
        id(kind): handler
        for kind, handler in {
            int: _int,
            float: _float,
            complex: _complex,
            str: _str,
            bytes: _bytes,
            bytearray: _bytes,
            list: _list,
            tuple: _tuple,
            deque: _deque,
            set: _set,
            frozenset: _set,
            dict: _dict,
        }.items()
    }
)
"""By the identity of a type; good for subclasses too, whatever methods those have."""
