"""Another working folder changes nothing but that."""

from __future__ import annotations

from pathlib import Path

from pytest_mlrepro.replay import Change, Replayer

TEST = """
from pathlib import Path

import helper

AT_IMPORT = Path.cwd()


def test_m(mlrepro):
    mlrepro.metric("folders", [Path.cwd().name, AT_IMPORT.name])
"""


def test_the_same_tests_are_collected_from_the_same_places(tmp_path, monkeypatch):
    (tmp_path / "tests").mkdir()
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\ntestpaths = ['tests']\n")
    (tmp_path / "test_elsewhere.py").write_text("import nowhere\n")
    (tmp_path / "tests" / "test_m.py").write_text(TEST)
    # As it is found from the project's folder.
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "helper.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", "lib")
    with Replayer(tmp_path, [], cache=None) as replayer:
        made = replayer.replay(Change(elsewhere=True, options=("-p", "no:randomly")))
    assert made.problem == ""
    assert [*made.witness.outcomes] == ["tests/test_m.py::test_m"]
    assert made.run.facts("tests/test_m.py::test_m")["results.folders"].value == ("elsewhere", "elsewhere")
    assert Path.cwd() == tmp_path
