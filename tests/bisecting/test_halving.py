"""Binary search along a row: every answer that it may get, against the whole row."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_mlrepro.bisect.halving import boundary

OUTCOMES = st.sampled_from(["drifts", "holds", "unresolved"])


class Row:
    """A row of outcomes that counts how often it is asked."""

    def __init__(self, outcomes):
        self.outcomes = outcomes
        self.asked = []

    def __call__(self, place):
        self.asked.append(place)
        return self.outcomes[place]

    def boundary(self, **options):
        return boundary(0, len(self.outcomes) - 1, self, **options)


@given(st.integers(2, 200), st.data())
def test_the_first_that_drifts_is_found_in_the_least_number_of_questions(length, data):
    first = data.draw(st.integers(1, length - 1))
    row = Row(["holds"] * first + ["drifts"] * (length - first))
    found = row.boundary()
    assert (found.holds, found.drifts) == (first - 1, first)
    assert found.is_exact
    assert len(row.asked) <= math.ceil(math.log2(length - 1))
    assert found.asked == tuple(sorted(row.asked))


@given(st.lists(OUTCOMES, max_size=60))
@example(["drifts", "holds", "drifts", "holds"])
def test_whatever_the_row_two_places_with_answers_are_found(between):
    row = Row(["holds", *between, "drifts"])
    found = row.boundary(patience=1000)
    assert row.outcomes[found.holds] == "holds"
    assert row.outcomes[found.drifts] == "drifts"
    inside = range(found.holds + 1, found.drifts)
    assert found.unresolved == tuple(inside)
    assert found.untried == ()
    assert all(row.outcomes[place] == "unresolved" for place in inside)
    assert len(row.asked) == len(set(row.asked))


@given(st.lists(OUTCOMES, max_size=60), st.integers(0, 8))
def test_patience_ends_the_search_and_what_was_not_tried_is_told(between, patience):
    row = Row(["holds", *between, "drifts"])
    found = row.boundary(patience=patience)
    assert sum(row.outcomes[place] == "unresolved" for place in row.asked) <= patience
    inside = {*range(found.holds + 1, found.drifts)}
    assert {*found.unresolved} | {*found.untried} == inside
    assert {*found.unresolved} == inside & {*row.asked}


@pytest.mark.parametrize("first", [3, 30, 90, 177, 200, 250])
def test_a_block_without_answers_is_jumped_over(first):
    # 57 of 256 in the middle, and the drift begins before or after them: nobody asks them one by one.
    outcomes = ["holds"] * first + ["drifts"] * (257 - first)
    outcomes[100:157] = ["unresolved"] * 57
    row = Row(outcomes)
    found = row.boundary()
    assert (found.holds, found.drifts) == (first - 1, first)
    assert len(row.asked) <= 8 + 12
