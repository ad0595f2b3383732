"""What is red, what is green, and what the reader is told to do."""

from __future__ import annotations

import pytest

ONE = """
import os

import pytest


{mark}
def test_one(mlrepro):
    mlrepro.metric('a', float(os.environ.get('A', '1')))
{more}
"""


@pytest.fixture
def one(empty):
    return empty.write({"test_one.py": ONE.format(mark="", more="")})


@pytest.mark.parametrize("options", [("--mlrepro-lockfile=gpu.lock",), ("--mlrepro-seed=5",)])
def test_the_command_that_accepts_repeats_what_it_needs(one, options):
    one.update(*options).ok()
    red = one.setenv(A="2").check(*options).red()
    command = next(line for line in red.output.splitlines() if line.startswith("accept it with: pytest "))
    arguments = command.removeprefix("accept it with: pytest ").split()
    assert set(options) <= set(arguments)
    one.setenv(A="2").pytest(*arguments).ok()
    one.setenv(A="2").check(*options).ok()


def test_an_expected_failure_fails_nothing(empty):
    marked = ONE.format(mark="@pytest.mark.xfail", more="    assert False\n")
    project = empty.write({"test_one.py": marked})
    for environment in ({}, {"A": "2"}):
        ran = project.setenv(**environment).check().ok()
        assert ran.report["verdict"] == "reproduced"
        assert "not reproduced" not in ran.output


def test_a_model_that_was_not_returned_is_said(empty):
    said = empty.write({"test_m.py": "def test_m(mlrepro):\n    mlrepro.model('m', None)\n"}).update().red()
    assert "model 'm' is of type NoneType, which is no model" in said.output
    assert "did the function that trains it return it?" in said.output


def test_a_guarded_import_of_what_cannot_be_parsed_is_no_ones_business(empty):
    test = """
try:
    import legacy
except SyntaxError:
    legacy = None


def test_one(mlrepro):
    mlrepro.metric("a", 1)
"""
    project = empty.write(
        {
            "test_g.py": test,
            "legacy.py": 'print "of another time"\n',
            "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\n',
        }
    )
    project.update().ok()
    project.check().ok()


def test_a_fixture_that_is_called_like_a_test_keeps_its_baseline(empty):
    conftest = """
import pytest


@pytest.fixture(scope="session")
def test_data(mlrepro):
    mlrepro.metric("rows", 3)
"""
    test = """
import os

import pytest


def test_one(request):
    if "SKIP" in os.environ:
        pytest.skip()
    request.getfixturevalue("test_data")
"""
    project = empty.write({"conftest.py": conftest, "test_one.py": test})
    before = project.update().ok().lockfile
    ran = project.setenv(SKIP="1").update().ok()
    assert "stale" not in ran.output
    assert ran.lockfile == before


def test_a_marker_sets_tolerance_seed_and_policy(empty):
    loose = ONE.format(mark="@pytest.mark.mlrepro(rtol=0.1)", more="")
    project = empty.write({"test_one.py": loose})
    project.update().ok()
    assert project.setenv(A="1.05").check().ok().report["counts"]["rounding"] == 1
    assert project.setenv(A="1.2").check().red().drifts() == {"results.a"}
    noted = project.edit("test_one.py", "rtol=0.1", "policy={'results.a': 'note'}")
    assert noted.setenv(A="1.2").check().ok().drifts("note") == {"results.a"}
    seeded = project.edit("test_one.py", "rtol=0.1", "rtol=0.1, seed=3")
    red = seeded.check().red()
    assert red.drifts() == {"randomization.seed"}
    assert "base seed 0 -> 3" in red.output


def test_a_policy_of_the_project(one):
    one.update().ok()
    ignored = one.write(
        {"pyproject.toml": "[tool.mlrepro.policy]\nresults = 'ignore'\n'results.b' = 'fail'\n"}
    )
    assert ignored.setenv(A="2").check().ok().report["drifts"] == []


