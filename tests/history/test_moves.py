"""Which test of a version is which of the version before."""

from __future__ import annotations

import pytest
from history.repositories import lockfile

from pytest_mlrepro.history.moves import moves
from pytest_mlrepro.history.snapshots import Reader

A, B, C, D = (f"tests/test_{name}.py::test" for name in "abcd")
FACTS = {f"settings.k{number}": number for number in range(4)}


def found(before, after, files=None):
    reader = Reader()
    pair = [reader.read(lockfile(facts).encode(), "x") for facts in (before, after)]
    return dict(moves(*pair, lambda: files or {}))


@pytest.mark.parametrize(("changed", "is_same"), [(0, True), (2, True), (3, False)])
def test_half_of_the_facts(changed, is_same):
    now = {address: value + 10 * (place < changed) for place, (address, value) in enumerate(FACTS.items())}
    assert found({A: FACTS}, {B: now}) == ({B: A} if is_same else {})


def test_half_of_the_larger():
    assert found({A: FACTS}, {B: {**FACTS, **{f"results.{number}": 1 for number in range(5)}}}) == {}


def test_the_likest():
    before = {A: FACTS, B: {**FACTS, "settings.k3": 9}}
    assert found(before, {C: {**FACTS, "settings.k3": 9}, D: FACTS}) == {C: B, D: A}


def test_of_equals_the_one_of_the_same_name():
    before = {A: FACTS, "tests/test_a.py::test_other": FACTS}
    assert found(before, {B: FACTS}) == {B: A}


def test_the_file_before_the_facts():
    assert found(
        {A: FACTS, B: {"results.f1": 1}},
        {C: FACTS, D: {"results.f1": 2}},
        {
            "tests/test_a.py": "tests/test_d.py",
            "tests/test_b.py": "tests/test_c.py",
        },
    ) == {D: A, C: B}


def test_git_is_not_asked_in_vain():
    def asked():
        raise AssertionError

    reader = Reader()
    pair = [reader.read(lockfile(facts).encode(), "x") for facts in ({A: FACTS}, {A: FACTS, B: FACTS})]
    assert moves(*pair, asked) == moves(*reversed(pair), asked) == {}


def test_what_all_have_tells_nothing():
    before = {f"tests/test_a{number}.py::test": {"settings.depth": 3} for number in range(30)}
    assert found(before, {B: {"settings.depth": 3}}) == {}
