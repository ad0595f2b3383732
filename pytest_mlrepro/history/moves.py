"""Tests that have another name than in the version before: by their files, else by their facts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from pytest_mlrepro.history.snapshots import Snapshot
from pytest_mlrepro.model import SESSION

_ENOUGH = 0.5
_COMMON = 20
"""Facts that more subjects than these have tell nothing about which is which."""


def moves(
    before: Snapshot, after: Snapshot, renamed_files: Callable[[], Mapping[str, str]]
) -> Mapping[str, str]:
    """The subjects of the later version that had another name in the earlier one: old name by new name.

    A test is taken for renamed where git says that its file was, or where the only test that has gone with at least
    half of its facts has no other one that is as like it.

    Args:
        before, after: the versions.
        renamed_files: asks git for the files renamed between them, new name by old name, as subjects call them. It is
            asked only where subjects have both come and gone.
    """
    if [*before.parts] == [*after.parts]:
        return {}
    gone = sorted(before.parts.keys() - after.parts.keys() - {SESSION})
    come = sorted(after.parts.keys() - before.parts.keys() - {SESSION})
    if not gone or not come:
        return {}
    found = dict(_by_file(gone, frozenset(come), renamed_files()))
    rest_gone = [name for name in gone if name not in found.values()]
    rest_come = [name for name in come if name not in found]
    return found | dict(_by_facts(rest_gone, rest_come, before, after))


def _by_file(
    gone: Iterable[str], come: Collection[str], files: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    for old in gone:
        file, mark, rest = old.partition("::")
        new = f"{files[file]}{mark}{rest}" if file in files else ""
        if new in come:
            yield new, old


def _by_facts(
    gone: Iterable[str], come: Iterable[str], before: Snapshot, after: Snapshot
) -> Iterator[tuple[str, str]]:
    """Pairs of which each is the other's likest."""
    held = {name: _facts(before, name) for name in gone}
    owners: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, facts in held.items():
        for fact in facts:
            owners[fact].append(name)
    likest: dict[str, str] = {}
    claims: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for new in come:
        facts = _facts(after, new)
        shared = Counter(
            old for fact in facts for old in owners.get(fact, ()) if len(owners[fact]) <= _COMMON
        )
        ranked = [
            (_likeness(old, new, count, max(len(held[old]), len(facts))), old)
            for old, count in shared.items()
        ]
        if best := _only_best(ranked):
            likest[new] = best[1]
            claims[best[1]].append((best[0], new))
    for new, old in likest.items():
        best = _only_best(claims[old])
        if best is not None and best[1] == new:
            yield new, old


def _likeness(old: str, new: str, count: int, total: int) -> float:
    """The share of facts that both have; that the test's own name is the same breaks a tie."""
    share = count / total
    return share + 0.001 * (old.partition("::")[2] == new.partition("::")[2]) if share >= _ENOUGH else 0.0


def _only_best(ranked: list[tuple[float, str]]) -> tuple[float, str] | None:
    ordered = sorted(ranked, reverse=True)
    if not ordered or ordered[0][0] < _ENOUGH or (len(ordered) > 1 and ordered[0][0] == ordered[1][0]):
        return None
    return ordered[0]


def _facts(version: Snapshot, subject: str) -> frozenset[tuple[str, str]]:
    return frozenset(
        (address, repr(fact.value)) for address, fact in version.part(subject).facts(subject).items()
    )
