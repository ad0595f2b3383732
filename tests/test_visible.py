"""Text that is shown: nothing in it ends a line, moves a cursor, hides a word or commands who reads the log."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report.hostile import HOSTILE, TEXTS

import pytest_mlrepro
from pytest_mlrepro.errors import ConfigError, LockfileError
from pytest_mlrepro.visible import json_lines, line, lines, visible

COMMANDS = (
    "::error::all is lost",
    "   ::set-output name=a::b",
    "::group::a",
    "##[error]all is lost",
    "so ##[set-env name=PATH]/tmp",
    "##vso[task.setvariable variable=a]b",
    "##teamcity[message text='a']",
    "###[error]a",
    "\n::error::a",
    "\r::error::a",
    "\u2028::error::a",
    "\t::error::a",
)
ANY = st.one_of(
    TEXTS, st.lists(st.sampled_from((*HOSTILE, *COMMANDS, ":", "#", " ")), max_size=4).map("".join)
)


def is_command(text):
    """As the runner of GitHub Actions sees it: colons behind blanks, or ##[ anywhere; other services know a word."""
    return text.strip().startswith("::") or re.search(r"##\w*\[", text) is not None


@given(ANY)
def test_one_line_that_any_terminal_shows(text):
    shown = line(text)
    assert shown.isprintable()
    assert line(shown) == shown
    assert visible(visible(text)) == visible(text)
    assert not is_command(shown)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_to_the_runner_is_none_any_more(command):
    found = [each for each in re.split("[\n\r\u2028]", command) if is_command(each)]
    assert found
    assert not any(map(is_command, lines(("as it was", command)).splitlines()))


def test_plain_text_stays_as_it_is():
    for text in ("a.py::test_one[1::2] 1.0 -> 2.0", "# a ## b [c]", "Ünïcode 漢字", "", "a:: b"):
        assert line(text) == text


def test_what_is_changed_can_be_read():
    assert line("::error::x") == r"\x3a:error::x"
    assert line("  ::error::x") == r"  \x3a:error::x"
    assert line("a ##[error]x") == r"a #\x23[error]x"
    assert line("a\x1b[31m\n\u202e\ud800") == r"a\x1b[31m\n\u202e\ud800"


@given(st.dictionaries(ANY, st.lists(ANY, max_size=2), max_size=3))
def test_a_json_document_means_the_same(document):
    text = json_lines(json.dumps(document, indent=2, ensure_ascii=False))
    # Two lone surrogates side by side become one character in any JSON of ASCII.
    assert json.loads(text) == json.loads(json.dumps(document))
    assert all(each.isprintable() for each in text.split("\n"))
    assert not any(map(is_command, text.split("\n")))


@given(ANY, ANY, ANY)
def test_an_error_has_as_many_lines_as_it_has_parts(what, where, remedy):
    told = str(LockfileError(what, where=where, remedy=remedy)).split("\n")
    assert len(told) == 1 + bool(remedy)
    assert all(each.isprintable() and not is_command(each) for each in told)


def test_the_parts_of_an_error_are_as_they_were():
    error = ConfigError("a\x1b", where="b\n", remedy="c\r")
    assert (error.what, error.where, error.remedy) == ("a\x1b", "b\n", "c\r")
    assert str(error) == "b\\n: a\\x1b\nc\\r"


HARMLESS = {
    "line": "escapes",
    "lines": "escapes",
    "machine.written": "JSON of ASCII",
    "_as_json": "JSON of ASCII",
    "log.markdown": "escapes as Markdown",
    "comparisons.markdown": "escapes as Markdown",
}
AS_IT_IS = {"made.text": "a document that a reader of its own takes", "_QUESTION": "ours", "_HELP": "ours"}


def printed():
    """Each call of print in the package, with its arguments as they are written."""
    for path in Path(pytest_mlrepro.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "print":
                yield f"{path.name}:{node.lineno}", node.args


def is_harmless(argument):
    match argument:
        case ast.Constant():
            return True
        case ast.BinOp(left=left, right=right):
            return is_harmless(left) and is_harmless(right)
        case ast.Call(func=func):
            return ast.unparse(func) in HARMLESS
        case ast.IfExp(test=test, body=body, orelse=orelse):
            asked = ast.unparse(test) == f"{ast.unparse(body)}.isprintable()"
            return (asked or is_harmless(body)) and is_harmless(orelse)
        case ast.JoinedStr():
            # An error makes its lines harmless itself.
            return ast.unparse(argument) == "f'mlrepro: {error}'"
    return ast.unparse(argument) in AS_IT_IS


def test_whatever_is_printed_has_been_made_visible():
    found = dict(printed())
    assert len(found) > 15
    raw = {
        where: [ast.unparse(each) for each in arguments if not is_harmless(each)]
        for where, arguments in found.items()
    }
    assert {where: each for where, each in raw.items() if each} == {}
