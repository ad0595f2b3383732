"""What changed between two versions of a lockfile, fact by fact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from pytest_mlrepro.facets import facet_names
from pytest_mlrepro.history.snapshots import Snapshot
from pytest_mlrepro.model import Drift, Fact, Facts, Kind, Run


class Change(NamedTuple):
    """A fact that a version accepted anew, added or dropped.

    Attributes:
        drift: the fact before and after.
        environment: the one that this holds for; empty for what all share.
        formerly: what the subject was called before, where this version renamed it.
    """

    drift: Drift
    environment: str = ""
    formerly: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """Subject, address and environment."""
        return self.drift.subject, self.drift.address, self.environment


def changes(
    before: Snapshot, after: Snapshot, moved: Mapping[str, str], environment: str | None = None
) -> tuple[Change, ...]:
    """The facts whose values are not the same, tolerances aside: what is written is what was accepted.

    Args:
        before, after: the versions.
        moved: subjects that were renamed between them: old name by new name.
        environment: whose values; None for what all share, and beside it what each has of its own.

    Returns:
        Ordered by subject, results first, then by facet and key.
    """
    found: list[Change] = []
    old_names = set(moved.values())
    for subject in after.differing(before):
        if subject in old_names and subject not in after.parts:
            continue
        formerly = moved.get(subject, "")
        pair = before.part(formerly or subject), after.part(subject)
        for change in _of_subject(subject, formerly or subject, *pair, environment):
            found.append(change._replace(formerly=formerly) if formerly else change)
    return tuple(sorted(found, key=partial(_order, facet_names()))) if len(found) > 1 else tuple(found)


def same(one: Fact | None, other: Fact | None) -> bool:
    """Whether two facts have the same value: to the last bit, and of the same type."""
    if one is None or other is None or one is other:
        return one is other
    # As text: NaN is NaN, 0.0 is not -0.0, and True is not 1.
    return one.dtype == other.dtype and repr(one.value) == repr(other.value)


def _of_subject(
    subject: str, formerly: str, before: Run, after: Run, environment: str | None
) -> Iterator[Change]:
    if environment is not None:
        sides = before.view(environment).facts(formerly), after.view(environment).facts(subject)
        yield from (Change(drift) for drift in _drifts(subject, *sides))
        return
    drifts = _drifts(subject, before.facts(formerly), after.facts(subject))
    if not before.environments and not after.environments:
        yield from map(Change, drifts)
        return
    shared = {each.address: each for each in drifts}
    yield from map(Change, shared.values())
    for name in sorted({*before.environments, *after.environments}):
        sides = before.view(name).facts(formerly), after.view(name).facts(subject)
        for drift in _drifts(subject, *sides):
            told = shared.get(drift.address)
            if told is None or not (
                same(told.baseline, drift.baseline) and same(told.current, drift.current)
            ):
                yield Change(drift, name)


def _drifts(subject: str, before: Facts, after: Facts) -> list[Drift]:
    # Most facts of two versions are one and the same object.
    differing = [address for address, old in before.items() if after.get(address) is not old]
    differing += [address for address in after if address not in before]
    return [
        drift
        for address in differing
        if (drift := _drift(subject, before.get(address), after.get(address))) is not None
    ]


def _drift(subject: str, old: Fact | None, new: Fact | None) -> Drift | None:
    if same(old, new):
        return None
    fact = new or old
    assert fact is not None
    kind: Kind = "changed" if old and new else "added" if new else "removed"
    return Drift(subject, fact.facet, fact.key, kind, old, new)


def _order(names: Sequence[str], change: Change) -> tuple[str, bool, int, str, str]:
    drift = change.drift
    place = names.index(drift.facet) if drift.facet in names else len(names)
    return drift.subject, drift.facet != "results", place, drift.key, change.environment
