"""Other distributions add facets and seeders by entry points."""

from __future__ import annotations

import importlib.metadata
from importlib.metadata import EntryPoint

import pytest

from pytest_mlrepro import facets
from pytest_mlrepro.errors import ConfigError

ENERGY = """
import os

from pytest_mlrepro.facets import Facet
from pytest_mlrepro.model import Fact


class Energy(Facet):
    name = "energy"

    def capture(self, key, joules):
        return (Fact(self.name, key, joules),)


class Dice:
    value = None


def seed_dice(seed):
    Dice.value = seed
"""
POINTS = "[mlrepro.facets]\nenergy = energy:Energy\n\n[mlrepro.seeders]\ndice = energy:seed_dice\n"
TEST = """
from energy import Dice


def test_one(mlrepro):
    mlrepro.energy("training", 42.5)
    assert Dice.value == mlrepro.seed
"""


@pytest.fixture
def extended(empty, tmp_path):
    info = tmp_path / "site" / "energy-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: energy\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    (tmp_path / "site" / "energy.py").write_text(ENERGY)
    return empty.write({"test_e.py": TEST}).setenv(PYTHONPATH=str(tmp_path / "site"))


def test_a_facet_of_another_distribution(extended):
    assert '["test_e.py::test_one".energy]\ntraining = 42.5\n' in extended.update().ok().lockfile
    extended.check("--mlrepro-only=energy").ok()
    red = extended.edit("test_e.py", "42.5", "50.0").check().red()
    assert red.drifts() == {"energy.training"}
    assert "42.5 -> 50.0" in red.output
    noted = extended.write({"pyproject.toml": '[tool.mlrepro.policy]\nenergy = "note"\n'})
    noted.edit("test_e.py", "42.5", "50.0").check().ok()


def test_without_it_its_lockfile_is_refused(extended):
    extended.update().ok()
    said = extended.setenv(PYTHONPATH="").check().red(4)
    assert "energy" in said.output


def test_a_broken_entry_point_is_named(extended, tmp_path):
    points = tmp_path / "site" / "energy-1.0.dist-info" / "entry_points.txt"
    points.write_text(POINTS.replace("seed_dice", "no_such"))
    said = extended.check().red(4)
    assert "no_such" in said.output
    assert "dice" in said.output
    assert "Traceback" not in said.output


@pytest.mark.parametrize(
    ("point", "said"),
    [
        ("energy:Engine", "the facet 'energy' of entry point 'energy:Engine' cannot be loaded: "),
        ("energi:Energy", "No module named 'energi'\nuninstall or mend the distribution that brings it"),
        ("energy:Dice", "the entry point 'energy:Dice' is not a subclass of pytest_mlrepro.facets.Facet"),
    ],
)
def test_a_facet_that_cannot_be_used_is_told(point, said, monkeypatch, tmp_path):
    (tmp_path / "energy.py").write_text(ENERGY)
    monkeypatch.syspath_prepend(tmp_path)
    points = [EntryPoint("energy", point, "mlrepro.facets")]
    monkeypatch.setattr(
        importlib.metadata, "entry_points", lambda group: points if group == "mlrepro.facets" else []
    )
    with pytest.raises(ConfigError) as error:
        facets.further_facets.__wrapped__()
    assert said in str(error.value)
