"""A recheck for readers, and for machines."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from pytest_mlrepro.calibrate.recheck import GREEN, Recheck, Rechecked
from pytest_mlrepro.calibrate.rendering import heading, number, observed, trouble
from pytest_mlrepro.calibrate.tables import aligned
from pytest_mlrepro.report.plain import plain
from pytest_mlrepro.report.text import plural

_HEAD = ("metric", "verdict", "before", "now", "difference", "p", "shows")


def lines(found: Rechecked) -> Iterator[str]:
    """A recheck as a table, with the method, the pairs, and what it says."""
    yield from heading(found.observations, "rechecked")
    count = len(found.metrics)
    own = found.alpha / max(1, count)
    told = f"{plural(count, 'metric')}, {own:.2g} each" if count > 1 else "1 metric"
    yield (
        "paired t-test and prediction interval of the mean, half of the rate each: "
        f"false-alarm rate {found.alpha:g} over {told}"
    )
    yield ""
    groups = [
        (subject, [_row(each) for each in some])
        for subject, some in groupby(found.metrics, lambda each: each.subject)
    ]
    if groups:
        yield from aligned(_HEAD, groups)
    if found.older:
        yield ""
        yield from (
            f"    {subject}: {address}: its band does not hold the values that it was made of; calibrate again"
            for subject, address in found.older
        )
    yield from trouble(found.observations)
    yield from ("", *_conclusion(found))


def _row(each: Recheck) -> tuple[str, ...]:
    key = each.fact.key
    if each.pairs is None:
        return (key, each.verdict, "", "", "", "", "", each.problem)
    band = each.fact.band
    assert band is not None
    assert band.made is not None
    before = math.fsum(band.made.values[: each.pairs.count]) / each.pairs.count
    if each.verdict == "identical":
        return (key, each.verdict, number(before), number(before), "0", "", "any")
    return (
        key,
        each.verdict,
        number(before),
        number(before + each.pairs.mean),
        f"{each.pairs.mean:+.3g}",
        _chance(each.pairs.chance),
        f"{each.shows:.2g}" if each.shows else "any",
        _direction(each),
    )


def _chance(chance: float) -> str:
    return "0" if chance == 0.0 else f"{chance:.2g}"


def _direction(each: Recheck) -> str:
    assert each.pairs is not None
    if each.verdict not in ("drift", "better") or each.fact.better is None:
        return ""
    return "better" if (each.pairs.mean > 0) == (each.fact.better == "higher") else "worse"


def _conclusion(found: Rechecked) -> Iterator[str]:
    moved = [each for each in found.metrics if each.verdict == "drift"]
    open_ = [each for each in found.metrics if each.verdict == "undecided"]
    if moved:
        yield f"{plural(len(moved), 'metric')} moved: this is no other seed, it is another model"
    if open_:
        yield f"{plural(len(open_), 'metric')} cannot be decided"
    if not moved and not open_:
        same = all(each.verdict == "identical" for each in found.metrics)
        yield (
            "every value is the same"
            if same
            else "no metric got worse; smaller shifts than shown may have been"
        )
        if any(each.verdict in ("holds", "better") for each in found.metrics):
            yield ("calibrate what it has become: pytest --mlrepro-update, then mlrepro calibrate --accept")


def document(found: Rechecked) -> dict[str, Any]:
    """A recheck in JSON's types."""
    return {
        **observed(found.observations),
        "alpha": found.alpha,
        "green": found.is_green,
        "metrics": [_metric(each) for each in found.metrics],
        "older": [{"subject": plain(subject), "address": plain(address)} for subject, address in found.older],
    }


def _metric(each: Recheck) -> dict[str, Any]:
    return {
        "subject": plain(each.subject),
        "key": plain(each.fact.key),
        "verdict": each.verdict,
        "fails": each.verdict not in GREEN,
        "pairs": each.pairs.count if each.pairs else 0,
        "difference": plain(each.pairs.mean) if each.pairs else None,
        "sd": plain(each.pairs.sd) if each.pairs else None,
        "p": each.pairs.chance if each.pairs else None,
        "shows": plain(each.shows),
        "problem": each.problem,
    }
