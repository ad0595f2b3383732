"""Pictures of a history: which numbers are drawn, and that they are the same each time."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from pytest_mlrepro.errors import ConfigError, MissingExtraError
from pytest_mlrepro.history.changes import Change
from pytest_mlrepro.history.commits import Commit
from pytest_mlrepro.history.timeline import Step
from pytest_mlrepro.model import Drift, Fact, Tolerance
from pytest_mlrepro.report import plots
from pytest_mlrepro.report.evolution import Entry, Line

TEST = "tests/test_a.py::test"


def entry(number, values=None, *, gap=""):
    commit = Commit(f"{number:040x}", (), "2026-01-01T00:00:00+00:00", "Ada", "x")
    lines = tuple(
        Line(
            Change(
                Drift(
                    subject,
                    "results",
                    key,
                    "changed",
                    None,
                    None if value is None else Fact("results", key, value),
                )
            ),
            subject,
        )
        for (subject, key), value in (values or {}).items()
    )
    return Entry(Step(commit, gap=gap), lines)


HISTORY = [
    entry(5, {(TEST, "f1"): 0.7, (TEST, "name"): "x"}),
    entry(4, gap="broken"),
    entry(3, {(TEST, "f1"): None}),
    entry(2, {(TEST, "f1"): 0.6, (TEST, "n"): 3}),
    entry(1, {(TEST, "f1"): 0.5, (TEST, "name"): "y", (TEST, "flag"): True, (TEST, "bad"): math.inf}),
]


def test_the_numbers_are_drawn_oldest_first():
    f1, n = plots.series([entry(6), *HISTORY], Tolerance(rtol=0.1, atol=0.0))
    assert f1.name == f"{TEST} results.f1"
    assert f1.places == [0, 1, 2, 3, 4, 5]
    assert repr(f1.values) == "[0.5, 0.6, nan, nan, 0.7, 0.7]"
    assert f1.widths[:2] == [pytest.approx(0.05), pytest.approx(0.06)]
    assert f1.accepted == [0, 1, 2, 4]
    # What a broken version interrupts goes on after it.
    assert (n.places, repr(n.values), n.accepted) == ([1, 2, 3, 4, 5], "[3.0, 3.0, nan, 3.0, 3.0]", [0])


def test_the_picture(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "x.svg"
    assert plots.draw(path, HISTORY, Tolerance()) == (2, 0)
    first = path.read_bytes()
    root = ElementTree.fromstring(first)
    text = " ".join(root.itertext())
    assert f"{TEST} results.f1" in text
    assert {"0000000"} == set(re.findall(r"\b[0-9a-f]{7}\b", text))
    plots.draw(path, HISTORY, Tolerance())
    assert path.read_bytes() == first


def test_names_are_text(tmp_path):
    pytest.importorskip("matplotlib")
    odd = "t.py::</text><script>alert(1)</script> $\\frac{$ \x1b \U0001f980"
    path = tmp_path / "x.svg"
    plots.draw(path, [entry(1, {(odd, "f1"): 0.5})], Tolerance())
    root = ElementTree.fromstring(path.read_bytes())
    assert not [each for each in root.iter() if each.tag.endswith("script")]
    assert "</text><script>alert(1)</script> $\\frac{$ \\x1b" in " ".join(root.itertext())


def test_too_many_facts_for_one_picture(tmp_path):
    pytest.importorskip("matplotlib")
    many = [entry(1, {(TEST, f"k{number}"): number for number in range(14)})]
    assert plots.draw(tmp_path / "x.png", many, Tolerance()) == (12, 2)
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_nothing_to_draw(tmp_path):
    with pytest.raises(ConfigError, match="none of these facts is a number"):
        plots.draw(tmp_path / "x.svg", [entry(1, {(TEST, "f1"): "text"})], Tolerance())


def test_a_folder_that_is_not_there(tmp_path):
    pytest.importorskip("matplotlib")
    with pytest.raises(ConfigError, match="cannot be written"):
        plots.draw(tmp_path / "no" / "x.svg", HISTORY, Tolerance())


def test_without_matplotlib(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError) as caught:
        plots.check(tmp_path / "x.svg")
    assert str(caught.value) == (
        "--plot: it takes matplotlib, which is not installed\npip install 'pytest-mlrepro[plot]'"
    )


def test_no_window_can_be_opened(tmp_path):
    pytest.importorskip("matplotlib")
    code = (
        "import sys; from pytest_mlrepro.report import plots\n"
        "assert 'matplotlib' not in sys.modules\n"
        "from pytest_mlrepro.history.changes import Change\n"
        "from pytest_mlrepro.history.commits import Commit\n"
        "from pytest_mlrepro.history.timeline import Step\n"
        "from pytest_mlrepro.model import Drift, Fact, Tolerance\n"
        "from pytest_mlrepro.report.evolution import Entry, Line\n"
        "from pathlib import Path\n"
        "drift = Drift('t', 'results', 'f1', 'added', None, Fact('results', 'f1', 0.5))\n"
        "line = Line(Change(drift), 't')\n"
        "step = Step(Commit('0' * 40, (), '', '', ''))\n"
        "plots.draw(Path('x.svg'), [Entry(step, (line,))], Tolerance())\n"
        "print('matplotlib.pyplot' in sys.modules)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "False\n"


@pytest.mark.parametrize("value", [10**400, True, "a", math.inf])
def test_what_is_no_number_for_a_plot_is_a_gap(value):
    assert math.isnan(plots._number(Fact("results", "x", value)))
