"""Hyper-parameters and configuration: every one a fact, defaults included."""

from __future__ import annotations

from typing import ClassVar

from pytest_mlrepro.errors import RecordingError
from pytest_mlrepro.facets._protocol import Facet, show
from pytest_mlrepro.model import DEFAULT_TOLERANCE, Drift, Fact, Tolerance, Value
from pytest_mlrepro.redaction import is_digest

_SHOWN = 3


class Settings(Facet):
    """What somebody chose before training: parameters of estimators, fields of configurations."""

    name: ClassVar[str] = "settings"

    def capture(self, obj: object, name: str = "", secrets: tuple[str, ...] = ()) -> tuple[Fact, ...]:
        """One fact a parameter, under ``name.parameter`` or, without a name, under the bare parameter.

        Estimators are walked through ``get_params``, with their class and all nested ones; mappings, data
        classes, attrs and pydantic models, OmegaConf, namespaces, named tuples, partial functions, splitters
        and frozen distributions by their members. Functions and classes are recorded by name, generators and
        large arrays by a fingerprint (a generator's state as it is when this is called: record before fitting).

        Paths below the working directory are recorded relative to it; of other absolute ones only the last
        part stays. What looks secret by its name is recorded as a digest salted with that name.

        Args:
            obj: the configuration; it is not changed.
            name: goes before every key.
            secrets: patterns of names that are secret, besides those that look it.

        Raises:
            RecordingError: a type whose parameters are not known, a cycle, or two parameters of one key.
        """
        from pytest_mlrepro.facets._parameters import parameters

        if not isinstance(name, str):
            raise RecordingError(
                f"the name of settings must be a string, got {name!r}",
                remedy='pass for instance name="forest"',
            )
        return tuple(
            Fact(self.name, key, value, dtype=dtype)
            for key, value, dtype in parameters(obj, name, what="settings", secrets=secrets)
        )

    def explain(self, drift: Drift, default: Tolerance = DEFAULT_TOLERANCE) -> str:
        """Old and new value; of long ones where they differ; of secrets only that they changed."""
        if drift.baseline is None or drift.current is None:
            return super().explain(drift)
        before, now = drift.baseline.value, drift.current.value
        if is_digest(before) and is_digest(now):
            return "changed (a secret: only its digest is recorded)"
        if isinstance(before, tuple) and isinstance(now, tuple):
            return _explain_sequences(before, now)
        if isinstance(before, str) and isinstance(now, str):
            return _explain_texts(before, now)
        if before == now and drift.baseline.dtype != drift.current.dtype:
            natural = type(now).__name__
            return f"same value, {drift.baseline.dtype or natural} -> {drift.current.dtype or natural}"
        return f"{show(before)} -> {show(now)}"


def _explain_sequences(before: tuple[Value, ...], now: tuple[Value, ...]) -> str:
    """What changed in a sequence: all of it where it is short, else the members that did."""
    whole = f"{show(before, 1000)} -> {show(now, 1000)}"
    if len(whole) <= 100:
        return whole
    if len(before) == len(now):
        changed = [
            f"[{index}] {show(old, 20)} -> {show(new, 20)}"
            for index, (old, new) in enumerate(zip(before, now, strict=True))
            if old != new or type(old) is not type(new)
        ]
        return f"{len(changed)} of {len(now)} members changed: {_some(changed)}"
    added = [show(item, 20) for item in now if item not in before]
    removed = [show(item, 20) for item in before if item not in now]
    parts = [f"{len(before)} -> {len(now)} members"]
    if added:
        parts.append(f"added {_some(added)}")
    if removed:
        parts.append(f"removed {_some(removed)}")
    return ", ".join(parts)


def _explain_texts(before: str, now: str) -> str:
    """Both texts; of long ones what stands around the first difference."""
    same = next((at for at, (old, new) in enumerate(zip(before, now, strict=False)) if old != new), None)
    same = min(len(before), len(now)) if same is None else same
    start = max(0, same - 20) if max(len(before), len(now)) > 60 else 0
    lead = "..." if start else ""
    return f"{lead}{show(before[start:])} -> {lead}{show(now[start:])}"


def _some(parts: list[str]) -> str:
    return ", ".join(parts[:_SHOWN] + (["..."] if len(parts) > _SHOWN else []))
