"""Results as OpenMetrics text, which GitLab shows beside each other in a merge request.

The format is that of https://prometheus.io/docs/specs/om/open_metrics_spec/: one gauge, a sample a result.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from pytest_mlrepro.export.document import Document
from pytest_mlrepro.model import Run, Value

_NAME = "mlrepro_result"


def openmetrics(run: Run) -> Document:
    """The numbers among the results of a run. Of what is no number, a note says how many there are."""
    results = [(subject, fact) for subject, fact in run if fact.facet == "results"]
    samples = [
        f'{_NAME}{{subject="{_label(subject)}",fact="{_label(fact.key)}"}} {number}'
        for subject, fact in sorted(results, key=lambda each: (each[0], each[1].key))
        if (number := _number(fact.value))
    ]
    left = len(results) - len(samples)
    lines = [f"# TYPE {_NAME} gauge", *samples, "# EOF"]
    return Document("\n".join(lines) + "\n", tuple(_notes(left)))


def _notes(left: int) -> Iterator[str]:
    if left:
        yield f"left out what is no number: {left} result{'s' if left > 1 else ''}"


def _number(value: Value) -> str:
    """A number as OpenMetrics writes it; empty for anything else."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, float):
        return ""
    if math.isnan(value):
        return "NaN"
    return repr(value) if math.isfinite(value) else "+Inf" if value > 0 else "-Inf"


def _label(text: str) -> str:
    """A text as the value of a label, in ASCII and on one line."""
    # Some readers of this format take a number sign for the beginning of a comment wherever it stands.
    shown = "".join(each if " " <= each <= "~" and each != "#" else _escaped(each) for each in text)
    return shown.replace("\\", "\\\\").replace('"', '\\"')


def _escaped(letter: str) -> str:
    return "\\x23" if letter == "#" else ascii(letter)[1:-1]
