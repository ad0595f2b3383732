"""Unpinned randomness: told once, suspected of a drift, forbidden, or pinned."""

from __future__ import annotations

import pytest

MODEL = """
import numpy as np


def jitter():
    return np.random.default_rng().random()
"""

TEST = """
import random
import uuid

import numpy as np

from model import jitter


def test_first(mlrepro):
    mlrepro.metric("jitter", jitter())


def test_second(mlrepro):
    mlrepro.metric("jitter", jitter())
    random.Random()


def test_seeded(mlrepro):
    mlrepro.metric("global", np.random.rand())
    mlrepro.metric("own", mlrepro.rng.random())
    np.random.RandomState(mlrepro.seed)


def test_of_somebody_else():
    jitter()
    uuid.uuid4()
"""
BOTH = [(), pytest.param(("-n", "2"), marks=pytest.mark.slow)]
JITTER = "unpinned randomness: model.py:6 default_rng() via numpy, in 2 tests; pass a seed: default_rng(mlrepro.seed)"
DIE = "unpinned randomness: test_m.py:16 random.Random(), in 1 test; pass a seed: random.Random(mlrepro.seed)"
FAILED = "mlrepro: unpinned randomness: model.py:6 default_rng() via numpy (in jitter)"


@pytest.fixture
def jittery(empty):
    ini = "[tool.pytest.ini_options]\npythonpath = ['.']\n"
    return empty.write({"pyproject.toml": ini, "model.py": MODEL, "test_m.py": TEST})


def told(output):
    return [line for line in output.splitlines() if "pinned randomness" in line]


def guard_is(project, mode):
    text = (project.root / "pyproject.toml").read_text()
    return project.write({"pyproject.toml": f'{text}[tool.mlrepro]\nguard = "{mode}"\n'})


class TestWarning:
    @pytest.mark.parametrize("workers", [(), ("-n", "2")])
    def test_each_site_is_told_once_without_any_option(self, jittery, workers):
        ran = jittery.pytest(*workers).ok()
        assert told(ran.output) == [JITTER, DIE]
        assert "- mlrepro -" in ran.output

    @pytest.mark.parametrize("workers", BOTH)
    def test_and_with_a_baseline(self, jittery, workers):
        ran = jittery.update(*workers).ok()
        assert told(ran.output) == [JITTER, DIE]
        assert ran.output.count("- mlrepro -") == 1

    def test_it_is_suspected_first_where_a_result_drifts(self, jittery):
        jittery.update("-W", "error").ok()
        red = jittery.check().red()
        assert red.drifts() == {"results.jitter"}
        assert red.suspects("results.jitter") == ["guard: model.py:6", "guard: test_m.py:16"]
        line = (
            "  guard: model.py:6                  unpinned randomness, default_rng() via numpy; pass a seed: "
        )
        assert f"suspects, likeliest first\n{line}default_rng(mlrepro.seed)\n" in red.output
        assert "nothing that is recorded has changed" not in red.output

    def test_nobody_is_suspected_of_what_stayed_as_it_was(self, jittery):
        jittery.update().ok()
        steady = jittery.edit("test_m.py", '"global", np', '"global", 1 + np')
        red = steady.check("-k", "seeded").red()
        assert red.drifts() == {"results.global"}
        assert red.suspects("results.global") == []

    def test_the_report_lists_the_sites(self, jittery):
        report = jittery.update().ok().report
        assert report["unpinned"] == [
            {
                "file": "model.py",
                "line": 6,
                "function": "jitter",
                "call": "default_rng()",
                "via": "numpy",
                "direct": True,
                "pinned": False,
                "count": 2,
                "subjects": ["test_m.py::test_first", "test_m.py::test_second"],
            },
            {
                "file": "test_m.py",
                "line": 16,
                "function": "test_second",
                "call": "random.Random()",
                "via": "random",
                "direct": True,
                "pinned": False,
                "count": 1,
                "subjects": ["test_m.py::test_second"],
            },
        ]

    def test_the_lockfile_knows_nothing_of_it(self, jittery):
        told = jittery.update("--mlrepro-guard=warn", "-k", "seeded").ok().lockfile
        (jittery.root / "mlrepro.lock").unlink()
        assert jittery.update("--mlrepro-guard=off", "-k", "seeded").ok().lockfile == told

    def test_off(self, jittery):
        assert told(jittery.pytest("--mlrepro-guard=off").ok().output) == []
        assert told(guard_is(jittery, "off").pytest().ok().output) == []
        assert told(guard_is(jittery, "off").pytest("--mlrepro-guard=warn").ok().output) == [JITTER, DIE]

    def test_a_mode_that_there_is_not(self, jittery):
        output = jittery.pytest("--mlrepro-guard=wran").red(4).output
        assert "--mlrepro-guard: unknown mode of the guard 'wran'" in output
        assert "did you mean 'warn'? known: off, warn, fail, pin" in output
        assert "Traceback" not in output

    def test_variations_that_cannot_be_read(self, jittery):
        output = jittery.setenv(MLREPRO_GUARD_VARY="model.py:6").pytest().output
        assert "MLREPRO_GUARD_VARY: not an object of numbers by site: 'model.py:6'" in output
        assert "Traceback" not in output

    def test_a_fixture_of_higher_scope_is_suspected_with_the_tests_that_use_it(self, empty):
        conftest = """
import numpy as np
import pytest


@pytest.fixture(scope="session")
def rng():
    return np.random.default_rng()


@pytest.fixture(scope="session")
def noise(mlrepro, rng):
    mlrepro.metric("noise", rng.random())
    return rng
"""
        tests = "def test_plain(rng):\n    pass\n\n\ndef test_own(mlrepro, noise):\n    pass\n"
        project = empty.write({"conftest.py": conftest, "test_n.py": tests})
        assert told(project.update().ok().output) == [
            "unpinned randomness: conftest.py:8 default_rng() via numpy, in 1 test; "
            "pass a seed: default_rng(mlrepro.seed)"
        ]
        pinned = project.update("--mlrepro-guard=pin").ok()
        for arguments in ((), ("-k", "own")):
            pinned.project.check("--mlrepro-guard=pin", *arguments).ok()


