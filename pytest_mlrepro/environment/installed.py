"""One installed distribution, as its metadata tells it."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pytest_mlrepro.environment.spelling import UNKNOWN, normalized

_MODULE_FILE = re.compile(r"(\w+)\.(?:py|(?:[^/,]*\.)?(?:so|pyd))")
# The lines of a record that begin with one folder, or one line: what it begins with, and a comma where that is a file.
_RUN = re.compile(r"^([^/,\n]*)(?:(,)[^\n]*+|/[^\n]*+(?:\n\1/[^\n]*+)*+)?$", re.MULTILINE)
_COMMIT = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")
_SITE_FOLDERS = frozenset({"site-packages", "dist-packages"})


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a distribution came from, if not from an index.

    Attributes:
        text: fit to be shown: ``editable``, ``git 1a2b...``, ``archive``, ``local folder``; empty for an index.
        folder: the source folder of an editable or local installation. Never to be recorded.
        sha256: of an archive, where the installer noted it.
    """

    text: str = ""
    folder: Path | None = None
    sha256: str = ""


@dataclass(frozen=True, eq=False)
class Installed:
    """An installed distribution. Everything but its name is read when it is first asked for.

    Attributes:
        name: normalized.
        source: the ``Distribution`` object of the metadata library.
        place: the folder or archive on the import path that it was found in. Never to be recorded.
    """

    name: str
    source: Any
    place: str = ""

    @cached_property
    def declared_name(self) -> str:
        """The name as its metadata writes it; empty where that is missing or broken."""
        return self._header("name")

    @cached_property
    def version(self) -> str:
        """As its metadata says; ``UNKNOWN`` where that is missing or broken."""
        return self._header("version") or UNKNOWN

    @cached_property
    def requires(self) -> frozenset[str]:
        """Names of the distributions that it requires here, extras left out."""
        return frozenset(self._requirements())

    @cached_property
    def is_plugin_of_pytest(self) -> bool:
        """Whether it has an entry point of pytest's."""
        from configparser import ConfigParser, Error

        points = ConfigParser(delimiters=("=",), strict=False, interpolation=None)
        try:
            points.read_string(self._text("entry_points.txt"))
        except Error:
            return False
        return points.has_section("pytest11")

    @cached_property
    def is_from_conda(self) -> bool:
        """Whether conda installed it. What it says of its origin is then the folder of conda's build machine."""
        return self._text("INSTALLER").strip() == "conda"

    @cached_property
    def origin(self) -> Origin:
        """Where it came from, if not from an index."""
        try:
            told = json.loads(self._text("direct_url.json") or "{}")
        except (ValueError, RecursionError):
            told = {}
        if isinstance(told, dict) and told and not self.is_from_conda:
            return _origin(told)
        if folder := self._development_folder():
            return Origin("editable", folder)
        return Origin()

    @cached_property
    def modules(self) -> frozenset[str]:
        """Names of its top-level modules and packages, those that it shares with others included."""
        recorded = frozenset(_top_level(self._text("RECORD")))
        listed = frozenset(name for name in self._text("top_level.txt").split() if name.isidentifier())
        if recorded or listed:
            return recorded | listed
        # Packagers of operating systems delete the record; most modules are called like their distribution.
        is_known = bool(self._text("RECORD")) and self.origin.text != "editable"
        return (
            frozenset() if is_known or self.version == UNKNOWN else frozenset({self.name.replace("-", "_")})
        )

    def reaches(self, parts: tuple[str, ...]) -> tuple[int, bool]:
        """How much of a dotted name is its own.

        Args:
            parts: of the dotted name, such as ``("google", "cloud", "storage")``.

        Returns:
            The number of leading parts for which it has files, and whether these name a module or a
            package with an ``__init__`` (and not a namespace that nobody owns).
        """
        files = [line.partition(",")[0] for line in self._text("RECORD").splitlines()]
        for depth in range(len(parts), 0, -1):
            *above, last = parts[:depth]
            folder = "".join(f"{part}/" for part in above)
            names = [file[len(folder) :] for file in files if file.startswith(f"{folder}{last}")]
            owns = any(name.startswith(f"{last}/__init__.") or _is_module(name, last) for name in names)
            if owns or any(name.startswith(f"{last}/") for name in names):
                return depth, owns
        return (1, True) if parts[0] in self.modules else (0, False)

    def submodules(self) -> Iterator[str]:
        """Dotted names of its modules, as far as it has a record of its files."""
        for line in self._text("RECORD").splitlines():
            folder, _, file_name = line.partition(",")[0].rpartition("/")
            if module := _MODULE_FILE.fullmatch(file_name):
                yield f"{folder}/{module[1]}".strip("/").removesuffix("/__init__").replace("/", ".")

    @cached_property
    def _headers(self) -> tuple[tuple[str, str], ...]:
        # The library's own reader parses the whole description as an e-mail: 20 times as slow.
        text = self._text("METADATA") or self._text("PKG-INFO") or self._text("")
        lines = itertools.takewhile(bool, text.splitlines())
        fields = (line.partition(":") for line in lines if not line[0].isspace())
        return tuple((key.lower(), value.strip()) for key, _, value in fields)

    def _header(self, name: str) -> str:
        return next((value for key, value in self._headers if key == name), "")

    def _text(self, file_name: str) -> str:
        try:
            return self.source.read_text(file_name) or ""
        except (OSError, ValueError):
            # Unreadable, or not UTF-8: as good as missing.
            return ""

    def _requirements(self) -> Iterator[str]:
        lines = [value for key, value in self._headers if key == "requires-dist"]
        for line in lines or _of_egg(self._text("requires.txt")):
            if "extra ==" in line and " or " not in line:
                # Never true here, and most lines are like that: parsing them would take most of the time.
                continue
            if name := _needed(line):
                yield name

    def _development_folder(self) -> Path | None:
        """Where ``setup.py develop`` and builds in place leave the metadata: beside the sources."""
        place = getattr(self.source, "_path", None)
        if isinstance(place, Path) and place.suffix == ".egg-info" and place.parent.name not in _SITE_FOLDERS:
            return place.parent
        return None


