"""The commits that changed a file, through its renames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pytest_mlrepro.history.git import ENCODING, Git

# The last one may be empty, but holds no line break and no zero byte.
_FIELDS = ("%H", "%P", "%aI", "%aN", "%s")


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit that changed a file.

    Attributes:
        name: the full one.
        parents: the nearest commits before it that changed the file, as far as they led to what it is now.
        date: when it was written, as ISO 8601 with its time zone.
        author: who wrote it.
        title: the first line of its message.
    """

    name: str
    parents: tuple[str, ...]
    date: str
    author: str
    title: str


@dataclass(frozen=True, slots=True)
class Walk:
    """The commits that changed a file.

    Attributes:
        commits: children before their parents, else the newest first.
        paths: what the file was called, the newest name first.
    """

    commits: tuple[Commit, ...]
    paths: tuple[str, ...]


def walk(git: Git, path: str, revision: str) -> Walk:
    """The commits that changed a file, and what it was called before, where git can tell.

    Args:
        git: in the uppermost folder of the repository.
        path: of the file below that folder.
        revision: the name of the commit to start from.

    Raises:
        HistoryError: if git fails.
    """
    paths = [path]
    while True:
        commits = _commits(git, paths, revision)
        starts = [commit.name for commit in commits if not commit.parents]
        older = [
            before
            for start in starts
            for before, now in renames(git, start).items()
            if now in paths and before not in paths
        ]
        if not older:
            return Walk(commits, tuple(paths))
        paths += dict.fromkeys(older)


def _commits(git: Git, paths: Iterable[str], revision: str) -> tuple[Commit, ...]:
    form = "%x00".join(_FIELDS)
    printed = git.run("log", "-z", "--topo-order", "--parents", f"--format={form}", revision, "--", *paths)
    words = printed.decode(*ENCODING).split("\0")
    count = len(_FIELDS)
    rows = [words[start : start + count] for start in range(0, len(words) - 1, count)]
    return tuple(
        Commit(name, tuple(parents.split()), date, author, title)
        for name, parents, date, author, title in rows
    )


def renames(git: Git, *commits: str) -> Mapping[str, str]:
    """The files that git takes for renamed: new name by old name.

    Args:
        git: in the uppermost folder of the repository.
        commits: the names of two; or of one, which is compared with its parent.
    """
    printed = git.run(
        "diff-tree", "-r", "-z", "-M", "--no-commit-id", "--name-status", "--diff-filter=R", *commits, "--"
    )
    words = printed.decode(*ENCODING).split("\0")
    return {words[start + 1]: words[start + 2] for start in range(0, len(words) - 2, 3)}
