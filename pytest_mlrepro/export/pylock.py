"""A pylock.toml (PEP 751), of which uv finds addresses and hashes: what it is asked, and what is made of its answer."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from pytest_mlrepro.errors import ExportError
from pytest_mlrepro.export.document import Document, Source
from pytest_mlrepro.export.pins import Pin, missing, pins, rebuilt
from pytest_mlrepro.export.platform import Platform
from pytest_mlrepro.model import Run

NAME = re.compile(r"pylock(\.[^.]+)?\.toml")
"""What PEP 751 lets such a file be called."""

_CREDENTIALS = re.compile(r"(://)[^/\s\"@]+@")
_GLIBC = (17, 28, *range(31, 41))
"""The minor versions of glibc 2 that uv knows as a platform."""

_PLATFORMS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("Darwin", "arm64"): "aarch64-apple-darwin",
        ("Darwin", "x86_64"): "x86_64-apple-darwin",
        ("Windows", "x86_64"): "x86_64-pc-windows-msvc",
        ("Windows", "ARM64"): "aarch64-pc-windows-msvc",
    }
)


@dataclass(frozen=True, slots=True)
class Question:
    """What uv is to resolve.

    Attributes:
        requirements: the exact versions, a line each.
        options: of ``uv pip compile``, for the Python and the machine of the lockfile.
        variables: of its environment.
        pins: what the lockfile records, with what no index has.
        notes: what may be other than it was.
    """

    requirements: str
    options: Sequence[str]
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    pins: Sequence[Pin] = ()
    notes: Sequence[str] = ()


def question(run: Run, source: Source) -> Question:
    """What to ask uv.

    Raises:
        LockfileError: if the lockfile records no distribution.
        ExportError: if an index has none of those that it records.
    """
    found, platform = pins(run, source.name), Platform.of(run)
    wanted = [pin for pin in found if pin.is_on_index]
    if not wanted:
        raise ExportError(
            "none of the recorded distributions is one that a package index has",
            where=source.name,
            remedy="mlrepro export --format requirements lists what is known of them",
        )
    target = _target(platform)
    options = ["--format", "pylock.toml", "--no-header", "--no-annotate"]
    options += ["--python-version", platform.version] if platform.version else []
    options += ["--python-platform", target] if target else []
    return Question(
        requirements="".join(f"{pin.requirement}\n" for pin in wanted),
        options=options,
        variables=_variables(platform),
        pins=found,
        notes=tuple(_notes(platform, target)),
    )


def answer(asked: Question, text: str) -> Document:
    """The lock that uv gave, if it is one of what was asked. Credentials in its addresses are taken out.

    Raises:
        ExportError: if it is not.
    """
    packages = _packages(text)
    versions = {str(each.get("name")): str(each.get("version", "")) for each in packages}
    for pin in asked.pins:
        if pin.is_on_index and versions.get(pin.name) != pin.version:
            got = versions.get(pin.name)
            raise ExportError(
                f"asked for {pin.requirement}, uv's lock has {f'version {got}' if got else 'none'}",
                where="uv pip compile",
                remedy="look for overrides in [tool.uv] of pyproject.toml, in uv.toml and in the variables UV_...",
            )
    wanted = {pin.name for pin in asked.pins if pin.is_on_index}
    notes = (*missing(asked.pins), *rebuilt(asked.pins), *asked.notes, *_remarks(packages, wanted))
    return Document(_CREDENTIALS.sub(r"\1", text), notes)


def _packages(text: str) -> list[Mapping[str, Any]]:
    import tomli

    try:
        found: Any = tomli.loads(text)["packages"]
    except (ValueError, KeyError):
        found = None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise ExportError(
            "what uv wrote is no pylock.toml",
            where="uv pip compile",
            remedy="upgrade it: pip install --upgrade uv",
        )
    return found


def _remarks(packages: Sequence[Mapping[str, Any]], wanted: Collection[str]) -> Iterator[str]:
    names = [str(each.get("name")) for each in packages]
    if added := sorted(name for name in names if name not in wanted):
        yield f"added by uv, because something recorded requires it: {', '.join(added)}"
    here = sorted(name for name, each in zip(names, packages, strict=True) if _is_local(each))
    if here:
        yield f"addressed in folders of this machine, where no other finds them: {', '.join(here)}"


def _is_local(package: Mapping[str, Any]) -> bool:
    files = [package.get("sdist"), package.get("archive"), *package.get("wheels", ())]
    told = [each for each in files if isinstance(each, dict)]
    return any("path" in each or str(each.get("url", "")).startswith("file:") for each in told)


def _target(platform: Platform) -> str:
    """What uv calls the machine; empty for one that it has no name for."""
    if platform.os != "Linux":
        return _PLATFORMS.get((platform.os, platform.architecture), "")
    if platform.architecture not in ("x86_64", "aarch64"):
        return ""
    if platform.libc == "musl":
        return f"{platform.architecture}-unknown-linux-musl"
    glibc = re.fullmatch(r"glibc 2\.(\d{1,3})", platform.libc)
    known = [minor for minor in _GLIBC if glibc and minor <= int(glibc[1])]
    return f"{platform.architecture}-manylinux_2_{known[-1]}" if known else ""


def _variables(platform: Platform) -> dict[str, str]:
    macos = re.fullmatch(r"macos (\d+(\.\d+)*)", platform.release)
    # Without it uv takes an old release, for which newer wheels do not exist.
    return {"MACOSX_DEPLOYMENT_TARGET": macos[1]} if platform.os == "Darwin" and macos else {}


def _notes(platform: Platform, target: str) -> Iterator[str]:
    if not platform.is_usual:
        said = f"it was recorded on {platform.python}" if platform.python else "no Python is recorded"
        yield f"wheels are chosen for the Python that runs this command: {said}"
    if not target:
        said = f"uv has no name for {platform.described}" if platform.described else "no machine is recorded"
        yield f"wheels are chosen for this machine: {said}"
