"""What a marker says."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from pytest_mlrepro.errors import RecordingError
from pytest_mlrepro.model import Tolerance
from pytest_mlrepro.plugin import items
from pytest_mlrepro.plugin.items import tolerance


@pytest.mark.parametrize("bound", ["rtol", "atol"])
@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), -1, True, "1e-3", None, [1e-3], 10**400], ids=str
)
def test_a_tolerance_of_a_marker_is_a_finite_number(bound, value):
    with pytest.raises(RecordingError, match=f"{bound} must be a (finite )?number"):
        tolerance({bound: value}, None)


def test_the_bound_that_a_marker_leaves_out_is_0():
    assert tolerance({"rtol": 1e-3}, None) == Tolerance(1e-3, 0.0)
    assert tolerance({"seed": 1}, None) is None


class Odd:
    pass


@pytest.mark.parametrize(
    ("param", "text"),
    [
        ("a", "a"),
        ({"depth": [1, (2.5, None)]}, "{'depth': [1, (2.5, None)]}"),
        # Its text names its place in memory.
        (Odd(), ""),
        ({"a": Odd()}, ""),
        ({Odd(): "a"}, ""),
        ([[Odd()]], ""),
        (True, "True"),
        ({1, 2}, ""),
    ],
    ids=range(8),
)
def test_a_parameter_is_named_by_its_text_where_that_says_all(param, text):
    assert items._text(param) == text


def test_a_long_text_is_named_by_its_digest():
    one, other = items._text("x" * 61), items._text(["x" * 61])
    assert one.startswith("str-")
    assert other.startswith("list-")
    assert len({one, other, items._text("x" * 62)}) == 3
    assert items._text("x" * 60) == "x" * 60


def test_functions_below_decorations():
    def inner():
        pass

    @functools.wraps(inner)
    def outer():
        pass

    for function in (outer, functools.partial(inner), functools.partial(outer)):
        assert items._unwrapped(function) is inner
    assert items.file_of(functools.partial(inner)) == Path(__file__)
    assert items.file_of(len) is None
