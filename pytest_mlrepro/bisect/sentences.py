"""What was found, in sentences that claim no more than the replays have shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_mlrepro.bisect.account import Account
from pytest_mlrepro.bisect.elements import Element
from pytest_mlrepro.bisect.search import Culprit, Finding, Narrowed

_UNITS = {"library": "release"}


def sentences(account: Account) -> Iterator[str]:
    """The answer, line by line; lines that belong to the one before are indented."""
    finding = account.finding
    assert finding is not None
    match finding.verdict:
        case "holds":
            yield "not reproducible: nothing drifts now"
        case "flaky":
            yield f"drifts by itself (flaky): {finding.why}"
            yield "  no change can be named for what differs from one replay to the next; see: mlrepro stress"
        case "elsewhere":
            yield f"no cause found: {finding.why}"
        case "found":
            yield from _found(account, finding)


def _found(account: Account, finding: Finding) -> Iterator[str]:
    by_name = {each.name: each for each in account.elements}
    several = len(finding.culprits) > 1
    if several:
        yield f"{len(finding.culprits)} causes, of which each suffices: it drifts with each and without the others"
    for number, culprit in enumerate(finding.culprits, 1):
        yield f"{f'cause {number}' if several else 'cause'}: {_head(culprit, by_name)}"
        yield from (f"  {line}" for line in _details(account, culprit, by_name))
    if finding.rest == "drifts":
        yield "there are more: it drifts without them all too"
    elif finding.rest == "unresolved":
        yield "whether it drifts without that cannot be told: the replay says nothing of the result"
    for small, large in finding.masked:
        yield (
            f"one change hides another: it drifts with {_names(small)} and holds with "
            f"{_names(large - small)} besides"
        )


def _head(culprit: Culprit, by_name: dict[str, Element]) -> str:
    chosen = [name for name in culprit.cause.changes if name not in culprit.cause.companions]
    told = [f"{name} {by_name[name].step}".rstrip() for name in chosen]
    return " and ".join(told) + (", only together" if len(told) > 1 else "")


def _details(account: Account, culprit: Culprit, by_name: dict[str, Element]) -> Iterator[str]:
    cause = culprit.cause
    untold = [name for name, outcome in cause.without.items() if outcome == "unresolved"]
    if cause.without and not untold:
        yield "with any one of them left as it was then it holds"
    elif untold:
        yield f"what happens with {_names(untold)} left as it was then cannot be told"
    if cause.companions:
        ending = {
            "holds": "by itself that holds",
            "drifts": "by itself that drifts too",
            "unresolved": "the two cannot be told apart",
        }[cause.alone or "unresolved"]
        needed = _names(f"{name} {by_name[name].step}" for name in sorted(cause.companions))
        yield f"it cannot be had without {needed}; {ending}"
    if not culprit.is_whole:
        yield "with that alone the result is not what it is now: other changes move it too"
    for each in culprit.narrowed:
        yield from _narrowed(account, each, several=len(culprit.narrowed) > 1)


def _narrowed(account: Account, narrowed: Narrowed, *, several: bool) -> Iterator[str]:
    element, found = narrowed.element, narrowed.found
    unit = _UNITS.get(element.kind, "commit")
    prefix = f"{element.name}: " if several else ""
    if narrowed.problem:
        yield f"{prefix}what is between is not known: {narrowed.problem.splitlines()[0]}"
    # Both ends have been replayed too.
    replayed = len({0, len(narrowed.row) - 1, *found.asked} - {*found.unresolved})
    first = account.level(element, narrowed.drifts)
    before = account.level(element, narrowed.holds, then=found.holds == 0)
    if len(narrowed.row) > 2 or element.paths:
        told = "holds" if narrowed.before == "holds" else "cannot be told"
        link = f"the {unit} before it" if found.is_exact else f"the last before it that {told}"
        ending = f" {told}" if found.is_exact else ""
        yield f"{prefix}first {unit} that drifts, of {replayed} replayed: {first}"
        yield f"{prefix}{link}{ending}: {before}"
    if found.unresolved:
        yield f"{prefix}{_count(len(found.unresolved), unit)} between them could not be judged"
    if found.untried:
        yield f"{prefix}{_count(len(found.untried), unit)} between them were not tried"
    if narrowed.earlier or narrowed.later:
        places = [
            f"{account.level(element, narrowed.row[place])} drifts before that" for place in narrowed.earlier
        ]
        places += [
            f"{account.level(element, narrowed.row[place])} holds after it" for place in narrowed.later
        ]
        yield f"{prefix}the history is not monotone: {', '.join(places)}; there may be sooner ones"
    if narrowed.moved:
        yield f"{prefix}something after it moved the result again: what it is there is not what it is now"


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"


def _names(names: Iterable[str]) -> str:
    some = sorted(names)
    return some[0] if len(some) == 1 else f"{', '.join(some[:-1])} and {some[-1]}"
