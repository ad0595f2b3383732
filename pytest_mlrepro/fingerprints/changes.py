"""Changes: what two details say about their columns and rows, phrase by phrase."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, takewhile
from typing import Any

from pytest_mlrepro.fingerprints.layout import SHORT, SUMMARIES, family, group_size
from pytest_mlrepro.fingerprints.ranges import WIDTH, span_of

Detail = Mapping[str, Any]

_ORDER = ("missing", "mean", "min", "max", "first", "last", "distinct", "categories")
_LISTED = 110
_MOST_RUNS = 3


@dataclass(frozen=True, slots=True)
class Known:
    """What a detail says of a column, or of a group of neighbours.

    Attributes:
        name: as the table calls it; None where it is known by its place only.
        place: its number, or those of a group: ``12`` or ``120-123``.
        dtype: the canonical name of its type, empty where it is not known.
        digest: of its values, some digits of it.
        summary: see ``layout.SUMMARIES``.
    """

    name: object
    place: str
    dtype: str
    digest: str
    summary: tuple[Any, ...] = ()

    @property
    def label(self) -> str:
        """How to call it in a sentence."""
        return self.place if self.name is None else named(self.name)


def columns_of(detail: Detail) -> list[Known]:
    """The columns that a detail tells of; the only one of an array without columns has no place."""
    if "parts" in detail:
        return list(_wide(detail))
    dtype = str(detail.get("dtype", ""))
    if "columns" not in detail:
        return [Known(None, "", dtype, "", tuple(detail.get("summary", ())))]
    if detail.get("kind") == "array":
        rows = enumerate(detail["columns"])
        return [Known(None, str(place), dtype, row[0], tuple(row[1:])) for place, row in rows]
    return [
        Known("" if row[0] is None else row[0], "", row[1] or dtype, row[2], tuple(row[3:]))
        for row in detail["columns"]
    ]


def _wide(detail: Detail) -> Iterator[Known]:
    width = detail.get("width") or detail["shape"][1]
    size = group_size(width)
    runs = detail.get("dtypes", ()) if size == 1 else ()
    dtypes = [dtype for dtype, count in runs for _ in range(count)]
    names = detail.get("names", ())
    digits = detail["parts"]
    for first in range(0, width, size):
        digest = digits[first // size * SHORT : (first // size + 1) * SHORT]
        last = min(first + size, width) - 1
        place = str(first) if first == last else f"{first}-{last}"
        dtype = dtypes[first] if dtypes else ""
        yield Known(names[first] if names and size == 1 else None, place, dtype, digest)


def named(name: object) -> str:
    """A name as a reader writes it, cut where it is long."""
    text = repr(name)
    return text if len(text) <= 42 else f"{text[:38]}...'"


def changed_names(before: Detail, after: Detail, old: Sequence[Known], new: Sequence[Known]) -> list[str]:
    """Columns added, removed, renamed or in another order."""
    if any(column.name is None for column in (*old, *new)):
        return _changed_places(before, after)
    olds, news = [column.label for column in old], [column.label for column in new]
    if olds == news:
        return []
    added, removed = (
        list((Counter(news) - Counter(olds)).elements()),
        list((Counter(olds) - Counter(news)).elements()),
    )
    if not added and not removed:
        return ["columns reordered"]
    if len(old) == len(new):
        pairs = [(was, now) for was, now in zip(old, new, strict=True) if was.label != now.label]
        if all(was.digest == now.digest and was.dtype == now.dtype for was, now in pairs):
            return [_several("renamed", [f"{was.label} to {now.label}" for was, now in pairs])]
    return [_several(verb, names) for verb, names in (("added", added), ("removed", removed)) if names]


def _changed_places(before: Detail, after: Detail) -> list[str]:
    widths = [detail.get("width", len(detail.get("columns", ()))) for detail in (before, after)]
    if widths[0] != widths[1]:
        return [f"columns {widths[0]} -> {widths[1]}"]
    if before.get("names digest") != after.get("names digest"):
        return ["names or order of the columns changed"]
    return []


def _several(verb: str, labels: Sequence[str], total: str = "") -> str:
    if len(labels) == 1:
        return f"column {labels[0]} {verb}" if verb != "renamed" else f"column renamed: {labels[0]}"
    return f"{len(labels)}{total} columns {verb}: {listed(labels)}"


def listed(labels: Sequence[str]) -> str:
    """As many labels as fit, and how many more there are."""
    size, count = 0, 0
    for label in labels:
        size += len(label) + 2
        if count and size > _LISTED:
            break
        count += 1
    return ", ".join(labels[:count]) + (f" and {len(labels) - count} more" if count < len(labels) else "")


def _pairs(old: Sequence[Known], new: Sequence[Known]) -> list[tuple[Known, Known]]:
    """The columns that are in both, by name where names are unique, else by place."""
    if [column.label for column in old] == [column.label for column in new]:
        return list(zip(old, new, strict=True))
    by_name = {column.label: column for column in old}
    if (
        len(by_name) < len(old)
        or len({column.label for column in new}) < len(new)
        or None in (column.name for column in (*old, *new))
    ):
        return []
    return [(by_name[column.label], column) for column in new if column.label in by_name]


def changed_dtypes(old: Sequence[Known], new: Sequence[Known]) -> list[str]:
    """Columns of another type than before."""
    changes = [
        (was, now) for was, now in _pairs(old, new) if was.dtype != now.dtype and was.dtype and now.dtype
    ]
    if not changes:
        return []
    kinds = {f"{was.dtype} -> {now.dtype}" for was, now in changes}
    kind = kinds.pop() if len(kinds) == 1 else "changed"
    labels = [now.label for _, now in changes]
    if len(labels) == 1:
        return [f"column {labels[0]} dtype {kind}"]
    return [f"dtype {kind} in {len(labels)} of {len(new)} columns: {listed(labels)}"]


def changed_columns(old: Sequence[Known], new: Sequence[Known], place: str) -> list[str]:
    """Columns with other values, of tables of the same length.

    Args:
        old, new: the columns.
        place: the rows in which something changed, where it is known and due to the values.
    """
    pairs = _pairs(old, new)
    among = f" in {place}" if place else ""
    if len(pairs) == 1 and not pairs[0][1].digest:
        return [*([f"changed{among}"] if place else []), *summary_changes(*pairs[0])]
    changed = [(was, now) for was, now in pairs if was.digest != now.digest and was.dtype == now.dtype]
    if not changed:
        return []
    if len(changed) == 1:
        was, now = changed[0]
        noun = "columns" if "-" in now.place else "column"
        head = f"{noun} {now.label} changed{among}" if now.name != "" else f"values changed{among}"
        return [head, *summary_changes(was, now)]
    groups = any("-" in now.place for _, now in changed)
    if groups:
        head = f"columns changed among {listed([now.place for _, now in changed])}"
    else:
        head = _several("changed", [now.label for _, now in changed], f" of {len(new)}")
    if all(was.summary == now.summary and was.summary for was, now in pairs) and len(changed) == len(pairs):
        return [
            f"all {len(new)} columns changed{among}, none of their summaries: perhaps rows in another order"
        ]
    return [f"{head}; in {place}" if place else head]


def summary_changes(was: Known, now: Known) -> list[str]:
    """What the summaries of a column say of its change."""
    kind = family(now.dtype)
    if kind != family(was.dtype) or len(was.summary) != len(now.summary):
        return []
    names = SUMMARIES[kind]
    kept = kind == "category" and was.summary[1:2] == now.summary[1:2]
    if kept and was.summary[2:3] != now.summary[2:3]:
        return ["the set or order of its categories changed"]
    pairs = dict(zip(names, zip(was.summary, now.summary, strict=True), strict=False))
    known = ((name, *pairs[name]) for name in _ORDER if name in pairs)
    changes = [f"{name} {old} -> {new}" for name, old, new in known if not _same(old, new)]
    return [", ".join(changes)] if changes else []


def _same(old: Any, new: Any) -> bool:
    return bool(old == new) or (old != old and new != new)  # noqa: PLR0124 - NaN


def changed_rows(before: Detail, after: Detail, old: int, new: int, *, same_schema: bool) -> str:
    """Another number of rows, and how many from the first on are unchanged."""
    head = f"rows {old} -> {new}"
    span = span_of(old)
    if not same_schema or span != span_of(new):
        return head
    pairs = zip(_blocks(before), _blocks(after), strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    # The last range of the shorter one is whole in the other only if it is full.
    unchanged = min(same, min(old, new) // span) * span
    if unchanged == min(old, new):
        return f"{head}: {abs(new - old)} {'added' if new > old else 'removed'} at the end"
    return f"{head}, the first {unchanged} unchanged" if unchanged else head


def where(before: Detail, after: Detail, unit: str, total: int) -> str:
    """The ranges that differ: ``rows 32-63 of 455``; empty where they are not known, or all differ."""
    old, new = _blocks(before), _blocks(after)
    if not old or len(old) != len(new):
        return ""
    changed = [place for place, (was, now) in enumerate(zip(old, new, strict=True)) if was != now]
    if not changed or len(changed) == len(old):
        return ""
    span = span_of(total)
    runs = [
        [place for _, place in run] for _, run in groupby(enumerate(changed), lambda pair: pair[1] - pair[0])
    ]
    if len(runs) > _MOST_RUNS:
        return f"{len(changed)} of {len(old)} ranges of {span} {unit}s"
    spans = [(run[0] * span, min((run[-1] + 1) * span, total) - 1) for run in runs]
    parts = [str(first) if first == last else f"{first}-{last}" for first, last in spans]
    plural = unit if len(parts) == 1 and "-" not in parts[0] else f"{unit}s"
    return f"{plural} {', '.join(parts)} of {total}"


def _blocks(detail: Detail) -> list[str]:
    text = str(detail.get("blocks", ""))
    return [text[start : start + WIDTH] for start in range(0, len(text), WIDTH)]
