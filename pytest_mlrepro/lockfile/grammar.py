"""The words of ``dumps`` as regular expressions: facts whose lines can be told to be right at the speed of C.

A line holds a number, a text without escapes, an array of those or of such arrays; or an inline table of a value and
what is known of it, in the order of ``encode_fact``. All of it is valid TOML, and the parser finds facts in it, as long
as the keys of each table and of each ``detail`` are distinct, which no regular expression can tell.
"""

from __future__ import annotations

import re
from functools import cache

from pytest_mlrepro.model import FACET_NAMES, SESSION

TEXT = r'"[^"\\\x00-\x1f\x7f]*+"'
# Of more digits are numbers that somebody should look at.
_DIGITS = r"(?:0|[1-9][0-9]{0,17}+)"
SCALAR = rf"(?:-?{_DIGITS}(?:\.[0-9]++)?+(?:e[+-]?[0-9]++)?+|{TEXT}|true|false|-?inf|nan)"
KEY = rf"(?:{TEXT}|[A-Za-z0-9_-]++)"
_BOUND = rf"{_DIGITS}(?:\.[0-9]++)?+(?:e(?:-[0-9]{{1,3}}|\+[0-9]{{2}}))?+"
_ONE = rf'(?:{SCALAR}|\{{ type = "none" \}})'


def _array(item: str) -> str:
    # One line, or a line an item.
    return rf"\[(?:(?:\n {{4}})?+{item}(?:, ?+|(?=\n?\])))*+\n?\]"


_VALUE = rf"(?:{_ONE}|{_array(f'(?:{_ONE}|{_array(_ONE)})')})"
_PAIRS = rf'(?:{KEY} = {_VALUE}(?:, (?=["A-Za-z0-9_-])|(?= \}})))++'


def _parts(group: str) -> str:
    bounds = rf"(?:, rtol = {group}{_BOUND}), atol = {group}{_BOUND}))?+"
    return rf'(?:, dtype = {group}{TEXT}))?+(?:, better = "{group}higher|lower)")?+{bounds}'


_FACT = rf'(?:{_VALUE}|\{{ (?:value = {_VALUE}|type = "none"){_parts("(?:")}(?:, detail = \{{ {_PAIRS} \}})?+ \}})'
_LINE = rf"\n{KEY} = {_FACT}"


@cache
def section() -> re.Pattern[str]:
    """Tables of facts of one subject, whose header is the group, up to the name of the facet."""
    facets = "|".join(FACET_NAMES)
    return re.compile(rf"(?=(\[(?:{TEXT}|{SESSION})\.))(?:(?:\A|\n\n)\1(?:{facets})\](?:{_LINE})++)++")


@cache
def fact() -> re.Pattern[str]:
    """An inline table of a fact whose value is a scalar: value, dtype, better, rtol, atol, detail."""
    return re.compile(rf"\{{ value = ({SCALAR}){_parts('(')}(?:, detail = \{{ (.*) \}})? \}}", re.DOTALL)


@cache
def pair() -> re.Pattern[str]:
    """A key in a detail, and its value."""
    return re.compile(rf"({KEY}) = ({_VALUE})(?:, |(?= \}}))")
