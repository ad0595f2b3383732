"""What a replay changes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Change:
    """How a replay differs from running the tests as they are, here and now. Nothing changed is the default.

    Attributes:
        seed: the base seed; None for the project's.
        variables: environment variables by name, in order of names; None takes one out.
        options: further options of pytest.
        perturbations: what is done to the process before and while the tests run, by the names that
            ``pytest_mlrepro.plugin.perturbing`` knows.
        elsewhere: whether the working folder and the folder of temporary files are others.
        packages: requirements of a throw-away environment, such as ``numpy==2.1.0``; None for the one that runs this.
        python: of the throw-away environment: a version or a path; empty for the one that runs this.
        commit: the state of the files, by the name of a commit that ``Checkouts`` knows; empty for the working folder.
        repeat: tells replays of one and the same change apart, so that the second is run and not remembered.
    """

    seed: int | None = None
    variables: tuple[tuple[str, str | None], ...] = ()
    options: tuple[str, ...] = ()
    perturbations: tuple[str, ...] = ()
    elsewhere: bool = False
    packages: tuple[str, ...] | None = None
    python: str = ""
    commit: str = ""
    repeat: int = 0

    def setenv(self, variables: Mapping[str, str | None]) -> Change:
        """With further variables; they win over those that it has."""
        merged = {**dict(self.variables), **variables}
        return replace(self, variables=tuple(sorted(merged.items())))

    def over(self, other: Change) -> Change:
        """Both: this one laid over another."""
        both = other.setenv(dict(self.variables))
        return replace(
            both,
            seed=other.seed if self.seed is None else self.seed,
            options=(*other.options, *(each for each in self.options if each not in other.options)),
            perturbations=tuple(dict.fromkeys((*other.perturbations, *self.perturbations))),
            elsewhere=self.elsewhere or other.elsewhere,
            packages=other.packages if self.packages is None else self.packages,
            python=self.python or other.python,
            commit=self.commit or other.commit,
            repeat=self.repeat or other.repeat,
        )

    @property
    def digest(self) -> str:
        """The same for the same change, in every process; 64 hexadecimal digits."""
        told = [
            self.seed,
            self.variables,
            self.options,
            self.perturbations,
            self.elsewhere,
            self.packages and sorted(self.packages),
            self.python,
            self.commit,
            self.repeat,
        ]
        return sha256(json.dumps(told).encode()).hexdigest()
