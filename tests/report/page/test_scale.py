"""From numbers to places in a picture."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.report.page.scale import Scale, around, number

FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1.0),
        (0.5, 0.5),
        (True, None),
        ("inf", None),
        ("1", None),
        (None, None),
        ([1.0], None),
        (float("inf"), None),
        (10**400, None),
        (-(10**400), None),
    ],
)
def test_what_is_a_number(value, expected):
    assert number(value) == expected


def test_places():
    upwards = Scale(0.0, 10.0, 100.0, 0.0)
    assert [upwards.at(value) for value in (-5, 0, 2.5, 10, 99)] == [100.0, 100.0, 75.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0.93, 0.97, ["0.93", "0.94", "0.95", "0.96", "0.97"]),
        (0.0, 1.0, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (-3, 17, ["0", "5", "10", "15"]),
        (0.95, 0.950000001, ["0.95", "0.9500000002", "0.9500000004", "0.9500000006", "0.9500000008", "0.950000001"]),
        (1e300, 3e300, ["1e+300", "1.5e+300", "2e+300", "2.5e+300", "3e+300"]),
    ],
)  # fmt: skip
def test_ticks_are_round_and_tell_near_numbers_apart(low, high, texts):
    assert [tick.text for tick in Scale(low, high, 0, 100).ticks(5)] == texts


@given(FLOATS, FLOATS, st.integers(1, 8))
def test_ticks_stand_where_they_say(one, other, most):
    scale = Scale(min(one, other), max(one, other), 0.0, 100.0)
    ticks = scale.ticks(most)
    assert len(ticks) <= most + 1
    for tick in ticks:
        assert math.isclose(float(tick.text), 0.0) or scale.low <= float(tick.text) <= scale.high
        assert tick.place == scale.at(float(tick.text))
    assert len({tick.text for tick in ticks}) == len(ticks)


@given(st.lists(FLOATS, max_size=6))
def test_all_numbers_are_within_the_picture(values):
    scale = around(values, 150.0, 10.0)
    assert math.isfinite(scale.low)
    assert math.isfinite(scale.high)
    for value in values:
        assert 10.0 <= scale.at(value) <= 150.0
    # The order of numbers is that of places.
    places = [scale.at(value) for value in sorted(values)]
    assert places == sorted(places, reverse=True)


def test_one_number_stands_in_the_middle():
    assert around([0.95], 100.0, 0.0).at(0.95) == 50.0
    assert around([], 100.0, 0.0).at(0.0) == 50.0
