"""What is good to know of a run and moves no number: for reports only, never for a lockfile."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from pytest_mlrepro.environment.distributions import Distributions
from pytest_mlrepro.environment.spelling import UNKNOWN

_TOOLS = ("conda", "pip", "poetry", "pytest", "pytest-mlrepro", "pytest-xdist", "uv")
_SERVICES: Mapping[str, str] = MappingProxyType(
    # The variable by which each says that it is there, as their manuals name it.
    {
        "APPVEYOR": "AppVeyor",
        "BITBUCKET_BUILD_NUMBER": "Bitbucket Pipelines",
        "BUILDKITE": "Buildkite",
        "CIRCLECI": "CircleCI",
        "CIRRUS_CI": "Cirrus CI",
        "CODEBUILD_BUILD_ID": "AWS CodeBuild",
        "GITHUB_ACTIONS": "GitHub Actions",
        "GITLAB_CI": "GitLab CI",
        "JENKINS_URL": "Jenkins",
        "TEAMCITY_VERSION": "TeamCity",
        "TF_BUILD": "Azure Pipelines",
        "TRAVIS": "Travis CI",
        "CI": UNKNOWN,
    }
)
_GIB = 2**30
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def context(environ: Mapping[str, str]) -> Mapping[str, str | int | float]:
    """What is known of the machine and the tools: no path, no user, no host name, no secret.

    Args:
        environ: the environment variables.
    """
    return dict(_context(environ))


def _context(environ: Mapping[str, str]) -> Iterator[tuple[str, str | int | float]]:
    if service := next((name for variable, name in _SERVICES.items() if environ.get(variable)), ""):
        yield "ci", service
    yield "compiler", platform.python_compiler()
    yield "cores_of_machine", os.cpu_count() or 0
    if (quota := cpu_quota(_text(_QUOTA))) is not None:
        yield "cpu_quota", quota
    yield "installation", _installation()
    yield "kernel", platform.release()
    if (memory := _memory()) is not None:
        yield "memory_gib", memory
    distributions = Distributions.read()
    yield "distributions", len(distributions.by_name)
    for name in _TOOLS:
        if (installed := distributions.get(name)) is not None:
            yield f"tools.{name}", installed.version


def cpu_quota(text: str) -> float | None:
    """How many cores' worth of time a container may use, from its ``cpu.max``; None where it is not limited.

    No library looks at it when it sizes its pools of threads.
    """
    quota, _, period = text.strip().partition(" ")
    if not quota.isdecimal() or not period.isdecimal() or not int(period):
        return None
    return round(int(quota) / int(period), 2)


def _installation() -> str:
    if getattr(sys, "frozen", False):
        return "frozen application"
    if Path(sys.prefix, "conda-meta").is_dir():
        return "conda"
    return "virtual environment" if sys.prefix != sys.base_prefix else "system"


def _memory() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB, 1)
    except (AttributeError, ValueError, OSError):
        # Windows has no such question.
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
