"""What the environments of a lockfile share, and what each has of its own.

A fact that agrees in every environment is stored once. An update made in one environment changes what that one is
compared with, and nothing that another is compared with: where others still hold the shared value, the new one is
stored beside it as the environment's own, and the last one to leave a shared value replaces it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TypeAlias

from pytest_mlrepro.facets import same_value
from pytest_mlrepro.model import Fact, Facts, Run

Agrees: TypeAlias = Callable[[Fact, Fact], bool]
"""Whether a fact recorded now stands for an accepted one: identical, or within its tolerance."""


def share(before: Run, environment: str, after: Mapping[str, Facts], agrees: Agrees) -> Run:
    """Store what an environment has accepted.

    Args:
        before: the lockfile's content.
        environment: the name of the one in which the update was made.
        after: all that it shall be compared with from now on, by subject; facts that stay are the same objects.
        agrees: of an accepted fact and a new one.

    Returns:
        The new content. The view of every other recorded environment holds the same values as before, and new subjects;
        that of this one holds ``after``, but for values that agree with a shared one.
    """
    others = {name: before.view(name) for name in sorted(before.environments) if name != environment}
    if not others:
        return Run(after, environments={environment: {}})
    known = before.view(environment)
    shared = {subject: dict(facts) for subject, facts in before.subjects.items()}
    own = {
        name: {subject: dict(facts) for subject, facts in before.environments.get(name, {}).items()}
        for name in (environment, *others)
    }
    for subject in known.subjects.keys() | after.keys():
        old, new = known.facts(subject), after.get(subject, {})
        table = _Table(
            shared.setdefault(subject, {}),
            {name: each.setdefault(subject, {}) for name, each in own.items()},
            environment,
            # A test that nobody else has accepted is accepted for all: it is the same code everywhere.
            holders=[name for name, view in others.items() if subject in view],
        )
        for address in old.keys() | new.keys():
            if address in own[environment][subject] or old.get(address) is not new.get(address):
                table.accept(address, new.get(address), agrees)
    return Run(
        {subject: facts for subject, facts in shared.items() if facts},
        environments={
            name: {key: facts for key, facts in each.items() if facts} for name, each in own.items()
        },
    )


class _Table:
    """The facts of one subject while an update is laid in."""

    def __init__(
        self,
        shared: dict[str, Fact],
        own: Mapping[str, dict[str, Fact | None]],
        environment: str,
        holders: Collection[str],
    ) -> None:
        self._shared = shared
        self._own = own
        self._mine = own[environment]
        self._others = [name for name in own if name != environment]
        self._holders = holders

    def accept(self, address: str, new: Fact | None, agrees: Agrees) -> None:
        """Make a fact the one that the environment is compared with; None where it has no such fact any more."""
        shared = self._shared.get(address)
        if _stands_for(shared, new, agrees):
            self._mine.pop(address, None)
            if shared is not None and new is not None and _is_same(shared, new):
                # What explains it is the newest.
                self._shared[address] = new
        elif any(address not in self._own[name] for name in self._holders):
            self._mine[address] = new
        else:
            self._mine.pop(address, None)
            self._replace(address, self._agreeing(address, new, agrees))

    def _agreeing(self, address: str, new: Fact | None, agrees: Agrees) -> Fact | None:
        """What another environment has accepted already, where the new fact stands for it."""
        for name in self._others:
            if address in self._own[name] and _stands_for(self._own[name][address], new, agrees):
                return self._own[name][address]
        return new

    def _replace(self, address: str, fact: Fact | None) -> None:
        if fact is None:
            self._shared.pop(address, None)
        else:
            self._shared[address] = fact
        for name in self._others:
            own = self._own[name]
            if address in own and _is_same(own[address], fact):
                del own[address]


def _stands_for(accepted: Fact | None, new: Fact | None, agrees: Agrees) -> bool:
    if accepted is None or new is None:
        return accepted is new
    return agrees(accepted, new)


def _is_same(left: Fact | None, right: Fact | None) -> bool:
    if left is None or right is None:
        return left is right
    return left.dtype == right.dtype and same_value(left.value, right.value)
