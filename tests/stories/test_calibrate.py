"""A seed decides how good a model gets: calibrated, another random stream is green, and a worse model is not."""

from __future__ import annotations

import pytest
import tomli

MODEL = """
import numpy as np


def train(x, y, seed):
    \"\"\"The mean of ridge regressions on random thirds of the rows.\"\"\"
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(8):
        rows = generator.choice(len(x), size=len(x) // 3)
        found.append(np.linalg.solve(x[rows].T @ x[rows] + 1e-3 * np.eye(x.shape[1]), x[rows].T @ y[rows]))
    return np.mean(found, axis=0)
"""
TESTS = """
import numpy as np
from model import train


def test_model(mlrepro):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(300, 6))
    y = x @ np.arange(1.0, 7.0) + generator.normal(size=300)
    weights = train(x[:200], y[:200], mlrepro.seed)
    error = np.abs(x[200:] @ weights - y[200:])
    mlrepro.metric("mae", error.mean(), better="lower")
    mlrepro.metric("sharp", error.mean(), rtol=1e-9)
    mlrepro.metric("rows", 300)
"""


@pytest.fixture
def project(empty, tmp_path):
    project = empty.write({"model.py": MODEL, "test_model.py": TESTS, "conftest.py": ""})
    (project.root / "pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = ["."]\n')
    return project.setenv(MLREPRO_CACHE=str(tmp_path / "cache"), OMP_NUM_THREADS="1")


def fact(result, key):
    (facts,) = [each["results"] for name, each in tomli.loads(result.lockfile).items() if "::" in name]
    return facts[key]


def test_a_band_lets_another_stream_pass_and_a_worse_model_not(project):
    project.update().ok()
    accepted = project.command("calibrate", "--accept", "--runs", "5").ok()
    assert "calibrated over 5 runs, base seeds 1-5" in accepted.output
    assert "test_model.py::test_model: rows (whole number)" in accepted.output
    assert "sharp: the test's own tolerance (rtol 1e-09, atol 0) wins over the band" in accepted.output
    assert "2 bands in mlrepro.lock; the accepted values stay" in accepted.output
    stored = fact(accepted, "mae")
    assert (stored["band"]["base"], len(stored["band"]["values"])) == ("1-5", 5)

    another = project.edit("model.py", "default_rng(seed)", "default_rng([seed, 1])")
    green = another.check("-v").red()
    assert green.drifts() == {"results.sharp"}
    assert green.report["counts"]["band"] == 1
    assert "within the calibrated band (5 seeds," in green.output

    worse = another.edit("model.py", "1e-3 * np.eye", "40 * np.eye")
    red = worse.check().red()
    assert red.drifts() == {"results.mae", "results.sharp"}
    assert "outside the calibrated band (5 seeds," in red.output


CANCER = {
    "pyproject.toml": (
        '"libraries.*.*" = "note"\n',
        '"libraries.*" = "note"\n"results.probabilities" = "note"\n"results.test.confusion_matrix" = "note"\n',
    ),
}
STREAM = ("distinct_columns(X))", "distinct_columns(X)[::-1])")
NOISE = (
    "    return make_pipeline(",
    "    y = np.where(np.random.default_rng(seed).random(len(y)) < 0.25, 1 - y, y)\n    return make_pipeline(",
)


@pytest.mark.slow
def test_a_recheck_adjudicates_what_one_run_cannot(copy_of, tmp_path):
    project = copy_of("breast_cancer").setenv(MLREPRO_CACHE=str(tmp_path / "cache"), OMP_NUM_THREADS="1")
    for name, (old, new) in CANCER.items():
        project = project.edit(name, old, new)
    test = "tests/test_model.py::test_forest"
    project.update("--mlrepro-only=libraries").ok()
    accepted = project.command("calibrate", test, "--accept").ok()
    assert "5 bands in mlrepro.lock; the accepted values stay" in accepted.output
    project.check(test).ok()

    another = project.edit("cancer/train.py", *STREAM)
    green = another.check(test, "-v").ok()
    assert green.report["counts"]["band"] > 0
    assert "within the calibrated band (20 seeds," in green.output
    held = another.command("calibrate", test, "--recheck").ok()
    assert "no metric got worse" in held.output
    assert " drift " not in held.output

    noisy = another.edit("cancer/train.py", *NOISE)
    moved = noisy.command("calibrate", test, "--recheck").red()
    assert "this is no other seed, it is another model" in moved.output
    assert any(
        line.split()[1:2] == ["drift"] and line.endswith("worse") for line in moved.output.splitlines()
    )

    # Who accepts a value that lies outside of its band loses the band.
    taken = noisy.update(test).ok()
    assert ("its calibrated band is dropped" in taken.output) == (taken.lockfile.count("band = {") < 5)
