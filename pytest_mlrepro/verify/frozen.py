"""The environment that a lockfile froze, as something to install again, and what of it cannot be."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from pytest_mlrepro.environment.variables import ABRIDGED, INCIDENTAL, NUMERIC
from pytest_mlrepro.export.pins import pins, rebuilt
from pytest_mlrepro.export.platform import Platform
from pytest_mlrepro.model import SESSION, Run, Value
from pytest_mlrepro.redaction import is_digest

_OURS = "pytest-mlrepro"
# How a folder of the machine, which no lockfile holds, is told.
_ABRIDGED = re.compile(r"<path>|\.\.\./")
_NO_PYTHON = re.compile(
    r"no interpreter found|no download|python.{0,20}not found|invalid version", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Frozen:
    """What to install.

    Attributes:
        packages: requirements, exact versions as far as they can be had.
        python: the version, such as ``3.11.7``; empty for the one that runs this.
        variables: environment variables as they were, as far as the lockfile tells; None for one that was not set.
        notes: what is not as it was, a sentence each.
    """

    packages: tuple[str, ...]
    python: str
    variables: tuple[tuple[str, str | None], ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, run: Run, where: str) -> Frozen:
        """What an environment's side of a lockfile froze.

        Args:
            run: as that environment sees it.
            where: how to call the lockfile.

        Raises:
            LockfileError: if it records no libraries.
        """
        # This plugin is brought along as it runs here: it is the one that judges.
        found = [pin for pin in pins(run, where) if pin.name != _OURS]
        absent = tuple(f"{pin.described}: left out" for pin in found if not pin.is_on_index)
        on_index = [pin for pin in found if pin.is_on_index]
        return cls(
            tuple(pin.requirement for pin in on_index),
            Platform.of(run).version,
            tuple(sorted(variables(run).items())),
            (*absent, *rebuilt(on_index)),
        )

    def relaxed(self, problem: str) -> Frozen | None:
        """What to try next, after what an installer has said of this; None where nothing is left to try.

        An exact version that no index has gives way to its public part (``2.5.1+cu124`` to ``2.5.1``), then to any
        version; a patch release of Python that is not at hand to its minor one, then to the Python that runs this.
        """
        if self.python and _NO_PYTHON.search(problem):
            shorter = self.python.rpartition(".")[0] if self.python.count(".") == 2 else ""
            instead = f"another {shorter}" if shorter else "the one here"
            told = f"Python {self.python} is not at hand: {instead} is taken"
            return replace(self, python=shorter, notes=(*self.notes, told))
        for requirement in self.packages:
            name, _, version = requirement.partition("==")
            if version and _is_blamed(name, version, problem):
                public, local, _ = version.partition("+")
                instead = f"{name}=={public}" if local else name
                taken = f"its public version {public}" if local else "another version"
                told = f"{requirement} cannot be had: {taken} is taken"
                packages = tuple(instead if each == requirement else each for each in self.packages)
                return replace(self, packages=packages, notes=(*self.notes, told))
        return None


def _is_blamed(name: str, version: str, problem: str) -> bool:
    """Whether an installer says that it cannot have this very version."""
    pinned = rf"{re.escape(name)}==?{re.escape(version)}(?![\w.+])"
    said = (
        rf"no version of {pinned}",
        rf"(build|prepare|download|fetch|install)[^\n]{{0,40}}{pinned}",
        rf"{pinned} has no (usable |compatible )?(wheels|source)",
        rf"{re.escape(name)} was not found",
        rf"{pinned} (was yanked|is unusable|cannot be used)",
    )
    return any(re.search(each, problem, re.IGNORECASE) for each in said)


def variables(run: Run) -> dict[str, str | None]:
    """The environment variables that a run recorded, with those that would have been recorded had they been set.

    Left out is what is not told in full: secrets, folders, lists of devices, preloaded libraries.
    """
    session = run.facts(SESSION)
    found: dict[str, str | None] = {}
    for name in (NUMERIC | INCIDENTAL) - ABRIDGED:
        fact = session.get(f"libraries.env.{name}")
        if fact is None or _is_whole(fact.value):
            found[name] = None if fact is None else str(fact.value)
    for _, fact in run:
        _, found_it, name = fact.address.partition("assumptions.environ.")
        if found_it and (fact.value is None or _is_whole(fact.value)):
            found[name] = fact.value if isinstance(fact.value, str) else None
    return found


def _is_whole(value: Value) -> bool:
    return isinstance(value, str) and not is_digest(value) and not _ABRIDGED.search(value)
