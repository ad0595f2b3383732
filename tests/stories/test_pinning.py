"""The same draws whatever runs the tests: other plugins, their order, several processes, repetitions."""

from __future__ import annotations

import importlib.util
import json

import pytest

CONFTEST = """
import json
import os
import random

import numpy as np
import pytest

TORCH = os.environ.get("WITH_TORCH")
if TORCH:
    import torch


@pytest.fixture
def draw():
    def drawn():
        numbers = [random.random(), random.gauss(0, 1), np.random.rand(), np.random.randn()]
        return numbers + (torch.rand(2).tolist() if TORCH else [])

    return drawn


@pytest.fixture
def kept():
    def keep(name, numbers):
        with open(os.environ["DRAWS"] + name, "a") as file:
            file.write(json.dumps(numbers) + chr(10))

    return keep


@pytest.fixture
def early(mlrepro, draw):
    return draw()


@pytest.fixture(scope="session")
def trained(mlrepro):
    return [random.random(), np.random.rand()]
"""
TESTS = """
import asyncio
import random
import unittest

import numpy as np
import pytest


def test_body(mlrepro, draw, kept):
    kept("body", [draw(), mlrepro.rng.random(2).tolist(), mlrepro.seed])


def test_fixtures(early, trained, mlrepro, draw, kept):
    kept("fixtures", [early, trained, draw()])


@pytest.mark.parametrize("case", ["a", "b"])
def test_case(case, mlrepro, draw, kept):
    kept(f"case-{case}", draw())


class TestSetUp:
    def setup_method(self):
        self.numbers = [random.random(), np.random.rand()]

    def test_method(self, mlrepro, draw, kept):
        kept("method", [self.numbers, draw()])


class TestUnit(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _fixtures(self, mlrepro, draw, kept):
        self.draw, self.kept = draw, kept

    def setUp(self):
        self.numbers = self.draw()

    def test_unit(self):
        self.kept("unit", [self.numbers, self.draw()])

    def test_parts(self):
        for part in range(2):
            with self.subTest(part=part):
                self.kept(f"part-{part}", self.draw())


class TestAsyncUnit(unittest.IsolatedAsyncioTestCase):
    @pytest.fixture(autouse=True)
    def _fixtures(self, mlrepro, draw, kept):
        self.draw, self.kept = draw, kept

    async def test_unit(self):
        await asyncio.sleep(0)
        self.kept("async-unit", self.draw())


def test_coroutine(mlrepro, draw, kept):
    async def train():
        await asyncio.sleep(0)
        return draw()

    kept("coroutine", asyncio.run(train()))


def test_does_not_use_us(draw, kept):
    draw()
"""
SUBTESTS = """
def test_parts(mlrepro, subtests, draw, kept):
    for part in range(2):
        with subtests.test(part=part):
            kept(f"subtest-{part}", draw())
"""
FLAKY = """
def test_flaky(mlrepro, draw, kept):
    kept("flaky", draw())
    import os
    name = os.environ["DRAWS"] + "tries"
    tries = len(open(name).readlines()) if os.path.exists(name) else 0
    with open(name, "a") as file:
        file.write("0" + chr(10))
    assert tries == 2
"""
LEFT_OVER = """
import random

import numpy as np

EXPECTED = []


def states():
    kind, key, position, has, deviate = np.random.get_state()
    return random.getstate(), key.tolist(), position, has, deviate if has else 0.0


def test_that_seeds_for_others():
    np.random.seed(8)
    random.seed(8)
    np.random.randn()
    random.gauss(0, 1)
    EXPECTED.append(states())


def test_pinned(mlrepro, draw):
    assert states() != EXPECTED[0]
    draw()


def test_failing(mlrepro, draw):
    draw()
    raise ValueError


def test_as_before():
    assert states() == EXPECTED[0]
"""


def need(module):
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")


