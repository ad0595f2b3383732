"""Which environment's side of a lockfile a command takes."""

from __future__ import annotations

from pytest_mlrepro.config import unknown
from pytest_mlrepro.environment.naming import default_name
from pytest_mlrepro.model import Run


def named(run: Run, name: str, where: object) -> Run:
    """What an environment is compared with.

    Raises:
        ConfigError: if the lockfile does not know it; it says which is nearest.
    """
    if name not in run.environments:
        raise unknown(name, sorted(run.environments), "environment", str(where))
    return run.view(name)


def alike(run: Run, other: Run) -> Run:
    """A lockfile as the one environment sees it that the other run was recorded in; what is shared, elsewhere."""
    return run.view(next(iter(other.environments))) if len(other.environments) == 1 else run


def here(run: Run, configured: str) -> Run:
    """A lockfile as this environment sees it where it is recorded, else as the only one that is, else what is shared.

    Args:
        run: the lockfile's content.
        configured: the name that the project gives to its environment; empty for none.
    """
    name = name_here(run, configured)
    return run.view(name) if name else run


def name_here(run: Run, configured: str) -> str:
    """The name of the environment that ``here`` takes; empty for what is shared."""
    own = configured or default_name()
    if own in run.environments:
        return own
    return next(iter(run.environments)) if len(run.environments) == 1 else ""
