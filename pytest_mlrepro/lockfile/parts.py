"""Read a lockfile section by section: the plain ones when somebody asks for their facts, the others by the parser.

What is irregular is left to those who read the whole, and can say what is wrong in which line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.lockfile import limits, plain
from pytest_mlrepro.lockfile.documents import HEAD, decode_run
from pytest_mlrepro.lockfile.sections import BETWEEN, cut
from pytest_mlrepro.model import Facts, Run
from pytest_mlrepro.unread import Unread

_LONG_TEXTS = ('"""', "'''")


class _IrregularError(Exception):
    """The text is not a row of parts that can be read one by one."""


def read(text: str, where: str) -> Run | None:
    """The run that a text describes; None where that takes the whole.

    Args:
        text: the content of a lockfile or of a recorded run.
        where: the file's name.
    """
    try:
        return _read(text, where)
    except (_IrregularError, LockfileError):
        return None


def _read(text: str, where: str) -> Run:
    limits.check_counts(text, where)
    head, sections = cut(text)
    plainly = plain.subjects_of(sections)
    rest = [section for subject, section in zip(plainly, sections, strict=True) if subject is None]
    document, *parsed = _parsed([head, *rest], where)
    others = iter([_only(tables) for tables in parsed])
    names = [next(others) if subject is None else subject for subject in plainly]
    if not document.keys() <= HEAD or len({*names}) < len(names):
        raise _IrregularError
    for tables in parsed:
        document |= tables
    run = decode_run(document, where)
    held: dict[str, Facts | str] = {}
    for name, subject, section in zip(names, plainly, sections, strict=True):
        if subject is not None:
            held[name] = section
        elif name in run:
            held[name] = run.facts(name)
    return Run(Unread(held, plain.facts_of), run.traces, run.environments)


def _parsed(parts: Sequence[str], where: str) -> list[dict[str, Any]]:
    """What each part holds."""
    text = BETWEEN.join(parts)
    if any(quotes in text for quotes in _LONG_TEXTS):
        # Without them no string goes beyond its line: what is within the limits part by part is so as a whole.
        raise _IrregularError
    limits.check(text, where)
    import tomli

    try:
        return [tomli.loads(part) for part in parts]
    except ValueError:
        raise _IrregularError from None


def _only(tables: dict[str, Any]) -> str:
    if len(tables) != 1:
        raise _IrregularError
    return next(iter(tables))
