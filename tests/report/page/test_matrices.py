"""Confusion matrices as pictures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.report.page.matrices import is_matrix, pictures

TWO = {"baseline": ["cat", "dog"], "current": ["cat", "dog"]}


def texts(picture):
    return [cell.text for cell in picture.cells]


def test_baseline_present_run_and_difference():
    before, now, apart = pictures([[86, 4], [2, 51]], [[86, 4], [3, 50]], TWO)
    assert [each.title for each in (before, now, apart)] == ["baseline", "this run", "difference"]
    assert texts(before) == ["86", "4", "2", "51"]
    assert texts(now) == ["86", "4", "3", "50"]
    assert texts(apart) == ["0", "0", "+1", "-1"]
    # One more that is wrong, one fewer that is right.
    assert [cell.kind for cell in apart.cells] == ["same", "same", "worse", "worse"]
    assert [label.text for label in apart.labels] == ["cat", "dog"]
    assert now.cells[2].told == "true dog, predicted cat: 3"


def test_what_is_right_more_often_is_better():
    apart = pictures([[1, 1], [1, 1]], [[2, 0], [1, 1]], TWO)[2]
    assert [cell.kind for cell in apart.cells] == ["better", "better", "same", "same"]


def test_colours_are_shares_of_what_is_true():
    (before, *_) = pictures([[90, 10], [1, 1]], [[90, 10], [0, 0]], TWO)
    assert [cell.strength for cell in before.cells] == [0.9, 0.1, 0.5, 0.5]


def test_a_class_that_is_new_counts_zero_before():
    classes = {"baseline": ["cat", "dog"], "current": ["ant", "cat", "dog"]}
    apart = pictures([[5, 0], [0, 5]], [[1, 0, 0], [0, 5, 0], [0, 0, 5]], classes)[2]
    assert [label.text for label in apart.labels] == ["cat", "dog", "ant"]
    assert texts(apart) == ["0", "0", "0", "0", "0", "0", "0", "0", "+1"]


def test_one_side_only():
    assert [each.title for each in pictures(None, [[1]], None)] == ["this run"]
    assert pictures("mlr1:a", "mlr1:b", TWO) == ()


def test_many_classes_have_colours_without_numbers():
    size = 40
    before = [[int(row == column) for column in range(size)] for row in range(size)]
    drawn = pictures(before, before, None)
    assert len(drawn[0].cells) == size * size
    assert not any(cell.text for cell in drawn[0].cells)
    assert drawn[0].cells[0].told == "true 0, predicted 0: 1"


@pytest.mark.parametrize(
    "value",
    [
        None,
        1,
        "a",
        [],
        [1, 2],
        [[1, 2]],
        [[1], [2]],
        [[1.0]],
        [[True]],
        [[-1]],
        [[1, 2], [3]],
        [[0] * 65] * 65,
    ],
)
def test_what_is_no_matrix_of_counts(value):
    assert not is_matrix(value)


NAMES = st.lists(st.text(max_size=3) | st.integers(), max_size=4)


@given(st.integers(1, 4), st.integers(1, 4), st.data())
def test_the_difference_adds_up(old, new, data):
    counts = st.integers(0, 2**70)
    before, now = (
        data.draw(st.lists(st.lists(counts, min_size=n, max_size=n), min_size=n, max_size=n))
        for n in (old, new)
    )
    drawn = pictures(before, now, {"baseline": data.draw(NAMES), "current": data.draw(NAMES)})
    assert [sum(map(int, texts(each))) for each in drawn] == [
        total := sum(map(sum, before)),
        after := sum(map(sum, now)),
        after - total,
    ]
    for each in drawn:
        assert all(0 <= cell.strength <= 1 for cell in each.cells)
