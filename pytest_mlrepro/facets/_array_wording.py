"""What is said about arrays, labels and confusion matrices that drifted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from pytest_mlrepro.facets._arrays import SYMBOLS, block_range
from pytest_mlrepro.facets._bounds import against_tolerance
from pytest_mlrepro.facets._closeness import cells, magnitude, scale_of, separation, shape, tolerance_for
from pytest_mlrepro.facets._metrics import CLASSES
from pytest_mlrepro.facets._protocol import same_value, show
from pytest_mlrepro.model import Fact, Tolerance, Value

_SHOWN = 3


def matrix(baseline: Fact, current: Fact) -> str:
    """A confusion matrix, cell by cell: [true label, predicted label]."""
    labels = baseline.detail[CLASSES]
    if labels != current.detail.get(CLASSES):
        return f"classes {show(labels)} -> {show(current.detail.get(CLASSES))}"
    names = labels if isinstance(labels, tuple) else ()
    moved = [
        f"[{', '.join(_bare(names[at]) for at in old.place)}] {old.value} -> {new.value}"
        for old, new in zip(cells(baseline.value), cells(current.value), strict=True)
        if old.value != new.value
    ]
    return f"{len(moved)} of {len(names) ** 2} cells changed: {_some(moved)}"


def _bare(label: Value) -> str:
    return label if isinstance(label, str) and len(label) <= 20 else show(label, 20)


def churn(baseline: Fact, current: Fact) -> str:
    """Which labels changed in an array of labels; nothing where it is none."""
    before, now = baseline.detail, current.detail
    if "codes" in before and "codes" in now:
        pairs = list(zip(_decoded(before), _decoded(now), strict=True))
    elif isinstance(baseline.value, tuple) and _is_discrete(baseline.value) and _is_discrete(current.value):
        old, new = cells(baseline.value), cells(current.value)
        if any(len(cell.place) != 1 for cell in cells(baseline.value)):
            return ""
        pairs = [(left.value, right.value) for left, right in zip(old, new, strict=True)]
    else:
        return _counts(before, now)
    changes = [
        f"[{at}] {show(old, 20)} -> {show(new, 20)}"
        for at, (old, new) in enumerate(pairs)
        if not same_value(old, new)
    ]
    share = 100 * len(changes) / len(pairs)
    return f"{len(changes)} of {len(pairs)} labels changed ({share:.2g} %): {_some(changes)}"


def _counts(before: Mapping[str, Value], now: Mapping[str, Value]) -> str:
    """Of more labels than are kept one by one: how many of each there are."""
    if "distinct" in before or "distinct" in now:
        known = [len(_members(detail, "labels")) or detail.get("distinct") for detail in (before, now)]
        return f"the values changed, {known[0]} -> {known[1]} distinct ones"
    old, new = (
        dict(zip(*(_members(detail, name) for name in ("labels", "counts")), strict=True))
        for detail in (before, now)
    )
    if not old or not new:
        return ""
    moved = [
        f"{show(label, 20)} {old.get(label, 0)} -> {new.get(label, 0)}"
        for label in {**old, **new}
        if old.get(label) != new.get(label)
    ]
    return f"labels changed: {_some(moved)}" if moved else "labels changed, as many of each as before"


def _members(detail: Mapping[str, Value], name: str) -> tuple[Value, ...]:
    found = detail.get(name, ())
    return found if isinstance(found, tuple) else ()


def _decoded(detail: Mapping[str, Value]) -> list[Value]:
    labels, codes = detail["labels"], detail["codes"]
    assert isinstance(labels, tuple)
    assert isinstance(codes, str)
    return [labels[SYMBOLS.index(code)] for code in codes]


def _is_discrete(value: Value) -> bool:
    return not any(isinstance(cell.value, float | complex) for cell in cells(value))


def arrays(baseline: Fact, current: Fact, default: Tolerance) -> str:
    """Arrays value by value: how many are outside the tolerance, and the largest change."""
    tolerance = tolerance_for(baseline, current, default)
    width = tolerance.width(magnitude(baseline.value))
    tolerant = current.tolerance is not None
    pairs = list(zip(cells(baseline.value), cells(current.value), strict=True))
    apart = [separation(old.value, new.value, tolerant=tolerant) for old, new in pairs]
    beyond = [at for at, size in enumerate(apart) if not size <= width]
    if not beyond:
        # Bitwise equality was asked for, and 0.0 is not -0.0.
        beyond = [at for at, (old, new) in enumerate(pairs) if not same_value(old.value, new.value)]
    # A NaN or a changed type is more than any difference.
    at = max(beyond, key=lambda place: math.inf if math.isnan(apart[place]) else apart[place])
    old, new = pairs[at]
    sizes = all(math.isfinite(apart[place]) for place in beyond)
    step = _signed(old.value, new.value) if sizes else f"{show(old.value, 20)} -> {show(new.value, 20)}"
    told = f"{len(beyond)} of {len(pairs)} values differ, {'largest ' if sizes else ''}{step} at {_index(old.place)}"
    return ", ".join([told, *against_tolerance(baseline, current, default)])


def _signed(before: Value, now: Value) -> str:
    if isinstance(before, int) and isinstance(now, int):
        return f"{now - before:+d}"
    if isinstance(before, float) and isinstance(now, float):
        return f"{now - before:+.3g}"
    return f"{separation(before, now, tolerant=True):.3g}"


def _index(index: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, index))}]"


def summaries(baseline: Fact, current: Fact, default: Tolerance) -> str:
    """Large arrays: what their summaries tell of the change and where it is."""
    before, now = baseline.detail, current.detail
    parts = []
    if before.get("nonfinite_at") != now.get("nonfinite_at"):
        counts = before.get("nonfinite", 0), now.get("nonfinite", 0)
        told = f"{counts[0]} -> {counts[1]}" if counts[0] != counts[1] else f"other {counts[0]}"
        parts.append(f"{told} values are NaN or infinite")
    width = tolerance_for(baseline, current, default).width(scale_of(baseline))
    for name in ("min", "max", "mean"):
        if not separation(before.get(name), now.get(name), tolerant=True) <= width:
            parts.append(f"{name} {show(before.get(name), 24)} -> {show(now.get(name), 24)}")
    if blocks := _moved_blocks(before, now, width):
        parts.append(_where(blocks, math.prod(shape(baseline) or ())))
    if not parts:
        parts.append("the fingerprint changed")
    return ", ".join([*parts, *against_tolerance(baseline, current, default)])


def _moved_blocks(before: Mapping[str, Value], now: Mapping[str, Value], width: float) -> list[int]:
    moved = set()
    for name in ("sums", "weighted"):
        for old, new in zip(cells(before.get(name)), cells(now.get(name)), strict=False):
            if not separation(old.value, new.value, tolerant=True) <= width:
                moved.add(old.place[0])
    return sorted(moved)


def _where(blocks: list[int], size: int) -> str:
    start, end = block_range(blocks[0], size)[0], block_range(blocks[-1], size)[1]
    return f"{len(blocks)} of 16 blocks moved, within values {start} to {end} of {size}"


def _some(parts: Iterable[str]) -> str:
    parts = list(parts)
    return ", ".join(parts[:_SHOWN] + (["..."] if len(parts) > _SHOWN else []))
