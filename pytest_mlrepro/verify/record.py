"""What was verified, for people and as a statement that can be signed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_mlrepro.export.document import Source
from pytest_mlrepro.export.intoto import Verdicts, resource, statement
from pytest_mlrepro.export.words import text
from pytest_mlrepro.history.repository import short
from pytest_mlrepro.model import Facts
from pytest_mlrepro.report.text import plural
from pytest_mlrepro.verify.verification import Verification, Verified

_MOST = 12


def lines(found: Verification) -> Iterator[str]:
    """The record of one revision for a reader."""
    environment = f", as {found.environment} accepted it" if found.environment else ""
    yield f'{found.revision}: {short(found.commit)} "{found.title}"{environment}'
    if found.problem:
        first, *rest = found.problem.splitlines()
        yield f"  cannot be verified: {first}"
        yield from (f"  {each}" for each in rest)
        yield from (f"  {note}" for note in found.notes)
        return
    yield f"  run in {found.rebuilt}"
    yield from _different(found)
    yield ""
    width = max(len(each.subject) for each in found.subjects) if found.subjects else 0
    for each in found.subjects:
        yield f"  {each.subject:<{min(width, 70)}}  {_told(each)}"
        for drift in each.drifts[:_MOST]:
            yield f"      {drift.drift.address}: {drift.sentence}"
        if len(each.drifts) > _MOST:
            yield f"      and {len(each.drifts) - _MOST} more"
    yield ""
    yield _verdict(found)


def _different(found: Verification) -> Iterator[str]:
    if not found.notes and not found.surroundings:
        yield "  the environment is as it was"
        return
    yield "  not as it was:"
    yield from (f"    {note}" for note in found.notes)
    yield from (f"    {each.drift.address}: {each.sentence}" for each in found.surroundings[:_MOST])
    if (more := len(found.surroundings) - _MOST) > 0:
        yield f"    and {more} more: --json has all"


def _told(each: Verified) -> str:
    if each.state == "not run":
        return f"NOT RUN: {each.reason}"
    if each.state == "drifted":
        count = f"DRIFTED: {len(each.drifts)} of {each.identical + each.near + len(each.drifts)} facts"
        return f"{count}; {each.reason}" if each.reason else count
    if each.state == "tolerance":
        return f"within tolerance: {each.near} of {plural(each.identical + each.near, 'fact')}"
    return f"bitwise: {plural(each.identical, 'fact')}"


def _verdict(found: Verification) -> str:
    identical = sum(each.identical for each in found.subjects)
    near = sum(each.near for each in found.subjects)
    drifted = sum(len(each.drifts) for each in found.subjects)
    absent = sum(each.state == "not run" for each in found.subjects)
    counts = [f"{identical} bitwise", f"{near} within tolerance", f"{drifted} drifted"]
    if absent:
        counts.append(f"{plural(absent, 'subject')} not run")
    verdict = "reproduced" if found.holds else "NOT reproduced"
    return f"{found.revision} {verdict}: {plural(identical + near + drifted, 'fact')}: {', '.join(counts)}"


def document(
    found: Verification, session: Facts, sources: Sequence[Source], configuration: Mapping[str, str]
) -> dict[str, Any]:
    """The record as an in-toto statement: unsigned, its subject the lockfile of the revision.

    Args:
        found: what was verified.
        session: the environment that it was run in.
        sources: the lockfile.
        configuration: the SHA-256 of each file that configured the tests, by name.
    """
    verdicts = Verdicts(found.names(holding=True), (), found.names(holding=False))
    made = statement(session, sources, configuration, verdicts)
    if found.problem:
        made["predicate"]["result"] = "FAILED"
    made["predicate"]["configuration"].append(resource("verification", _told_plainly(found)))
    return made


def _told_plainly(found: Verification) -> dict[str, Any]:
    different = (f"{each.drift.address}: {each.sentence}" for each in found.surroundings)
    return {
        "revision": text(found.revision),
        "commit": found.commit,
        "environment": found.environment,
        "ranIn": found.rebuilt,
        "problem": text(found.problem),
        "notRebuilt": [text(each) for each in (*found.notes, *different)],
        "subjects": {text(each.subject): _subject(each) for each in found.subjects},
    }


def _subject(each: Verified) -> dict[str, Any]:
    return {
        "state": each.state,
        "bitwise": each.identical,
        "withinTolerance": each.near,
        "drifted": {text(drift.drift.address): text(drift.sentence) for drift in each.drifts},
        "reason": text(each.reason),
    }
