"""A report fits into its size, and says what it left out."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.report.parts import Part, fitted

HEAD = ("| a |", "| --- |")
ROWS = tuple(f"| {number:03} |" for number in range(100))
LEFT = "`--mlrepro-report=out.json` lists all"


def test_parts_stand_one_after_the_other():
    parts = [Part("first"), Part(), Part("opening", HEAD, ROWS[:2], "closing"), Part("last")]
    assert fitted(parts, 1000) == (
        "first\n\nopening\n\n| a |\n| --- |\n| 000 |\n| 001 |\n\nclosing\n\nlast\n"
    )


def test_long_lists_are_cut():
    said = fitted([Part("", HEAD, ROWS[:3], more=97, noun="drift")], 10_000)
    assert said == f"| a |\n| --- |\n| 000 |\n| 001 |\n| 002 |\n\nand 97 more drifts: {LEFT}\n"


def test_one_that_is_left_out():
    assert f"and 1 more drift: {LEFT}" in fitted([Part("", HEAD, ROWS[:3], more=1, noun="drift")], 10_000)


def test_without_room_for_a_row_there_is_no_table():
    assert fitted([Part("title", HEAD, ROWS, noun="note")], 0) == f"title\n\n100 notes: {LEFT}\n"


def test_the_first_parts_take_what_room_there_is():
    said = fitted([Part("one", HEAD, ROWS), Part("two", HEAD, ROWS, "end")], 1000)
    first, _, second = said.partition("two")
    assert first.count("\n| 0") > 20
    assert second == f"\n\n100 rows: {LEFT}\n\nend\n"


SIZES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30), st.integers(1, 40)), max_size=5)


@given(SIZES, st.integers(0, 3000))
def test_the_size_holds_and_nothing_goes_unsaid(sizes, limit):
    parts = [
        Part(f"part {place}", HEAD, tuple("ß" * width for _ in range(count)), "end", more)
        for place, (count, more, width) in enumerate(sizes)
    ]
    said = fitted(parts, limit)
    least = sum(len(part.shown(0).encode()) for part in parts) + 12 * len(parts)
    assert len(said.encode()) <= max(limit, least, 1)
    sections = re.split(r"part \d\n", said)[1:]
    assert len(sections) == len(parts)
    for section, part in zip(sections, parts, strict=True):
        shown = sum(line.startswith("ß") for line in section.splitlines())
        left = re.search(r"(\d+) (more )?rows?: ", section)
        assert shown + (int(left[1]) if left else 0) == len(part.rows) + part.more
        assert bool(shown) == (HEAD[0] in section)
