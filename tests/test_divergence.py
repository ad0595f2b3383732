"""Two traces are aligned, and the first function that returned another value is found."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.divergence import align, aligned, routine_of, traced_once
from pytest_mlrepro.model import Fact, Run
from pytest_mlrepro.traces import SKETCHED, Routine, Seen, Sketch, Step, Trace

SUBJECT = "test_m.py::test_m"


def step(name, value=0, *, line=1, **seen):
    digest = seen.pop("digest", str(value))
    return Step(Routine("app.py", line, name), Seen(**{"form": "int", "digest": digest, **seen}))


def floats(name, *values, count=None, form="float64 array"):
    norm = math.hypot(*values)
    sketch = Sketch(count or len(values), sum(values), norm, 0, values)
    return Step(Routine("app.py", 1, name), Seen(form, "same", repr(values), sketch=sketch))


def found(before, after, **trace):
    return aligned(SUBJECT, Trace(tuple(before), **trace), Trace(tuple(after), **trace))


def test_equal_traces_have_no_divergence():
    steps = [step("a"), step("b"), step("a", 2)]
    alignment = found(steps, steps)
    assert (alignment.found, alignment.compared, alignment.differing) == ((), 3, 0)
    assert alignment.first is None


def test_the_first_other_value_is_found_and_the_rest_counted():
    alignment = found(
        [step("a", 1), step("b", 1), step("a", 2), step("b", 2)],
        [step("a", 1), step("b", 1), step("a", 3), step("b", 3)],
    )
    (first,) = alignment.found
    assert (first.how, routine_of(first).name, first.number, first.numbers) == ("value", "a", 2, 2)
    assert alignment.differing == 2
    assert alignment.first is first


def test_rounding_is_told_and_passed():
    alignment = found(
        [floats("gram", 1.0, 2.0), floats("other", 5.0), floats("fit", 3.0)],
        [floats("gram", 1.0, 2.0 + 4e-14), floats("other", 5.0 + 1e-13), floats("fit", 3.5)],
    )
    rounded, moved = alignment.found
    assert (rounded.how, routine_of(rounded).name) == ("rounding", "gram")
    assert rounded.size.largest == pytest.approx(4e-14, rel=0.01)
    assert rounded.size.relative == pytest.approx(4e-14 / math.sqrt(5), rel=0.01)
    assert (moved.how, routine_of(moved).name, moved.size.largest) == ("value", "fit", 0.5)
    assert alignment.first is moved
    assert alignment.differing == 3


def test_only_rounding_has_no_first():
    assert found([floats("a", 1.0)], [floats("a", 1.0 + 1e-15)]).first is None


@pytest.mark.parametrize(("change", "how"), [(0.9e-9, "rounding"), (1.1e-9, "value")])
def test_where_rounding_ends(change, how):
    assert found([floats("a", 1.0)], [floats("a", 1.0 + change)]).found[0].how == how


def test_other_labels_are_no_rounding_whatever_the_floats_are():
    old, new = floats("a", 1.0), floats("a", 1.0 + 1e-15)
    moved = Step(new.routine, Seen(new.seen.form, "other", new.seen.floats, sketch=new.seen.sketch))
    assert found([old], [moved]).found[0].how == "value"


def test_of_many_floats_the_size_is_an_estimate():
    values = (3.0, 0, 0, 0, 0, 0, 0, 0)
    others = (3.0, 0, 0, 0, 0, 0, 0, 0.3)
    (first,) = found([floats("a", *values, count=1000)], [floats("a", *others, count=1000)]).found
    assert first.size.largest is None
    assert first.size.relative == pytest.approx(0.1, rel=0.01)


def test_what_the_sketch_of_very_many_floats_cannot_see_is_no_rounding():
    def very_many(digest, count):
        sketch = Sketch(count, 0.0, 1.0, 0, (0.0,) * 8)
        return Step(Routine("app.py", 1, "a"), Seen("array", "same", digest, sketch=sketch))

    assert found([very_many("1", SKETCHED)], [very_many("2", SKETCHED)]).found[0].how == "rounding"
    (first,) = found([very_many("1", SKETCHED + 1)], [very_many("2", SKETCHED + 1)]).found
    assert (first.how, first.size) == ("value", None)


def test_zeros_of_two_signs_differ_by_rounding():
    assert found([floats("a", 0.0)], [floats("a", -0.0)]).found[0].size.relative == 0


def test_another_number_of_floats_has_no_size():
    assert found([floats("a", 1.0)], [floats("a", 1.0, 2.0)]).found[0].size is None


def test_more_that_is_no_number_is_infinitely_far():
    seen = Seen("float", "d", "e", sketch=Sketch(1, 0.0, 0.0, 1, (0.0,)))
    (first,) = found([floats("a", 0.0)], [Step(Routine("app.py", 1, "a"), seen)]).found
    assert (first.how, first.size.relative) == ("value", math.inf)


def test_the_order_of_a_set_is_told_and_passed_and_that_of_a_list_is_not():
    for form, how in (("set of 3", "order"), ("frozenset of 3", "order"), ("list of 3", "value")):
        alignment = found(
            [step("a", 1, form=form, bag="x"), step("b", 1)], [step("a", 2, form=form, bag="x"), step("b", 2)]
        )
        assert alignment.found[0].how == how
        assert len(alignment.found) == (2 if how == "order" else 1)
    other = found([step("a", 1, form="set of 3", bag="x")], [step("a", 2, form="set of 3", bag="y")])
    assert other.found[0].how == "value"


def test_another_layout_is_told_and_passed():
    alignment = found(
        [step("a", form="array"), step("b", 1)], [step("a", form="array, Fortran order"), step("b", 2)]
    )
    assert [each.how for each in alignment.found] == ["layout", "value"]


def test_where_calls_part_is_told():
    alignment = found([step("a"), step("b")], [step("a"), step("c"), step("b", 9)])
    parted, value = alignment.found
    assert parted.how == "calls"
    assert (parted.before.routine.name, parted.after.routine.name) == ("b", "c")
    assert parted.previous.routine.name == "a"
    assert (value.how, routine_of(value).name) == ("value", "b")
    assert alignment.first is parted


def test_a_value_before_the_calls_part_comes_first():
    alignment = found([step("a", 1), step("b")], [step("a", 2), step("c")])
    assert [each.how for each in alignment.found] == ["value", "calls"]


def test_a_trace_that_ends_early():
    for before, after in (([step("a")], []), ([], [step("a")])):
        (only,) = found(before, after).found
        assert only.how == "calls"
        assert (only.before is None) == (not before)
        assert routine_of(only).name == "a"
        assert only.previous is None


def test_behind_other_numbers_of_calls_a_function_is_not_compared():
    alignment = found(
        [step("a", 1), step("a", 2), step("b", 1)],
        [step("a", 1), step("c"), step("a", 5), step("a", 6), step("b", 1)],
    )
    assert [each.how for each in alignment.found] == ["calls"]
    assert alignment.compared == 2


def test_a_function_that_moved_in_its_file_is_the_same():
    alignment = found([step("a", 1, line=3)], [step("a", 2, line=9)])
    assert routine_of(alignment.found[0]).line == 9


def test_a_function_that_was_cut_has_more_calls():
    cut = frozenset({("app.py", "a")})
    assert found([step("a", 1)], [step("a", 2)], cut=cut).found[0].more
    assert not found([step("b", 1)], [step("b", 2)], cut=cut).found[0].more


def test_what_stopped_a_trace_is_passed_on():
    assert found([], [], stopped="another profiler is active").stopped == "another profiler is active"


def test_runs_are_aligned_where_both_have_a_trace():
    one, other = Trace((step("a", 1),)), Trace((step("a", 2),))
    fact = {"results.x": Fact("results", "x", 1)}
    before = Run({"b": fact, "c": fact}, {"a": one, "b": one})
    after = Run({"b": fact, "c": fact}, {"a": other, "c": other})
    assert [each.subject for each in align(before, after)] == ["a"]
    assert list(traced_once(before, after)) == [("b", "before"), ("c", "after")]


STEPS = st.lists(st.builds(step, st.sampled_from("abc"), st.integers(0, 2)), max_size=12)


@given(STEPS, STEPS)
def test_any_two_traces_can_be_aligned(before, after):
    alignment, reverse = found(before, after), found(after, before)
    assert alignment.differing <= alignment.compared <= min(len(before), len(after))
    assert bool(alignment.found) == (
        [(s.routine, s.seen) for s in before] != [(s.routine, s.seen) for s in after]
    )
    assert [each.how for each in alignment.found].count("value") <= 1
    assert (alignment.differing, alignment.compared) == (reverse.differing, reverse.compared)
    assert not found(before, before).found
