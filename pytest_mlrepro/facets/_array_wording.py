"""What is said about arrays, labels and confusion matrices that drifted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from pytest_mlrepro.facets._arrays import BLOCKS, block_range
from pytest_mlrepro.facets._blocks import changed_blocks
from pytest_mlrepro.facets._bounds import against_tolerance
from pytest_mlrepro.facets._churn import ranges, some
from pytest_mlrepro.facets._closeness import (
    cells,
    distance,
    is_settled,
    magnitude,
    nearness_to,
    pairs,
    scale_of,
    separation,
    shape,
    tolerance_for,
)
from pytest_mlrepro.facets._metrics import CLASSES
from pytest_mlrepro.facets._protocol import same_value, show
from pytest_mlrepro.facets._signs import is_sign_free
from pytest_mlrepro.model import Fact, Tolerance, Value

_SHOWN = 3


def matrix(baseline: Fact, current: Fact) -> str:
    """A confusion matrix, cell by cell: [true label, predicted label]."""
    labels = baseline.detail[CLASSES]
    if labels != current.detail.get(CLASSES):
        return f"classes {show(labels)} -> {show(current.detail.get(CLASSES))}"
    names = labels if isinstance(labels, tuple) else ()
    if not isinstance(baseline.value, tuple):
        return _large_matrix(baseline, current, names)
    moved = [
        f"[{', '.join(_class(names, at) for at in old.place)}] {old.value} -> {new.value}"
        for old, new in zip(cells(baseline.value), cells(current.value), strict=True)
        if old.value != new.value
    ]
    return f"{len(moved)} of {len(names) ** 2} cells changed: {some(moved, _SHOWN)}"


def _large_matrix(baseline: Fact, current: Fact, names: tuple[Value, ...]) -> str:
    """Of a matrix that is kept as a fingerprint: the true labels whose rows changed."""
    blocks = changed_blocks(baseline, current)
    if not blocks:
        return "its cells changed"
    if any(first != last for first, last in blocks):
        return f"its cells changed, in rows {ranges(blocks)}"
    return f"its cells changed, in the rows of {some((_class(names, at) for at, _ in blocks), 8)}"


def _class(names: tuple[Value, ...], at: int) -> str:
    """What a row or column is called; its number where the names have been lost."""
    return _bare(names[at]) if at < len(names) else str(at)


def _bare(label: Value) -> str:
    return label if isinstance(label, str) and len(label) <= 20 else show(label, 20)


def arrays(baseline: Fact, current: Fact, default: Tolerance) -> str:
    """Arrays value by value: how many are outside the tolerance, and the largest change."""
    tolerance = tolerance_for(baseline, current, default)
    width = tolerance.width(magnitude(baseline.value))
    tolerant = current.tolerance is not None
    found = pairs(baseline, current) or []
    apart = [separation(old.value, new.value, tolerant=tolerant) for old, new in found]
    beyond = [at for at, size in enumerate(apart) if not size <= width]
    if not beyond:
        # Bitwise equality was asked for, and 0.0 is not -0.0.
        beyond = [at for at, (old, new) in enumerate(found) if not same_value(old.value, new.value)]
    # A NaN or a changed type is more than any difference.
    at = max(beyond, key=lambda place: math.inf if math.isnan(apart[place]) else apart[place])
    old, new = found[at]
    sizes = all(math.isfinite(apart[place]) for place in beyond)
    step = _signed(old.value, new.value) if sizes else f"{show(old.value, 20)} -> {show(new.value, 20)}"
    differ = f"{len(beyond)} of {len(found)} values differ{' up to sign' if is_sign_free(baseline) else ''}"
    told = f"{differ}, {'largest ' if sizes else ''}{step} at {_index(old.place)}"
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
    tolerance = tolerance_for(baseline, current, default)
    width = tolerance.width(scale_of(baseline))
    for name in ("min", "max", "mean"):
        if not separation(before.get(name), now.get(name), tolerant=True) <= width:
            parts.append(f"{name} {show(before.get(name), 24)} -> {show(now.get(name), 24)}")
    if where := _moved(baseline, current, tolerance, certain=bool(parts)):
        parts.append(where)
    if not parts:
        parts.append("the fingerprint changed")
    return ", ".join([*parts, *against_tolerance(baseline, current, default)])


def _moved(baseline: Fact, current: Fact, tolerance: Tolerance, *, certain: bool) -> str:
    """In which blocks the values moved; where only their sums tell, that each of them may hold."""
    width = tolerance.width(scale_of(baseline))
    size = math.prod(shape(baseline) or ())
    near = nearness_to(baseline, current)
    is_sure = near is not None and is_settled(near, width)
    if near is not None and is_sure and near.beyond:
        count = f"{len(near.beyond)} of {BLOCKS} blocks"
        return f"values moved beyond the tolerance in {count}, {_within(near.beyond, size)}"
    blocks = _moved_blocks(baseline.detail, current.detail, width)
    if not blocks:
        return ""
    told = f"{len(blocks)} of {BLOCKS} blocks moved, {_within(blocks, size)}"
    # Of many values that all moved a little, a sum moves further than any of them.
    exceeded = distance(baseline, current, tolerance)
    may_hold = not certain and not is_sure and exceeded <= size // BLOCKS
    return told + (", though each value may hold" if may_hold else "")


def _moved_blocks(before: Mapping[str, Value], now: Mapping[str, Value], width: float) -> list[int]:
    moved = set()
    for name in ("sums", "weighted"):
        for old, new in zip(cells(before.get(name)), cells(now.get(name)), strict=False):
            # A single number where sums should be is no block.
            if old.place and not separation(old.value, new.value, tolerant=True) <= width:
                moved.add(old.place[0])
    return sorted(moved)


def _within(blocks: Sequence[int], size: int) -> str:
    start, end = block_range(blocks[0], size)[0], block_range(blocks[-1], size)[1]
    return f"within values {start} to {end} of {size}"
