"""The generators of the process: pinned to a seed, and put back as they were."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, TypeAlias, cast

from pytest_mlrepro.errors import ConfigError
from pytest_mlrepro.seeding.derivation import checked_seed
from pytest_mlrepro.seeding.seeders import Seeder, seeders
from pytest_mlrepro.seeding.watch import ImportWatch

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

FurtherSeeder: TypeAlias = Callable[[int], object]
"""Seeds whatever it knows with ``0 <= seed < 2**32``. What it does cannot be undone."""

Generators: TypeAlias = tuple[Seeder, ModuleType, object]
"""A seeder, its library, and the exact state of the library's generators."""

ENTRY_POINT_GROUPS = ("pytest_randomly.random_seeder", "mlrepro.seeders")
"""Where other distributions publish seeders. Of two with one name, the later group's is taken."""

_NONE: Mapping[str, FurtherSeeder] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class State:
    """What ``Seeding.save`` found.

    Attributes:
        generators: the exact state of each library that lets it be read.
        seed: what the generators were pinned to; None where they were not.
        pinned: the names that were pinned.
    """

    generators: tuple[Generators, ...]
    seed: int | None
    pinned: frozenset[str]


class Seeding:
    """Pins the generators of the process and puts their states back. One instance a session.

    ``save``, ``pin`` (as often as need be) and ``restore`` make a region; regions nest like a stack.
    A library that is imported within a region is pinned right after its import, and no import moves the streams of
    the libraries that were there before. When a region within another ends, generators whose state cannot be put
    back start again from the outer region's seed.

    What cannot be changed once the process runs (``PYTHONHASHSEED``, thread pools, the CUDA workspace) is left alone.
    """

    def __init__(self, seeders: Mapping[str, FurtherSeeder] = _NONE) -> None:
        """Make one.

        Args:
            seeders: further seeders by name, called with the seed whenever generators are pinned.
        """
        self._further = dict(seeders)
        self._seeders = _by_module()
        self._watch = ImportWatch(self._seeders, self._around_import, self.pin_again)
        self._seed: int | None = None
        self._pinned: set[str] = set()

    @classmethod
    def with_entry_points(cls) -> Seeding:
        """One that also calls the seeders that installed distributions publish.

        Raises:
            ConfigError: if one of them cannot be loaded or called.
        """
        return cls(_published())

    def save(self) -> State:
        """The exact states of the generators of all imported libraries; changes none of them."""
        saved = State(self._states(), self._seed, frozenset(self._pinned))
        self._pinned = set()
        return saved

    def pin(self, seed: int) -> None:
        """Pin the generators of all imported libraries, and from now on of those that get imported.

        Raises:
            RecordingError: unless ``0 <= seed < 2**32``.
        """
        seed = checked_seed(seed)
        self._seed = seed
        self._watch.arm()
        # Theirs first: whatever they touch, the libraries that are known here end with our seed.
        self._pin_further()
        for seeder in self._imported():
            self._pin_one(seeder, seeder.library())

    def _imported(self) -> Iterator[Seeder]:
        """Those whose library may be there, in the order of seeders: most libraries are never imported."""
        there = sys.modules
        for module, seeder in self._seeders.items():
            if module in there:
                yield seeder

    def pin_again(self) -> None:
        """Pin to the seed of the region that is open; outside of any do nothing."""
        if self._seed is not None:
            self.pin(self._seed)

    def restore(self, state: State) -> None:
        """Put back exactly what ``save`` found; what was imported since then keeps its state.

        Outside of an enclosing region nothing is pinned any more after an import.
        """
        self._seed = state.seed
        if state.seed is None:
            self._watch.disarm()
        else:
            self._pinned = set(state.pinned)
            self._pin_further()
        _put_back(state.generators[::-1])
        if state.seed is not None:
            restored = {seeder.name for seeder, _, _ in state.generators}
            for seeder in self._seeders.values():
                if seeder.name not in restored:
                    self._pin_one(seeder, seeder.library())

    def pinned(self) -> tuple[str, ...]:
        """Names of the generators pinned since the last save, sorted.

        Within an outer region they are that region's once the inner one has been restored; outside of any
        they stay those of the last one.
        """
        return tuple(sorted(self._pinned))

    def _states(self) -> tuple[Generators, ...]:
        found = []
        for seeder in self._imported():
            library = seeder.library()
            state = seeder.save(library) if library is not None else None
            if library is not None and state is not None:
                found.append((seeder, library, state))
        return tuple(found)

    def _pin_one(self, seeder: Seeder, library: ModuleType | None) -> None:
        seed = self._seed
        if seed is not None and library is not None and seeder.usable(library):
            seeder.pin(library, seed)
            self._pinned.add(seeder.name)

    def _pin_further(self) -> None:
        for name, further in self._further.items():
            further(cast(int, self._seed))
            self._pinned.add(name)

    @contextmanager
    def _around_import(self, name: str, outermost: bool) -> Iterator[None]:
        """Pins what an import brings, and keeps it from drawing on the streams that are there already.

        Some modules draw numbers when they are imported. If those counted, a test would get others
        wherever it is the first to import such a module.
        """
        before = self._states() if outermost else ()
        known = {seeder.name for seeder in self._seeders.values() if seeder.library() is not None}
        try:
            yield
        finally:
            _put_back(before[::-1])
        for seeder in self._seeders.values():
            # What arrived on the way was pinned at once, and may have been drawn from since then.
            if seeder.name not in known and (outermost or seeder.module == name):
                # This one still counts as being imported.
                self._pin_one(seeder, sys.modules.get(name) if seeder.module == name else seeder.library())


def _put_back(generators: Sequence[Generators]) -> None:
    for place, (seeder, library, state) in enumerate(generators):
        try:
            seeder.restore(library, state)
        except BaseException:
            # Every other one of them all the same.
            _put_back(generators[place + 1 :])
            raise


def _by_module() -> Mapping[str, Seeder]:
    return {seeder.module: seeder for seeder in seeders()}


def _published() -> Mapping[str, FurtherSeeder]:
    from importlib.metadata import entry_points

    # Asked once: every question reads the metadata of all installed distributions.
    everything = entry_points()
    return {
        point.name: _loaded(point)
        for group in ENTRY_POINT_GROUPS
        for point in sorted(everything.select(group=group), key=lambda point: (point.name, point.value))
        # Ours pins through this class: called from here it would never come back.
        if not point.value.startswith("pytest_mlrepro.")
    }


def _loaded(point: EntryPoint) -> FurtherSeeder:
    where, remedy = (
        f"entry point {point.name!r} of the group {point.group!r}",
        "mend or uninstall its distribution",
    )
    try:
        seeder = point.load()
    except Exception as error:
        # Whatever the import of somebody else's module raises, the reader has to know whose it is.
        reason = f"{type(error).__name__}: {error}"
        raise ConfigError(
            f"the seeder {point.value} cannot be loaded ({reason})", where=where, remedy=remedy
        ) from error
    if not callable(seeder):
        raise ConfigError(f"the seeder {point.value} cannot be called", where=where, remedy=remedy)
    return cast(FurtherSeeder, seeder)
