"""The commits between two, with the files that each of them changed."""

from __future__ import annotations

import pytest
from history.repositories import Script

from pytest_mlrepro.replay import Checkouts


@pytest.fixture
def made(tmp_path):
    script = Script()
    script.commit({"pyproject.toml": "", "a.py": "1"})
    script.commit({"a.py": "2", "two words.csv": "x", "sub/ü.py": "x"})
    script.commit({"side.py": "1"}, parents=[2], branch="side")
    script.commit({"a.py": "3"}, parents=[2])
    script.commit({"side.py": "1"}, parents=[4, 3])
    script.commit({})
    script.commit({}, move=[("a.py", "b.py")])
    names = script.make(tmp_path / "project")
    with Checkouts(tmp_path / "project") as checkouts:
        yield names, checkouts


def test_along_the_first_parents(made):
    names, checkouts = made
    assert checkouts.touched(names[1], names[7]) == (
        (names[2], ("a.py", "sub/ü.py", "two words.csv")),
        (names[4], ("a.py",)),
        (names[5], ("side.py",)),
        (names[6], ()),
        (names[7], ("a.py", "b.py")),
    )
    assert [name for name, _ in checkouts.touched(names[1], names[7])] == [
        *checkouts.between(names[1], names[7])
    ]
    assert checkouts.touched(names[7], names[7]) == ()
