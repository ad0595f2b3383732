"""The state in which a test's results were accepted: a commit, and what its lockfile holds."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass

from pytest_mlrepro.errors import HistoryError, LockfileError
from pytest_mlrepro.history.commits import Walk, walk
from pytest_mlrepro.history.repository import Repository, short
from pytest_mlrepro.history.timeline import timeline
from pytest_mlrepro.lockfile import loads
from pytest_mlrepro.model import Run

_RESULTS = "results"


@dataclass(frozen=True, slots=True)
class Baseline:
    """What was accepted, and where.

    Attributes:
        commit: its full name.
        run: the accepted facts as one environment sees them.
        paths: what the lockfile was ever called, below the repository's uppermost folder.
    """

    commit: str
    run: Run
    paths: tuple[str, ...]


def baseline(
    repository: Repository, commit: str, environment: str, subjects: Collection[str], *, below: str
) -> Baseline:
    """The accepted results of some subjects.

    Args:
        repository: with the lockfile's path.
        commit: whose lockfile it is; empty for the last that changed accepted results of the subjects.
        environment: whose values.
        subjects: a test, and the fixtures that it rests on.
        below: the folder that subjects' files start from, with a slash at its end.

    Raises:
        MlreproError: if there is no such lockfile, or no such results in it.
    """
    head = commit or repository.resolve("HEAD")
    walked = walk(repository.git, repository.path, head)
    found = commit or _accepted(repository, walked, subjects, below)
    content = next(
        (each for path in walked.paths if (each := repository.read(found, path)) is not None), None
    )
    where = f"{repository.path} at {short(found)}"
    if content is None:
        raise HistoryError(
            "the lockfile is not in that commit", where=where, remedy="name another: --good REV"
        )
    try:
        run = _seen(loads(content.decode(), where), environment)
    except UnicodeDecodeError:
        raise LockfileError("not UTF-8 text", where=where, remedy="name another: --good REV") from None
    if not any(fact.facet == _RESULTS for name in subjects for fact in run.facts(name).values()):
        raise HistoryError(
            "no result of the test was accepted there", where=where, remedy="name another: --good REV"
        )
    return Baseline(found, run, walked.paths)


def _accepted(repository: Repository, walked: Walk, subjects: Collection[str], below: str) -> str:
    steps = timeline(repository.git, walked, root=below)
    with closing(steps):
        for step in steps:
            if any(_is_meant(each.drift.subject, each.drift.facet, subjects) for each in step.changes):
                return step.commit.name
    raise HistoryError(
        "no commit has accepted a result of the test",
        where=repository.path,
        remedy="accept one and commit it: pytest --mlrepro-update",
    )


def _is_meant(subject: str, facet: str, subjects: Collection[str]) -> bool:
    return facet == _RESULTS and subject in subjects


def _seen(run: Run, environment: str) -> Run:
    """As an environment sees it; where it is not recorded and only one other is, as that one does."""
    if environment not in run.environments and len(run.environments) == 1:
        (environment,) = run.environments
    return run.view(environment)


def with_results(run: Run) -> Iterator[str]:
    """The subjects that have results."""
    for subject, facts in run.subjects.items():
        if any(fact.facet == _RESULTS for fact in facts.values()):
            yield subject
