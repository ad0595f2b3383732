"""Uses of randomness, one a function: the line that is to be named ends with ``# here``."""

import _random
import asyncio
import os
import random
import secrets
import threading
import time
import uuid
from dataclasses import dataclass, field
from os import urandom
from pathlib import Path
from random import Random, SystemRandom
from random import seed as seed_early
from secrets import randbelow
from uuid import uuid4
from uuid import uuid4 as new_id

import numpy as np
import pytest
from numpy.random import RandomState, default_rng
from numpy.random import default_rng as make_rng

DETECTED, SILENT, BLIND = {}, {}, {}


def case(table, call=""):
    def add(function):
        table[function.__name__] = (function, call)
        return function

    return add


# numpy


@case(DETECTED, "default_rng()")
def numpy_default_rng():
    np.random.default_rng()  # here


@case(DETECTED, "default_rng()")
def numpy_default_rng_imported_before():
    default_rng()  # here


@case(DETECTED, "default_rng()")
def numpy_default_rng_by_another_name():
    make_rng()  # here


@case(DETECTED, "default_rng()")
def numpy_default_rng_none():
    np.random.default_rng(seed=None)  # here


@case(DETECTED, "default_rng()")
def numpy_default_rng_on_many_lines():
    return np.random.default_rng().normal(  # here
        size=3,
    )


@case(DETECTED, "RandomState()")
def numpy_random_state():
    np.random.RandomState().rand()  # here


@case(DETECTED, "RandomState()")
def numpy_random_state_imported_before():
    RandomState(None)  # here


@case(DETECTED, "seed()")
def numpy_seed():
    np.random.seed()  # here


@case(DETECTED, "seed()")
def numpy_random_state_seed():
    state = np.random.RandomState(0)
    state.seed()  # here


@case(DETECTED, "PCG64()")
def numpy_pcg64():
    np.random.Generator(np.random.PCG64())  # here


@case(DETECTED, "MT19937()")
def numpy_mt19937():
    np.random.MT19937()  # here


@case(DETECTED, "Philox()")
def numpy_philox():
    np.random.Philox()  # here


@case(DETECTED, "SFC64()")
def numpy_sfc64():
    np.random.SFC64()  # here


@case(DETECTED, "PCG64DXSM()")
def numpy_pcg64dxsm():
    np.random.PCG64DXSM()  # here


@case(DETECTED, "SeedSequence()")
def numpy_seed_sequence():
    np.random.default_rng(np.random.SeedSequence())  # here


@case(DETECTED, "default_rng(<clock>)")
def clock_default_rng():
    default_rng(time.time_ns())  # here


@case(DETECTED, "default_rng(<clock>)")
def clock_seed_sequence():
    default_rng(np.random.SeedSequence(int(time.time())))  # here


@case(DETECTED, "RandomState(<clock>)")
def clock_random_state():
    RandomState(int(time.time()))  # here


@case(DETECTED, "seed(<clock>)")
def clock_numpy_seed():
    np.random.seed(int(time.time() * 1000) % 2**32)  # here


# The standard library


@case(DETECTED, "random.Random()")
def random_random():
    random.Random()  # here


@case(DETECTED, "random.Random()")
def random_random_imported_before():
    Random().random()  # here


class Dice(Random):
    pass


@case(DETECTED, "random.Random()")
def random_subclass():
    Dice()  # here


@case(DETECTED, "random.seed()")
def random_seed():
    random.seed()  # here


@case(DETECTED, "random.seed()")
def random_seed_imported_before():
    seed_early()  # here


@case(DETECTED, "random.seed(<clock>)")
def clock_random_seed():
    seed_early(time.time())  # here


@case(DETECTED, "random.Random(<clock>)")
def clock_random():
    Random(int(time.time() * 1e6))  # here


@case(DETECTED, "SystemRandom.random()")
def system_random():
    random.SystemRandom().random()  # here


@case(DETECTED, "SystemRandom.choice()")
def system_random_imported_before():
    SystemRandom().choice("abc")  # here


@case(DETECTED, "secrets.token_hex()")
def secrets_token():
    secrets.token_hex()  # here


