"""By how much the values of an array moved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.report.page.histogram import HEIGHT, WIDTH, histogram


def test_how_many_moved_by_how_much():
    found = histogram([0.0, 1.0, 2.0, 3.0, "nan", 5.0], [0.0, 1.5, 2.5, 2.0, 4.0, 5.0])
    assert (found.count, found.moved, found.lost, found.most) == (6, 4, 1, 2)
    down, up = found.bars
    assert down.told.startswith("1 moved by -1 to ")
    assert up.told.startswith("2 moved by +")
    assert down.height < up.height
    assert down.x + down.width < found.zero < up.x
    assert [tick.text for tick in found.ticks] == ["-1", "-0.5", "0", "0.5"]


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ([1.0, 2.0], [1.0, 2.0]),
        ([1.0, 2.0], [1.0]),
        ([[1.0], [2.0]], [1.0, 3.0]),
        (1.0, 2.0),
        (["a"], ["b"]),
        ([True], [False]),
        (None, [1.0]),
        (["nan"], [1.0]),
        ("mlr1:a", "mlr1:b"),
    ],
)
def test_what_has_no_histogram(before, now):
    assert histogram(before, now) is None


CELLS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.integers(), st.sampled_from(["nan", "a"])
)


@given(st.lists(st.tuples(CELLS, CELLS), max_size=30))
def test_every_value_that_moved_is_counted_once(pairs):
    found = histogram([old for old, _ in pairs], [new for _, new in pairs])
    if found is None:
        return
    assert sum(int(bar.told.split()[0]) for bar in found.bars) + found.lost == found.moved
    for bar in found.bars:
        # As far as the axis goes.
        assert 24 <= bar.x <= bar.x + bar.width <= WIDTH - 24
        assert 0 <= bar.y <= bar.y + bar.height <= HEIGHT
