"""How exactly the version of a library must be the locked one: rules of the project, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias, get_args

from pytest_mlrepro.environment.spelling import normalized
from pytest_mlrepro.model import Drift

VersionRule: TypeAlias = Literal["exact", "compatible", "any"]
VERSION_RULES: tuple[VersionRule, ...] = get_args(VersionRule)

PYTHON = "python"
"""The name under which Python itself has a rule; patterns do not stand for it."""

_PYTHON_KEY = "runtime.python"


@dataclass(frozen=True, slots=True)
class Versions:
    """Rules from a distribution's name, or a pattern of names, to how exactly its version must agree.

    ``exact``: the same version (the default); ``compatible``: the same major and minor version, and the same local
    label; ``any``: whatever is installed. How it was installed (from an index, editable, from git) must agree under
    each of them, the commit or build only under ``exact``. The longest matching pattern wins. Of Python the default is
    ``compatible``.

    Attributes:
        rules: by name or pattern, in any spelling of a name.
    """

    rules: Mapping[str, VersionRule] = field(default_factory=dict)

    def rule(self, name: str) -> VersionRule | None:
        """The rule for a distribution; None where the project has none."""
        if name == PYTHON:
            return self.rules.get(PYTHON)
        matching = [each for each in self.rules if fnmatchcase(name, normalized(each))]
        return self.rules[max(matching, key=len)] if matching else None

    def judge(self, drift: Drift) -> Drift:
        """The drift with the policy that follows from the rules: a note where the version is within its rule.

        Unchanged where it is no version that changed, or where no rule lets it pass.
        """
        if drift.facet != "libraries" or drift.baseline is None or drift.current is None:
            return drift
        name = PYTHON if drift.key == _PYTHON_KEY else drift.key
        rule = None if "." in name or not self.rules else self.rule(name)
        if rule is None:
            return drift
        if rule == "exact":
            # Of Python a patch release is a note otherwise.
            return replace(drift, policy="fail") if name == PYTHON else drift
        before, now = str(drift.baseline.value), str(drift.current.value)
        within = _is_python_within if name == PYTHON else _is_within
        if not within(before, now, rule):
            return drift
        told = replace(drift.current, remark=f"within its rule {rule!r}")
        return replace(drift, policy="note", current=told)


def _is_within(before: str, now: str, rule: VersionRule) -> bool:
    version, _, origin = before.partition(" ")
    other, _, other_origin = now.partition(" ")
    # "(git 1a2b)": the commit belongs to the version.
    if origin.rstrip(")").split(" ")[0] != other_origin.rstrip(")").split(" ")[0]:
        return False
    return rule == "any" or is_compatible(version, other)


def _is_python_within(before: str, now: str, rule: VersionRule) -> bool:
    # "CPython 3.13.1 free-threaded": another build is another Python.
    left, right = before.split(" "), now.split(" ")
    if left[:1] + left[2:] != right[:1] + right[2:]:
        return False
    return rule == "any" or is_compatible("".join(left[1:2]), "".join(right[1:2]))


def is_compatible(left: str, right: str) -> bool:
    """Whether two versions have the same epoch, major and minor number, and local label (PEP 440)."""
    from packaging.version import InvalidVersion, Version

    try:
        first, second = (
            (each.epoch, each.major, each.minor, each.local) for each in map(Version, (left, right))
        )
    except InvalidVersion:
        return False
    return first == second
