"""Differences: one sentence about what changed between two fingerprints, from their details alone.

What it says is true of the data, up to a collision of short digests (1 in 65,536 for a range of rows or a column of a
wide table); what the details do not tell is left out. Rows, columns, bytes and items are counted from 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from pytest_mlrepro.fingerprints.changes import (
    Detail,
    changed_columns,
    changed_dtypes,
    changed_names,
    changed_rows,
    columns_of,
    listed,
    named,
    summary_changes,
    where,
)
from pytest_mlrepro.fingerprints.layout import ITEM, spread
from pytest_mlrepro.fingerprints.soundness import is_sound
from pytest_mlrepro.model import Value

LIMIT = 200
"""The most characters of a sentence."""

_GUESS = "perhaps rows in another order"
_NOTHING_KNOWN = "content changed, same shape and summary"
_DAMAGED = (
    "content changed; what the file tells of it besides its digest is damaged, so nothing more can be said"
)


def difference(before: Mapping[str, Value], after: Mapping[str, Value], *, remark: str = "") -> str:
    """What changed between two pieces of data whose digests differ.

    Args:
        before: the detail of the fingerprint of the old data.
        after: that of the new data.
        remark: what who had the data said of the difference.

    Returns:
        A sentence without a full stop, at most 200 characters besides the remark.
    """
    if not (is_sound(before) and is_sound(after)):
        return remark or _DAMAGED
    old, new = before.get("kind", "unknown"), after.get("kind", "unknown")
    if old != new:
        return f"{old} -> {new}"
    was, now = before.get("ordered", True), after.get("ordered", True)
    if was != now:
        return f"the order of the rows {'counts now, it did not' if now else 'no longer counts'}"
    phrases = _TELLERS.get(str(old), _object)(before, after)
    if not remark:
        return _joined(phrases)
    # What the details can only guess at is not repeated.
    rest = [phrase for phrase in phrases if _GUESS not in phrase]
    return f"{remark}; {_joined(rest)}" if rest else remark


def _joined(phrases: Sequence[str]) -> str:
    """As many of the phrases as fit, the most telling first."""
    sentence = ""
    for phrase in phrases:
        longer = f"{sentence}; {phrase}" if sentence else phrase
        if len(longer) <= LIMIT:
            sentence = longer
    return sentence or (f"{phrases[0][: LIMIT - 2]} …" if phrases else _NOTHING_KNOWN)


def _table(before: Detail, after: Detail) -> list[str]:
    old, new = columns_of(before), columns_of(after)
    schema = [*changed_names(before, after, old, new), *changed_dtypes(old, new)]
    rows = (int(before.get("rows", 0)), int(after.get("rows", 0)))
    if rows[0] != rows[1]:
        return [changed_rows(before, after, *rows, same_schema=not schema), *schema, *_of_one(old, new)]
    index = ["index changed"] if before.get("index") != after.get("index") else []
    place = "" if schema or index else where(before, after, "row", rows[1])
    return [*schema, *index, *changed_columns(old, new, place)]


def _of_one(old: Any, new: Any) -> list[str]:
    """How the only column's summary changed."""
    if len(old) != 1 or len(new) != 1:
        return []
    return summary_changes(old[0], new[0])


def _array(before: Detail, after: Detail) -> list[str]:
    phrases: list[str] = []
    if before.get("dtype") != after.get("dtype"):
        phrases.append(f"dtype {before.get('dtype')} -> {after.get('dtype')}")
    shapes = (tuple(before.get("shape", ())), tuple(after.get("shape", ())))
    old, new = columns_of(before), columns_of(after)
    if shapes[0] == shapes[1]:
        place = "" if phrases else where(before, after, "row", shapes[1][0] if shapes[1] else 1)
        return [*phrases, *([] if phrases else changed_columns(old, new, place))]
    if len(shapes[0]) == len(shapes[1]) and shapes[0][1:] == shapes[1][1:]:
        rows = changed_rows(before, after, shapes[0][0], shapes[1][0], same_schema=not phrases)
        return [*phrases, rows, *_of_one(old, new)]
    return [*phrases, f"shape {shapes[0]} -> {shapes[1]}"]


def _sparse(before: Detail, after: Detail) -> list[str]:
    phrases = _values(before, after, ("dtype", "shape", "stored"))
    alike = before.get("dtype") == after.get("dtype") and before.get("shape") == after.get("shape")
    if alike and (place := where(before, after, "row", after.get("shape", (0,))[0])):
        phrases.insert(0, f"changed in {place}")
    return [*phrases, *_of_one(columns_of(before), columns_of(after))]


