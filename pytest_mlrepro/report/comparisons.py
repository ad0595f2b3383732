"""The comparison of two versions or recorded runs as JSON and as Markdown."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from pytest_mlrepro.balance import Sum
from pytest_mlrepro.facets.results import direction
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.model import SESSION, Drift
from pytest_mlrepro.report import machine
from pytest_mlrepro.report.cells import COLUMNS, drift_row
from pytest_mlrepro.report.changes import change
from pytest_mlrepro.report.gfm import code, table
from pytest_mlrepro.report.text import plural

_MOST = 100


def document(total: Sum, terms: Terms, exitstatus: int) -> dict[str, Any]:
    """The JSON report of a comparison: that of a run, and of each drift its change and direction."""
    found = machine.document(total, terms, exitstatus=exitstatus)
    return {
        **found,
        "drifts": [_measured(*pair) for pair in zip(found["drifts"], total.drifts(), strict=True)],
    }


def drifts(total: Sum, terms: Terms, chosen: Collection[Drift]) -> list[dict[str, Any]]:
    """Some of the drifts in the same form."""
    pairs = zip(machine.drifts(total, terms), total.drifts(), strict=True)
    return [_measured(each, drift) for each, drift in pairs if drift in chosen]


def _measured(each: dict[str, Any], drift: Drift) -> dict[str, Any]:
    known = drift.baseline is not None and drift.current is not None
    way = direction(drift.baseline, drift.current) if drift.baseline and drift.current else ""
    apart = change(each["baseline"], each["current"]) if known else ""
    return {**each, "change": apart, "direction": way}


def markdown(found: Mapping[str, Any]) -> str:
    """The same as Markdown: a table of drifts, then one for each environment that differs by itself.

    Args:
        found: as ``mlrepro diff --json`` prints it.
    """
    names = (found[side]["name"] for side in ("before", "after"))
    old, new = (code(name, in_table=False) for name in names)
    counts = found["counts"]
    agree = counts["identical"] + counts["rounding"] + counts["band"]
    parts = [f"{old} to {new}: **{plural(counts['drifts'], 'drift')}**, {plural(agree, 'fact')} as before"]
    if found["renamed"]:
        pairs = found["renamed"].items()
        parts.append(
            "\n".join(f"- {code(now, in_table=False)} was {code(was, in_table=False)}" for now, was in pairs)
        )
    parts += _tables(found["drifts"])
    for name, own in found["environments"].items():
        parts += [f"In environment {code(name, in_table=False)}:", *_tables(own)]
    return "\n\n".join(parts)


def _tables(drifts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    ordered = sorted(drifts, key=lambda each: (each["facet"] != "results", each["subject"] == SESSION))
    loud = [each for each in ordered if each["policy"] != "note"]
    noted = [each for each in ordered if each["policy"] == "note"]
    if loud:
        yield _table(loud)
    if noted:
        title = f"<summary>{plural(len(noted), 'note')}: changed, and nothing fails for it</summary>"
        yield f"<details>\n{title}\n\n{_table(noted)}\n\n</details>"


def _table(drifts: Sequence[Mapping[str, Any]]) -> str:
    rows = [*table(COLUMNS), *(drift_row(each, {}) for each in drifts[:_MOST])]
    more = len(drifts) - _MOST
    return "\n".join(rows) + (f"\n\nand {more} more: `mlrepro diff --json` lists all" if more > 0 else "")