class TestFailing:
    @pytest.mark.parametrize("workers", BOTH)
    def test_the_test_fails_at_the_call(self, jittery, workers):
        red = jittery.pytest("--mlrepro-guard=fail", *workers).red().output
        assert "2 failed, 2 passed" in red
        assert ">       return np.random.default_rng().random()" in red
        assert FAILED in red
        assert "pass a seed: default_rng(mlrepro.seed)" in red
        assert "model.py:6: UnpinnedError" in red
        for below in ("bit_generator", "random.py", "numpy_points"):
            assert below not in red

    def test_a_test_that_swallows_it_fails_all_the_same(self, empty):
        test = """
import numpy as np


def test_careless(mlrepro):
    try:
        np.random.default_rng()
    except BaseException:
        pass
"""
        red = empty.write({"test_c.py": test}).pytest("--mlrepro-guard=fail").red().output
        assert "1 failed" in red
        assert "mlrepro: unpinned randomness: test_c.py:7 default_rng() via numpy (in test_careless)" in red

    def test_set_in_the_project(self, jittery):
        red = guard_is(jittery, "fail").update().red()
        assert "guard fail" in red.output
        assert "test_first did not pass" in red.output

    def test_whatever_a_test_does_the_next_one_finds_all_as_it_was(self, empty):
        test = """
import os
import random
import unittest

import numpy as np
import pytest

BEFORE = np.random.bit_generator.randbits, random._urandom, os.urandom, random.Random.seed.__code__


def test_fails(mlrepro):
    np.random.default_rng()
    raise ValueError("own")


def test_patches(mlrepro, monkeypatch):
    monkeypatch.setattr(np.random.bit_generator, "randbits", lambda k: 7)
    assert np.random.default_rng().random() == np.random.default_rng().random()


@pytest.fixture
def broken(mlrepro):
    random.Random()
    raise ValueError("fixture")


def test_errs(broken):
    pass


class TestOld(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def recorder(self, mlrepro):
        self.mlrepro = mlrepro

    def test_case(self):
        np.random.RandomState()


def test_untouched():
    assert BEFORE == (np.random.bit_generator.randbits, random._urandom, os.urandom, random.Random.seed.__code__)
"""
        output = empty.write({"test_w.py": test}).pytest().red().output
        assert "1 failed, 3 passed, 1 error" in output
        assert [line.split()[2] for line in told(output)] == ["test_w.py:13", "test_w.py:24", "test_w.py:38"]


class TestPinning:
    @pytest.fixture
    def pinned(self, jittery):
        ran = jittery.update("--mlrepro-guard=pin").ok()
        assert told(ran.output) == [
            "pinned randomness: model.py:6 default_rng() via numpy, in 2 tests",
            "pinned randomness: test_m.py:16 random.Random(), in 1 test",
        ]
        return jittery

    @pytest.mark.parametrize("arguments", [*BOTH, ("-k", "second"), ("-p", "randomly")])
    def test_what_nobody_has_seeded_repeats(self, pinned, arguments):
        if "randomly" in arguments:
            pytest.importorskip("pytest_randomly")
        pinned.check("--mlrepro-guard=pin", *arguments).ok()

    def test_another_base_seed_gives_other_numbers(self, pinned):
        red = pinned.check("--mlrepro-guard=pin", "--mlrepro-seed=1").red()
        assert "results.jitter" in red.drifts()
        assert "guard" not in "".join(red.suspects("results.jitter"))

    def test_without_it_the_results_drift(self, pinned):
        assert (
            "--mlrepro-guard=pin"
            in pinned.edit("model.py", ".random()", ".normal()").check("--mlrepro-guard=pin").output
        )
        assert pinned.check().red().suspects("results.jitter")[0] == "guard: model.py:6"

    def test_one_site_at_a_time(self, pinned):
        matters = pinned.setenv(MLREPRO_GUARD_VARY='{"model.py:6": 1}')
        assert matters.check("--mlrepro-guard=pin").red().drifts() == {"results.jitter"}
        harmless = pinned.setenv(MLREPRO_GUARD_VARY='{"test_m.py:16": 1}')
        harmless.check("--mlrepro-guard=pin").ok()
