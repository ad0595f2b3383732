from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from stories.projects import Project

# Cores are shared: how long an example takes says nothing about it.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")


@pytest.fixture
def empty(tmp_path: Path) -> Project:
    """A project without any test."""
    return Project.empty(tmp_path)


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[str], Project]:
    """Copies a project of ``fixtures/projects``, its lockfile included."""
    return lambda name: Project.copy_of(name, tmp_path)