def _of_egg(text: str) -> Iterator[str]:
    """The requirements of the format before that of wheels: sections ``[extra:condition]``, none for the first."""
    condition = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            extra, _, told = line[1:-1].partition(":")
            condition = f" ; extra == {extra!r}" if extra else f" ; {told}" if told else ""
        elif line and not line.startswith("#"):
            yield line + condition


def _needed(line: str) -> str:
    """The normalized name of a requirement that holds here; empty for one that does not, or cannot be read."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        return ""
    try:
        holds = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    except ValueError:
        # A comparison that has no meaning, or a kernel whose release is no version: it counts once it is loaded.
        holds = True
    return normalized(requirement.name) if holds else ""


def _origin(told: Mapping[str, Any]) -> Origin:
    """The origin that a ``direct_url.json`` tells (PEP 610), without its address."""
    folder = _local_folder(told.get("url"))
    match told:
        case {"vcs_info": {"vcs": str(vcs), "commit_id": str(commit)}} if vcs.isalnum():
            return Origin(f"{vcs} {commit if _COMMIT.fullmatch(commit) else UNKNOWN}")
        case {"dir_info": {"editable": True}}:
            return Origin("editable", folder)
        case {"dir_info": dict()}:
            return Origin("local folder", folder)
        case {"archive_info": dict(archive)}:
            return Origin("archive", sha256=_sha256(archive))
        case _:
            return Origin(f"direct address, {UNKNOWN}")


def _sha256(archive: Mapping[str, Any]) -> str:
    hashes = archive.get("hashes")
    found = hashes.get("sha256", "") if isinstance(hashes, dict) else ""
    if not found:
        found = str(archive.get("hash", "")).removeprefix("sha256=")
    return found if isinstance(found, str) and re.fullmatch("[0-9a-f]{64}", found) else ""


def _local_folder(url: object) -> Path | None:
    from urllib.parse import unquote, urlsplit

    if not isinstance(url, str) or not url.startswith("file:"):
        return None
    try:
        path = unquote(urlsplit(url).path)
    except ValueError:
        return None
    if not path or "\0" in path:
        return None
    return Path(path[1:] if re.match("/[A-Za-z]:", path) else path)


def _is_module(file_name: str, module: str) -> bool:
    match = _MODULE_FILE.fullmatch(file_name)
    return match is not None and match[1] == module


def _top_level(record: str) -> Iterator[str]:
    for name, is_file in {*_RUN.findall(record)}:
        module = _MODULE_FILE.fullmatch(name) if is_file else re.fullmatch(r"(\w+)", name)
        # Installers of editable projects leave helpers of their own.
        if module and module[1].isidentifier() and not module[1].startswith(("__editable__", "__pycache__")):
            yield module[1]
