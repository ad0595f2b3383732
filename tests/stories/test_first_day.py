"""From no baseline to a red run and back, as a new user meets it."""

from __future__ import annotations

import pytest

SMALL = {
    "helpers.py": '"""Helpers."""\n\nFACTOR = 2.0\n\n\ndef scale(value):\n    return FACTOR * value\n',
    "test_model.py": """
import numpy as np
from helpers import scale


def test_mean(mlrepro):
    data = mlrepro.data("train", np.arange(12.0).reshape(4, 3))
    mlrepro.source(scale)
    mlrepro.settings({"depth": 3, "alpha": None})
    mlrepro.metric("mean", scale(data.mean()), better="higher")
""",
}
INI = '[tool.pytest.ini_options]\npythonpath = ["."]\n'


@pytest.fixture
def small(empty):
    return empty.write({**SMALL, "pyproject.toml": INI})


def test_the_whole_way(small):
    missing = small.check().red()
    assert "mlrepro: no baseline for test_model.py::test_mean in mlrepro.lock" in missing.output
    assert "pytest --mlrepro-update test_model.py::test_mean" in missing.output

    created = small.update().ok()
    assert created.report["verdict"] == "updated"
    assert "test_model.py::test_mean: new," in created.output
    assert "updated mlrepro.lock: review and commit it" in created.output

    green = small.check().ok()
    assert green.report["verdict"] == "reproduced"
    assert green.report["counts"]["drifts"] == 0

    changed = small.edit("helpers.py", "FACTOR = 2.0", "FACTOR = 2.5")
    red = changed.check().red()
    assert red.drifts() == {"results.mean"}
    assert red.suspects("results.mean") == ["source.helpers.scale"]
    assert "1 failed" in red.output
    assert "11.0 -> 13.75" in red.output
    assert "helpers.FACTOR changed" in red.output
    assert "as locked: settings (2), randomization" in red.output
    assert "accept it with: pytest --mlrepro-update test_model.py::test_mean" in red.output
    assert "Traceback" not in red.output

    accepted = changed.update().ok()
    assert "results.mean" in accepted.output
    assert "11.0 -> 13.75" in accepted.output
    changed.check().ok()


def test_off_nothing_is_recorded_but_seeds_are_pinned(small):
    off = (
        small.write(
            {
                "test_seed.py": """
import random

import numpy as np


def test_draws(mlrepro, mlrepro_seed):
    first = (random.random(), np.random.rand())
    mlrepro.metric("nonsense", object())
    mlrepro.pin(mlrepro_seed)
    assert (random.random(), np.random.rand()) == first
    assert mlrepro.seed == mlrepro_seed
    assert mlrepro.rng.random() == np.random.default_rng(mlrepro_seed).random()


def test_libraries(mlrepro_libraries):
    assert mlrepro_libraries["numpy"] == np.__version__


def test_fingerprint(mlrepro_fingerprint):
    assert mlrepro_fingerprint(np.zeros(3)) == mlrepro_fingerprint(np.zeros(3))
"""
            }
        )
        .pytest()
        .ok()
    )
    assert "mlrepro:" not in off.output
    assert not (off.project.root / "mlrepro.lock").exists()


def test_a_check_writes_nothing(small):
    before = small.update().ok()
    again = before.project.check().ok()
    assert again.lockfile == before.lockfile
    assert before.project.update().ok().lockfile == before.lockfile


def test_the_header_says_what_is_done(small):
    small.update().ok()
    output = small.check().ok().output
    assert "mlrepro: check, mlrepro.lock (2 subjects), seed 0, environment " in output
