"""The terms on which the command judges recorded runs."""

from __future__ import annotations

from pytest_mlrepro.config import Config
from pytest_mlrepro.facets import Versions
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.model import Run
from pytest_mlrepro.policy import Policies


def terms(project: Config, baseline: Run) -> Terms:
    """The project's policies and tolerance. Those of a test's own marker are known to its own run only."""
    return Terms(
        baseline=baseline,
        policies=Policies((project.policy,) if project.policy else (), Versions(project.versions)),
        tolerance=project.tolerance,
    )