def _sequence(before: Detail, after: Detail) -> list[str]:
    lengths = (int(before.get("length", 0)), int(after.get("length", 0)))
    if lengths[0] != lengths[1]:
        return [f"length {lengths[0]} -> {lengths[1]}"]
    place = where(before, after, "item", lengths[1])
    return [f"changed in {place}"] if place else []


def _sample(before: Detail, after: Detail) -> list[str]:
    unit, total = after.get("unit", "item"), int(after.get("items", 0))
    units = f"{unit}es" if unit == "batch" else f"{unit}s"
    phrases = _values(before, after, ("length",))
    if before.get("items") != total:
        phrases.append(f"{units} sampled {before.get('items')} -> {total}")
    chosen = after.get("chosen")
    if phrases or before.get("chosen") != chosen:
        return phrases or [f"other {units} are sampled"]
    if "digests" not in after:
        place = where(before, after, f"sampled {unit}", total).replace("batchs", "batches")
        return [f"changed in {place}"] if place else []
    starts = range(0, total * ITEM, ITEM)
    old, new = (
        [str(detail["digests"])[start : start + ITEM] for start in starts] for detail in (before, after)
    )
    numbers: Any = range(total) if isinstance(chosen, str) else chosen
    if chosen == "spread":
        numbers = spread(int(after["length"]), total)
    changed = [str(number) for number, was, now in zip(numbers, old, new, strict=True) if was != now]
    if len(changed) == total > 1:
        return [f"all {total} sampled {units} changed"]
    head = f"{unit} {changed[0]}" if len(changed) == 1 else f"{units} {listed(changed)}"
    return [f"{head} changed, of {total} sampled"] if changed else []


def _file(before: Detail, after: Detail) -> list[str]:
    phrases = _values(before, after, ("lines", "size"))
    place = (
        where(before, after, "byte", int(after.get("size", 0)))
        if before.get("size") == after.get("size")
        else ""
    )
    return [*phrases, *([f"changed in {place}"] if place else [])]


def _folder(before: Detail, after: Detail) -> list[str]:
    if "entries" in before and "entries" in after:
        return _entries("file", dict(before["entries"]), dict(after["entries"]))
    phrases = _values(before, after, ("files", "size"))
    if before.get("names") != after.get("names") or "groups" not in before or "groups" not in after:
        return [*phrases, "names of files changed"] if before.get("files") == after.get("files") else phrases
    starts = [group[0] for group in after["groups"]] + [""]
    if len(before["groups"]) != len(after["groups"]):
        return phrases
    pairs = zip(before["groups"], after["groups"], strict=True)
    changed = [place for place, (old, new) in enumerate(pairs) if old[1] != new[1]]
    if not changed:
        return phrases
    first, last = starts[changed[0]], starts[changed[-1] + 1]
    until = f" and before {last!r}" if last else ""
    return [f"files changed among those from {first!r} on{until} (of {after.get('files')})", *phrases]


def _dict(before: Detail, after: Detail) -> list[str]:
    if "keys" in before and "keys" in after:
        return _entries("key", dict(before["keys"]), dict(after["keys"]))
    return _values(before, after, ("length",))


def _entries(noun: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    phrases = []
    for verb, names in (
        ("changed", [name for name in old if name in new and old[name] != new[name]]),
        ("added", [name for name in new if name not in old]),
        ("removed", [name for name in old if name not in new]),
    ):
        if len(names) == 1:
            total = f" of {len(new)}" if verb == "changed" and len(new) > 1 else ""
            phrases.append(f"{noun} {named(names[0])}{total} {verb}")
        elif names:
            phrases.append(f"{len(names)} {noun}s {verb}: {listed([named(name) for name in names])}")
    return phrases


def _object(before: Detail, after: Detail) -> list[str]:
    return _values(before, after, ("value", "length"))


def _values(before: Detail, after: Detail, names: Sequence[str]) -> list[str]:
    pairs = ((name, before.get(name), after.get(name)) for name in names)
    return [f"{name} {old!r} -> {new!r}" for name, old, new in pairs if old != new]


_TELLERS: Mapping[str, Callable[[Detail, Detail], list[str]]] = MappingProxyType(
    {
        "table": _table,
        "series": _table,
        "index": _table,
        "records": _table,
        "tensors": _table,
        "array": _array,
        "sparse": _sparse,
        "list": _sequence,
        "tuple": _sequence,
        "sample": _sample,
        "dict": _dict,
        "file": _file,
        "folder": _folder,
        "folder by value": _folder,
    }
)
