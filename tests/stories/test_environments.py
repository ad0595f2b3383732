"""Several environments in one lockfile: each green on what it accepted, red on its own drift."""

from __future__ import annotations

import difflib

import pytest

MODEL = """
import os

import numpy as np


def test_one(mlrepro):
    mlrepro.settings({"depth": int(os.environ.get("DEPTH", 3))}, name="tree")
    mlrepro.metric("f1", float(os.environ.get("F1", 0.9)))
    mlrepro.metric("loss", 0.25)
    mlrepro.metric("norm", float(np.linalg.norm(np.arange(5.0))))


def test_other(mlrepro):
    mlrepro.metric("auc", 0.5)
"""
OTHER_KERNEL = {"OPENBLAS_CORETYPE": "Haswell"}


@pytest.fixture
def laptop(empty):
    """A project that was accepted on a laptop."""
    project = empty.write({"test_one.py": MODEL}).setenv(MLREPRO_ENVIRONMENT="laptop")
    project.update().ok()
    return project


@pytest.fixture
def both(laptop):
    """The same, accepted in CI too, where one result and the machine are others."""
    project = laptop.setenv(MLREPRO_ENVIRONMENT="ci", F1="0.91", **OTHER_KERNEL)
    project.update().ok()
    return project


def as_laptop(project, **variables):
    kept = {name: value for name, value in project.environment.items() if name not in ("F1", *OTHER_KERNEL)}
    return type(project)(project.root, project.tmp, {**kept, "MLREPRO_ENVIRONMENT": "laptop", **variables})


def added(before: str, after: str) -> list[str]:
    """The lines that came; none may have gone."""
    found = [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "+-"]
    assert all(line.startswith("+ ") for line in found), found
    return [line[2:] for line in found if line[2:]]


def test_each_is_green_on_its_own_and_red_on_its_own_drift(both):
    here = as_laptop(both)
    assert here.check().ok().report["environment"]["name"] == "laptop"
    assert ", environment ci\n" in both.check().ok().output
    assert both.setenv(F1="0.9").check().red().drifts() == {"results.f1"}
    red = as_laptop(both, F1="0.91").check().red()
    assert red.drifts() == {"results.f1"}
    assert "0.9 -> 0.91" in red.output
    kernel = as_laptop(both, **OTHER_KERNEL).check().red()
    assert kernel.drifts() == {"libraries.env.OPENBLAS_CORETYPE"}


def test_the_diff_of_an_update_shows_one_environment_only(laptop):
    before = (laptop.root / "mlrepro.lock").read_text()
    result = laptop.setenv(MLREPRO_ENVIRONMENT="ci", F1="0.91").update().ok()
    before = before.replace('lock-version = "1.0"', 'lock-version = "1.1"')
    assert added(before, result.lockfile) == [
        '    "ci",',
        '["test_one.py::test_one".environments.ci.results]',
        "f1 = 0.91",
    ]


def test_an_update_in_one_leaves_the_other_as_it_was(both):
    before = both.check("-v").ok()
    deeper = as_laptop(both, DEPTH="5", F1="0.95")
    result = deeper.update().ok()
    assert "for laptop (ci: compared with the same as before)" in result.output
    deeper.check().ok()
    again = both.check("-v").ok()
    assert again.report["counts"] == before.report["counts"]
    # Once the change has come to the other one too, it is stored once.
    both.setenv(DEPTH="5", F1="0.95").update().ok()
    text = (both.root / "mlrepro.lock").read_text()
    assert text.count("f1 = 0.95") == text.count('"tree.depth" = 5') == 1
    assert '"test_one.py::test_one".environments' not in text


def test_one_that_is_not_recorded_is_compared(both):
    stranger = as_laptop(both, MLREPRO_ENVIRONMENT="edge", OMP_NUM_THREADS="1", OPENBLAS_CORETYPE="Nehalem")
    green = stranger.check().ok()
    assert (
        "environment edge is not recorded in mlrepro.lock (ci, laptop): results were compared" in green.output
    )
    assert "add it with: pytest --mlrepro-update" in green.output
    assert green.report["environment"]["name"] == "edge"
    assert not green.report["environment"]["recorded"]
    assert "libraries.env.OPENBLAS_CORETYPE" in green.drifts("note")
    red = stranger.setenv(F1="0.5").check().red()
    assert red.drifts() == {"results.f1"}


