"""What a marker says."""

from __future__ import annotations

import pytest

from pytest_mlrepro.errors import RecordingError
from pytest_mlrepro.model import Tolerance
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
