"""What the process rests on: the project's code, the distributions in use, the machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from pytest_mlrepro.codegraph import CodeGraph
from pytest_mlrepro.environment.spelling import normalized
from pytest_mlrepro.errors import RecordingError
from pytest_mlrepro.facets.libraries import Libraries as LibrariesFacet
from pytest_mlrepro.facets.libraries import version_of
from pytest_mlrepro.facets.randomization import Randomization
from pytest_mlrepro.model import Fact, Facts
from pytest_mlrepro.recording import Recording
from pytest_mlrepro.seeding import Seeding

_NONE: frozenset[str] = frozenset()
_NO_NEWS: Facts = MappingProxyType({})


class Surroundings:
    """Reads the environment of a process, once for every set of distributions that its tests use."""

    def __init__(self, root: Path, seeding: Seeding, secrets: tuple[str, ...] = ()) -> None:
        self._root = root
        # Now, not when the first test ends: a test may set variables for itself.
        self._facet = LibrariesFacet(root=root, secrets=secrets)
        self._seeding = seeding
        self._imports: dict[frozenset[Path], frozenset[str]] = {}
        self._used_by: dict[tuple[frozenset[Path], frozenset[str], frozenset[str]], frozenset[str]] = {}
        self._direct: set[str] = set()
        self._pinned: set[str] = set()
        self._environment: dict[str, Fact] = {}
        self.used: frozenset[str] = frozenset()

    @cached_property
    def graph(self) -> CodeGraph:
        """The project's own code."""
        return CodeGraph(self._root)

    @property
    def environment(self) -> Facts:
        """The facts of this process so far."""
        return self._environment

    def read(self, files: frozenset[Path]) -> frozenset[str]:
        """Modules of others that these files import, themselves or through the project's code."""
        if files not in self._imports:
            ours = [path for path in files if self.graph.is_first_party(path)]
            self._imports[files] = frozenset(self.graph.external_imports(ours))
        return self._imports[files]

    def uses(self, recording: Recording) -> frozenset[str]:
        """The distributions that a subject's code uses."""
        named = frozenset(map(normalized, recording.named)) if recording.named else _NONE
        key = (recording.files, frozenset(recording.modules), named)
        if key not in self._used_by:
            modules = self.read(recording.files) | key[1]
            direct = self._facet.provided(modules) | key[2]
            self._direct |= direct
            self._used_by[key] = self._facet.used(modules) | key[2]
        return self._used_by[key]

    def version(self, name: str) -> str:
        """The version of one of the distributions or modules in use, as it is recorded."""
        return str(self._facet.capture([name])[0].value)

    def news(self, uses: Iterable[str] = (), *, refresh: bool = False) -> Facts:
        """The facts of the process that are new or changed since the last time.

        Args:
            uses: distributions; the environment is read again when one is new.
            refresh: read it again in any case.
        """
        self._pinned.update(self._seeding.pinned())
        if self._environment and not refresh and self.used.issuperset(uses):
            return _NO_NEWS
        wider = self.used.union(uses)
        facts = [
            *self._facet.capture(wider, direct=self._direct),
            *self._facet.runtime(wider),
            *Randomization().session(sorted(self._pinned)),
        ]
        self.used = wider
        news = {fact.address: fact for fact in facts if self._environment.get(fact.address) != fact}
        self._environment.update(news)
        return news


class Libraries(Mapping[str, str]):
    """Versions by distribution; iterates over those that the running subject uses."""

    def __init__(self, around: Surroundings, current: Callable[[], Recording]) -> None:
        self._around = around
        self._current = current

    def __getitem__(self, name: str) -> str:
        try:
            version = version_of(name)
        except RecordingError:
            if normalized(name) not in self._around.uses(self._current()):
                raise KeyError(name) from None
            # A module that no distribution provides.
            return self._around.version(name)
        self._current().named.add(name)
        return version

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._around.uses(self._current())))

    def __len__(self) -> int:
        return len(self._around.uses(self._current()))
