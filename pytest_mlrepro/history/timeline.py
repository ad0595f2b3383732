"""The history of a lockfile: what each commit changed, the newest first."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.history.changes import Change, changes
from pytest_mlrepro.history.commits import Commit, Walk, renames
from pytest_mlrepro.history.git import Git
from pytest_mlrepro.history.moves import moves
from pytest_mlrepro.history.repository import short
from pytest_mlrepro.history.snapshots import Reader, Snapshot


class Step(NamedTuple):
    """What one commit did to the lockfile.

    Attributes:
        commit: which.
        path: of the lockfile then; empty where it is not there.
        gap: why this version cannot be used; empty where it can. Nothing is compared with it: the version after is
            compared with the one before.
        changes: the facts that are not as in any version before it.
        moved: subjects that it renamed, old name by new name.
        first: whether there is no version before it.
        environments: the names of those that it holds.
    """

    commit: Commit
    path: str = ""
    gap: str = ""
    changes: tuple[Change, ...] = ()
    moved: Mapping[str, str] = MappingProxyType({})
    first: bool = False
    environments: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Pending:
    """A version that waits for those it is compared with."""

    commit: Commit
    path: str
    gap: str = ""
    snapshot: Snapshot | None = None
    open: int = 0
    parents: dict[tuple[int, ...], tuple[str, Snapshot]] = field(default_factory=dict)

    def before(self) -> Iterator[tuple[str, Snapshot]]:
        """The versions that it is compared with, that of the first parent first, each with its commit."""
        for place in sorted(self.parents):
            yield self.parents[place]


def timeline(
    git: Git,
    walk: Walk,
    *,
    root: str = "",
    environment: str | None = None,
    advance: Callable[[int], None] | None = None,
) -> Generator[Step]:
    """What the commits of a walk changed, in its order; read as far as it is asked for.

    A merge is said to have changed what is as in none of its parents.

    Args:
        git: in the uppermost folder of the repository.
        walk: the commits.
        root: the folder below it that subjects' files start from, with a slash at its end.
        environment: whose values; None for what all share, and beside it what each has of its own.
        advance: is told of each version that was read.

    Raises:
        HistoryError: if git fails.
    """
    waiting: dict[str, list[tuple[_Pending, tuple[int, ...]]]] = {}
    queue: deque[_Pending] = deque()
    for pending in _versions(git, walk):
        if advance is not None:
            advance(1)
        children = waiting.pop(pending.commit.name, [])
        if pending.snapshot is None:
            # Who waited for this one waits for those before it.
            heirs = children
        else:
            for child, place in children:
                child.open -= 1
                child.parents[place] = pending.commit.name, pending.snapshot
            heirs = [(pending, ())]
            pending.open = 1
        for heir, place in heirs:
            heir.open += len(pending.commit.parents) - 1
            for number, parent in enumerate(pending.commit.parents):
                waiting.setdefault(parent, []).append((heir, (*place, number)))
        queue.append(pending)
        while queue and not queue[0].open:
            yield _step(git, queue.popleft(), root, environment)
    # What a shallow clone has cut off never comes.
    yield from (_step(git, pending, root, environment) for pending in queue)


def _versions(git: Git, walk: Walk) -> Iterator[_Pending]:
    reader = Reader()
    asked = [f"{commit.name}:{path}" for commit in walk.commits for path in walk.paths]
    contents = git.contents(asked, walk.objects)
    for commit in walk.commits:
        found = [(path, next(contents)) for path in walk.paths]
        path, content = next(((path, each) for path, each in found if each is not None), ("", None))
        if content is None:
            yield _Pending(commit, "", gap="the lockfile is not there")
            continue
        try:
            snapshot = reader.read(content[1], f"{path} at {short(commit.name)}")
        except LockfileError as error:
            where = error.where.removeprefix(f"{path} at {short(commit.name)}").lstrip(", ")
            yield _Pending(commit, path, gap=f"{where}: {error.what}" if where else error.what)
        else:
            yield _Pending(commit, path, snapshot=snapshot)


def _step(git: Git, pending: _Pending, root: str, environment: str | None) -> Step:
    after = pending.snapshot
    if after is None:
        return Step(pending.commit, pending.path, pending.gap)
    found: list[tuple[Change, ...]] = []
    moved: Mapping[str, str] = {}
    for name, before in pending.before():
        renamed = moves(before, after, partial(_files, git, name, pending.commit.name, root))
        moved = moved or renamed
        found.append(changes(before, after, renamed, environment))
    if not found:
        found = [changes(Snapshot({}), after, {}, environment)]
    told = found[0]
    if len(found) > 1:
        everywhere = set.intersection(*({change.key for change in each} for each in found))
        told = tuple(change for change in told if change.key in everywhere)
    return Step(
        pending.commit,
        pending.path,
        changes=told,
        moved=moved,
        first=not pending.parents,
        environments=after.environments,
    )


def _files(git: Git, before: str, now: str, root: str) -> Mapping[str, str]:
    """The renamed files as subjects call them."""
    return {
        old.removeprefix(root): new.removeprefix(root)
        for old, new in renames(git, before, now).items()
        if old.startswith(root) and new.startswith(root)
    }
