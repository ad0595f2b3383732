"""The project's settings: ``[tool.mlrepro]`` in pyproject.toml, shared by pytest and the command."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, get_args

from pytest_mlrepro.environment.naming import parse_name
from pytest_mlrepro.errors import ConfigError, MlreproError
from pytest_mlrepro.fingerprints import HASHES
from pytest_mlrepro.model import Policy, Strangers, Tolerance
from pytest_mlrepro.steadiness import HOLDS, Hold

if TYPE_CHECKING:
    from pytest_mlrepro.facets import VersionRule

GUARDS = ("off", "warn", "fail", "pin")
LOCKFILE = "mlrepro.lock"
STRANGERS = get_args(Strangers)
_KEYS = (
    "lockfile",
    "seed",
    "rtol",
    "atol",
    "digest",
    "guard",
    "environment",
    "unknown_environment",
    "secrets",
    "junit_properties",
    "policy",
    "versions",
    "stress",
)
_POLICIES = get_args(Policy)
_HOLDS = get_args(Hold)
_NO_HOLDS: Mapping[str, Hold] = MappingProxyType({})
_NO_RULES: Mapping[str, Policy] = MappingProxyType({})
_NO_VERSIONS: Mapping[str, VersionRule] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Config:
    """What the project has set.

    Attributes:
        root: the folder that relative paths start from.
        lockfile: path of the lockfile below ``root``.
        seed: the base seed.
        tolerance: of floats that bring none of their own.
        digest: the hash of bulk data.
        guard: the entropy guard's mode as it is set; None where nobody set it.
        environment: the name of the environment, wherever that is; empty for one made from the machine.
        unknown_environment: whether a run in one that the lockfile does not know is compared, or fails.
        secrets: patterns of names whose values are recorded as digests only, besides those that look secret.
        junit_properties: whether each fact of a test is a property of its case in JUnit XML.
        policy: by address pattern.
        versions: how exactly the version of a library must agree, by pattern of its name.
        stress: what must hold under the changes of ``mlrepro stress``, by name, where it is not the usual.
    """

    root: Path
    lockfile: str = LOCKFILE
    seed: int = 0
    tolerance: Tolerance = field(default_factory=Tolerance)
    digest: str = HASHES[0]
    guard: str | None = None
    environment: str = ""
    unknown_environment: Strangers = "compare"
    secrets: tuple[str, ...] = ()
    junit_properties: bool = False
    policy: Mapping[str, Policy] = field(default_factory=lambda: _NO_RULES)
    versions: Mapping[str, VersionRule] = field(default_factory=lambda: _NO_VERSIONS)
    stress: Mapping[str, Hold] = field(default_factory=lambda: _NO_HOLDS)

    @property
    def lockfile_path(self) -> Path:
        """Where the lockfile is, or would be."""
        return self.root / self.lockfile


def called(path: Path, folder: Path) -> str:
    """How messages call a file: from the folder that somebody works in, where a way leads there."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        # On another drive.
        return str(path)


def load_config(root: Path) -> Config:
    """Read ``[tool.mlrepro]`` of the folder's pyproject.toml; the defaults where there is none.

    Raises:
        ConfigError: broken TOML, an unknown key (it names the nearest known one), a value of a wrong type.
    """
    path = root / "pyproject.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Config(root)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", where=str(path), remedy="mend the file") from None
    # Most projects that only have the plugin installed say nothing: their file need not be parsed.
    if "mlrepro" not in text:
        return Config(root)
    import tomli

    try:
        document = tomli.loads(text)
    except ValueError as error:
        # Not only tomli's own: Python refuses to read integers of thousands of digits.
        raise ConfigError(f"not valid TOML: {error}", where=str(path), remedy="mend the file") from None
    tools = _table(document.get("tool", {}), f"{path}, [tool]")
    return parse_config(tools.get("mlrepro", {}), root, str(path))


def parse_config(table: object, root: Path, file: str) -> Config:
    """Check the table ``[tool.mlrepro]`` of a file.

    Raises:
        ConfigError: see ``load_config``.
    """
    where = f"{file}, [tool.mlrepro]"
    table = _table(table, where)
    for key in table:
        if key not in _KEYS:
            raise unknown(key, _KEYS, "setting", where)
    digest = table.get("digest", HASHES[0])
    if digest not in HASHES:
        raise unknown(digest, HASHES, "value of digest", where)
    guard = table.get("guard")
    if guard is not None and guard not in GUARDS:
        raise unknown(guard, GUARDS, "value of guard", where)
    strangers = table.get("unknown_environment", STRANGERS[0])
    if strangers not in STRANGERS:
        raise unknown(strangers, STRANGERS, "value of unknown_environment", where)
    return Config(
        root,
        lockfile=_typed(table, "lockfile", str, LOCKFILE, where),
        seed=parse_seed(_typed(table, "seed", int, 0, where), where),
        tolerance=_tolerance(table, where),
        digest=digest,
        guard=guard,
        environment=parse_name(_typed(table, "environment", str, "", where), where)
        if "environment" in table
        else "",
        unknown_environment=strangers,
        secrets=_secrets(table.get("secrets", []), where),
        junit_properties=_flag(table, "junit_properties", where),
        policy=parse_policy(table.get("policy", {}), f"{file}, [tool.mlrepro.policy]"),
        versions=parse_versions(table.get("versions", {}), f"{file}, [tool.mlrepro.versions]"),
        stress=parse_holds(table.get("stress", {}), f"{file}, [tool.mlrepro.stress]"),
    )


