"""Between a parsed document and a run: its version, its environments, and the tables of each subject."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.lockfile import environments, traces
from pytest_mlrepro.lockfile.facts import decode_tables
from pytest_mlrepro.lockfile.nodes import restore, shown, wrong
from pytest_mlrepro.model import SESSION, Facts, Run

if TYPE_CHECKING:
    from pytest_mlrepro.traces import Trace

VERSION = (1, 2)
"""The newest format that this release reads."""

PLAIN = (1, 0)
"""What is written where nothing in the run needs a newer one."""
BEFORE = (1, 1)
"""What is written where no band says what it was made of."""
LOCK_VERSION = "lock-version"
HEAD = frozenset({LOCK_VERSION, environments.TABLE})
"""What stands above the tables of subjects."""
_UPGRADE = "a newer release wrote it; upgrade: pip install --upgrade pytest-mlrepro"


def decode_run(document: dict[str, Any], where: str) -> Run:
    """The run that a document describes, which is taken apart on the way.

    Raises:
        LockfileError: a newer format, a wrong type; it names the key path.
    """
    is_later = _check_version(document.pop(LOCK_VERSION, None), where)
    try:
        return _decode(document, where)
    except LockfileError as error:
        if not is_later:
            raise
        raise LockfileError(error.what, where=error.where, remedy=_UPGRADE) from None


def _check_version(version: object, where: str) -> bool:
    """Whether it is a later minor version: it may hold what this release does not know, but need not."""
    ours = "{}.{}".format(*PLAIN)
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
