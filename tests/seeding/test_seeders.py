"""Seeders of the large libraries: each runs where its library is installed."""

from __future__ import annotations

import importlib.util

import pytest

from pytest_mlrepro.seeding import Seeding
from pytest_mlrepro.seeding.seeders import Cupy, Seeder, Tensorflow

PIN = "from pytest_mlrepro.seeding import Seeding; seeding = Seeding(); before = seeding.save(); seeding.pin(7)\n"


def need(library):
    # Not imported here: only fresh processes use it.
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")


@pytest.mark.slow
@pytest.mark.parametrize("draw", ["rand", "randn"])
def test_torch_state_is_put_back(draw, seeding):
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    getattr(torch, draw)(1)
    expected = torch.get_rng_state()
    state = seeding.save()
    seeding.pin(3)
    assert "torch" in seeding.pinned()
    assert torch.rand(2).tolist() == torch.rand(2, generator=torch.Generator().manual_seed(3)).tolist()
    seeding.restore(state)
    assert torch.equal(torch.get_rng_state(), expected)
    assert not torch.cuda.is_initialized()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("library", "draw"),
    [
        ("polars", "polars.Series(range(99)).sample(9).to_list()"),
        ("keras", "keras.random.uniform((3,)), keras.layers.Dense(2)(keras.ops.ones((1, 2)))"),
        ("torch", "torch.randn(3)"),
    ],
)
def test_library_imported_while_pinned(library, draw, fresh_process):
    need(library)
    if library == "keras":
        need("torch")
    early = fresh_process(f"import {library}\n{PIN}print({draw})", KERAS_BACKEND="torch")
    late = fresh_process(f"{PIN}import {library}\nprint({draw})", KERAS_BACKEND="torch")
    assert early == late
    assert early != fresh_process(f"import {library}\nprint({draw})", KERAS_BACKEND="torch")


@pytest.mark.slow
def test_keras_leaves_the_streams_of_others_where_they_are(fresh_process):
    need("keras")
    need("torch")
    numbers = "import random, numpy as np; out = [random.random(), np.random.rand()]\n"
    more = "out += [random.random(), np.random.rand()]; print(out)"
    plain = fresh_process(f"{PIN}{numbers}{more}")
    assert fresh_process(f"{PIN}{numbers}import keras\n{more}", KERAS_BACKEND="torch") == plain


@pytest.mark.slow
def test_jax_is_named_and_nothing_else(fresh_process):
    need("jax")
    assert fresh_process(f"{PIN}import jax; print('jax' in seeding.pinned())") == "True"


class Gpu:
    """The part of CuPy's interface that is used, with generators that only know their seed."""

    def __init__(self, available):
        self.cuda = self
        self.random = self
        self.available = available
        self.state = self.RandomState(None)

    class RandomState:
        def __init__(self, seed):
            self.seed = seed

    def is_available(self):
        return self.available

    def get_random_state(self):
        return self.state

    def set_random_state(self, state):
        self.state = state


def test_cupy_exchanges_the_generator():
    gpu, seeder = Gpu(available=True), Cupy()
    assert seeder.usable(gpu)
    before = gpu.state
    saved = seeder.save(gpu)
    seeder.pin(gpu, 5)
    assert gpu.state.seed == 5
    seeder.restore(gpu, saved)
    assert gpu.state is before


def test_cupy_without_a_device_is_left_alone():
    assert not Cupy().usable(Gpu(available=False))


def test_tensorflow_is_seeded_by_its_own_function():
    class Random:
        seeds: list[int] = []  # noqa: RUF012

        def set_seed(self, seed):
            self.seeds.append(seed)

    class Library:
        random = Random()

    seeder = Tensorflow()
    assert seeder.usable(Library())
    seeder.pin(Library(), 5)
    assert Random.seeds == [5]
    assert seeder.save(Library()) is None


def test_a_seeder_has_to_know_how_to_pin():
    with pytest.raises(NotImplementedError):
        Seeder().pin(None, 1)


def test_each_seeding_has_its_own_seeders():
    first, second = Seeding(), Seeding()
    assert not set(map(id, first._seeders.values())) & set(map(id, second._seeders.values()))