def test_one_that_is_not_recorded_may_be_refused(both):
    strict = as_laptop(both).write(
        {"pyproject.toml": '[tool.mlrepro]\nunknown_environment = "fail"\nenvironment = "laptop"\n'}
    )
    strict.check().ok()
    stranger = strict.setenv(MLREPRO_ENVIRONMENT="edge")
    red = stranger.check().red()
    assert "mlrepro: environment edge is not recorded in mlrepro.lock" in red.output
    assert "Run this in it, review and commit mlrepro.lock: pytest --mlrepro-update" in red.output
    stranger.update().ok()
    stranger.check().ok()


def test_who_names_it(laptop):
    named = laptop.write({"pyproject.toml": '[tool.mlrepro]\nenvironment = "of-the-file"\n'})
    unnamed = type(named)(named.root, named.tmp, {})
    assert "environment of-the-file (not recorded yet)" in unnamed.check().ok().output
    assert ", environment laptop\n" in named.check().ok().output
    result = named.check("--mlrepro-environment=of-the-option").ok()
    assert "environment of-the-option (not recorded yet)" in result.output
    assert "pytest --mlrepro-update --mlrepro-environment=of-the-option" in result.output
    wrong = named.check("--mlrepro-environment=a b").red(4)
    assert "--mlrepro-environment: 'a b' is no name of an environment" in wrong.output
    assert (
        "MLREPRO_ENVIRONMENT: '../x' is no name"
        in named.setenv(MLREPRO_ENVIRONMENT="../x").check().red(4).output
    )


@pytest.mark.slow
def test_workers_write_the_same_bytes(both):
    text = (both.root / "mlrepro.lock").read_text()
    fresh = both.remove("mlrepro.lock")
    as_laptop(fresh).update("-n", "2").ok()
    assert fresh.update("-n", "2").ok().lockfile == text


def test_they_are_shown_side_by_side(both):
    shown = both.command("show", "--environments", "--facet", "results").ok().output
    assert shown.splitlines() == [
        "environments: ci, laptop",
        "test_one.py::test_one",
        "  results.f1",
        "    laptop  0.9",
        "    ci      0.9 -> 0.91 (+0.01, +1.11 %), beyond rounding: 1.1e+07 x the tolerance (rtol 1e-09)",
        "1 result and 0 other facts differ, 3 facts the same in all",
    ]
    machine = both.command("show", "session", "--environments").ok().output
    assert "libraries.env.OPENBLAS_CORETYPE" in machine


NETWORK = """
import torch
from sklearn.datasets import load_digits

torch.set_num_threads(1)


def test_network(mlrepro):
    X, y = load_digits(return_X_y=True)
    X, y = torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y)
    net = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.Tanh(), torch.nn.Linear(64, 10))
    optimiser = torch.optim.SGD(net.parameters(), lr=0.5, momentum=0.9)
    for _ in range(40):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(X), y)
        loss.backward()
        optimiser.step()
    mlrepro.metric("loss", loss.item(), rtol=1e-9, better="lower")
    mlrepro.metric("accuracy", (net(X).argmax(1) == y).float().mean().item())
"""


@pytest.mark.slow
def test_an_instruction_set_that_moves_a_network_has_its_own_results(empty):
    pytest.importorskip("torch")
    here = empty.write({"test_network.py": NETWORK}).setenv(MLREPRO_ENVIRONMENT="here", OMP_NUM_THREADS="1")
    there = here.setenv(MLREPRO_ENVIRONMENT="there", ATEN_CPU_CAPABILITY="default")
    here.update().ok()
    assert "results.loss" in there.check().red().drifts()
    there.update().ok()
    assert there.check().ok().report["counts"]["rounding"] == 0
    assert here.check().ok().report["counts"]["rounding"] == 0
    shown = here.command("show", "--environments", "--facet", "results").ok().output
    assert "results.loss" in shown
    assert "1 other fact" not in shown
    # Each is red where the other is green.
    assert "results.loss" in here.setenv(ATEN_CPU_CAPABILITY="default").check().red().drifts()
