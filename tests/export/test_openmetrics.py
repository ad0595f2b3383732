"""Results as OpenMetrics, read by a parser of others."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report.hostile import HOSTILE, TEXTS

from pytest_mlrepro.export.openmetrics import openmetrics
from pytest_mlrepro.model import Fact, Run

TEST = "tests/test_a.py::test_x"


def of(**values):
    return openmetrics(Run.of({TEST: [Fact("results", key, value) for key, value in values.items()]}))


def test_a_sample_a_number():
    made = of(f1=0.95, n=3, ok=True, none=math.nan, top=math.inf, low=-math.inf)
    assert made.notes == ()
    assert made.text == (
        "# TYPE mlrepro_result gauge\n"
        f'mlrepro_result{{subject="{TEST}",fact="f1"}} 0.95\n'
        f'mlrepro_result{{subject="{TEST}",fact="low"}} -Inf\n'
        f'mlrepro_result{{subject="{TEST}",fact="n"}} 3\n'
        f'mlrepro_result{{subject="{TEST}",fact="none"}} NaN\n'
        f'mlrepro_result{{subject="{TEST}",fact="ok"}} 1\n'
        f'mlrepro_result{{subject="{TEST}",fact="top"}} +Inf\n'
        "# EOF\n"
    )


def test_what_is_no_number_is_counted():
    made = of(f1=0.95, name="a", matrix=((1, 2), (3, 4)))
    assert made.text.count("mlrepro_result{") == 1
    assert made.notes == ("left out what is no number: 2 results",)


def test_only_results():
    made = openmetrics(Run.of({TEST: [Fact("settings", "depth", 3)]}))
    assert made.text == "# TYPE mlrepro_result gauge\n# EOF\n"


@pytest.mark.parametrize("text", [*HOSTILE, 'a"} 1\nmlrepro_result{subject="b'])
def test_no_name_is_a_sample_of_its_own(text):
    lines = openmetrics(Run.of({f"a.py::{text}": [Fact("results", f"m{text}", 0.5)]})).text.splitlines()
    assert len(lines) == 3
    assert lines[1].isascii()
    assert "#" not in lines[1]


@settings(max_examples=50)
@given(TEXTS, TEXTS, st.floats())
def test_a_parser_reads_what_was_written(subject, key, value):
    parser = pytest.importorskip("prometheus_client.openmetrics.parser")
    made = openmetrics(Run.of({f"a.py::{subject}": [Fact("results", f"m{key}", value)]}))
    (family,) = parser.text_string_to_metric_families(made.text)
    (sample,) = family.samples
    assert sample.value == value or (math.isnan(value) and math.isnan(sample.value))
    assert sample.labels["fact"].startswith("m")
