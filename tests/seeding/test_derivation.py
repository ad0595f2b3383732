"""The derived seed: a function of the base seed and the name, the same everywhere."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_mlrepro.errors import RecordingError
from pytest_mlrepro.seeding import Seeding, derive_seed

NODE = "tests/test_model.py::test_f1"


@pytest.mark.parametrize(
    ("base", "identity", "seed"),
    [
        (0, NODE, 2543228036),
        (1, NODE, 2480773555),
        (0, "tests/test_größe.py::test_a[ü-1]", 785320462),
        (2**32 - 1, "", 564540369),
    ],
)
def test_values_never_change(base, identity, seed):
    # As `printf "<base>:<identity>" | b2sum -l 32` has them.
    assert derive_seed(base, identity) == seed


@example(0, "tests/test_\udcff.py")
@given(st.integers(), st.text(st.characters()))
def test_documented_formula(base, identity):
    digest = hashlib.blake2b(
        str(base).encode() + b":" + identity.encode("utf-8", "surrogatepass"), digest_size=4
    )
    seed = derive_seed(base, identity)
    assert seed == int(digest.hexdigest(), 16)
    assert 0 <= seed < 2**32


def test_base_and_name_cannot_be_confused():
    assert derive_seed(1, "2:x") != derive_seed(12, ":x")
    seeds = {derive_seed(base, f"{NODE}[{case}]") for base in range(20) for case in range(50)}
    assert len(seeds) == 1000


@pytest.mark.parametrize("seed", [-1, 2**32, 10**30, 1.0, "7", None, float("nan")])
def test_a_seed_outside_the_range_is_refused(seed):
    with pytest.raises(RecordingError, match="from 0 to 4294967295") as refusal:
        Seeding().pin(seed)
    assert repr(seed) in str(refusal.value)


@pytest.mark.parametrize("seed", [0, 2**32 - 1, np.int64(5), np.uint32(2**32 - 1), True])
def test_any_integer_in_the_range_is_taken(seed):
    seeding = Seeding()
    before = seeding.save()
    try:
        seeding.pin(seed)
        expected = np.random.RandomState(int(seed)).rand()
        assert np.random.rand() == expected
    finally:
        seeding.restore(before)
