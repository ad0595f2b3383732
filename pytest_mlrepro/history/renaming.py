"""A run under the names that its subjects have in a later one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pytest_mlrepro.history.commits import renames
from pytest_mlrepro.history.moves import moves
from pytest_mlrepro.history.repository import Repository
from pytest_mlrepro.history.snapshots import whole
from pytest_mlrepro.model import Run


def renamed(
    before: Run, after: Run, repository: Repository, commits: tuple[str, str], root: Path
) -> tuple[Run, Mapping[str, str]]:
    """A run with the later names of its subjects, and which those are: old name by new name.

    Args:
        before, after: the runs.
        repository: that the first is of.
        commits: that they are of; the second is empty where it is of none, and then the last commit stands for it.
        root: the folder that subjects' files start from.
    """
    old, new = commits
    prefix = repository.below(root)

    def files() -> Mapping[str, str]:
        found = renames(repository.git, old, new or repository.resolve("HEAD"))
        return {one.removeprefix(prefix): other.removeprefix(prefix) for one, other in found.items()}

    moved = moves(whole(before), whole(after), files)
    names = {old_name: new_name for new_name, old_name in moved.items()}
    own = {
        name: {names.get(subject, subject): facts for subject, facts in each.items()}
        for name, each in before.environments.items()
    }
    shared = {names.get(subject, subject): facts for subject, facts in before.subjects.items()}
    return Run(shared, before.traces, own), moved
