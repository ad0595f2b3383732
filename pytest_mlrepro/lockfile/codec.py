"""Between runs and the text of a lockfile: pure, no files.

A table for each subject and facet, a line for each fact. A fact is written as its plain value where
that says everything, and otherwise as an inline table::

    lock-version = "1.0"

    ["tests/test_model.py::test_f1".results]
    "test.accuracy" = 0.956140350877193
    "test.f1" = { value = 0.9655172413793104, better = "higher", rtol = 1e-06, atol = 0.0 }

Where a fact has a calibrated band (``band = { high = 0.958, low = 0.922, mean = 0.94, sd = 0.006, seeds = 20 }``),
where an environment has values of its own, and where there is a trace, the version is 1.1. Where a band holds the
values that it was made of too, it is 1.2.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.lockfile import environments, limits, toml, traces
from pytest_mlrepro.lockfile.facts import decode_tables, fact_tables
from pytest_mlrepro.lockfile.nodes import restore, shown, too_deep, wrong
from pytest_mlrepro.model import SESSION, Facts, Run

if TYPE_CHECKING:
    from pytest_mlrepro.traces import Trace

VERSION = (1, 2)
"""The newest format that this release reads."""

_PLAIN = (1, 0)
"""What is written where nothing in the run needs a newer one."""
_BEFORE = (1, 1)
"""What is written where no band says what it was made of."""

_MARKER = re.compile(r"^(<{7}|={7}|>{7}|\|{7})(?: |$)", re.MULTILINE)
_POSITION = re.compile(r" \(at line (\d+), column \d+\)$")


def dumps(run: Run) -> str:
    """The canonical text of a run: the same facts give the same bytes."""
    blocks = ["\n".join([toml.line("lock-version", "{}.{}".format(*_needed(run))), *environments.names(run)])]
    own = {subject for each in run.environments.values() for subject in each}
    for subject in sorted({*run.subjects, *run.traces, *own}):
        blocks += fact_tables((subject,), run.facts(subject).values())
        blocks += environments.tables(subject, run)
        if subject in run.traces:
            lines = traces.lines_of(run.traces[subject])
            blocks.append("\n".join([toml.header(subject, traces.TABLE), *lines]))
    return "\n\n".join(blocks) + "\n"


def _needed(run: Run) -> tuple[int, int]:
    """The oldest format that can hold a run."""
    own = [facts for each in run.environments.values() for facts in each.values() if facts]
    bands = [fact.band for _, fact in run if fact.band is not None]
    bands += [
        fact.band for facts in own for fact in facts.values() if fact is not None and fact.band is not None
    ]
    if any(band.made is not None for band in bands):
        return VERSION
    return _BEFORE if run.traces or own or bands else _PLAIN


def loads(text: str, where: str = "lockfile") -> Run:
    """The run that a text describes.

    Args:
        text: the content of a lockfile or of a recorded run.
        where: the file's name, for error messages.

    Raises:
        LockfileError: conflict markers, broken TOML, a newer format, a wrong type, more than any run writes; it names
            the line or key path.
    """
    try:
        document = _parse(text, where)
        is_later = _check_version(document.pop("lock-version", None), where)
        try:
            return _decode(document, where)
        except LockfileError as error:
            if not is_later:
                raise
            raise LockfileError(error.what, where=error.where, remedy=_UPGRADE) from None
    except RecursionError:
        raise too_deep(where) from None


def _parse(text: str, where: str) -> dict[str, Any]:
    if marker := _MARKER.search(text):
        number = text.count("\n", 0, marker.start()) + 1
        raise LockfileError(
            f"a merge left conflict markers ({marker.group(1)})",
            where=f"{where}, line {number}",
            remedy=f"keep one side (git checkout --ours {where}, or --theirs), then run: pytest --mlrepro-update",
        )
    limits.check(text, where)
    import tomli

    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise _not_toml(str(error), where) from None
    except ValueError:
        # Python refuses to read integers of thousands of digits.
        raise _not_toml("an integer of thousands of digits", where) from None


def _not_toml(reason: str, where: str) -> LockfileError:
    position = _POSITION.search(reason)
    place = f"{where}, line {position.group(1)}" if position else where
    if "declare" in reason:
        return LockfileError(
            "the same table stands there twice, as a merge may leave it",
            where=place,
            remedy="put the lines of both below one header, then run: pytest --mlrepro-update",
        )
    if "overwrite" in reason or "Duplicate" in reason or "Cannot mutate" in reason:
        return LockfileError(
            "the same key stands there twice, as a merge may leave it",
            where=place,
            remedy="keep one of the two, then run: pytest --mlrepro-update",
        )
    said = _POSITION.sub("", reason)
    return LockfileError(f"not valid TOML: {said}", where=place, remedy=restore(where))


def _check_version(version: object, where: str) -> bool:
    """Whether it is a later minor version: it may hold what this release does not know, but need not."""
    ours = "{}.{}".format(*_PLAIN)
    match = re.fullmatch(r"(\d{1,9})\.(\d{1,9})", version) if isinstance(version, str) else None
    if match is None:
        found = "but there is none" if version is None else f"got {shown(version)}"
        raise LockfileError(
            f'expected lock-version = "{ours}" at the top, {found}',
            where=where,
            remedy=f"if this is no lockfile of pytest-mlrepro, name the right one; else {restore(where)}",
        )
    if int(match.group(1)) > VERSION[0]:
        raise LockfileError(
            f"its format {version} is newer than {VERSION[0]}.x, which this pytest-mlrepro reads",
            where=where,
            remedy=_UPGRADE,
        )
    return (int(match.group(1)), int(match.group(2))) > VERSION


_UPGRADE = "a newer release wrote it; upgrade: pip install --upgrade pytest-mlrepro"


def _decode(document: dict[str, Any], where: str) -> Run:
    known = environments.decode_names(document.pop(environments.TABLE, []), where)
    own: dict[str, dict[str, Any]] = {name: {} for name in known}
    facts: dict[str, Facts] = {}
    traced: dict[str, Trace] = {}
    for subject, tables in document.items():
        if subject != SESSION and "::" not in subject:
            raise wrong(
                where, (subject,), 'a subject such as "tests/test_model.py::test_f1" or session', subject
            )
        if not isinstance(tables, dict):
            raise wrong(where, (subject,), "a table of facets", tables)
        trace, variants = tables.pop(traces.TABLE, None), tables.pop(environments.TABLE, None)
        if trace is not None:
            traced[subject] = traces.decode_trace(trace, where, subject)
        shared = decode_tables(tables, where, (subject,))
        # A test that failed has a trace, but no facts to compare; what one environment alone has is not shared.
        if shared or (trace is None and variants is None):
            facts[subject] = shared
        if variants is not None:
            for name, each in environments.decode_tables_of(variants, where, subject, known, shared).items():
                own[name][subject] = each
    return Run(facts, traced, own)
