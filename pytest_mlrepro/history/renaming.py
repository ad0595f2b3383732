"""A run under the names that its subjects have in a later one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from pytest_mlrepro.history.commits import renames, walk
from pytest_mlrepro.history.moves import moves
from pytest_mlrepro.history.repository import Repository
from pytest_mlrepro.history.snapshots import whole
from pytest_mlrepro.history.timeline import Step, timeline
from pytest_mlrepro.model import SESSION, Run


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
    gone = before.subjects.keys() - after.subjects.keys() - {SESSION}
    if not gone or not after.subjects.keys() - before.subjects.keys() - {SESSION}:
        return before, {}
    prefix = repository.below(root)
    old, new = commits[0], commits[1] or repository.resolve("HEAD")
    names = {
        subject: label
        for subject, label in labels(_between(repository, old, new, prefix)).items()
        if subject in gone and label in after and label not in before
    }
    before = _under(before, names)

    def files() -> Mapping[str, str]:
        found = renames(repository.git, old, new)
        return {one.removeprefix(prefix): other.removeprefix(prefix) for one, other in found.items()}

    late = {was: now for now, was in moves(whole(before), whole(after), files).items()}
    return _under(before, late), {now: was for was, now in {**names, **late}.items()}


def labels(steps: Iterator[Step]) -> dict[str, str]:
    """The newest name of each subject that was renamed, by the older ones; the newest step first."""
    found: dict[str, str] = {}
    for step in steps:
        for new, old in step.moved.items():
            found.setdefault(old, found.get(new, new))
    return found


def _between(repository: Repository, old: str, new: str, prefix: str) -> Iterator[Step]:
    """What was changed after a commit, up to another one."""
    reached = {commit.name for commit in walk(repository.git, repository.path, old).commits}
    for step in timeline(repository.git, walk(repository.git, repository.path, new), root=prefix):
        if step.commit.name in reached:
            return
        yield step


def _under(run: Run, names: Mapping[str, str]) -> Run:
    if not names:
        return run
    own = {
        name: {names.get(subject, subject): facts for subject, facts in each.items()}
        for name, each in run.environments.items()
    }
    shared = {names.get(subject, subject): facts for subject, facts in run.subjects.items()}
    return Run(shared, run.traces, own)