@case(DETECTED, "secrets.randbelow()")
def secrets_imported_before():
    randbelow(10)  # here


@case(DETECTED, "os.urandom()")
def os_urandom():
    os.urandom(8)  # here


@case(DETECTED, "os.getrandom()")
def os_getrandom():
    if not hasattr(os, "getrandom"):
        pytest.skip("Linux only")
    os.getrandom(8)  # here


@case(DETECTED, "uuid.uuid4()")
def uuid_uuid4():
    uuid.uuid4()  # here


@case(DETECTED, "uuid.uuid4()")
def uuid_imported_before():
    uuid4()  # here


@case(DETECTED, "uuid.uuid4()")
def uuid_by_another_name():
    new_id()  # here


# Ways to get there


@case(DETECTED, "default_rng()")
def in_a_thread():
    def work():
        np.random.default_rng()  # here

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


@case(DETECTED, "default_rng()")
def in_a_coroutine():
    async def work():
        await asyncio.sleep(0)
        np.random.default_rng()  # here

    asyncio.run(work())


@dataclass
class Sampler:
    rng: object = field(default_factory=np.random.default_rng)


@case(DETECTED, "default_rng()")
def by_a_dataclass():
    Sampler()  # here


@case(DETECTED, "default_rng()")
def called_by_a_library():
    functools = pytest.importorskip("functools")
    functools.reduce(lambda a, b: np.random.default_rng().random(), [1, 2])  # here


# Other libraries


@case(DETECTED, "default_rng()")
def scipy_quasi_monte_carlo():
    qmc = pytest.importorskip("scipy.stats.qmc")
    qmc.Sobol(d=2)  # here


@case(DETECTED, "default_rng()")
def scipy_latin_hypercube():
    qmc = pytest.importorskip("scipy.stats.qmc")
    qmc.LatinHypercube(d=2).random(3)  # here


@case(DETECTED)
def scipy_start_vector():
    linalg = pytest.importorskip("scipy.sparse.linalg")
    if tuple(map(int, pytest.importorskip("scipy").__version__.split(".")[:2])) < (1, 17):
        pytest.skip("older ones draw from numpy's global state or from ARPACK's own constant")
    linalg.eigsh(np.diag(np.arange(1.0, 30)), k=2)  # here


@case(DETECTED, "torch.seed()")
def torch_seed():
    pytest.importorskip("torch").seed()  # here


@case(DETECTED, "torch.manual_seed(<clock>)")
def clock_torch():
    pytest.importorskip("torch").manual_seed(int(time.time()))  # here


# Pinned, so there is nothing to tell


@case(SILENT)
def numpy_global():
    np.random.rand(3)
    np.random.shuffle([1, 2, 3])


@case(SILENT)
def random_global():
    random.random()
    random.shuffle([1, 2, 3])


@case(SILENT)
def sklearn_random_state_none():
    ensemble = pytest.importorskip("sklearn.ensemble")
    ensemble.RandomForestClassifier(n_estimators=2).fit([[0], [1]], [0, 1])


# Out of reach


@case(BLIND)
def os_urandom_imported_before():
    urandom(8)


@case(BLIND)
def dev_urandom():
    if not Path("/dev/urandom").exists():
        pytest.skip("no such device")
    with Path("/dev/urandom").open("rb") as device:
        device.read(8)


@case(BLIND)
def random_of_c():
    _random.Random()


@case(BLIND)
def uuid_from_the_clock():
    uuid.uuid1()


@case(BLIND)
def process_id():
    np.random.default_rng(os.getpid())


@case(BLIND)
def hash_of_an_address():
    np.random.default_rng(abs(hash(object())))


@case(BLIND)
def hash_of_a_string():
    np.random.default_rng(abs(hash("a")))


@case(BLIND)
def torch_generator():
    pytest.importorskip("torch").Generator().seed()


@case(BLIND)
def polars_sample():
    polars = pytest.importorskip("polars")
    polars.Series([1, 2, 3]).sample(2)


@case(BLIND)
def duckdb_random():
    duckdb = pytest.importorskip("duckdb")
    duckdb.sql("select random()").fetchall()
