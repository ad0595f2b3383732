"""Python objects: scalars, and nested lists, tuples, dicts and sets, as bytes that say type and value.

Every encoding starts with a tag of its type; what has no fixed length carries it. So no two values that differ
in type, structure or content share an encoding. Dicts and sets are free of order, as they are in Python.

What descends from one of Python's own types counts as what it is made of: it is read by the methods of that type, and
none of its own is called, whatever it puts in their place.
"""

from __future__ import annotations

import datetime as dt
import math
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import islice
from types import MappingProxyType, NoneType
from typing import Any
from uuid import UUID

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints.columns import Block, Column, item_block
from pytest_mlrepro.fingerprints.digests import Fingerprint, blake3, node, seal, text_bytes
from pytest_mlrepro.fingerprints.multiset import RowHashes, RowSums
from pytest_mlrepro.fingerprints.ranges import Ranges
from pytest_mlrepro.model import Value
from pytest_mlrepro.values import is_long, type_name

_DEEPEST = 100
_NAN = struct.pack("<d", math.nan)
_MAX_KEYS = 64
_AT_ONCE = 4096


def python_object(obj: object, *, ordered: bool = True) -> Fingerprint:
    """The fingerprint of a Python scalar or container, or of a subclass of one.

    Raises:
        FingerprintError: for any other type; a container that contains itself; a dict without order, as the order
            of its keys never counts, and that of the rows in it would.
    """
    kind = _base(obj)
    if kind in (list, tuple):
        return _sequence(kind, obj, ordered)
    if kind is dict and not ordered:
        raise FingerprintError(
            f"ordered=False has no meaning for a {kind.__name__}",
            remedy="take the fingerprint of each of its values with ordered=False, or leave ordered=False out",
        )
    detail: dict[str, Value] = {"kind": "None" if obj is None else kind.__name__}
    data = encoded(obj)
    if kind is dict:
        detail |= _keys(obj)
    elif kind in _SIZED:
        detail["length"] = kind.__len__(obj)  # type: ignore[attr-defined]
    elif kind in _NUMBERS and not is_long(value := _NUMBERS[kind](obj)) and len(str(value)) <= 40:
        detail["value"] = value
    return seal(node("object", data), detail)


def encoded(obj: object, above: tuple[int, ...] = ()) -> bytes:
    """The encoding of a value; what has an adapter of its own goes in as its digest.

    Args:
        obj: the value.
        above: identities of the containers around it.

    Raises:
        FingerprintError: see ``python_object``.
    """
    kind = type(obj)
    if kind not in _SCALARS and kind not in _CONTAINERS:
        if _has_adapter(obj):
            return b"@" + _adapted(obj)
        kind = _base(obj)
    if kind in _SCALARS:
        return _SCALARS[kind](obj)
    if id(obj) in above or len(above) >= _DEEPEST:
        raise FingerprintError(
            f"the {type_name(obj)} contains itself, or is nested deeper than {_DEEPEST} levels",
            remedy="fingerprint a flat array or table of its values instead",
        )
    return _CONTAINERS[kind](obj, (*above, id(obj)))


def zone_name(zone: dt.tzinfo) -> str:
    """A time zone's name, the same whichever library made it: ``UTC+1:00:00`` for a fixed offset.

    Raises:
        FingerprintError: for one without a name.
    """
    offset = zone.utcoffset(None)
    if offset is not None:
        return f"UTC{'-' if offset < dt.timedelta() else '+'}{abs(offset)}" if offset else "UTC"
    for attribute in ("key", "zone"):
        if isinstance(name := getattr(zone, attribute, None), str):
            return name
    file = getattr(zone, "_filename", None)
    if isinstance(file, str) and "zoneinfo/" in file:
        return file.partition("zoneinfo/")[2]
    raise FingerprintError(
        f"the time zone of type {type_name(zone)} has no name",
        remedy="use zoneinfo.ZoneInfo(...), or convert the times to UTC",
    )


def _base(obj: object) -> type:
    """The type of Python's own that it is, or descends from."""
    for kind in type(obj).__mro__:
        if kind in _SCALARS or kind in _CONTAINERS:
            return kind
    raise FingerprintError(
        f"objects of type {type_name(obj)} have no fingerprint",
        remedy="convert it to an array, a table or plain Python values, or register an adapter for its type: "
        "@pytest_mlrepro.fingerprint.register(TYPE)",
    )


def _has_adapter(obj: object) -> bool:
    from pytest_mlrepro.fingerprints.registry import fingerprint

    return fingerprint.adapter(type(obj)) is not python_object


def _adapted(obj: object) -> bytes:
    from pytest_mlrepro.fingerprints.registry import fingerprint

    return fingerprint(obj, detail=False).digest.encode("ascii")


def _sized(tag: bytes, data: bytes) -> bytes:
    return b"%b%b%b" % (tag, len(data).to_bytes(8, "little"), data)


