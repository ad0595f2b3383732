"""Sections that hold nothing but numbers and short texts, a fact a line: most of most lockfiles.

One regular expression tells them, at the speed of C. What it accepts is valid TOML that holds facts, by construction,
as long as the keys of each table are distinct: then nothing is left that could be wrong, and the facts can be made when
somebody asks for them. Everything else, however right, is to be parsed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from operator import lt

from pytest_mlrepro.lockfile.sections import BETWEEN
from pytest_mlrepro.model import FACET_NAMES, SESSION, Fact, Facts, Value, by_address

_TEXT = r'"[^"\\\x00-\x1f\x7f]*+"'
# Of more digits are numbers that somebody should look at.
_NUMBER = r"-?(?:0|[1-9][0-9]{0,17}+)(?:\.[0-9]++)?+(?:e[+-]?[0-9]++)?+"
_KEY = rf"(?:{_TEXT}|[A-Za-z0-9_-]++)"
_LINE = rf"\n{_KEY} = (?:{_NUMBER}|{_TEXT}|true|false|-?inf|nan)"
# The facets in their order, so that none stands there twice.
_TABLES = "".join(rf"(?:(?:\A|\n\n)\1{facet}\](?:{_LINE})++)?+" for facet in FACET_NAMES)
_SECTION = re.compile(rf"(?=(\[(?:{_TEXT}|{SESSION})\.)){_TABLES}")
_KEYS = re.compile(r'\n(?:\[|"?((?<=")[^"]*|[A-Za-z0-9_-]+))')
_SESSION = f"[{SESSION}."
_WORDS = {"true": True, "false": False}


def subjects_of(sections: Sequence[str]) -> list[str | None]:
    """Whose facts each section holds, where it is plain and its keys are distinct; None where it is not."""
    found = [*map(_subject, sections)]
    if _are_ascending([section for name, section in zip(found, sections, strict=True) if name is not None]):
        return found
    return [
        name if name is not None and _are_ascending([section]) else None
        for name, section in zip(found, sections, strict=True)
    ]


def _subject(section: str) -> str | None:
    found = _SECTION.fullmatch(section)
    if found is None:
        return None
    opening = found[1]
    if opening == _SESSION:
        return SESSION
    return opening[2:-2] if "::" in opening else None


def _are_ascending(sections: Sequence[str]) -> bool:
    """Whether in each table of plain sections each key is greater than the one before, as ``dumps`` writes them."""
    text = "\n" + BETWEEN.join(sections) if sections else ""
    # A header is the empty key: less than what follows it, and not greater than what stands before.
    keys = _KEYS.findall(text)
    greater = sum(map(lt, keys, islice(keys, 1, None)))
    return bool(greater == len(keys) - text.count("\n["))


def facts_of(section: str) -> Facts:
    """The facts of a plain section with distinct keys: those that the parser finds."""
    return by_address(_facts(section))


def _facts(section: str) -> Iterator[Fact]:
    for table in section.split(BETWEEN):
        header, *lines = table.split("\n")
        facet = header[header.rindex(".") + 1 : -1]
        for line in lines:
            if line[0] == '"':
                end = line.index('"', 1)
                yield Fact(facet, line[1:end], _value(line[end + 4 :]))
            else:
                key, _, text = line.partition(" = ")
                yield Fact(facet, key, _value(text))


def _value(text: str) -> Value:
    if text[0] == '"':
        return text[1:-1]
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if text.removeprefix("-").isdigit() else float(text)
