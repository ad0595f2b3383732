"""Runs, and the reports on them, to be drawn."""

from __future__ import annotations

from types import SimpleNamespace

from pytest_mlrepro.balance import contrast
from pytest_mlrepro.bands import Band
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.guard import Sightings, Site
from pytest_mlrepro.model import SESSION, Fact, Run, Tolerance, by_address
from pytest_mlrepro.report import machine
from pytest_mlrepro.report.page import Point

TEST = "tests/test_model.py::test_f1"
OTHER = "tests/test_other.py::test_loss"
NAMES = SimpleNamespace(test=TEST, metric="f1", setting="depth", text="text", label="cat")


def runs(names=NAMES):
    """The accepted run and the present one: something of everything that a page shows."""
    before = {
        names.test: [
            Fact("results", names.metric, 0.95, better="higher", band=Band(0.94, 0.96, 0.95, 0.01, 20)),
            Fact("results", "loss", 1.0, better="lower"),
            Fact("results", "same", 0.5),
            Fact("results", "trees", 50),
            Fact("results", "matrix", ((9, 1), (0, 10)), detail={"classes": (names.label, "other")}),
            Fact("results", "probabilities", (0.1, 0.2, 0.3)),
            Fact("results", "gone", names.text),
            Fact("settings", names.setting, 3),
            Fact("settings", "text", names.text),
            Fact("source", "train", "mlr1:a"),
        ],
        OTHER: [Fact("results", "loss", 0.25, tolerance=Tolerance(0.1, 0.0))],
        SESSION: [Fact("libraries", "numpy", "2.0"), Fact("libraries", "cpu.model", "A")],
    }
    now = {
        names.test: [
            Fact("results", names.metric, 0.75, better="higher"),
            Fact("results", "loss", 1.0 + 1e-10, better="lower"),
            Fact("results", "same", 0.5),
            Fact("results", "trees", 50),
            Fact("results", "matrix", ((8, 2), (0, 10)), detail={"classes": (names.label, "other")}),
            Fact("results", "probabilities", (0.1, 0.25, 0.2)),
            Fact("results", "added", 7),
            Fact("settings", names.setting, 4),
            Fact("settings", "text", names.text),
            Fact("source", "train", "mlr1:b"),
        ],
        OTHER: [Fact("results", "loss", 0.25, tolerance=Tolerance(0.1, 0.0))],
        SESSION: [
            Fact("libraries", "numpy", "2.1", detail={"note": names.text}),
            Fact("libraries", "cpu.model", "B"),
        ],
    }
    return tuple(Run({name: by_address(facts) for name, facts in side.items()}) for side in (before, now))


def report(names=NAMES, **terms):
    """The report on it."""
    before, now = runs(names)
    agreed = Terms(before, environment=names.text, **terms)
    sightings = Sightings()
    sightings.add(names.test, (Site(names.text, 3, names.text, "default_rng()", names.text),))
    return machine.document(
        contrast(now, agreed),
        agreed,
        exitstatus=1,
        sightings=sightings,
        lockfile=names.text,
        accept=names.text,
        headline=names.text,
        context={names.text: names.text},
    )


def history(names=NAMES):
    """What the first metric was."""
    values = (0.9, 0.93, None, "nan", 0.95)
    return {
        (names.test, f"results.{names.metric}"): tuple(
            Point(f"{index}{names.text}", names.text, names.text, value) for index, value in enumerate(values)
        )
    }