def _int(obj: int) -> bytes:
    number = int.__int__(obj)
    return _sized(b"i", number.to_bytes(number.bit_length() // 8 + 1, "little", signed=True))


def _float(obj: float) -> bytes:
    number = float.__float__(obj)
    return b"f" + (_NAN if math.isnan(number) else struct.pack("<d", number))


def _complex(obj: complex) -> bytes:
    number = complex.__complex__(obj)
    return b"c" + _float(number.real) + _float(number.imag)


def _bytes(obj: bytes | bytearray) -> bytes:
    kind: Any = _base(obj)
    return _sized(b"b", bytes(kind.__getitem__(obj, slice(None))))


def _time(tag: bytes, obj: dt.datetime | dt.time) -> bytes:
    # The times of pandas have nanoseconds, which Python's own know nothing of.
    kind: Any = type(obj) if type(obj).__module__.partition(".")[0] == "pandas" else _base(obj)
    zone = zone_name(obj.tzinfo) if obj.tzinfo is not None else ""
    return _sized(tag, text_bytes(f"{kind.isoformat(obj)} {zone}"))


def _timedelta(obj: dt.timedelta) -> bytes:
    # Those of pandas have nanoseconds besides.
    parts = (obj.days, obj.seconds, obj.microseconds, getattr(obj, "nanoseconds", 0))
    return _sized(b"m", repr(tuple(map(int, parts))).encode("ascii"))


def _each(obj: Any) -> Iterator[Any]:
    """The items of a list, tuple or set, as that type gives them."""
    items: Iterator[Any] = _base(obj).__iter__(obj)  # type: ignore[attr-defined]
    return items


def _items(tag: bytes, obj: Any, above: tuple[int, ...]) -> bytes:
    parts = [encoded(item, above) for item in _each(obj)]
    return b"".join((tag, len(parts).to_bytes(8, "little"), *parts))


def _set(obj: Any, above: tuple[int, ...]) -> bytes:
    parts = sorted(encoded(item, above) for item in _each(obj))
    return b"".join((b"<", len(parts).to_bytes(8, "little"), *parts))


def _dict(obj: Mapping[Any, Any], above: tuple[int, ...]) -> bytes:
    parts = sorted(encoded(key, above) + encoded(value, above) for key, value in _base(obj).items(obj))  # type: ignore[attr-defined]
    return b"".join((b"{", len(parts).to_bytes(8, "little"), *parts))


_SCALARS: Mapping[type, Callable[..., bytes]] = MappingProxyType(
    {
        NoneType: lambda _: b"N",
        bool: lambda obj: b"T" if obj else b"F",
        int: _int,
        float: _float,
        complex: _complex,
        str: lambda obj: _sized(b"s", text_bytes(str.__str__(obj))),
        bytes: _bytes,
        bytearray: _bytes,
        memoryview: lambda obj: _sized(b"b", obj.tobytes()),
        range: lambda obj: _sized(b"r", repr((len(obj), obj[:1], obj[1:2])).encode("ascii")),
        Decimal: lambda obj: _sized(b"D", Decimal.__str__(obj).encode("ascii")),
        Fraction: lambda obj: _sized(b"R", Fraction.__str__(obj).encode("ascii")),
        UUID: lambda obj: b"u" + obj.bytes,
        dt.datetime: partial(_time, b"d"),
        dt.time: partial(_time, b"t"),
        dt.date: lambda obj: _sized(b"a", dt.date.isoformat(obj).encode("ascii")),
        dt.timedelta: _timedelta,
    }
)

_CONTAINERS: Mapping[type, Callable[..., bytes]] = MappingProxyType(
    {
        list: partial(_items, b"["),
        tuple: partial(_items, b"("),
        set: _set,
        frozenset: _set,
        dict: _dict,
        MappingProxyType: _dict,
    }
)


_SIZED = frozenset({set, frozenset, str, bytes, bytearray})
_NUMBERS: Mapping[type, Callable[[Any], Value]] = MappingProxyType(
    {bool: bool, int: int.__int__, float: float.__float__, complex: complex.__complex__}
)


def _sequence(base: Any, obj: Any, ordered: bool) -> Fingerprint:
    kind, size = base.__name__, base.__len__(obj)
    above = (id(obj),)
    if not ordered:
        return bag(kind, item_sums(kind, _each(obj), above))
    hasher, ranges = blake3()(), Ranges(size)
    for position, item in enumerate(_each(obj)):
        data = encoded(item, above)
        hasher.update(data)
        ranges.update(position, data)
    return seal(
        node(kind, size, hasher.digest()),
        {"kind": kind, "length": size, "blocks": ranges.digests()},
    )


def item_sums(kind: str, items: Iterable[Any], above: tuple[int, ...] = ()) -> RowSums:
    """What the hashes of items add up to, or of some of them, where their order does not count.

    Args:
        kind: ``list`` or ``tuple``.
        items: are read once.
        above: see ``encoded``.

    Raises:
        FingerprintError: see ``python_object``.
    """
    import numpy as np

    hashes, rest, rows = _item_hashes(kind), iter(items), 0
    while part := [encoded(item, above) for item in islice(rest, _AT_ONCE)]:
        hashes.add([item_block(part, np.zeros(len(part), dtype=bool))], apart=False)
        rows += len(part)
    return hashes.sums(rows)


def bag(kind: str, sums: RowSums) -> Fingerprint:
    """The fingerprint of items without an order, given what their hashes add up to."""
    hashes = _item_hashes(kind)
    hashes.merge(sums)
    return seal(hashes.root(sums.rows), {"kind": kind, "length": sums.rows})


def _item_hashes(kind: str) -> RowHashes:
    schema = node(f"unordered {kind}")
    return RowHashes(schema, [Column("", "object", 0, _nothing)])


def _nothing(start: int, stop: int) -> Block:
    import numpy as np

    return item_block([], np.zeros(0, dtype=bool))


def _keys(obj: Any) -> dict[str, Value]:
    pairs = dict.items(obj)
    detail: dict[str, Value] = {"length": len(pairs)}
    if len(pairs) <= _MAX_KEYS and all(type(key) is str and len(key) <= 32 for key, _ in pairs):
        entries = ((key, node("item", encoded(value, (id(obj),)))[:4].hex()) for key, value in pairs)
        detail["keys"] = tuple(sorted(entries))
    return detail
