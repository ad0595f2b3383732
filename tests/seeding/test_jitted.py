"""The generators of code that numba compiles: pinned without compiling anything, and put back exactly."""

from __future__ import annotations

import ctypes
import random
import sys
import types

import numpy as np
import pytest

from pytest_mlrepro.seeding import Seeding
from pytest_mlrepro.seeding.jitted import Jitted


class Memory(ctypes.Structure):
    """A state as numba lays it out."""

    _fields_ = (
        ("index", ctypes.c_int),
        ("key", ctypes.c_uint * 624),
        ("holds", ctypes.c_int),
        ("deviate", ctypes.c_double),
        ("initialized", ctypes.c_int),
    )


class Shifted(ctypes.Structure):
    """The same in another order."""

    _fields_ = (
        ("holds", ctypes.c_int),
        ("key", ctypes.c_uint * 624),
        ("index", ctypes.c_int),
        *Memory._fields_[3:],
    )


class Helpers:
    """The part of ``numba._helperlib`` that is used."""

    def __init__(self, layout=Memory):
        self.states = layout(), layout()
        for number, state in enumerate(self.states):
            self.draw(state, number + 1)

    @staticmethod
    def draw(state, number):
        state.index, state.holds, state.deviate, state.initialized = number, 1, number + 0.25, 1
        state.key[:] = [number * place % 2**32 for place in range(624)]

    @staticmethod
    def told(state):
        return state.index, list(state.key), state.holds, state.deviate if state.holds else 0.0

    def all(self):
        return [self.told(state) for state in self.states]

    def _at(self, place):
        return next(state for state in self.states if ctypes.addressof(state) == place)

    def rnd_get_np_state_ptr(self):
        return ctypes.addressof(self.states[0])

    def rnd_get_py_state_ptr(self):
        return ctypes.addressof(self.states[1])

    def rnd_seed(self, place, seed):
        state = self._at(place)
        self.draw(state, seed)
        state.holds = 0

    def rnd_get_state(self, place):
        state = self._at(place)
        return state.index, list(state.key)

    def rnd_set_state(self, place, told):
        state = self._at(place)
        state.index, state.key[:], state.holds = told[0], told[1], 0


def test_put_back_with_the_deviate_that_is_held():
    helpers, jitted = Helpers(), Jitted()
    expected = helpers.all()
    saved = jitted.state(helpers)
    assert helpers.all() == expected
    jitted.seed(helpers, 7)
    assert [state.index for state in helpers.states] == [7, 7]
    assert helpers.all() != expected
    jitted.put_back(helpers, saved)
    assert helpers.all() == expected


def test_memory_laid_out_otherwise_is_not_copied():
    helpers, jitted = Helpers(Shifted), Jitted()
    expected = helpers.all()
    saved = jitted.state(helpers)
    assert not any(twister.words for twister in saved)
    jitted.seed(helpers, 7)
    jitted.put_back(helpers, saved)
    # What numba does not tell is lost.
    assert [told[:2] for told in helpers.all()] == [told[:2] for told in expected]


@pytest.mark.parametrize("helpers", [None, types.ModuleType("numba._helperlib")])
def test_numba_without_its_helpers_is_left_alone(helpers, seeding, monkeypatch):
    numba = types.ModuleType("numba")
    numba.njit = print
    monkeypatch.setitem(sys.modules, "numba", numba)
    monkeypatch.setitem(sys.modules, "numba._helperlib", helpers)
    state = seeding.save()
    seeding.pin(1)
    assert "numba" not in seeding.pinned()
    seeding.restore(state)


def test_numba_is_pinned_through_its_helpers(monkeypatch):
    numba, helpers = types.ModuleType("numba"), Helpers()
    numba.njit = print
    monkeypatch.setitem(sys.modules, "numba", numba)
    monkeypatch.setitem(sys.modules, "numba._helperlib", helpers)
    expected = helpers.all()
    seeding = Seeding()
    state = seeding.save()
    seeding.pin(6)
    assert "numba" in seeding.pinned()
    assert [each.index for each in helpers.states] == [6, 6]
    seeding.restore(state)
    assert helpers.all() == expected


@pytest.mark.slow
def test_compiled_code_draws_what_its_own_seeding_gives(seeding):
    numba = pytest.importorskip("numba")

    @numba.njit
    def draws():
        return np.random.random(), np.random.normal(), random.random(), random.gauss(0.0, 1.0)

    @numba.njit
    def seed(number):
        np.random.seed(number)
        random.seed(number)

    seed(11)
    expected = draws(), draws()
    np.random.seed(5)
    # Neither is the compiled code's state that of np.random ...
    assert draws() not in expected
    seeding.pin(11)
    assert (draws(), draws()) == expected
    # ... and an odd number of deviates leaves one that is held back.
    state = seeding.save()
    after = [draws() for _ in range(3)]
    seeding.pin(3)
    draws()
    seeding.restore(state)
    assert [draws() for _ in range(3)] == after
