"""Traces in a recorded run: all of them comes back, and only there."""

from __future__ import annotations

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st
from strategies import RUNS, SUBJECTS

from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.lockfile import dumps, loads
from pytest_mlrepro.lockfile.traces import encode_trace
from pytest_mlrepro.model import Run
from pytest_mlrepro.traces import Routine, Seen, Sketch, Step, Trace

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NUMBERS = st.floats(allow_nan=False)
SKETCHES = st.builds(
    Sketch,
    st.integers(0, 2**40),
    NUMBERS,
    NUMBERS,
    st.integers(0, 9),
    st.lists(NUMBERS, max_size=8).map(tuple),
)
SEEN = st.builds(Seen, TEXT, TEXT, TEXT, TEXT, st.none() | SKETCHES)
STEPS = st.builds(Step, st.builds(Routine, TEXT, st.integers(1, 99), TEXT, st.booleans()), SEEN)
TRACES = st.builds(
    Trace, st.lists(STEPS, max_size=6).map(tuple), st.frozensets(st.tuples(TEXT, TEXT), max_size=2), TEXT
)
TRACED = st.dictionaries(SUBJECTS, TRACES, min_size=1, max_size=3)


@given(RUNS, TRACED)
def test_everything_comes_back(run, traces):
    text = dumps(Run(run.subjects, traces))
    back = loads(text)
    assert back.traces == traces
    assert back.subjects.keys() == run.subjects.keys()
    assert dumps(back) == text
    assert tomli.loads(text)["lock-version"] in ("1.1", "1.2")


def test_a_run_without_traces_is_of_the_format_before():
    assert dumps(Run()) == 'lock-version = "1.0"\n'


def test_a_name_with_half_a_surrogate_pair_can_be_written():
    trace = Trace((Step(Routine("a.py", 1, "f"), Seen("m.\ud800", "0")),))
    back = loads(dumps(Run({}, {"a.py::b": trace}))).traces["a.py::b"]
    assert back.steps[0].seen.form == "m.\\ud800"


def test_functions_and_forms_stand_there_once():
    step = Step(Routine("app.py", 8, "f"), Seen("float", "d", "e", "", Sketch(1, 0.5, 0.5, 0, (0.5,))))
    node = encode_trace(Trace((step, step)))
    row = [0, 0, "d", "e", "", 1, 0.5, 0.5, 0, 0.5]
    assert node == {"functions": [["app.py", 8, "f", False]], "forms": ["float"], "steps": [row, row]}


GOOD = {"functions": '[["a.py", 1, "f", false]]', "forms": '["int"]', "steps": '[[0, 0, "d", "", ""]]'}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"functions": "1"}, "trace.functions: expected an array, got 1"),
        ({"functions": None}, "trace.functions: expected an array, got none"),
        ({"functions": '[["a.py"]]'}, "trace.functions: expected rows [file, line, name, yields]"),
        ({"functions": "[1]"}, "trace.functions: expected rows [file, line, name, yields]"),
        ({"forms": "[1]"}, "trace.forms: expected a value of type str, got 1"),
        ({"steps": "[1]"}, "trace.steps: expected a row [function, form, digest"),
        ({"steps": '[[0, 0, "d"]]'}, "trace.steps: expected a row [function, form, digest"),
        (
            {"steps": '[[1, 0, "d", "", ""]]'},
            "trace.steps: expected numbers of functions and forms that stand above",
        ),
        ({"steps": '[[0, -1, "d", "", ""]]'}, "trace.steps: expected numbers of functions and forms"),
        ({"steps": '[[0, 0, "d", "", "", 1]]'}, "trace.steps: expected a row [function, form, digest"),
        ({"steps": '[[0, 0, "d", "", "", 1, 1.0, 1.0, 0, "x"]]'}, "trace.steps: expected a row [function"),
        ({"cut": '[["a"]]'}, "trace.cut: expected rows [file, name]"),
        ({"stopped": "1"}, "trace.stopped: expected a value of type str, got 1"),
    ],
)
def test_what_is_wrong_is_said(change, said):
    lines = [f"{name} = {text}" for name, text in {**GOOD, **change}.items() if text is not None]
    text = "\n".join(['lock-version = "1.1"', '["test_a.py::test_b".trace]', *lines])
    with pytest.raises(LockfileError) as caught:
        loads(text, "run.lock")
    assert f'run.lock, "test_a.py::test_b".{said}' in str(caught.value)


def test_a_trace_that_is_no_table():
    with pytest.raises(LockfileError, match="expected a table with functions, forms and steps, got 1"):
        loads('lock-version = "1.1"\n["test_a.py::test_b"]\ntrace = 1\n', "run.lock")


def test_a_trace_of_what_is_no_subject():
    with pytest.raises(LockfileError, match="expected a subject such as"):
        loads('lock-version = "1.1"\n[nobody.trace]\nfunctions = []\nforms = []\nsteps = []\n', "run.lock")
