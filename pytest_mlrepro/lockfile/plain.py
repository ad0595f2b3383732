"""Sections whose facts stand there as ``dumps`` writes most of them: known to be right, and made when asked for.

What the grammar accepts is valid TOML that holds facts, by construction, as long as the keys of each table are
distinct: then nothing is left that could be wrong. Everything else, however right, is to be parsed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from operator import lt

from pytest_mlrepro.lockfile import grammar
from pytest_mlrepro.lockfile.facts import decode_tables
from pytest_mlrepro.lockfile.sections import BETWEEN
from pytest_mlrepro.model import SESSION, Fact, Facts, Tolerance, Value, by_address

_KEYS = re.compile(r'\n(?:\[|"?((?<=")[^"]*|[A-Za-z0-9_-]+))')
_OPENING = "detail = { "
# To the end of the row: lines that go on begin with a space, or close an array.
_DETAILS = re.compile(_OPENING.replace("{", r"\{") + r"([^\n]*+(?:\n[ \]][^\n]*+)*+)")
_SESSION = f"[{SESSION}."
_STRUCTURES = frozenset("[{")
_WORDS = {"true": True, "false": False}


def subjects_of(sections: Sequence[str]) -> list[str | None]:
    """Whose facts each section holds, where it is plain and its keys are distinct; None where it is not."""
    match = grammar.section().fullmatch
    found = [_subject(match(section)) for section in sections]
    if _are_distinct([section for name, section in zip(found, sections, strict=True) if name is not None]):
        return found
    return [
        name if name is not None and _are_distinct([section]) else None
        for name, section in zip(found, sections, strict=True)
    ]


def _subject(section: re.Match[str] | None) -> str | None:
    if section is None:
        return None
    # All of it, as the match is a full one; asking the match for its text would copy that.
    text = section.string
    if BETWEEN in text and not _has_each_facet_once(text):
        return None
    opening = section[1]
    if opening == _SESSION:
        return SESSION
    return opening[2:-2] if "::" in opening else None


def _has_each_facet_once(section: str) -> bool:
    facets = [table.partition("]\n")[0].rpartition(".")[2] for table in section.split(BETWEEN)]
    return len({*facets}) == len(facets)


def _are_distinct(sections: Sequence[str]) -> bool:
    """Whether each key of plain sections is greater than the one before, in tables and details, as ``dumps`` writes."""
    text = "\n" + BETWEEN.join(sections) if sections else ""
    # A header is the empty key: less than what follows it, and not greater than what stands before.
    keys = _KEYS.findall(text)
    greater = sum(map(lt, keys, islice(keys, 1, None)))
    return bool(greater == len(keys) - text.count("\n[")) and _have_ascending_keys({*_DETAILS.findall(text)})


def _have_ascending_keys(details: Iterable[str]) -> bool:
    for detail in details:
        if ", " not in detail:
            continue
        if _OPENING in detail:
            # One of the two stands in a text: which, is for the parser to say.
            return False
        names = [_name(key) for key, _ in grammar.pair().findall(detail)]
        if not all(map(lt, names, names[1:])):
            return False
    return True


def facts_of(section: str) -> Facts:
    """The facts of a plain section: those that the parser finds."""
    return by_address(fact for table in section.split(BETWEEN) for fact in _facts_of_table(table))


def _facts_of_table(table: str) -> Iterable[Fact]:
    header, *lines = table.split("\n")
    facet = header[header.rindex(".") + 1 : -1]
    found = []
    for line in lines:
        if line[0] == '"':
            end = line.index('"', 1)
            key, text = line[1:end], line[end + 4 :]
        else:
            key, _, text = line.partition(" = ")
        fact = _structured(facet, key, text) if text[0] in _STRUCTURES else Fact(facet, key, _value(text))
        if fact is None:
            return _parsed(table)
        found.append(fact)
    return found


def _structured(facet: str, key: str, text: str) -> Fact | None:
    """The fact of an inline table that holds scalars only; None for others."""
    found = grammar.fact().fullmatch(text)
    if found is None:
        return None
    value, dtype, better, rtol, atol, detail = found.groups()
    pairs = grammar.pair().findall(text, found.start(6)) if detail else ()
    if any(each[0] in _STRUCTURES for _, each in pairs):
        return None
    return Fact(
        facet,
        key,
        _value(value),
        dtype=dtype[1:-1] if dtype else "",
        better=better,  # type: ignore[arg-type]
        tolerance=Tolerance(float(rtol), float(atol)) if rtol else None,
        detail={_name(name): _value(each) for name, each in pairs},
    )


def _parsed(table: str) -> Iterable[Fact]:
    import tomli

    ((subject, tables),) = tomli.loads(table).items()
    return decode_tables(tables, "lockfile", (subject,)).values()


def _name(key: str) -> str:
    return key[1:-1] if key[0] == '"' else key


def _value(text: str) -> Value:
    if text[0] == '"':
        return text[1:-1]
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if text.removeprefix("-").isdigit() else float(text)