LADDER = """
import os

import numpy as np


def test_one(mlrepro):
    noise, seed, flip, turn = (float(os.environ.get(name, 0)) for name in ("NOISE", "SEED", "FLIP", "TURN"))
    truth = np.arange(600) % 3
    predicted = truth.copy()
    predicted[: int(flip)] = (predicted[: int(flip)] + 1) % 3
    mlrepro.metric("loss", 0.5 + noise)
    mlrepro.metric("auc", np.float32(0.25))
    mlrepro.metric("score", 0.94 + seed)
    # All move together: each by 0.8 of its tolerance with the noise of these tests.
    mlrepro.array("scores", np.linspace(0.5, 1.0, 1000, dtype=np.float32) * np.float32(1 + 8e6 * noise))
    mlrepro.array("axes", np.array([[0.6, -0.8], [0.8, 0.6]]) * (-1 if turn else 1), up_to_sign=True)
    mlrepro.array("predictions", predicted)
    mlrepro.classification(truth, predicted)


def test_the_same_bits(mlrepro):
    mlrepro.metric("loss", 1.0, rtol=0, atol=0)
"""


BAND = "score = { value = 0.94, band = { high = 0.958, low = 0.922, mean = 0.94, sd = 0.006, seeds = 20 } }"


@pytest.fixture
def calibrated(empty):
    project = empty.write({"test_one.py": LADDER})
    project.update().ok()
    return project.edit("mlrepro.lock", "score = 0.94", BAND).edit("mlrepro.lock", '"1.0"', '"1.1"')


def test_noise_is_green_and_told(calibrated):
    green = calibrated.setenv(NOISE="1e-12", SEED="0.01", TURN="1").check("-v").ok()
    assert (green.report["counts"]["rounding"], green.report["counts"]["band"]) == (2, 1)
    assert ", 2 within rounding, 1 within the band" in green.output
    assert "within the calibrated band (20 seeds, 0.94 +- 0.006)" in green.output
    assert [(each["key"], each["rung"]) for each in green.report["agreements"]] == [
        ("loss", "rounding"),
        ("score", "band"),
        ("scores", "rounding"),
    ]


@pytest.mark.slow
def test_a_band_stays_until_another_value_is_accepted(calibrated):
    before = (calibrated.root / "mlrepro.lock").read_text()
    assert calibrated.setenv(NOISE="1e-12", SEED="0.01").update().ok().lockfile == before
    assert BAND in calibrated.setenv(NOISE="0.1").update().ok().lockfile

    changed = calibrated.setenv(NOISE="0.1", SEED="0.02", FLIP="2")
    red = changed.check().red()
    names = ("accuracy", "confusion_matrix", "f1", "precision", "predictions", "recall", "score")
    assert red.drifts() == {f"results.{name}" for name in names}
    assert "outside the calibrated band (20 seeds, 0.94 +- 0.006)" in red.output
    assert "prediction churn: 2 of 600 labels (0.33 %), at 0, 1: 0 -> 1, 1 -> 2" in red.output
    assert "2 of 600 more wrong (600 -> 598 correct)" in red.output
    accepted = changed.update().ok()
    assert "its calibrated band is dropped" in accepted.output
    assert "band =" not in accepted.lockfile
    assert 'lock-version = "1.0"' in accepted.lockfile


LARGE = """
import os

import numpy as np
import pytest


def scores():
    return np.linspace(0.5, 1.0, 1000) * (1 + float(os.environ.get("NOISE", 0)))


def test_project(mlrepro):
    mlrepro.array("scores", scores())


@pytest.mark.mlrepro(rtol=1e-2)
def test_marker(mlrepro):
    mlrepro.array("scores", scores())


@pytest.fixture(scope="module")
def fitted(mlrepro):
    return mlrepro.metric("scores", scores())


def test_fixture(fitted):
    pass
"""


@pytest.mark.slow
def test_large_arrays_are_held_to_the_tolerance_of_their_marker_or_project(empty):
    project = empty.write({"test_l.py": LARGE, "pyproject.toml": "[tool.mlrepro]\nrtol = 1e-3\natol = 0.0\n"})
    lockfile = project.update("-n2").ok().lockfile
    assert lockfile.count("sketch = ") == 3
    within = project.setenv(NOISE="9e-4").check("-n2").ok()
    assert within.report["counts"]["rounding"] == 3
    assert project.setenv(NOISE="9e-4").update("-n2").ok().lockfile == lockfile
    red = project.setenv(NOISE="1.1e-3").check("-n2").red()
    assert {drift["subject"] for drift in red.report["drifts"]} == {
        "test_l.py::test_project",
        "test_l.py::fitted",
    }
