"""Whatever a text holds, a Markdown renderer shows that text and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from report.hostile import HOSTILE, TEXTS
from report.rendering import RENDERERS, rendered

from pytest_mlrepro.report.gfm import code, cut, fenced, prose, row, table, visible

IN_TABLE = {"table", "thead", "tbody", "tr", "th", "td"}


def page(*cells):
    return "\n".join((*table(("one", "two")), row((*cells, "end"))))


@pytest.mark.parametrize("render", RENDERERS)
@pytest.mark.parametrize("text", HOSTILE)
def test_a_code_span_shows_the_text(text, render):
    found = rendered(page(code(text)), render)
    assert found.tables == [[["one", "two"], [cut(visible(text), 160) or "(empty)", "end"]]]
    assert set(found.elements) == IN_TABLE | {"code" if text else "em"}
    outside = rendered(f"- {code(text, in_table=False)}", render)
    assert outside.items == [cut(visible(text), 160) or "(empty)"]


@given(TEXTS)
@pytest.mark.parametrize("render", RENDERERS)
def test_every_text_in_a_code_span(render, text):
    found = rendered(page(code(text)), render)
    assert found.tables == [[["one", "two"], [cut(visible(text), 160) or "(empty)", "end"]]]
    assert set(found.elements) == IN_TABLE | {"code" if text else "em"}
    assert found.attributes == []
    outside = rendered(code(text, in_table=False), render)
    assert outside.paragraphs == [cut(visible(text), 160) or "(empty)"]


@given(TEXTS)
@example("content changed in `a|b`, 3 of 4 rows")
@example("(rtol=1e-6, atol=0)")
@pytest.mark.parametrize("render", RENDERERS)
def test_every_text_in_a_sentence(render, text):
    found = rendered(page(prose(text)), render)
    assert found.tables[0][0] == ["one", "two"]
    assert len(found.tables) == 1
    assert len(found.tables[0]) == 2
    told, end = found.tables[0][1]
    assert end == "end"
    assert told == cut(visible(text), 400).strip(" ")
    assert set(found.elements) <= IN_TABLE | {"code"}
    assert found.attributes == []


@pytest.mark.parametrize(
    ("sentence", "written"),
    [
        ("beyond rounding: 2.1e+08 x the tolerance (rtol 1e-09), worse", None),
        ("numpy 1.26 -> 2.4", None),
        ("within the calibrated band (20 seeds, 0.94 +- 0.006)", None),
        ("5 of 400 rows differ, the first at Größe 3", None),
        ("column max_depth, then b", "column `max_depth`, then b"),
        ("call default_rng(mlrepro.seed) there", "call `default_rng(mlrepro.seed)` there"),
        ("set to it (a=1 b=2).", "set to it (`a=1 b=2`)."),
        ("ask @somebody: now", "ask `@somebody`: now"),
        ("see model.py and #12", "see `model.py` and `#12`"),
        ("deadbeef1 and GH-12 are links", "`deadbeef1` and `GH-12` are links"),
        ("a :smile: here", "a `:smile`: here"),
    ],
)
def test_only_words_that_could_be_markup_are_code(sentence, written):
    assert prose(sentence) == (sentence if written is None else written)


@given(TEXTS)
@pytest.mark.parametrize("render", RENDERERS)
def test_every_text_in_a_block(render, text):
    found = rendered(f"before\n\n{fenced(text)}\n\nafter", render)
    assert found.blocks == [f"{visible(text)}\n"]
    assert found.paragraphs == ["before", "after"]


def test_long_texts_are_cut():
    assert code("x" * 200, 10) == "`xxxxxxx...`"
    assert prose("word " * 100, 14) == "word word w..."


def test_what_cannot_be_printed_is_escaped():
    assert visible("a\nb\x1b\u202e\ud800\u00a0ß") == r"a\nb\x1b\u202e\ud800\xa0ß"
