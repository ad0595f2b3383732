"""What is said about a result that drifted."""

from __future__ import annotations

import math

from pytest_mlrepro.facets._array_wording import arrays, matrix, summaries
from pytest_mlrepro.facets._arrays import SUMMARY
from pytest_mlrepro.facets._bounds import (
    against_band,
    against_tolerance,
    described,
    near_zero,
    vanishes,
    within_tolerance,
)
from pytest_mlrepro.facets._churn import churn
from pytest_mlrepro.facets._closeness import cells, counts, is_summarised, scalars, shape, tolerance_for
from pytest_mlrepro.facets._metrics import CLASSES
from pytest_mlrepro.facets._protocol import show
from pytest_mlrepro.facets._signs import is_sign_free
from pytest_mlrepro.model import Agreement, Fact, Tolerance, Value

_NATURAL = {"int": "int64", "float": "float64", "complex": "complex128"}


def changed(baseline: Fact, current: Fact, default: Tolerance) -> str:
    """One sentence on what changed between two facts of one address."""
    if is_sign_free(baseline) != is_sign_free(current):
        side = "now compared up to sign, the baseline was not"
        return side if is_sign_free(current) else "no longer compared up to sign, the baseline was"
    types = _type_change(baseline, current)
    if types and _same_numbers(baseline, current):
        return f"same value, {types}"
    told = _changed_value(baseline, current, default)
    return f"{told}; {types}" if types else told


def _changed_value(baseline: Fact, current: Fact, default: Tolerance) -> str:
    if structure := _structure(baseline, current):
        return structure
    if is_summarised(baseline) and is_summarised(current):
        return summaries(baseline, current, default)
    if CLASSES in baseline.detail:
        return matrix(baseline, current)
    if labels := churn(baseline, current):
        return labels
    if isinstance(baseline.value, tuple) and isinstance(current.value, tuple):
        return arrays(baseline, current, default)
    return _scalars(baseline, current, default)


def _scalars(baseline: Fact, current: Fact, default: Tolerance) -> str:
    # No percentage beside the words that nothing relative means anything here.
    is_absolute = near_zero(baseline, current, tolerance_for(baseline, current, default))
    parts = [_step(baseline, current, relative=not is_absolute)]
    parts += against_band(baseline, current) or against_tolerance(baseline, current, default)
    if said := direction(baseline, current):
        parts.append(said)
    return ", ".join(parts)


def near(agreement: Agreement, default: Tolerance) -> str:
    """One sentence on a fact that is green without being identical."""
    baseline, current = agreement.baseline, agreement.current
    if agreement.rung == "band" and baseline.band is not None:
        return f"{_step(baseline, current)}, within {described(baseline.band)}"
    told = within_tolerance(baseline, current, default)
    if isinstance(baseline.value, tuple | str):
        return f"within rounding, {told}"
    return f"{_step(baseline, current)}, within rounding, {told}"


def _step(baseline: Fact, current: Fact, *, relative: bool = True) -> str:
    """From the old to the new value: by how much, and what that counts."""
    before, now = baseline.value, current.value
    told = f"{show(before)} -> {show(now)}{_difference(before, now, relative=relative)}"
    hits = _hits(baseline, current)
    return f"{told}: {hits}" if hits else told


def _difference(before: Value, now: Value, *, relative: bool) -> str:
    """The signed difference, and the change in percent where the old value is not next to nothing beside it."""
    if isinstance(before, bool) or isinstance(now, bool):
        return ""
    if isinstance(before, complex) and isinstance(now, complex):
        apart = math.hypot(now.real - before.real, now.imag - before.imag)
        return f" ({apart:.3g} apart)" if math.isfinite(apart) else ""
    if isinstance(before, int) and isinstance(now, int):
        return f" ({now - before:+d})" if abs(now - before) < 10**12 else ""
    if not isinstance(before, float) or not isinstance(now, float):
        return ""
    return _of_floats(before, now, relative=relative)


def _of_floats(before: float, now: float, *, relative: bool) -> str:
    apart = now - before
    if not math.isfinite(apart) or apart == 0:
        return ""
    if not relative or vanishes(abs(before), abs(apart)):
        return f" ({apart:+.3g})"
    return f" ({apart:+.3g}, {100 * (apart / abs(before)):+.3g} %)"


def _hits(baseline: Fact, current: Fact) -> str:
    """Accuracy as what it counts: so many more or fewer of n."""
    before, now = counts(baseline), counts(current)
    if before is None or now is None or before == now:
        return ""
    if before[1] != now[1]:
        return f"{before[0]} of {before[1]} -> {now[0]} of {now[1]} correct"
    apart = now[0] - before[0]
    word = "right" if apart > 0 else "wrong"
    return f"{abs(apart)} of {now[1]} more {word} ({before[0]} -> {now[0]} correct)"


def direction(baseline: Fact, current: Fact) -> str:
    """``better`` or ``worse``; empty where nobody said which it is, or neither holds."""
    before, now = baseline.value, current.value
    better = current.better or baseline.better
    if (
        better is None
        or not isinstance(before, int | float)
        or not isinstance(now, int | float)
        or before == now
    ):
        return ""
    if before != before or now != now:  # noqa: PLR0124 - NaN, where math.isnan() takes no large integers
        return "worse" if now != now else ""  # noqa: PLR0124
    return "better" if (now > before) == (better == "higher") else "worse"


def _type_change(baseline: Fact, current: Fact) -> str:
    python = _type_of(baseline), _type_of(current)
    numpy = tuple(_NATURAL.get(name, name) for name in python)
    if numpy[0] == numpy[1]:
        return ""
    # Numpy's names on both sides, or Python's on both.
    before, now = numpy if baseline.dtype or current.dtype else python
    return f"{before} -> {now}"


def _type_of(fact: Fact) -> str:
    told = fact.detail.get("dtype")
    return fact.dtype or (told if isinstance(told, str) else _python_type(fact.value))


def _python_type(value: Value) -> str:
    """The type of the scalars; of several, none: ``mixed``."""
    names = {type(scalar).__name__ for scalar in scalars(value)}
    return names.pop() if len(names) == 1 else "mixed"


def _same_numbers(baseline: Fact, current: Fact) -> bool:
    if is_summarised(baseline) and is_summarised(current):
        return all(baseline.detail.get(name) == current.detail.get(name) for name in SUMMARY)
    pairs = zip(cells(baseline.value), cells(current.value), strict=False)
    return _layout(baseline) == _layout(current) and all(old.value == new.value for old, new in pairs)


def _structure(baseline: Fact, current: Fact) -> str:
    """A change of shape, or of a layout that has none."""
    if shape(baseline) != shape(current):
        return f"shape {_shape_of(baseline)} -> {_shape_of(current)}"
    return "" if _layout(baseline) == _layout(current) else f"{show(baseline.value)} -> {show(current.value)}"


def _layout(fact: Fact) -> list[tuple[int, ...]]:
    """Where scalars stand: lists of different lengths in lists have no shape, but a layout."""
    return [cell.place for cell in cells(fact.value)] if isinstance(fact.value, tuple) else [()]


def _shape_of(fact: Fact) -> str:
    found = shape(fact)
    return "ragged" if found is None else "scalar" if found == () else str(found).replace(" ", "")
