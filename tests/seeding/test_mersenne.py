"""numpy's global generator: put back exactly, whatever happened to it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.seeding.mersenne import Mersenne

OPERATIONS = {
    "uniform": lambda: np.random.rand(3).tolist(),
    "deviate": np.random.randn,
    "two deviates": lambda: np.random.randn(2).tolist(),
    "shuffle": lambda: np.random.permutation(9).tolist(),
    "many": lambda: np.random.rand(700).sum(),
    "seed": lambda: np.random.seed(3),
    "state": lambda: np.random.set_state(np.random.RandomState(8).get_state()),
    "state with a deviate": lambda: np.random.set_state(_with_deviate()),
}
needs_swap = pytest.mark.skipif(
    not hasattr(np.random, "set_bit_generator"),
    reason="numpy before 1.24 cannot exchange its global generator",
)


def _with_deviate():
    generator = np.random.RandomState(9)
    generator.randn()
    return generator.get_state()


def exact():
    kind, key, position, has_deviate, deviate = np.random.get_state()
    return kind, key.tobytes(), position, has_deviate, deviate if has_deviate else None


@pytest.fixture(autouse=True)
def _leave_numpy_as_it_was():
    before = np.random.get_state()
    yield
    np.random.set_state(before)


@given(
    st.lists(st.lists(st.sampled_from(sorted(OPERATIONS)), max_size=4), min_size=1, max_size=5),
    st.lists(st.sampled_from(sorted(OPERATIONS)), max_size=4),
)
def test_exact_after_any_history(rounds, inside):
    mersenne = Mersenne()
    for before in rounds:
        for name in before:
            OPERATIONS[name]()
        state = exact()
        saved = mersenne.state(np.random)
        assert exact() == state
        mersenne.seed(np.random, 1)
        for name in inside:
            OPERATIONS[name]()
        mersenne.put_back(np.random, saved)
        assert exact() == state


@given(st.lists(st.sampled_from(["save", "seed", "restore", *sorted(OPERATIONS)]), max_size=14))
def test_saved_states_nest(steps):
    mersenne, stack = Mersenne(), []
    for step in steps:
        if step == "save":
            stack.append((mersenne.state(np.random), exact()))
        elif step == "seed":
            mersenne.seed(np.random, 4)
            expected = np.random.RandomState(4)
            assert np.random.get_state()[1].tolist() == expected.get_state()[1].tolist()
            assert np.random.get_state()[3] == 0
        elif step == "restore" and stack:
            saved, state = stack.pop()
            mersenne.put_back(np.random, saved)
            assert exact() == state
        elif step in OPERATIONS:
            OPERATIONS[step]()


def test_a_known_generator_is_never_read_in_full_again(monkeypatch):
    # get_state and set_state are what makes pinning slow.
    np.random.seed(2)
    mersenne = Mersenne()
    mersenne.put_back(np.random, mersenne.state(np.random))
    for name in ("get_state", "set_state"):
        monkeypatch.setattr(np.random, name, None)
    for seed in range(3):
        saved = mersenne.state(np.random)
        mersenne.seed(np.random, seed)
        np.random.rand(3)
        inner = mersenne.state(np.random)
        np.random.randn(3)
        mersenne.put_back(np.random, inner)
        np.random.randn(3)
        mersenne.put_back(np.random, saved)
    assert np.random.rand() == np.random.RandomState(2).rand()


def test_memory_laid_out_otherwise_is_not_used(monkeypatch):
    monkeypatch.setattr("pytest_mlrepro.seeding.mersenne._words", lambda generator: b"\0" * 2500)
    np.random.seed(2)
    mersenne = Mersenne()
    for _ in range(2):
        saved = mersenne.state(np.random)
        assert saved.full is not None
        mersenne.seed(np.random, 5)
        np.random.rand(4)
        mersenne.put_back(np.random, saved)
    assert np.random.rand() == np.random.RandomState(2).rand()


@needs_swap
def test_a_generator_of_another_kind_is_pinned_and_put_back():
    twister = np.random.get_bit_generator()
    mine = np.random.PCG64(11)
    np.random.set_bit_generator(mine)
    try:
        np.random.randn()
        mersenne = Mersenne()
        saved = mersenne.state(np.random)
        draws = []
        for _ in range(2):
            mersenne.seed(np.random, 6)
            draws.append(np.random.rand(4).tolist())
        assert draws[0] == draws[1]
        assert draws[0] != np.random.RandomState(6).rand(4).tolist()
        mersenne.put_back(np.random, saved)
        assert np.random.get_bit_generator() is mine
        expected = np.random.RandomState(np.random.PCG64(11))
        expected.randn()
        assert np.random.randn(3).tolist() == expected.randn(3).tolist()
    finally:
        np.random.set_bit_generator(twister)


@needs_swap
def test_a_generator_exchanged_in_between_is_put_back():
    twister = np.random.get_bit_generator()
    np.random.seed(12)
    mersenne = Mersenne()
    try:
        for _ in range(2):
            saved = mersenne.state(np.random)
            mersenne.seed(np.random, 6)
            np.random.set_bit_generator(np.random.Philox(1))
            np.random.randn()
            mersenne.put_back(np.random, saved)
            assert np.random.get_bit_generator() is twister
    finally:
        np.random.set_bit_generator(twister)
    assert np.random.randn() == np.random.RandomState(12).randn()
