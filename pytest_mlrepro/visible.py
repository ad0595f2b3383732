"""Text that a terminal and a log of CI show as it is, whatever it holds.

Names and values come from tests, data, lockfiles and git. A control character among them could move the cursor, hide
what stands beside it or end a line; a line that begins with two colons, or holds two number signs and a bracket, is a
command to the runner of GitHub Actions (and, with a word between, of other services) that reads the log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# The runner of GitHub Actions looks for colons behind any blanks, for these anywhere.
_NUMBER_SIGNS = re.compile(r"##(?=\w*\[)")
_HIDDEN = re.compile(r"[^\n -~]")


def visible(text: str) -> str:
    """The text on one line, with what cannot be printed (control characters, lone surrogates) as Python escapes it."""
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    return character if character.isprintable() else ascii(character)[1:-1]


def line(text: str) -> str:
    """A line of a terminal or a log: visible, and no command to whoever reads the log."""
    shown = visible(text)
    if shown.lstrip(" ").startswith("::"):
        shown = shown.replace("::", r"\x3a:", 1)
    return _NUMBER_SIGNS.sub(r"#\\x23", shown) if "##" in shown else shown


def lines(texts: Iterable[str]) -> str:
    """Lines, one below the other."""
    return "\n".join(map(line, texts))


def json_lines(text: str) -> str:
    """The text of a JSON document over several lines, of the same meaning: harmless as ``line`` is."""
    return _HIDDEN.sub(_in_json, _NUMBER_SIGNS.sub(r"\\u0023#", text))


def _in_json(match: re.Match[str]) -> str:
    character = match.group()
    if character.isprintable():
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(rf"\u{units[place : place + 2].hex()}" for place in range(0, len(units), 2))
