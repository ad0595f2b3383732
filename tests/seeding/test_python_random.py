"""The standard library's global generator: put back exactly, whatever happened to it."""

from __future__ import annotations

import random
import sys
import types

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_mlrepro.seeding import python_random
from pytest_mlrepro.seeding.python_random import PythonRandom

OPERATIONS = {
    "uniform": random.random,
    "deviate": lambda: random.gauss(0, 1),
    "shuffle": lambda: random.sample(range(99), 9),
    "many": lambda: [random.random() for _ in range(700)],
    "seed": lambda: random.seed(3),
    "text": lambda: random.seed("three"),
    "state": lambda: random.setstate(random.Random(8).getstate()),
}
cpython = pytest.mark.skipif(sys.implementation.name != "cpython", reason="only CPython's memory is copied")


@pytest.fixture(autouse=True)
def _leave_random_as_it_was():
    before = random.getstate()
    yield
    random.setstate(before)


@given(st.lists(st.sampled_from(["save", "pin", "restore", *sorted(OPERATIONS)]), max_size=14))
@example(["save", "deviate", "save", "pin", "restore"])
def test_saved_states_nest(steps):
    generator, stack = PythonRandom(), []
    for step in steps:
        if step == "save":
            state = random.getstate()
            stack.append((generator.state(random), state))
            assert random.getstate() == state
        elif step == "pin":
            generator.seed(random, 4)
            assert random.getstate() == random.Random(4).getstate()
        elif step == "restore" and stack:
            saved, state = stack.pop()
            generator.put_back(random, saved)
            assert random.getstate() == state
        elif step in OPERATIONS:
            OPERATIONS[step]()


def known():
    """One that has seen how the memory is laid out."""
    generator = PythonRandom()
    generator.state(random)
    return generator


@cpython
def test_a_known_generator_is_neither_read_in_full_nor_seeded_twice():
    generator = known()
    generator.seed(random, 6)
    expected = random.Random(6).getstate()
    random.gauss(0, 1)
    assert generator.state(random).full is None
    generator._seeded = 6, known().state(random).words
    generator.seed(random, 6)
    # The words that were noted were taken, not made again.
    assert random.getstate() != expected


@cpython
def test_pinning_again_drops_the_deviate_that_is_held():
    generator = known()
    for _ in range(3):
        generator.seed(random, 6)
        assert random.getstate() == random.Random(6).getstate()
        random.gauss(0, 1)


@pytest.mark.parametrize("wrong", [b"\0" * 2500, b"\1" * 2500])
def test_memory_laid_out_otherwise_is_not_used(wrong, monkeypatch):
    monkeypatch.setattr(python_random, "_words", lambda generator: wrong)
    generator = PythonRandom()
    before = random.getstate()
    for _ in range(2):
        saved = generator.state(random)
        assert saved.full is not None
        generator.seed(random, 5)
        generator.put_back(random, saved)
        assert random.getstate() == before


def test_another_python_is_left_its_own_way(monkeypatch):
    monkeypatch.setattr(python_random.sys, "implementation", types.SimpleNamespace(name="pypy"))
    generator = known()
    assert generator.state(random).full == random.getstate()


@pytest.mark.parametrize("name", ["seed", "getstate", "setstate"])
def test_a_function_that_somebody_replaced_is_called(name, monkeypatch):
    generator, calls = known(), []
    before = random.getstate()
    saved = generator.state(random)
    original = getattr(random, name)
    monkeypatch.setattr(random, name, lambda *given: calls.append(name) or original(*given))
    generator.seed(random, 5)
    generator.state(random)
    generator.put_back(random, saved)
    assert calls
    monkeypatch.undo()
    assert random.getstate() == before
