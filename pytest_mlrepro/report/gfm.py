"""Text that GitHub-flavoured Markdown shows as it is, whatever it holds.

What comes from tests, data and lockfiles goes into code spans: nothing in them is markup, an autolink, a mention of
a user, a reference to an issue or a commit, an emoji or a formula. Only words that cannot be any of these stand bare.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby

from pytest_mlrepro.visible import visible

_RUNS_OF_TICKS = re.compile("`+")
_HARMLESS = re.compile(r"->|\+-|(?:[^\W_]|[.,;:%+'()-])+")
# An address or a file that looks like one, an emoji, a commit, an issue of this or of another tracker.
_LINKED = re.compile(r"\.[^\W\d_]|:[\w+-]+:|\b[0-9a-f]{7,40}\b|\b[A-Za-z]+-\d", re.IGNORECASE)
_ENCLOSED = re.compile(r"(\(?)(.*?)(\)?[.,;:]*)")


def cut(text: str, limit: int) -> str:
    """The text, ``limit`` characters of it at most."""
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def code(text: str, limit: int = 160, *, in_table: bool = True) -> str:
    """A code span that shows the text.

    Args:
        text: anything.
        limit: how many characters are shown at most.
        in_table: whether it stands in the cell of a table, where a bar would end the cell.
    """
    shown = cut(visible(text), limit)
    if not shown:
        return "*(empty)*"
    # A space is stripped from both ends where there is one at both, but not if there is nothing else.
    is_padded = "`" in (shown[0], shown[-1]) or (shown[0] == shown[-1] == " " and bool(shown.strip(" ")))
    inner = f" {shown} " if is_padded else shown
    fence = "`" * (_longest_run(shown) + 1)
    return fence + (inner.replace("|", r"\|") if in_table else inner) + fence


def prose(sentence: str, limit: int = 400, *, in_table: bool = True) -> str:
    """A sentence, with those of its words in code spans that Markdown could take for something else.

    Args:
        sentence: words of ours with what tests and data bring in between.
        limit: how many characters are shown at most.
        in_table: see ``code``.
    """
    words = cut(visible(sentence), limit).strip(" ").split(" ")
    parts: list[str] = []
    for is_plain, run in groupby(words, key=_is_harmless):
        text = " ".join(run)
        parts.append(text if is_plain else _spanned(text, in_table=in_table))
    return " ".join(parts)


def _is_harmless(word: str) -> bool:
    return not word or (_HARMLESS.fullmatch(word) is not None and _LINKED.search(word) is None)


def _spanned(text: str, *, in_table: bool) -> str:
    """A code span, with the brackets and stops around the words left out of it."""
    found = _ENCLOSED.fullmatch(text)
    assert found is not None
    before, core, after = found.groups()
    if not before and "(" in core and after.startswith(")"):
        core, after = f"{core})", after[1:]
    return before + code(core, len(core), in_table=in_table) + after


def row(cells: Iterable[str]) -> str:
    """The row of a table."""
    return f"| {' | '.join(cells)} |"


def table(columns: Iterable[str]) -> tuple[str, str]:
    """The first two rows of a table."""
    names = tuple(columns)
    return row(names), row("---" for _ in names)


def fenced(text: str, language: str = "sh") -> str:
    """A block of code on lines of its own."""
    shown = visible(text)
    fence = "`" * max(3, _longest_run(shown) + 1)
    return f"{fence}{language}\n{shown}\n{fence}"


def _longest_run(text: str) -> int:
    return max(map(len, _RUNS_OF_TICKS.findall(text)), default=0)
