"""What stressing has shown, as lines for a terminal: the matrix, what drifted and why, what was not tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from pytest_mlrepro.report.text import plural
from pytest_mlrepro.stress.differences import Mark
from pytest_mlrepro.stress.findings import TOGETHER, Finding, Stressed, Varied
from pytest_mlrepro.stress.perturbations import Perturbation

SIGNS: Mapping[Mark, str] = {"same": "=", "within": "~", "drifted": "!", "unclear": "?", "untried": "."}
_MEANINGS: Mapping[Mark, str] = {
    "same": "bitwise the same",
    "within": "the same within tolerance",
    "drifted": "drifted",
    "unclear": "cannot tell, it differs from run to run",
    "untried": "not tried",
}
_ROWS = 30
_LABEL = 48
_MOST_SITES = 4
_NUMBERS = ("st", "nd", "rd")


def lines(told: Stressed, width: int) -> Iterator[str]:
    """Everything, in the order in which a reader needs it.

    Args:
        told: what was shown.
        width: of the terminal, in columns.
    """
    yield from matrix(told, width)
    for finding in told.findings:
        yield from ("", *_finding(finding))
    if told.varied:
        yield from ("", "unpinned randomness, varied one place at a time while the others are pinned:")
        yield from map(_varied, told.varied)
    for site in told.unpinned:
        yield from ("", f"unpinned randomness that changes no fact: {site}; {site.remedy}")
    yield from _problems(told)
    yield ""
    yield headline(told)


def headline(told: Stressed) -> str:
    """The verdict in one line."""
    tests, changes = plural(len(told.marks), "subject"), plural(len(told.changes), "change")
    tried = f"{tests} under {changes}, {plural(told.replays, 'replay')}"
    if told.holds:
        return f"reproducible: {tried}"
    moved = len({finding.subject for finding in told.findings})
    parts = [f"{plural(moved, 'subject')} drifted"] if moved else []
    if told.failing:
        parts.append(f"{plural(len(told.failing), 'test')} could not be tried")
    if told.broken:
        parts.append(f"{plural(len(told.broken), 'change')} could not be made")
    return f"not reproducible: {', '.join(parts)}; {tried}"


def matrix(told: Stressed, width: int) -> Iterator[str]:
    """A row for each subject, a column for each change, and what the signs mean."""
    rows = told.marks
    if len(rows) > _ROWS:
        rows = {subject: marks for subject, marks in rows.items() if set(marks.values()) != {"same"}}
    wide = sum(len(change.name) + 2 for change in told.changes)
    lying = min(_LABEL, max(map(len, rows), default=0)) + wide <= width
    widths = [len(change.name) + 2 if lying else 2 for change in told.changes]
    labels = {subject: _cut(subject, max(_LABEL, width - sum(widths))) for subject in rows}
    first = max(map(len, labels.values()), default=0)
    if rows:
        yield from _header(told.changes, first, lying)
    for subject, marks in rows.items():
        signs = zip((SIGNS[marks[change.name]] for change in told.changes), widths, strict=True)
        yield f"{labels[subject]:<{first}}{''.join(f'{sign:>{size}}' for sign, size in signs)}"
    if left := len(told.marks) - len(rows):
        yield f"and {plural(left, 'subject')}, bitwise the same under every change"
    used = {mark for marks in rows.values() for mark in marks.values()}
    if used:
        yield f"{''.ljust(first)}  {', '.join(f'{SIGNS[m]} {_MEANINGS[m]}' for m in SIGNS if m in used)}"


def _header(changes: Sequence[Perturbation], first: int, lying: bool) -> Iterator[str]:
    names = [change.name for change in changes]
    if lying:
        yield f"{''.ljust(first)}{''.join(f'  {name}' for name in names)}"
        return
    tall = max(map(len, names), default=0)
    for letters in zip_longest(*(name.rjust(tall) for name in names), fillvalue=" "):
        yield f"{''.ljust(first)}{''.join(f' {letter}' for letter in letters)}".rstrip()


def _cut(subject: str, most: int) -> str:
    return subject if len(subject) <= most else f"...{subject[3 - most :]}"


def _finding(finding: Finding) -> Iterator[str]:
    difference = finding.difference
    must = "bitwise the same" if finding.hold == "bitwise" else "the same within its tolerance"
    yield f"{finding.subject} drifted under {finding.what} ({finding.change})"
    if difference.address:
        where = f"{_ordinal(difference.place)} of {plural(difference.facts, 'fact')}, {_differ(difference.differing)}"
        yield f"  starts at    {difference.address}: {difference.sentence} ({where})"
    else:
        yield f"  the test     {difference.sentence}"
    if finding.function:
        yield f"  first at     {finding.function}"
    if finding.change != TOGETHER and difference.address:
        yield f"  must be      {must}{_but(finding)}"
    likely = "proven      " if finding.proven else "likely      "
    yield f"  {likely} {finding.source}"
    for site in finding.sites[:_MOST_SITES]:
        yield f"               {site}"
    if (left := len(finding.sites) - _MOST_SITES) > 0:
        yield f"               and {plural(left, 'more place')}"
    yield f"  do           {finding.remedy}"


def _but(finding: Finding) -> str:
    return "; it is so within its tolerance only" if finding.difference.mark == "within" else ""


def _differ(number: int) -> str:
    return f"{number} differs" if number == 1 else f"{number} differ"


def _ordinal(number: int) -> str:
    if number % 100 in (11, 12, 13) or not 1 <= number % 10 <= len(_NUMBERS):
        return f"{number}th"
    return f"{number}{_NUMBERS[number % 10 - 1]}"


def _varied(each: Varied) -> str:
    if each.problem:
        return f"  {each.site}: cannot be varied: {each.problem.splitlines()[0]}"
    if not each.moved:
        return f"  {each.site}: harmless, no fact depends on it"
    subject, address = next(iter(each.moved.items()))
    others = f" and {plural(len(each.moved) - 1, 'more subject')}" if len(each.moved) > 1 else ""
    return f"  {each.site}: matters to {f'{address} of ' if address else ''}{subject}{others}"


def _problems(told: Stressed) -> Iterator[str]:
    for test, message in told.failing.items():
        yield from ("", f"not tried, it fails as it is: {test}: {message}")
    for name, problem in told.broken.items():
        first, *others = problem.splitlines()
        what = next((change.what for change in told.changes if change.name == name), "all changes at once")
        yield from ("", f"under {what} ({name}) the tests cannot be run: {first}", *others)
    told_once = [*(f"not tried here: {name}, {reason}" for name, reason in told.untried.items()), *told.notes]
    if told_once:
        yield from ("", *told_once)
