"""The cells of a table of drifts: what a fact was, what it is, by how much it changed, and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pytest_mlrepro.facets import show
from pytest_mlrepro.model import SESSION
from pytest_mlrepro.report.changes import change
from pytest_mlrepro.report.gfm import code, prose, row, table

if TYPE_CHECKING:
    from pytest_mlrepro.guard import Site

COLUMNS = ("subject", "fact", "before", "now", "change", "why")

_NOT_NUMBERS = ("nan", "inf", "-inf")
_STEP = re.compile(r" \([+-][^()]*\)")
_MOST_SUSPECTS = 3
_MOST_NAMES = 6


def drift_row(each: Mapping[str, Any], sites: Mapping[str, str]) -> str:
    """One drift of a report.

    Args:
        each: as the JSON report holds it.
        sites: what the guard says, by place.
    """
    before = shown(each["baseline"]) if each["kind"] != "added" else ""
    now = shown(each["current"]) if each["kind"] != "removed" else ""
    why = [prose(reason(each["explanation"], before, now)), *_suspects(each, sites)]
    changed = change(each["baseline"], each["current"]) if each["kind"] == "changed" else each["kind"]
    values = (code(before) if before else "", code(now) if now else "")
    return row((*names(each), *values, changed, "<br>".join(part for part in why if part)))


def names(each: Mapping[str, Any]) -> tuple[str, str]:
    """Whose fact it is, and its address."""
    return named(each["subject"]), code(f"{each['facet']}.{each['key']}")


def named(subject: str, *, in_table: bool = True) -> str:
    """How to call a subject."""
    return "the environment" if subject == SESSION else code(subject, in_table=in_table)


def pair_row(each: Mapping[str, Any], before: str, now: str, *more: str) -> str:
    """Two values of a fact that are no drift.

    Args:
        each: as the JSON report holds them.
        before, now: the names of the values in it.
        more: further cells, before the last one.
    """
    old, new = shown(each[before]), shown(each[now])
    told = prose(reason(each["explanation"], old, new).removeprefix("within rounding, "))
    return row((*names(each), *more, code(old), code(new), change(each[before], each[now]), told))


def shown(value: Any) -> str:
    """A value of a report as Python writes it, cut to 60 characters."""
    return value if isinstance(value, str) and value in _NOT_NUMBERS else show(_again(value))


def _again(value: Any) -> Any:
    """The value that was written as JSON."""
    if isinstance(value, list):
        return tuple(map(_again, value))
    if isinstance(value, dict):
        return complex(float(value["real"]), float(value["imag"]))
    return value


def reason(told: str, before: str, now: str) -> str:
    """What a sentence on a drift says beside the values and their difference, which have cells of their own."""
    step = f"{before} -> {now}"
    if before and now and told.startswith(step):
        rest = told.removeprefix(step)
        found = _STEP.match(rest)
        return (rest[found.end() :] if found else rest).lstrip(" ,;:")
    if not before:
        return told.removesuffix(f", now {now}")
    return told if now else told.removeprefix(f"was {before}, ")


def _suspects(each: Mapping[str, Any], sites: Mapping[str, str]) -> Iterator[str]:
    guard = [name for name in each["suspects"] if name.startswith("guard: ")]
    lines = [f"{code(name)} {prose(sites.get(name, ''))}" for name in guard]
    lines += [_suspect(other, each["subject"]) for other in each["suspected"]]
    if lines:
        yield "suspects, likeliest first:"
        yield from lines[:_MOST_SUSPECTS]
    rest = each["suspects"][_MOST_SUSPECTS:]
    if rest:
        left = len(rest) - _MOST_NAMES
        yield f"then {', '.join(map(code, rest[:_MOST_NAMES]))}{f' and {left} more' if left > 0 else ''}"


def _suspect(other: Mapping[str, Any], subject: str) -> str:
    whose = "" if other["subject"] in (subject, SESSION) else f" (of {named(other['subject'])})"
    address = f"{other['facet']}.{other['key']}"
    return f"{code(address)} {prose(other['explanation'], 120)}{whose}"


def told_sites(sites: Iterable[Site]) -> dict[str, str]:
    """What the guard says of each place, under the name that it has among the suspects."""
    return {f"guard: {site.address}": f"unpinned randomness, {site.told}" for site in sites}


def site_rows(sites: Iterable[tuple[Site, int]]) -> Iterator[str]:
    """A row a site, with the number of its tests."""
    for site, count in sites:
        remedy = "pinned by the guard" if site.pinned else prose(site.remedy)
        yield row((code(site.address), code(site.told), str(count), remedy))


SITES = table(("place", "call", "tests", "what to do"))
