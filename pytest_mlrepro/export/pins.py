"""The distributions that a lockfile records, as something to install."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from pytest_mlrepro.environment.spelling import UNKNOWN
from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.export.words import shown
from pytest_mlrepro.model import SESSION, Fact, Run

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_RECORDED = re.compile(r"(\S+)(?: \((.*)\))?", re.DOTALL)
_BUILD = re.compile(r"conda ([A-Za-z0-9][A-Za-z0-9_.+]*)")
_COMMIT = re.compile(r"([a-z0-9]+) ([0-9A-Za-z._-]+)")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LIBRARIES = "libraries"
_UNSOUND = "no name or version that an index can have"


@dataclass(frozen=True)
class Pin:
    """One distribution, as the lockfile tells it. Nothing in it is trusted to be a name or a version.

    Attributes:
        name: normalized as PEP 503 has it, if it is a name at all.
        version: with the local tag, such as ``2.5.1+cu124``.
        origin: where it came from if not from an index: ``editable``, ``git 1a2b``, ``conda py311_0``; else empty.
        sha256: of the archive that it was installed from, where the installer noted it; else empty.
        note: what was in doubt when it was recorded; mostly empty.
    """

    name: str
    version: str
    origin: str = ""
    sha256: str = ""
    note: str = ""

    @property
    def conda_build(self) -> str:
        """The build string of conda's package; empty where it came from elsewhere."""
        match = _BUILD.fullmatch(self.origin)
        return match[1] if match else ""

    @cached_property
    def is_sound(self) -> bool:
        """Whether name and version are what PEP 503 and PEP 440 allow: installers take them for nothing else."""
        from packaging.version import InvalidVersion, Version

        # Older releases of packaging, which ignore case, take letters for ASCII ones that are not.
        if not _NAME.fullmatch(self.name) or not self.version.isascii():
            return False
        try:
            Version(self.version)
        except InvalidVersion:
            return False
        return True

    @property
    def is_on_index(self) -> bool:
        """Whether a package index can be asked for it. Of conda's packages another build is there."""
        return self.is_sound and not (self.origin and not self.conda_build)

    @property
    def local(self) -> str:
        """The local version tag, such as ``cu124``; empty where there is none."""
        return self.version.partition("+")[2]

    @property
    def requirement(self) -> str:
        """As PEP 508 has it; of use only where ``is_sound``."""
        return f"{self.name}=={self.version}"

    @property
    def described(self) -> str:
        """For a reader: what is known of it, and why an index has not got it. One line."""
        name = shown(self.name)
        if self.version == UNKNOWN:
            return f"{name}: its version is not known, {shown(self.note or 'its metadata could not be read')}"
        return f"{name} {shown(self.version)}: {self._why if self.is_sound else _UNSOUND}"

    @property
    def _why(self) -> str:
        """Why an index has not got it."""
        digest = f" with sha256 {self.sha256}" if self.sha256 else ""
        reasons = {
            "editable": "installed in editable mode from a folder of the machine where it was recorded",
            "local folder": "installed from a folder of the machine where it was recorded",
            "archive": f"installed from an archive{digest}; the lockfile holds no address",
            "no distribution": f"a module, {shown(self.note or 'no distribution provides it')}",
        }
        commit = _COMMIT.fullmatch(self.origin)
        if self.origin not in reasons and commit and commit[1] != "conda":
            return f"installed from the {commit[1]} commit {commit[2]}; the lockfile holds no address"
        return reasons.get(self.origin, f"installed from elsewhere than an index ({shown(self.origin)})")


def recorded(run: Run) -> tuple[Pin, ...]:
    """The distributions that the tests of an accepted run use, sorted by name."""
    return tuple(sorted(map(_pin, _distributions(run.facts(SESSION).values())), key=lambda pin: pin.name))


def pins(run: Run, where: str) -> tuple[Pin, ...]:
    """The same, to be installed.

    Args:
        run: the lockfile's.
        where: how to call it in an error.

    Raises:
        LockfileError: if there are none.
    """
    found = recorded(run)
    if not found:
        raise LockfileError(
            "no libraries are recorded, so there is nothing to install",
            where=where,
            remedy="record them: pytest --mlrepro-update --mlrepro-only=libraries",
        )
    return found


def missing(found: Iterable[Pin]) -> tuple[str, ...]:
    """A note for each distribution that no index has."""
    return tuple(f"left out: {pin.described}" for pin in found if not pin.is_on_index)


def tagged(found: Iterable[Pin]) -> tuple[str, ...]:
    """A note on versions with a local tag, which the public index refuses to hold."""
    names = [pin.requirement for pin in found if pin.is_on_index and pin.local]
    if not names:
        return ()
    return (
        f"{', '.join(names)}: the public index holds no version with a local tag (+...); name the index that has it "
        "when you install, such as --extra-index-url https://download.pytorch.org/whl/cu124 for torch's +cu124",
    )


def rebuilt(found: Iterable[Pin]) -> tuple[str, ...]:
    """A note on packages of conda that are asked of an index."""
    names = [pin.name for pin in found if pin.is_on_index and pin.conda_build]
    if not names:
        return ()
    return (
        f"recorded from conda: {', '.join(names)}; an index has other builds of the same versions, with other native "
        "libraries: --format conda asks for these",
    )


def _distributions(facts: Iterable[Fact]) -> Iterable[Fact]:
    # What the runtime consists of has dotted keys: runtime.python, blas.numpy.
    return (fact for fact in facts if fact.facet == _LIBRARIES and "." not in fact.key)


def _pin(fact: Fact) -> Pin:
    match = _RECORDED.fullmatch(fact.value) if isinstance(fact.value, str) else None
    version, origin = (match[1], match[2] or "") if match else (str(fact.value), "")
    sha256, note = (_text(fact, name) for name in ("sha256", "note"))
    return Pin(fact.key, version, origin, sha256 if _SHA256.fullmatch(sha256) else "", note)


def _text(fact: Fact, name: str) -> str:
    told = fact.detail.get(name)
    return told if isinstance(told, str) else ""
