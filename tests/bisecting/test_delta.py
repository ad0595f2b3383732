"""ddmin: what is left drifts, and nothing can be left out of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.bisect.delta import ddmin


@given(st.integers(1, 12), st.data())
def test_nothing_can_be_left_out(count, data):
    outcomes = {}

    def test(some):
        if len(some) == count:
            return "drifts"
        if not some:
            return "holds"
        if some not in outcomes:
            outcomes[some] = data.draw(st.sampled_from(["drifts", "holds", "unresolved"]))
        return outcomes[some]

    found = ddmin(range(count), test)
    assert test(frozenset(found)) == "drifts"
    for each in found:
        assert test(frozenset(found) - {each}) != "drifts"
    assert [*found] == sorted(found)


@given(st.integers(1, 16), st.data())
def test_the_one_set_that_matters_is_found(count, data):
    wanted = data.draw(st.sets(st.integers(0, count - 1), min_size=1))
    found = ddmin(range(count), lambda some: "drifts" if wanted <= some else "holds")
    assert {*found} == wanted


def test_one_that_needs_another_to_be_told():
    # The example of the paper: what lacks one of two parts of a pair is no answer at all.
    def test(some):
        if (3 in some) != (4 in some):
            return "unresolved"
        return "drifts" if 3 in some else "holds"

    assert ddmin(range(8), test) == (3, 4)
