"""Another environment lacks what the user's own one imports from the project: it is told where that is."""

from __future__ import annotations

import sys

from pytest_mlrepro.replay import Change, Replayer
from pytest_mlrepro.replay.environments import Environments

TEST = "import mine\n\n\ndef test_value(mlrepro):\n    mlrepro.metric('value', mine.VALUE)\n"


def test_code_below_a_folder_of_the_search_path(tmp_path, monkeypatch):
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    (root / "pyproject.toml").write_text("")
    (root / "src" / "mine.py").write_text("VALUE = 3\n")
    (root / "test_value.py").write_text(TEST)
    monkeypatch.syspath_prepend(root / "src")
    monkeypatch.setattr(Environments, "python", lambda *_: sys.executable)
    with Replayer(root, ["test_value.py"], cache=None) as replayer:
        made = replayer.replay(Change(packages=("numpy",)))
    assert made.problem == ""
    assert made.run.facts("test_value.py::test_value")["results.value"].value == 3
