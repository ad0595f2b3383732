"""How large and how deep a lockfile may be: what is beyond that was made by no run, and would cost memory or time.

The text is looked at before it is parsed: parsers differ in how deep they go until the process ends, and in how much
one key of very many parts costs.
"""

from __future__ import annotations

import re
from itertools import accumulate

from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.lockfile.nodes import restore, too_deep

BYTES = 256 << 20
"""The most that is read of a file."""
TABLES = 1 << 20
LINES = 1 << 22
VALUES = 1 << 25
"""In arrays and inline tables, all together."""
DEEPEST = 100
PARTS = 32
"""Of one key; what is written has five at most."""

# Strings and comments, which hold no structure. Nothing is tried twice: the time is linear in the text.
_TEXTS = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+"""|'
    r"'''(?:[^']|'(?!''))*+'''|"
    r'"(?:[^"\\\n]|\\.)*+"|'
    r"'[^'\n]*+'|"
    r"#[^\n]*+",
    re.DOTALL,
)
_CHAIN = re.compile(rf"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){{{PARTS}}}")
# Cheaper to look for, and on the way of every such key.
_DOTS = re.compile(rf"(?:\.[^.\n]*+){{{PARTS}}}")
_BRACKETS = re.compile(r"[^\[\]{}]++")
_STEP = {"[": 1, "{": 1, "]": -1, "}": -1}


def check(text: str, where: str) -> None:
    """See whether a text is one that can be parsed.

    Args:
        text: the content of a lockfile or of a recorded run.
        where: the file's name, for error messages.

    Raises:
        LockfileError: for one that is larger or deeper than any run makes it.
    """
    bare = _TEXTS.sub("s", text)
    check_counts(bare, where, lines=text.count("\n"))
    if max(accumulate(map(_STEP.__getitem__, _BRACKETS.sub("", bare))), default=0) > DEEPEST:
        raise too_deep(where)
    if _DOTS.search(bare) and _CHAIN.search(bare):
        raise LockfileError(
            f"a key of more than {PARTS} parts",
            where=where,
            remedy=f"no run writes such a key; {restore(where)}",
        )


def check_counts(bare: str, where: str, *, lines: int | None = None) -> None:
    """See whether a text is small enough; what stands in its strings counts too, where they are there.

    Args:
        bare: the text, or what is left of it without its strings.
        where: the file's name, for error messages.
        lines: of the whole text.

    Raises:
        LockfileError: for one that is larger than any run makes it.
    """
    # Two characters are slower to count than the one of which there are at least as many.
    tables = bare.count("[")
    if tables > TABLES:
        tables = bare.count("\n[")
    counts = (
        (bare.count("\n") if lines is None else lines, LINES, "lines"),
        (tables, TABLES, "tables"),
        (bare.count(","), VALUES, "values"),
    )
    for count, most, what in counts:
        if count > most:
            raise too_large(f"{count:,} {what}, of {most:,} at most", where)


def too_large(said: str, where: str) -> LockfileError:
    """The error for a file that no run made so large."""
    return LockfileError(
        f"too large to be a lockfile: {said}",
        where=where,
        remedy="name a lockfile or a run that --mlrepro-record wrote; record large arrays with mlrepro.data(), "
        "which keeps a fingerprint",
    )