def parse_policy(table: object, where: str) -> Mapping[str, Policy]:
    """Check rules from address pattern to policy.

    Raises:
        ConfigError: for a policy that is none of fail, warn, note, ignore, or a pattern that can match no facet.
    """
    from pytest_mlrepro.facets import facet, facet_names

    rules = _table(table, where)
    for pattern, policy in rules.items():
        if not isinstance(policy, str) or policy not in _POLICIES:
            raise unknown(policy, _POLICIES, f"policy for {pattern!r}", where)
        head = str(pattern).partition(".")[0]
        if not any(wild in head for wild in "*?[") and facet(head) is None:
            raise unknown(head, facet_names(), "facet", where)
    return MappingProxyType(dict(rules))


def parse_versions(table: object, where: str) -> Mapping[str, VersionRule]:
    """Check rules from the name of a distribution, or a pattern of names, to how exactly its version must agree.

    Raises:
        ConfigError: for a rule that is none of exact, compatible, any, or an address in the place of a name.
    """
    from pytest_mlrepro.facets import VERSION_RULES

    rules = _table(table, where)
    for name, rule in rules.items():
        if not isinstance(rule, str) or rule not in VERSION_RULES:
            raise unknown(rule, VERSION_RULES, f"rule for the version of {name!r}", where)
        bare = name.removeprefix("libraries.")
        if bare != name or not name:
            raise ConfigError(
                f"expected the name of a distribution or a pattern of names, got {name!r}",
                where=where,
                remedy=f"for instance: {bare or 'pandas'} = {rule!r}",
            )
    return MappingProxyType(dict(rules))


def parse_holds(table: object, where: str) -> Mapping[str, Hold]:
    """Check what must hold under changes, by their names.

    Raises:
        ConfigError: for an unknown change, or anything but bitwise, rounding and off; it names the nearest.
    """
    holds = _table(table, where)
    for name, hold in holds.items():
        if name not in HOLDS:
            raise unknown(name, HOLDS, "change", where)
        if hold not in _HOLDS:
            raise unknown(hold, _HOLDS, f"demand for {name!r}", where)
    return MappingProxyType(dict(holds))


def parse_seed(seed: int, where: str) -> int:
    """Check a base seed: 0 <= seed < 2**32, the range that every generator takes."""
    if not 0 <= seed < 2**32:
        raise ConfigError(
            f"the base seed must be an integer from 0 to {2**32 - 1}, got {seed}",
            where=where,
            remedy="take 0",
        )
    return seed


def unknown(got: object, known: Iterable[str], what: str, where: str) -> ConfigError:
    """The error for a name that is not among the known ones; it says which is nearest."""
    known = tuple(known)
    close = difflib.get_close_matches(str(got), known, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return ConfigError(f"unknown {what} {got!r}", where=where, remedy=f"{hint}known: {', '.join(known)}")


def _table(table: object, where: str) -> dict[str, Any]:
    if not isinstance(table, Mapping):
        raise ConfigError(
            f"expected a table, got {table!r}", where=where, remedy="see the README, section Settings"
        )
    return dict(table)


def _typed(table: Mapping[str, Any], key: str, kind: type, default: Any, where: str) -> Any:
    value = table.get(key, default)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ConfigError(
            f"{key} must be of type {kind.__name__}, got {value!r}",
            where=where,
            remedy=f"for instance: {key} = {default!r}",
        )
    return value


def _secrets(patterns: object, where: str) -> tuple[str, ...]:
    if not isinstance(patterns, list) or not all(isinstance(each, str) and each for each in patterns):
        raise ConfigError(
            f"secrets must be an array of names or patterns of names, got {patterns!r}",
            where=where,
            remedy='for instance: secrets = ["*_DSN"]',
        )
    return tuple(patterns)


def _flag(table: Mapping[str, Any], key: str, where: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise ConfigError(
            f"{key} must be true or false, got {value!r}", where=where, remedy=f"for instance: {key} = true"
        )
    return value


def _tolerance(table: Mapping[str, Any], where: str) -> Tolerance:
    default = Tolerance()
    try:
        return Tolerance(table.get("rtol", default.rtol), table.get("atol", default.atol))
    except MlreproError as error:
        raise ConfigError(error.what, where=where, remedy="for instance: rtol = 1e-9") from None
