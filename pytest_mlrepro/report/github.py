"""What GitHub Actions reads off a job's output: an annotation for each drift that fails, on the test's line.

Everything in it is read off the JSON report. A workflow command is a line that begins with two colons; what is put
into one is encoded so that it can neither end it nor begin another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from pytest_mlrepro.model import SESSION
from pytest_mlrepro.report.gfm import cut
from pytest_mlrepro.visible import visible

LIMIT = 10
"""How many annotations of a level GitHub shows of one step; it drops the rest without a word."""

Place: TypeAlias = "tuple[str, int | None]"
"""A file below the repository's root, and a line from 1; an empty name where there is none."""

_Told: TypeAlias = "tuple[str, str, tuple[str, ...]]"
"""Subject, title, and the lines of the message."""

_TITLE = 160
_LINE = 600
_MOST_SUSPECTS = 4
_SEPARATORS = {":": "%3A", ",": "%2C"}


def commands(document: Mapping[str, Any], place: Callable[[str], Place]) -> Iterator[str]:
    """Workflow commands, a line each: what failed as errors, what is only warned of as warnings.

    Args:
        document: as ``machine.document`` makes it.
        place: where a subject is defined.
    """
    for level, found in (("error", [*_errors(document)]), ("warning", [*_warnings(document)])):
        shown = found if len(found) <= LIMIT else found[: LIMIT - 1]
        for subject, title, lines in shown:
            yield annotation(level, lines, place(subject), title)
        if left := len(found) - len(shown):
            told = "the summary of this job, and the output of pytest, show them"
            yield annotation(level, (told,), title=f"mlrepro: {left} more")


def annotation(level: str, lines: Iterable[str], place: Place = ("", None), title: str = "") -> str:
    """A workflow command on one line, whatever the texts hold.

    Args:
        level: of the annotation: ``error`` or ``warning``.
        lines: of the message.
        place: where to show it.
        title: one line.
    """
    file, line = place
    properties = {"file": file, "line": str(line) if file and line else "", "title": _line(title, _TITLE)}
    given = ",".join(f"{name}={_property(value)}" for name, value in properties.items() if value)
    told = "\n".join(_line(each, _LINE) for each in lines if each)
    return f"::{level}{f' {given}' if given else ''}::{_data(told)}"


def _line(text: str, limit: int) -> str:
    return cut(visible(text), limit)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    encoded = _data(text)
    for separator, code in _SEPARATORS.items():
        encoded = encoded.replace(separator, code)
    return encoded


def _errors(document: Mapping[str, Any]) -> Iterator[_Told]:
    """What fails the run: results first, the environment last."""
    for each in document["conflicts"]:
        title = f"mlrepro: {_address(each)} is not the same within this run"
        yield each["subject"], title, (f"{_whose(each['subject'])}: {each['explanation']}",)
    yield from _drifts(document, "failed")
    for subject in dict.fromkeys(each["subject"] for each in document["drifts"] if each["outcome"] == "new"):
        message = f"{_whose(subject)}: its facts were recorded, but there is nothing to compare them with"
        yield subject, "mlrepro: no baseline", (message, _accept(document))


def _warnings(document: Mapping[str, Any]) -> Iterator[_Told]:
    yield from _drifts(document, "warned")


def _drifts(document: Mapping[str, Any], outcome: str) -> Iterator[_Told]:
    found = [each for each in document["drifts"] if each["outcome"] == outcome]
    found.sort(key=lambda each: (each["facet"] != "results", each["subject"] == SESSION))
    for each in found:
        kind = "drifted" if each["kind"] == "changed" else each["kind"]
        told = f"{_whose(each['subject'])}: {each['explanation']}"
        lines = (told, *_suspects(each), _accept(document) if outcome == "failed" else "")
        yield each["subject"], f"mlrepro: {_address(each)} {kind}", lines


def _suspects(each: Mapping[str, Any]) -> Iterator[str]:
    told = {_address(other): other["explanation"] for other in each["suspected"]}
    names = each["suspects"]
    for name in names[:_MOST_SUSPECTS]:
        yield f"suspect: {name}{f': {told[name]}' if name in told else ''}"
    if len(names) > _MOST_SUSPECTS:
        yield f"and {len(names) - _MOST_SUSPECTS} more suspects"


def _accept(document: Mapping[str, Any]) -> str:
    return f"what is meant is accepted with: {document['accept']}" if document["accept"] else ""


def _address(each: Mapping[str, Any]) -> str:
    return f"{each['facet']}.{each['key']}"


def _whose(subject: str) -> str:
    return "the environment" if subject == SESSION else subject
