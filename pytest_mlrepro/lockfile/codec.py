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
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.lockfile import environments, limits, parts, toml, traces
from pytest_mlrepro.lockfile.documents import BEFORE, PLAIN, VERSION, decode_run
from pytest_mlrepro.lockfile.facts import fact_tables
from pytest_mlrepro.lockfile.nodes import restore, too_deep
from pytest_mlrepro.model import Run, Worded

if TYPE_CHECKING:
    from pytest_mlrepro.bands import Band

_MARKER = re.compile(r"^(<{7}|={7}|>{7}|\|{7})(?: |$)", re.MULTILINE)
_POSITION = re.compile(r" \(at line (\d+), column \d+\)$")


def dumps(run: Run) -> str:
    """The canonical text of a run: the same facts give the same bytes."""
    own = {subject for each in run.environments.values() for subject in each}
    blocks = []
    bands: list[Band] = []
    for subject in sorted({*run.subjects, *run.traces, *own}):
        facts = run.facts(subject)
        if text := facts.text(subject) if isinstance(facts, Worded) else "":
            blocks.append(text)
        else:
            made = facts.values()
            bands += [fact.band for fact in made if fact.band is not None]
            blocks += fact_tables((subject,), made)
        blocks += environments.tables(subject, run)
        if subject in run.traces:
            lines = traces.lines_of(run.traces[subject])
            blocks.append("\n".join([toml.header(subject, traces.TABLE), *lines]))
    version = toml.line("lock-version", "{}.{}".format(*_needed(run, bands)))
    head = "\n".join([version, *environments.names(run)])
    return "\n\n".join([head, *blocks]) + "\n"


def _needed(run: Run, shared: Iterable[Band]) -> tuple[int, int]:
    """The oldest format that can hold a run, of whose shared facts some have bands."""
    own = [facts for each in run.environments.values() for facts in each.values() if facts]
    bands = [
        *shared,
        *(
            fact.band
            for facts in own
            for fact in facts.values()
            if fact is not None and fact.band is not None
        ),
    ]
    if any(band.made is not None for band in bands):
        return VERSION
    return BEFORE if run.traces or own or bands else PLAIN


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
        run = parts.read(text, where)
        return read_whole(text, where) if run is None else run
    except RecursionError:
        raise too_deep(where) from None


def read_whole(text: str, where: str = "lockfile") -> Run:
    """The same by the parser alone, all facts made at once: what the text means, and what is wrong in which line.

    Raises:
        LockfileError: as ``loads``.
    """
    return decode_run(_parse(text, where), where)


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
