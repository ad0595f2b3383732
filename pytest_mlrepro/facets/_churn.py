"""Which labels changed: of arrays of labels, and of what is kept of large ones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from pytest_mlrepro.facets._arrays import SYMBOLS
from pytest_mlrepro.facets._blocks import changed_blocks
from pytest_mlrepro.facets._closeness import cells, shape
from pytest_mlrepro.facets._protocol import same_value, show
from pytest_mlrepro.model import Fact, Value

_STEPS = 3
_PLACES = 8


def churn(baseline: Fact, current: Fact) -> str:
    """Which labels changed in an array of labels; nothing where it is none."""
    before, now = _decoded(baseline.detail), _decoded(current.detail)
    if before and len(before) == len(now):
        old, new = before, now
    elif isinstance(baseline.value, tuple) and _is_discrete(baseline.value) and _is_discrete(current.value):
        if any(len(cell.place) != 1 for cell in cells(baseline.value)):
            return ""
        old, new = ([cell.value for cell in cells(fact.value)] for fact in (baseline, current))
    else:
        return _of_many(baseline, current)
    changes = [at for at, pair in enumerate(zip(old, new, strict=True)) if not same_value(*pair)]
    share = f"{len(changes)} of {len(old)}"
    percent = f"({100 * len(changes) / len(old):.2g} %)"
    places = some((_index(at, shape(baseline)) for at in changes), _PLACES)
    steps = some((f"{show(old[at], 20)} -> {show(new[at], 20)}" for at in changes), _STEPS)
    kind = _kind(baseline, old)
    told = f"prediction churn: {share} labels" if kind == "predictions" else f"{share} {kind} changed"
    return f"{told} {percent}, at {places}: {steps}"


def _kind(baseline: Fact, values: list[Value]) -> str:
    """What the values of an array that is compared exactly are, as far as can be told."""
    names = baseline.key.split(".")
    has_numbers = any(isinstance(value, int) and not isinstance(value, bool) for value in values)
    if has_numbers and 2 * len(set(values)) > len(values):
        return "values"
    # What a model of scikit-learn has learnt ends in an underscore: its labels are no predictions.
    return "labels" if any(name.endswith("_") for name in names) else "predictions"


def _of_many(baseline: Fact, current: Fact) -> str:
    """Of more labels than are kept one by one: how many of each there are, and which rows they changed in."""
    before, now = baseline.detail, current.detail
    moved, least = _counts(before, now)
    n = math.prod(shape(baseline) or ())
    blocks = changed_blocks(baseline, current)
    if not blocks:
        return moved
    told = f"prediction churn: at least {max(least, len(blocks))} of {n} labels, in rows {ranges(blocks)}"
    return f"{told}; {moved}"


def _counts(before: Mapping[str, Value], now: Mapping[str, Value]) -> tuple[str, int]:
    """What the counts tell, and how many labels must have changed for them to do so."""
    if "distinct" in before or "distinct" in now:
        known = [len(_members(detail, "labels")) or detail.get("distinct") for detail in (before, now)]
        return f"the values changed, {known[0]} -> {known[1]} distinct ones", 1
    old, new = (
        # A file may have been edited: what does not fit together is passed over.
        dict(zip(*(_members(detail, name) for name in ("labels", "counts")), strict=False))
        for detail in (before, now)
    )
    if not old or not new:
        return "", 1
    moved = {label: (_number(old, label), _number(new, label)) for label in {**old, **new}}
    steps = [f"{show(label, 20)} {was} -> {is_}" for label, (was, is_) in moved.items() if was != is_]
    if not steps:
        return "labels changed, as many of each as before", 2
    least = sum(max(is_ - was, 0) for was, is_ in moved.values())
    return f"labels changed: {some(steps, _STEPS)}", least


def _number(counts: Mapping[Value, Value], label: Value) -> int:
    found = counts.get(label, 0)
    return found if isinstance(found, int) else 0


def _members(detail: Mapping[str, Value], name: str) -> tuple[Value, ...]:
    found = detail.get(name, ())
    return found if isinstance(found, tuple) else ()


def _decoded(detail: Mapping[str, Value]) -> list[Value]:
    """The labels, one a cell; none where they are not kept, or damaged."""
    labels, codes = _members(detail, "labels"), detail.get("codes")
    if not isinstance(codes, str) or not set(codes) <= set(SYMBOLS[: len(labels)]):
        return []
    return [labels[SYMBOLS.index(code)] for code in codes]


def _is_discrete(value: Value) -> bool:
    return not any(isinstance(cell.value, float | complex) for cell in cells(value))


def _index(at: int, sizes: tuple[int, ...] | None) -> str:
    """A place in C order as an index; of a vector the number alone."""
    if not sizes or len(sizes) == 1:
        return str(at)
    index: list[int] = []
    for size in reversed(sizes):
        at, last = divmod(at, size)
        index.insert(0, last)
    return f"[{', '.join(map(str, index))}]"


def ranges(blocks: Iterable[tuple[int, int]]) -> str:
    """Ranges of rows, neighbours as one: ``0-63, 128-191``."""
    joined: list[tuple[int, int]] = []
    for first, last in blocks:
        if joined and joined[-1][1] + 1 == first:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return some((str(first) if first == last else f"{first}-{last}" for first, last in joined), _PLACES)


def some(parts: Iterable[str], most: int) -> str:
    """The first few, and dots where there are more."""
    parts = list(parts)
    return ", ".join(parts[:most] + (["..."] if len(parts) > most else []))
