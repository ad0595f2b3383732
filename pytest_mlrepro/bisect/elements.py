"""What differs between the state in which a baseline was accepted and now, piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, TypeAlias

from pytest_mlrepro.export.pins import Pin, recorded
from pytest_mlrepro.model import SESSION, Fact, Run
from pytest_mlrepro.redaction import is_digest

Kind: TypeAlias = Literal["data", "settings", "source", "variable", "seed", "library"]

SOURCE = "source"
SEED = "seed"
_LIBRARIES, _ENVIRON, _SESSION_ENVIRON = "libraries.", "assumptions.environ.", "libraries.env."
_HASH_SEED = "randomization.hash_seed"
_SEED_FACT = "randomization.seed"
_CODE = frozenset(
    {
        ".py",
        ".pyi",
        ".pyx",
        ".pxd",
        ".ipynb",
        ".r",
        ".jl",
        ".c",
        ".cc",
        ".cpp",
        ".cxx",
        ".cu",
        ".h",
        ".hpp",
        ".rs",
        ".go",
        ".java",
        ".scala",
        ".sql",
        ".sh",
        ".f90",
        ".jinja",
    }
)
_SETTINGS = frozenset(
    {
        ".toml",
        ".yaml",
        ".yml",
        ".json",
        ".jsonc",
        ".ini",
        ".cfg",
        ".conf",
        ".env",
        ".properties",
        ".hcl",
        ".gin",
        ".lock",
        ".in",
        ".txt",
        ".md",
        ".rst",
        ".xml",
    }
)
_DATA_FOLDERS = frozenset({"data", "datasets", "dataset"})
_MOST_FILES = 16


@dataclass(frozen=True, slots=True)
class Element:
    """One thing that differs.

    Attributes:
        name: as an address where it has one: ``libraries.numpy``, ``environ.TZ``, ``source``, ``data/train.csv``.
        kind: what it is.
        then: a version, a variable's value or a seed in the state where the baseline was accepted; None for none.
        now: the same now.
        paths: of files, below the repository's uppermost folder.
    """

    name: str
    kind: Kind
    then: str | None = None
    now: str | None = None
    paths: tuple[str, ...] = ()

    @property
    def has_levels(self) -> bool:
        """Whether there may be something between then and now: releases, or commits."""
        return bool(self.paths) or (self.kind == "library" and None not in (self.then, self.now))

    @property
    def step(self) -> str:
        """From what to what, for a reader; of files how many."""
        if self.paths:
            count = len(self.paths)
            return "" if self.paths == (self.name,) else f"{count} file{'s' if count > 1 else ''}"
        absent = "not set" if self.kind == "variable" else "not there"
        return f"{absent if self.then is None else self.then} -> {absent if self.now is None else self.now}"


def of_files(changed: Iterable[str], leave_out: Iterable[str]) -> Iterator[Element]:
    """Files that differ: those of code as one, of others each for itself, or each folder where they are many."""
    by_kind: dict[Kind, list[str]] = {"data": [], "settings": [], "source": []}
    for path in sorted(set(changed) - set(leave_out)):
        by_kind[kind_of(path)].append(path)
    for kind in ("data", "settings"):
        yield from _grouped(kind, by_kind[kind])
    if by_kind["source"]:
        yield Element(SOURCE, "source", paths=tuple(by_kind["source"]))


def kind_of(path: str) -> Kind:
    """Whether a file is code, settings or data, as far as its name tells."""
    place = PurePosixPath(path)
    ending = place.suffix.lower()
    if ending in _CODE or place.name in ("Makefile", "Dockerfile"):
        return "source"
    in_data = any(part.lower() in _DATA_FOLDERS for part in place.parts[:-1])
    if not in_data and (ending in _SETTINGS or place.name.startswith(".")):
        return "settings"
    return "data"


def _grouped(kind: Kind, paths: Sequence[str]) -> Iterator[Element]:
    if len(paths) <= _MOST_FILES:
        yield from (Element(path, kind, paths=(path,)) for path in paths)
        return
    folders: dict[str, list[str]] = {}
    for path in paths:
        folders.setdefault(f"{PurePosixPath(path).parent}/", []).append(path)
    if len(folders) > _MOST_FILES:
        folders = {f"{kind} files": [*paths]}
    yield from (Element(name, kind, paths=tuple(some)) for name, some in sorted(folders.items()))


@dataclass(frozen=True, slots=True)
class Variables:
    """Environment variables that differ.

    Attributes:
        elements: those that a replay can set.
        hidden: why others cannot be, a sentence each.
    """

    elements: tuple[Element, ...]
    hidden: tuple[str, ...]


def of_variables(
    baseline: Iterable[Fact],
    now: Mapping[str, str],
    recorded_now: Callable[[str, str], object],
    shown_now: Mapping[str, str],
) -> Variables:
    """Environment variables whose recorded values are not those of now.

    Args:
        baseline: the accepted facts of the test, what it rests on, and the session.
        now: the variables.
        recorded_now: how the assumptions would record a variable of this name and value.
        shown_now: the variables that can move numbers, as the session records them.
    """
    found: dict[str, Element] = {}
    hidden: dict[str, str] = {}
    then: dict[str, object] = {}
    for fact in sorted(baseline, key=lambda each: each.address, reverse=True):
        name, is_session = _variable(fact)
        if not name:
            continue
        then[name] = fact.value
        value = now.get(name)
        if is_session:
            current: object = shown_now.get(name)
        else:
            current = None if value is None else recorded_now(name, value)
        if fact.value == current:
            found.pop(name, None)
        elif is_digest(fact.value) or "<path>" in str(fact.value) or str(fact.value).startswith(".../"):
            hidden[name] = f"{name}: what it was then is not recorded, only what stands for it"
        else:
            found[name] = Element(
                f"environ.{name}", "variable", None if fact.value is None else str(fact.value), value
            )
    # The session names those that are set: what is set now and is not named was not.
    if any(fact.address.startswith(_LIBRARIES) for fact in baseline):
        for name in shown_now:
            if name not in then:
                found[name] = Element(f"environ.{name}", "variable", None, now.get(name))
    return Variables(
        tuple(found[name] for name in sorted(found)), tuple(hidden[name] for name in sorted(hidden))
    )


def _variable(fact: Fact) -> tuple[str, bool]:
    """The variable that a fact is about, and whether it is told as the session does."""
    if fact.address.startswith(_ENVIRON):
        return fact.address.removeprefix(_ENVIRON), False
    if fact.address.startswith(_SESSION_ENVIRON):
        return fact.address.removeprefix(_SESSION_ENVIRON), True
    return "", False


def of_libraries(baseline: Run, now: Mapping[str, str], used_now: Iterable[Pin]) -> Iterator[Element]:
    """Distributions whose versions are not those of the baseline.

    Args:
        baseline: the accepted run.
        now: the versions installed, by normalized name.
        used_now: what the test uses now.
    """
    then = {pin.name: pin for pin in recorded(baseline)}
    for name, pin in then.items():
        if pin.is_on_index and now.get(name) != pin.version:
            yield Element(f"{_LIBRARIES}{name}", "library", pin.version, now.get(name))
    if not then:
        return
    for pin in used_now:
        if pin.name not in then and pin.is_on_index:
            yield Element(f"{_LIBRARIES}{pin.name}", "library", None, pin.version)


def of_seed(baseline: Iterable[Fact], now: Iterable[Fact], project: int) -> Iterator[Element]:
    """The base seed, where the test ran with the project's and that is another one by now."""
    then, current = _base(baseline), _base(now)
    if then is not None and current == project and then != current:
        yield Element(SEED, "seed", str(then), str(current))


def _base(facts: Iterable[Fact]) -> int | None:
    for fact in facts:
        if fact.address == _SEED_FACT and isinstance(base := fact.detail.get("base"), int):
            return base
    return None


def held(baseline: Run, elements: Iterable[Element]) -> tuple[Pin, ...]:
    """The distributions of the baseline that are installed in the same version now."""
    changed = {each.name.removeprefix(_LIBRARIES) for each in elements if each.kind == "library"}
    return tuple(pin for pin in recorded(baseline) if pin.is_on_index and pin.name not in changed)


def facts_of(run: Run, subjects: Iterable[str]) -> tuple[Fact, ...]:
    """The facts of some subjects, and of the session."""
    return tuple(fact for name in (*subjects, SESSION) for fact in run.facts(name).values())
