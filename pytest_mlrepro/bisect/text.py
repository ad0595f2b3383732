"""A search as text for a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from pytest_mlrepro.bisect.account import Account
from pytest_mlrepro.bisect.sentences import sentences
from pytest_mlrepro.bisect.trials import Place, Trial
from pytest_mlrepro.facets import show

_MOST_COLUMNS = 3
_MOST_ELEMENTS = 24
_WIDTH = 24
_REASON = 90


def lines(account: Account) -> Iterator[str]:
    """The answer, what differs, the table of replays, and how to repeat what decided."""
    yield account.test
    yield f"then: {account.good}; now: {account.bad}"
    if account.finding is not None:
        yield ""
        yield from sentences(account)
    if account.elements:
        yield from ("", "changed between then and now:")
        width = max(len(each.name) for each in account.elements[:_MOST_ELEMENTS])
        for each in account.elements[:_MOST_ELEMENTS]:
            yield f"  {each.name:<{width}}  {each.step}".rstrip()
        if len(account.elements) > _MOST_ELEMENTS:
            yield f"  and {len(account.elements) - _MOST_ELEMENTS} more"
    if account.unchanged:
        yield from ("", "differs too, and no replay can change it:")
        yield from (f"  {each}" for each in account.unchanged)
    yield from ("", "replays:")
    yield from table(account)
    yield _sum(account)
    if account.finding is not None and account.finding.culprits:
        yield from ("", "the decisive two again:")
        yield f"  {shlex.join(account.repeating(account.finding.culprits[0].decisive))}"


def table(account: Account) -> Iterator[str]:
    """A row a replay: its number, what it was, the results that are looked at, and the verdict."""
    places = columns(account)
    rows = [("", "", *(_column(place, account) for place in places), "")]
    rows.append(("", "accepted", *(_cell(account.baseline.get(place)) for place in places), ""))
    rows += [_row(account, each, places) for each in account.trials]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)]
        yield "  ".join(("", *cells, row[-1])).rstrip()


def columns(account: Account) -> tuple[Place, ...]:
    """The results that the table shows: of those that drift in the first replay as many as have room."""
    first = account.trials[0].judged if account.trials else None
    drifting = [(each.subject, each.address) for each in first.drifts] if first else []
    return tuple(dict.fromkeys([*drifting, *account.baseline]))[:_MOST_COLUMNS]


def _row(account: Account, trial: Trial, places: Sequence[Place]) -> tuple[str, ...]:
    told = account.state(trial.state) + (", again" if trial.again else "")
    cells = [_cell(trial.judged.results.get(place)) for place in places]
    verdict: str = trial.judged.outcome
    if trial.judged.reason:
        reason = " ".join(trial.judged.reason.split())
        verdict += f": {reason if len(reason) <= _REASON else f'{reason[:_REASON]}...'}"
    elif trial.judged.beside:
        verdict += f", and {trial.judged.beside} other result{'s' if trial.judged.beside > 1 else ''} drift"
    return f"{trial.number:>3}", told, *cells, verdict


def _column(place: Place, account: Account) -> str:
    subject, address = place
    is_only = len({each for each, _ in account.baseline}) == 1
    return address if is_only else f"{subject.rpartition('::')[2]} {address}"


def _cell(fact: object) -> str:
    return "-" if fact is None else show(getattr(fact, "value", None), _WIDTH)


def _sum(account: Account) -> str:
    number = len(account.trials)
    remembered = sum(each.replay.remembered for each in account.trials)
    kept = f", {remembered} of them kept from before" if remembered else ""
    return f"{number} replay{'' if number == 1 else 's'}{kept}, {account.seconds:.1f} s of tests"
