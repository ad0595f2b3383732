"""The commits that changed a file, through its renames."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from pytest_mlrepro.history.git import ENCODING, Git

_FIELDS = ("%H", "%P", "%aI", "%aN", "%s")
# What follows the fields of a commit that is no merge: this and one path, or two where it is a rename.
_STATUS = re.compile(r"\n?:\d+ \d+ [0-9a-f]+ ([0-9a-f]+) ([A-Z])\d*")


class Commit(NamedTuple):
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


class Walk(NamedTuple):
    """The commits that changed a file.

    Attributes:
        commits: children before their parents, else the newest first.
        paths: what the file was called, the newest name first.
        objects: the names of contents, as far as they are known, by ``commit:path``.
    """

    commits: tuple[Commit, ...]
    paths: tuple[str, ...]
    objects: Mapping[str, str] = MappingProxyType({})


def walk(git: Git, path: str, revision: str) -> Walk:
    """The commits that changed a file, and what it was called before, where git can tell.

    Args:
        git: in the uppermost folder of the repository.
        path: of the file below that folder.
        revision: the name of the commit to start from.

    Raises:
        HistoryError: if git fails.
    """
    paths, checked = [path], set[str]()
    while True:
        found, objects, added = _listed(git, paths, revision)
        new = [name for name in added if name not in checked]
        checked |= {*new}
        older = [
            before
            for name in new
            for before, now in renames(git, name).items()
            if now in paths and before not in paths
        ]
        if not older:
            return Walk(tuple(found), tuple(paths), objects)
        paths += dict.fromkeys(older)


def _listed(git: Git, paths: Iterable[str], revision: str) -> tuple[list[Commit], dict[str, str], list[str]]:
    """The commits, the contents that they gave a file of that name, and those of them that added one."""
    form = "%x00".join(_FIELDS)
    options = ("-z", "--topo-order", "--parents", "--raw", "--no-abbrev", f"--format={form}")
    words = git.run("log", *options, revision, "--", *paths).decode(*ENCODING).split("\0")
    commits: list[Commit] = []
    objects: dict[str, str] = {}
    added: list[str] = []
    place, count = 0, len(_FIELDS)
    while place + count < len(words):
        name, parents, date, author, title = words[place : place + count]
        place += count
        commits.append(Commit(name, tuple(parents.split()), date, author, title))
        adds = False
        while found := _STATUS.fullmatch(words[place]):
            content, status = found.groups()
            adds = adds or status == "A"
            place += 3 if status in "RC" else 2
            if status != "D":
                objects[f"{name}:{words[place - 1]}"] = content
        if adds:
            added.append(name)
    return commits, objects, added


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
