"""What a test relies on without setting it: its scope, conditions of the data, environment variables."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import ClassVar

from pytest_mlrepro.errors import RecordingError
from pytest_mlrepro.facets._protocol import Facet, show
from pytest_mlrepro.model import DEFAULT_TOLERANCE, Drift, Fact, Tolerance, Value
from pytest_mlrepro.redaction import is_digest, portable, redacted

_ENVIRON = "environ."


class Assumptions(Facet):
    """What must hold for the results to mean the same."""

    name: ClassVar[str] = "assumptions"

    def capture(self, key: str, value: object, secrets: tuple[str, ...] = ()) -> tuple[Fact, ...]:
        """The facts of one assumption: one, or one a member where the value is a mapping or has fields.

        Args:
            key: what is assumed, for instance ``min_age``.
            value: a number, a string, None, a path, a callable, a (nested) list or mapping of those, or
                anything else that ``mlrepro.settings`` takes.
            secrets: patterns of names that are secret, besides those that look it.

        Raises:
            RecordingError: if the key is no non-empty string or the value cannot be recorded.
        """
        from pytest_mlrepro.facets._parameters import parameters

        if not _is_name(key):
            raise RecordingError(
                f"an assumption needs a name, got {key!r}",
                remedy='for instance: mlrepro.assume("min_age", 18)',
            )
        found = parameters(value, key, what="assumption", secrets=secrets)
        return tuple(Fact(self.name, each.key, each.value, dtype=each.dtype) for each in found)

    def environ(self, names: Sequence[str], secrets: tuple[str, ...] = ()) -> tuple[Fact, ...]:
        """Environment variables as they are now; one that is not set is recorded as None.

        Values whose name or content looks secret are recorded as a digest salted with the name.

        Args:
            names: of the variables.
            secrets: patterns of names that are secret, besides those that look it.

        Raises:
            RecordingError: if a name is none that a variable can have.
        """
        return tuple(
            Fact(self.name, f"{_ENVIRON}{name}", _variable(name, secrets)) for name in map(_usable, names)
        )

    def explain(self, drift: Drift, default: Tolerance = DEFAULT_TOLERANCE) -> str:
        """Old and new value, of environment variables with their name; of secrets only that they changed."""
        variable = drift.key.removeprefix(_ENVIRON) if drift.key.startswith(_ENVIRON) else ""
        if drift.baseline is None or drift.current is None:
            return super().explain(drift)
        before, now = drift.baseline.value, drift.current.value
        if variable and None in (before, now):
            return f"{variable} {_state(before, 'was')}, {_state(now, 'is')}"
        told = f"{_shown(before)} -> {_shown(now)}"
        if before != now and is_digest(before) and is_digest(now):
            told = "changed (a secret: only its digest is recorded)"
        return f"{variable} {told}".lstrip()


def _usable(name: object) -> str:
    if not isinstance(name, str) or not name or "=" in name or "\0" in name:
        raise RecordingError(
            f"{name!r} cannot be the name of an environment variable",
            remedy='pass names, for instance: mlrepro.environ("TZ", "OMP_NUM_THREADS")',
        )
    return name


def _variable(name: str, secrets: tuple[str, ...]) -> Value:
    value = os.environ.get(name)
    return None if value is None else redacted(name, portable(value), secrets)


def _state(value: Value, verb: str) -> str:
    return f"{verb} not set" if value is None else f"{verb} {_shown(value)}"


def _shown(value: Value) -> str:
    return "a secret" if is_digest(value) else show(value)


def _is_name(key: object) -> bool:
    return isinstance(key, str) and bool(key)