def draws(project, *arguments, **variables):
    """What each test drew, by name: one line a time that it ran."""
    folder = project.tmp / f"draws{sum(1 for _ in project.tmp.iterdir())}"
    folder.mkdir()
    ran = project.setenv(DRAWS=f"{folder}/", **variables).pytest(*arguments).ok()
    found = {path.name: path.read_text().splitlines() for path in folder.iterdir()}
    assert found, ran.output
    return {name: list(map(json.loads, lines)) for name, lines in found.items()}


@pytest.fixture
def project(empty):
    return empty.write({"conftest.py": CONFTEST, "test_draws.py": TESTS})


@pytest.fixture
def plain(project):
    found = draws(project)
    assert len(found) == 10
    assert all(len(times) == 1 for times in found.values())
    return found


@pytest.mark.parametrize(
    "seed", ["12345", *(pytest.param(seed, marks=pytest.mark.slow) for seed in ("1", "2", "default"))]
)
def test_with_pytest_randomly_at_any_seed(seed, project, plain):
    need("pytest_randomly")
    assert draws(project, "-p", "randomly", f"--randomly-seed={seed}") == plain


@pytest.mark.slow
def test_in_several_processes(project, plain):
    need("xdist")
    assert draws(project, "-n", "2") == plain


@pytest.mark.slow
def test_any_selection_and_order(project, plain):
    alone = draws(project, "-k", "test_body or test_method", "-p", "no:unittest")
    assert alone == {name: plain[name] for name in ("body", "method")}


def test_repeated_until_it_passes(project):
    need("pytest_rerunfailures")
    flaky = project.write({"test_flaky.py": FLAKY})
    times = draws(flaky, "test_flaky.py", "--reruns", "2")["flaky"]
    assert len(times) == 3
    assert times[0] == times[1] == times[2]


@pytest.mark.slow
def test_parts_of_a_test(project):
    # Pinned once, before the body: every part goes on with the stream.
    parts = draws(project.write({"test_parts.py": SUBTESTS}), "test_parts.py")
    assert parts.keys() == {"subtest-0", "subtest-1"}
    assert parts["subtest-0"] != parts["subtest-1"]
    assert draws(project.write({"test_parts.py": SUBTESTS}), "test_parts.py", "-p", "randomly") == parts


@pytest.mark.parametrize(
    "options",
    [
        (),
        pytest.param(
            ("-p", "randomly", "--randomly-dont-reset-seed", "--randomly-dont-reorganize"),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_what_others_left_is_put_back_after_each_test(options, project):
    ran = project.write({"test_left.py": LEFT_OVER}).pytest("test_left.py", *options).red()
    assert "1 failed, 3 passed" in ran.output


@pytest.mark.slow
def test_torch_draws_the_same_everywhere(project):
    need("torch")
    plain = draws(project, WITH_TORCH="1")
    for options in (("-p", "randomly", "--randomly-seed=7"), ("-n", "2")):
        assert draws(project, *options, WITH_TORCH="1") == plain


ASYNC = {
    "asyncio": """
import asyncio

import pytest
import pytest_asyncio


@pytest_asyncio.fixture
async def prepared(mlrepro, draw):
    await asyncio.sleep(0)
    return draw()


@pytest.mark.asyncio
async def test_async(prepared, mlrepro, draw, kept):
    await asyncio.sleep(0)
    kept("async", [prepared, draw()])
""",
    "anyio": """
import anyio
import pytest


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def prepared(mlrepro, draw):
    await anyio.sleep(0)
    return draw()


@pytest.mark.anyio
async def test_async(prepared, mlrepro, draw, kept):
    await anyio.sleep(0)
    kept("async", [prepared, draw()])
""",
}


@pytest.mark.slow
@pytest.mark.parametrize("plugin", ASYNC)
def test_async_tests_of_a_plugin(plugin, project):
    need({"asyncio": "pytest_asyncio"}.get(plugin, plugin))
    asked = project.write({"test_async.py": ASYNC[plugin]})
    options = ("test_async.py", "-W", "ignore")
    plain = draws(asked, *options)
    (times,) = plain["async"]
    assert times[0] == times[1]
    assert draws(asked, *options, "-p", "randomly", "--randomly-seed=5") == plain
