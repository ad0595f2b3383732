"""First divergences in words."""

from __future__ import annotations

import json
import math

from pytest_mlrepro.balance import contrast
from pytest_mlrepro.divergence import align
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.model import Fact, Run, by_address
from pytest_mlrepro.report.divergences import lines, one_sided, plain
from pytest_mlrepro.traces import Routine, Seen, Sketch, Step, Trace

SUBJECT = "tests/test_m.py::test_m"
VOCABULARY = Routine("app.py", 8, "build_vocab")
GRAM = Routine("app.py", 15, "gram")
BATCHES = Routine("app.py", 30, "batches", yields=True)


def seen(form, digest, *marks, count=0, bag=""):
    sketch = Sketch(count or len(marks), 0.0, math.hypot(*marks), 0, marks) if marks else None
    return Seen(form, digest, repr(marks) if marks else "", bag, sketch)


def run(score, *steps, **trace):
    facts = by_address([Fact("results", "score", score)])
    return Run({SUBJECT: facts}, {SUBJECT: Trace(tuple(Step(*each) for each in steps), **trace)})


def told(before, after):
    total = contrast(after, Terms(baseline=before))
    return list(lines(align(before, after), total))


def one(routine, before, after, **trace):
    return told(run(1, (routine, before), **trace), run(1, (routine, after), **trace))


def test_another_order():
    assert one(VOCABULARY, seen("list of 200", "a", bag="x"), seen("list of 200", "b", bag="x")) == [
        "first divergence in tests/test_m.py::test_m: app.py:8 build_vocab() (call 1 of 1) returned another value: "
        "list of 200, the same items in another order"
    ]
    (line,) = one(VOCABULARY, seen("dict of 3", "a", bag="x"), seen("dict of 3", "b", bag="x"))
    assert line.endswith("dict of 3, the same keys in another order")


def test_the_order_of_a_set():
    (line,) = one(VOCABULARY, seen("set of 3", "a", bag="x"), seen("set of 3", "b", bag="x"))
    assert line.endswith("returned the same items in another order, as sets may: set of 3")


def test_another_size():
    (line,) = one(VOCABULARY, seen("list of 200", "a"), seen("list of 201", "b"))
    assert line.endswith("returned another value: list of 200 -> list of 201")


def test_few_and_many_floats():
    (line,) = one(GRAM, seen("float", "a", 0.5), seen("float", "a", 0.75))
    assert line.endswith(
        "app.py:15 gram() (call 1 of 1) returned another value: float 0.5 -> 0.75, difference 0.25"
    )
    (line,) = one(GRAM, seen("list of 2", "a", 1.0, 2.0), seen("list of 2", "a", 1.0, 2.5))
    assert line.endswith("list of 2, 2 numbers, largest difference 0.5")
    old, new = (0.0,) * 7 + (3.0,), (0.0,) * 7 + (3.3,)
    (line,) = one(GRAM, seen("array", "a", *old, count=4096), seen("array", "a", *new, count=4096))
    assert line.endswith("array, 4,096 numbers, about 0.091 of their norm")
    (line,) = one(GRAM, seen("array", "a", *old, count=4096), seen("array", "b", *old, count=4096))
    assert line.endswith("returned another value: array")
    (line,) = one(GRAM, seen("array", "a", 1e308, -1e308), seen("array", "b", -1e308, 1e308))
    assert line.endswith("2 numbers, in what is infinite or not a number")


def test_by_rounding_and_then_more():
    before = run(1, (GRAM, seen("array", "a", 1.0)), (VOCABULARY, seen("int 1", "a")))
    after = run(2, (GRAM, seen("array", "a", 1.0 + 3.7e-14)), (VOCABULARY, seen("int 2", "b")))
    assert told(before, after) == [
        "first divergence in tests/test_m.py::test_m: app.py:15 gram() (call 1 of 1) returned another value by "
        "rounding, largest difference 3.7e-14: array",
        "  then app.py:8 build_vocab() (call 1 of 1) returned another value: int 1 -> int 2",
        "  2 of the 2 values that both traces have differ",
    ]


def test_another_layout():
    (line,) = one(GRAM, seen("array", "a"), seen("array, Fortran order", "a"))
    assert line.endswith("returned the same values in another form: array -> array, Fortran order")


def test_items_of_a_generator_and_calls_that_were_cut():
    cut = frozenset({BATCHES.key})
    (line,) = one(BATCHES, seen("int 1", "a"), seen("int 2", "b"), cut=cut)
    assert "app.py:30 batches() (item 1 of 1 or more) yielded another value: int 1 -> int 2" in line


def test_calls_that_part():
    same = (GRAM, seen("int 1", "a"))
    assert told(run(1, same, (VOCABULARY, seen("None", "a"))), run(1, same)) == [
        "first divergence in tests/test_m.py::test_m: calls diverge after app.py:15 gram(): "
        "the next one to return is before app.py:8 build_vocab(), now none"
    ]
    assert "calls diverge at the first one" in told(run(1), run(1, same))[0]


def test_traces_that_agree_are_silent_where_results_do():
    same = (GRAM, seen("int 1", "a"))
    assert told(run(1, same), run(1, same)) == []


def test_traces_that_agree_where_results_do_not():
    same = (GRAM, seen("int 1", "a"))
    assert told(run(1, same, same), run(2, same, same)) == [
        "no divergence in tests/test_m.py::test_m: 2 values of traced functions all agree, so the difference arises "
        "outside of them: in the body of the test, in code that it calls in other libraries, or in what functions "
        "change in place"
    ]
    assert "1 value of traced functions agrees" in told(run(1, same), run(2, same))[0]
    assert told(run(1), run(2)) == [
        "no divergence in tests/test_m.py::test_m: neither run has called a function of the project that could be "
        "traced"
    ]


def test_a_trace_that_is_not_whole_is_told():
    stopped = "another profiler is active"
    assert (
        told(run(1, stopped=stopped), run(2, stopped=stopped))[1] == f"  the traces are not whole: {stopped}"
    )
    assert told(run(1, stopped=stopped), run(1, stopped=stopped)) == []


def test_one_trace_alone():
    before, after = run(1), Run(run(2).subjects)
    total = contrast(after, Terms(baseline=before))
    (line,) = one_sided(iter([(SUBJECT, "before")]), total)
    assert line == (
        "tests/test_m.py::test_m: only the run before has a trace; record both with pytest --mlrepro-trace "
        "--mlrepro-record=PATH to find the first divergence"
    )
    assert list(one_sided(iter([("test_b.py::test_b", "before")]), total)) == []


def test_as_json():
    before = run(1, (GRAM, seen("array", "a", 1.0)), (VOCABULARY, seen("list of 1", "a")))
    after = run(2, (GRAM, seen("array", "a", 1.5)))
    (found,) = plain(align(before, after), contrast(after, Terms(baseline=before)))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    value, calls = found.pop("divergences")
    assert found == {
        "subject": SUBJECT,
        "compared": 1,
        "differing": 1,
        "stopped": "",
        "results_drifted": True,
    }
    sentence = value.pop("sentence")
    assert sentence.startswith("app.py:15 gram() (call 1 of 1) returned another value")
    assert value == {
        "how": "value",
        "file": "app.py",
        "line": 15,
        "function": "gram",
        "call": 1,
        "calls": 1,
        "before": "array",
        "after": "array",
        "count": 1,
        "relative": 0.5 / 1.5,
        "largest": 0.5,
    }
    assert (calls["how"], calls["function"], calls["after"]) == ("calls", "build_vocab", None)
