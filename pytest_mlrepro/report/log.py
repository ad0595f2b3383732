"""The history of facts as text, as JSON and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from pytest_mlrepro.comparison import room
from pytest_mlrepro.explain import sentence
from pytest_mlrepro.facets import show
from pytest_mlrepro.facets.results import direction
from pytest_mlrepro.history.commits import Commit
from pytest_mlrepro.history.repository import short
from pytest_mlrepro.model import SESSION, Drift, Fact, Suspect
from pytest_mlrepro.report.cells import named
from pytest_mlrepro.report.changes import change
from pytest_mlrepro.report.differences import step
from pytest_mlrepro.report.evolution import Entry, Line
from pytest_mlrepro.report.gfm import code, prose, row, table
from pytest_mlrepro.report.plain import plain
from pytest_mlrepro.report.text import plural

SCHEMA = 1
_WIDTH = 34
_MOST_LINES = 20
_MOST_SUSPECTS = 6
_COLUMNS = ("commit", "subject", "fact", "before", "now", "change", "with it")


def text(entry: Entry, path: str) -> Iterator[str]:
    """What one commit did: its line, then the facts by subject.

    Args:
        entry: of the commit.
        path: of the lockfile today.
    """
    commit = entry.step.commit
    yield f"{short(commit.name)}  {_date(commit)}  {commit.author}  {commit.title}"
    if entry.step.path not in ("", path):
        yield f"  the lockfile was {entry.step.path}"
    if entry.step.gap:
        yield f"  no value: {entry.step.gap}"
        return
    shown = entry.lines[:_MOST_LINES]
    for (label, formerly), lines in groupby(shown, key=lambda line: (line.label, _former(line))):
        yield f"  {label}{formerly}"
        for line in lines:
            yield f"    {_fact(line)}"
            if line.suspects:
                yield f"      suspects: {'; '.join(_suspects(line.suspects))}"
    more = len(entry.lines) - len(shown)
    rest = [f"{more} more like these"] if more else []
    rest += [plural(entry.others, "other fact")] if entry.others else []
    if rest:
        yield f"  and {', '.join(rest)}"


def _date(commit: Commit) -> str:
    return commit.date[:16].replace("T", " ")


def _former(line: Line) -> str:
    """What the subject was called in the version before, or in this one, where that is not its newest name."""
    found, subject = line.change, line.change.drift.subject
    parts = [f"then {subject}"] if subject != line.label else []
    parts += [f"before {found.formerly}"] if found.formerly else []
    return f" ({', '.join(parts)})" if parts else ""


def _fact(line: Line) -> str:
    drift, environment = line.change.drift, line.change.environment
    where = f"  in {environment}" if environment else ""
    return f"{drift.address:<{_WIDTH}} {_told(drift)}{where}"


def _told(drift: Drift) -> str:
    if drift.kind == "added":
        return f"added: {_shown(drift.current)}"
    if drift.kind == "removed":
        return f"removed, was {_shown(drift.baseline)}"
    if room(drift.facet).role == "input":
        return sentence(drift)
    told = step(drift) or f"{_shown(drift.baseline)} -> {_shown(drift.current)}"
    way = _way(drift)
    return f"{told}, {way}" if way else told


def _way(drift: Drift) -> str:
    return direction(drift.baseline, drift.current) if drift.baseline and drift.current else ""


def _shown(fact: Fact | None) -> str:
    return "" if fact is None else show(fact.value)


def _suspects(suspects: Sequence[Suspect]) -> Iterator[str]:
    for each in suspects[:_MOST_SUSPECTS]:
        kind = "" if each.drift.kind == "changed" else f"{each.drift.kind}: "
        yield f"{each.drift.address} {kind}{each.sentence}"
    if len(suspects) > _MOST_SUSPECTS:
        yield f"and {len(suspects) - _MOST_SUSPECTS} more"


def document(entries: Iterable[Entry], path: str, notes: Sequence[str] = ()) -> dict[str, Any]:
    """The same as plain types, nothing cut.

    Args:
        entries: the newest first.
        path: of the lockfile today.
        notes: what must be known of the history as a whole.
    """
    return {
        "schema": SCHEMA,
        "lockfile": plain(path),
        "entries": [_entry(each) for each in entries],
        "notes": [*map(plain, notes)],
    }


def _entry(entry: Entry) -> dict[str, Any]:
    commit = entry.step.commit
    return {
        "commit": commit.name,
        "date": commit.date,
        "author": plain(commit.author),
        "title": plain(commit.title),
        "lockfile": plain(entry.step.path),
        "gap": plain(entry.step.gap),
        "first": entry.step.first,
        "changes": [_change(line) for line in entry.lines],
        "others": entry.others,
    }


def _change(line: Line) -> dict[str, Any]:
    found, drift = line.change, line.change.drift
    before, now = _plain(drift.baseline), _plain(drift.current)
    return {
        "subject": plain(drift.subject),
        "label": plain(line.label),
        "formerly": plain(found.formerly),
        "environment": plain(found.environment),
        "facet": drift.facet,
        "key": plain(drift.key),
        "kind": drift.kind,
        "before": before,
        "now": now,
        "change": change(before, now),
        "direction": _way(drift),
        "suspects": [
            {
                "subject": plain(each.drift.subject),
                "facet": each.drift.facet,
                "key": plain(each.drift.key),
                "explanation": plain(each.sentence),
            }
            for each in line.suspects
        ],
    }


def _plain(fact: Fact | None) -> Any:
    return None if fact is None else plain(fact.value)


def markdown(entries: Iterable[Entry], path: str, notes: Sequence[str] = ()) -> str:
    """The same as one table in Markdown, a row a fact."""
    rows = [line for entry in entries for line in _rows(entry)]
    told = [f"- {prose(note, 1000, in_table=False)}" for note in notes]
    head = [f"History of {code(path, in_table=False)}", ""]
    return "\n".join([*head, *table(_COLUMNS), *rows, *([""] if told else []), *told]) + "\n"


def _rows(entry: Entry) -> Iterator[str]:
    commit = entry.step.commit
    cell = f"{code(short(commit.name))} {prose(f'{_date(commit)}, {commit.author}')}: {code(commit.title)}"
    if entry.step.gap:
        yield row((cell, "", "", "", "", "", f"no value: {prose(entry.step.gap)}"))
        return
    for place, line in enumerate(entry.lines[:_MOST_LINES]):
        drift, environment = line.change.drift, line.change.environment
        values = [code(each) if each else "" for each in (_shown(drift.baseline), _shown(drift.current))]
        apart = (
            change(_plain(drift.baseline), _plain(drift.current)) if drift.kind == "changed" else drift.kind
        )
        subject = named(SESSION if line.label == SESSION else line.label)
        subject += f" in {code(environment)}" if environment else ""
        way = f", {_way(drift)}" if _way(drift) else ""
        yield row(
            (
                cell if not place else "",
                subject,
                code(drift.address),
                *values,
                f"{apart}{way}",
                "<br>".join(prose(each, 200) for each in _suspects(line.suspects)),
            )
        )
    more = len(entry.lines[_MOST_LINES:]) + entry.others
    if more:
        yield row(("", f"and {plural(more, 'further fact')}", "", "", "", "", ""))
