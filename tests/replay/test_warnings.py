"""A replay gives no warnings of its own."""

from __future__ import annotations

from pytest_mlrepro.replay import Change, Replayer


def test_projects_whose_warnings_are_errors_can_be_replayed(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\nfilterwarnings = ['error']\n")
    (tmp_path / "test_m.py").write_text("def test_m(mlrepro):\n    mlrepro.metric('f1', 0.5)\n")
    with Replayer(tmp_path, [], cache=None) as replayer:
        made = replayer.replay(Change(options=("-p", "no:randomly")))
    assert (made.problem, made.witness.outcomes["test_m.py::test_m"].ending) == ("", "passed")
