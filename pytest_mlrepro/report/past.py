"""What the results of a project were at earlier commits, for its reports: as much of it as git tells."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from itertools import islice
from pathlib import Path

from pytest_mlrepro.comparison import room
from pytest_mlrepro.errors import HistoryError
from pytest_mlrepro.history.commits import Commit, walk
from pytest_mlrepro.history.repository import Repository, short
from pytest_mlrepro.history.timeline import Step, timeline
from pytest_mlrepro.model import Fact
from pytest_mlrepro.report.evolution import Names
from pytest_mlrepro.report.page.history import NO_HISTORY, Histories, Point
from pytest_mlrepro.report.plain import plain

MOST = 1000
"""Commits that are looked through, the newest first."""


def histories(lockfile: Path, root: Path, environment: str | None = None) -> Histories:
    """The accepted values of numeric results at the commits that changed them, under the names that tests have today.

    Empty where there is none to be had: no git, no repository, nothing committed. A report is made all the same.

    Args:
        lockfile: its path.
        root: the folder that subjects' files start from.
        environment: whose values; None for those that all share.
    """
    try:
        repository = Repository.of(lockfile)
        newest = repository.find("HEAD")
        if newest is None:
            return NO_HISTORY
        walked = walk(repository.git, repository.path, newest)
        steps = timeline(repository.git, walked, root=repository.below(root), environment=environment)
        with closing(steps):
            return _gathered(islice(steps, MOST))
    except HistoryError:
        return NO_HISTORY


def _gathered(steps: Iterable[Step]) -> Histories:
    names = Names()
    told: list[tuple[Step, dict[tuple[str, str], Fact | None]]] = []
    for step in steps:
        told.append((step, _results(step, names)))
        names.before(step)
    found: dict[tuple[str, str], list[Point]] = {}
    for step, facts in reversed(told):
        if step.gap:
            for points in found.values():
                # One gap is as wide as many.
                if points[-1].value is not None:
                    points.append(_point(step.commit, None))
        for key, fact in facts.items():
            found.setdefault(key, []).append(_point(step.commit, fact))
    return {key: tuple(points) for key, points in found.items()}


def _results(step: Step, names: Names) -> dict[tuple[str, str], Fact | None]:
    """The numbers that a commit accepted or dropped, by the newest name of their subject."""
    return {
        (names.label(change.drift.subject), change.drift.address): change.drift.current
        for change in step.changes
        if not change.environment
        and room(change.drift.facet).role == "output"
        and (_is_number(change.drift.baseline) or _is_number(change.drift.current))
    }


def _is_number(fact: Fact | None) -> bool:
    return fact is not None and isinstance(fact.value, int | float) and not isinstance(fact.value, bool)


def _point(commit: Commit, fact: Fact | None) -> Point:
    return Point(
        short(commit.name), commit.date[:10], commit.title, None if fact is None else plain(fact.value)
    )
