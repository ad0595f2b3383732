"""Drifts as findings of GitLab's code quality report, each on its test.

The format is that of https://docs.gitlab.com/ci/testing/code_quality/: a list of findings.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any, TypeAlias

from pytest_mlrepro.balance import Sum
from pytest_mlrepro.export.document import Document
from pytest_mlrepro.export.words import document, text
from pytest_mlrepro.gate import Judgement
from pytest_mlrepro.model import SESSION, Explanation

Place: TypeAlias = "tuple[str, int]"
"""A file below the repository's root, and a line from 1."""


def codequality(total: Sum, place: Callable[[str], Place]) -> Document:
    """A finding for each drift that fails or warns, and for each subject without a baseline.

    Args:
        total: a recorded run, judged.
        place: where a subject is defined.
    """
    found = [finding for judgement in total.judgements for finding in _findings(judgement, place)]
    return Document(document(found))


def _findings(judgement: Judgement, place: Callable[[str], Place]) -> Iterator[dict[str, Any]]:
    subject = judgement.subject
    if judgement.lacking:
        yield _finding(
            subject, "no-baseline", "no baseline: nothing to compare its facts with", "major", place(subject)
        )
    for severity, explanations in (("major", judgement.failed), ("minor", judgement.warned)):
        for each in explanations:
            yield _finding(subject, each.drift.address, _told(each), severity, place(subject))


def _told(explanation: Explanation) -> str:
    drift = explanation.drift
    kind = "drifted" if drift.kind == "changed" else drift.kind
    suspects = ", ".join(dict.fromkeys(each.drift.address for each in explanation.suspects[:3]))
    return f"{drift.address} {kind}: {explanation.sentence}{f'; suspects: {suspects}' if suspects else ''}"


def _finding(subject: str, what: str, told: str, severity: str, place: Place) -> dict[str, Any]:
    file, line = place
    whose = "the environment" if subject == SESSION else subject
    # The same finding in another pipeline is the same, whatever the value came out as.
    mark = sha256(f"{subject}\0{what}".encode("utf-8", "backslashreplace")).hexdigest()
    return {
        "description": text(f"{whose}: {told}"),
        "check_name": f"mlrepro.{text(what).partition('.')[0]}",
        "fingerprint": mark,
        "severity": severity,
        "location": {"path": file, "lines": {"begin": line}},
    }


def line_of(subject: str, source: str) -> int:
    """The line of a test or fixture in its file; 1 where it cannot be found.

    Args:
        subject: its node id.
        source: the file's text.
    """
    try:
        body: list[ast.stmt] = ast.parse(source).body
    except (SyntaxError, ValueError):
        return 1
    line = 1
    for name in subject.partition("[")[0].split("::")[1:]:
        found = next((each for each in body if getattr(each, "name", None) == name), None)
        if not isinstance(found, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            break
        line, body = found.lineno, found.body
    return line
