"""Mistakes that were said to a thread or a forked process."""

from __future__ import annotations

import pytest

from pytest_mlrepro.strays import Strays


@pytest.mark.parametrize("said", ["recorded twice", "Größe\nµ", "half a pair \ud800"])
def test_the_first_one_is_kept_until_it_is_taken(said):
    strays = Strays()
    assert strays.take() == ""
    strays.add(said)
    strays.add("another")
    assert strays.take() == said.encode("utf-8", "backslashreplace").decode()
    assert strays.take() == ""
    strays.add("another")
    assert strays.take() == "another"


def test_a_long_one_is_cut():
    strays = Strays()
    strays.add("µ" * 100_000)
    taken = strays.take()
    assert 1000 < len(taken) < 100_000
    assert taken.startswith("µµµ")
