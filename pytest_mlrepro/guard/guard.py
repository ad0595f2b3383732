"""The guard: on while a test runs, it says where randomness comes from that no seed decides."""

from __future__ import annotations

import json
import linecache
import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

from pytest_mlrepro.errors import ConfigError
from pytest_mlrepro.guard.clock import Clock
from pytest_mlrepro.guard.entropy import derive, encode
from pytest_mlrepro.guard.point import Found, Point
from pytest_mlrepro.guard.points import Points

if TYPE_CHECKING:
    from pytest_mlrepro.guard.attribution import Attribution
    from pytest_mlrepro.guard.site import Site

Mode: TypeAlias = Literal["warn", "fail", "pin"]

_NO_VARIATIONS: Mapping[str, int] = MappingProxyType({})


@dataclass
class _Region:
    """A subject's turn.

    Attributes:
        seed: the pinned one.
        since: when it began, seconds since the epoch.
        subject: whose turn it is.
        uses: how often each place took randomness, with whether it was pinned.
        drawn: how often each place was given pinned entropy.
    """

    seed: int
    since: float
    subject: str
    uses: dict[tuple[Found, bool], int] = field(default_factory=dict)
    drawn: dict[bytes, int] = field(default_factory=dict)

    @property
    def head(self) -> bytes:
        """Seed and subject, for the entropy that is given."""
        return encode(self.seed, self.subject)


class _Busy(threading.local):
    """Whether it is the guard that a thread is asking for."""

    now = False


class Guard:
    """Sees unpinned randomness between ``enter`` and ``leave``; regions nest like a stack.

    While none is open nothing is bound to anything of ours. What another thread takes counts for the region that was
    opened last. Draws from generators cost nothing: only where one is made without a seed, or the system is
    asked for entropy, is the guard on the way.

    In a process that is forked within a region the guard goes on: it raises and pins there, what it sees stays there.
    """

    def __init__(
        self, root: Path, mode: Mode = "warn", variations: Mapping[str, int] = _NO_VARIATIONS
    ) -> None:
        """Make one.

        Args:
            root: the project's folder: what lies below and is not installed there is the project's own code.
            mode: ``warn`` only notes, ``fail`` raises at the call, ``pin`` gives entropy made from the region's seed,
                its subject, the place in the code and how often it came by.
            variations: with ``pin``, a number for each site (``file:line``) whose entropy is to be another one, so
                that a tool can vary one site at a time and see whether any result depends on it.
        """
        self.mode = mode
        self._root = root
        self._variations = dict(variations)
        self._clock = Clock()
        self._regions: list[_Region] = []
        self._places: dict[Found, bytes] = {}
        self._points = Points(self)
        self._busy = _Busy()
        self._lock = threading.Lock()
        self._process = os.getpid()

    @cached_property
    def _attribution(self) -> Attribution:
        # Most runs take no randomness at all.
        from pytest_mlrepro.guard.attribution import Attribution

        return Attribution(self._root)

    # Regions

    def enter(self, subject: str, seed: int) -> None:
        """Open a region."""
        self._regions.append(_Region(seed, self._clock.now(), subject))
        self._points.install()

    def leave(self) -> tuple[Site, ...]:
        """Close the region that was opened last, and give what it has seen."""
        sites = self.sites()
        self._regions.pop()
        if not self._regions:
            self._points.restore()
        return sites

    def sites(self) -> tuple[Site, ...]:
        """What the region that was opened last has seen so far, in the order of first uses."""
        if not self._regions or not self._regions[-1].uses:
            return ()
        uses = dict(self._regions[-1].uses)
        if not uses:
            return ()
        from pytest_mlrepro.guard.site import Site

        return tuple(Site(*found, pinned, count) for (found, pinned), count in uses.items())

    def close(self) -> None:
        """Close every region and put back everything, also what somebody has bound to our stand-ins again."""
        self._regions.clear()
        self._points.restore()

    # What the choke points call

    @property
    def idle(self) -> bool:
        """Whether what comes by is nobody's business: no region is open, or it is the guard that asks."""
        return not self._regions or self._busy.now

    def taken(self, point: Point, size: int) -> bytes | None:
        """Unpinned randomness is about to be taken; to be called unless the guard is idle.

        Args:
            point: where.
            size: how many bytes.

        Returns:
            What to take instead; None for what would have been taken anyhow.

        Raises:
            UnpinnedError: in the mode ``fail``.
        """
        __tracebackhide__ = True
        found = self._attribution.find(sys._getframe(1), point, size)
        return None if found is None else self._noted(found, size)

    def seeded(self, point: Point, seed: object, size: int = 0) -> bytes | None:
        """Something is about to be seeded, perhaps with the time of day; see ``taken``.

        Args:
            point: where.
            seed: the seed.
            size: how many bytes can be taken instead; 0 where it cannot be helped.
        """
        __tracebackhide__ = True
        region = self._open()
        if region is None or not self._clock.gave(seed, region.since) or seed == region.seed:
            return None
        found = self._attribution.find(sys._getframe(1), point)
        if found is None:
            return None
        from pytest_mlrepro.guard.site import CLOCK

        return self._noted(found._replace(call=found.call.replace("()", f"({CLOCK})")), size)

    def original(self, function: object, *arguments: object) -> object:
        """Call something that the guard stands before, without being asked again on the way."""
        self._busy.now = True
        try:
            return function(*arguments)  # type: ignore[operator]
        finally:
            self._busy.now = False

    def _noted(self, found: Found, size: int) -> bytes | None:
        __tracebackhide__ = True
        pins = self.mode == "pin" and size > 0
        if os.getpid() != self._process:
            # Somebody may have held the lock at that moment who is not here to release it.
            self._process, self._lock = os.getpid(), threading.Lock()
        region = self._open()
        if region is None:
            return None
        with self._lock:
            key = (found, pins)
            region.uses[key] = region.uses.get(key, 0) + 1
            if pins:
                place = self._places.get(found) or self._place(found)
                number = region.drawn[place] = region.drawn.get(place, 0) + 1
        if self.mode == "fail":
            from pytest_mlrepro.guard.errors import UnpinnedError
            from pytest_mlrepro.guard.site import Site

            raise UnpinnedError(Site(*found))
        if not pins:
            return None
        variation = self._variations.get(f"{found.file}:{found.line}", 0) if self._variations else 0
        return derive(size, region.head + place, f"{number}:{variation}:{_worker()}")

    def _open(self) -> _Region | None:
        # Another thread may have closed it since this one asked.
        regions = self._regions[-1:]
        return regions[0] if regions else None

    def _place(self, found: Found) -> bytes:
        # What the line says, and not its number, which would change with every line that is written above it.
        text = linecache.getline(str(self._root / found.file), found.line).strip()
        place = self._places[found] = encode(found.file, found.function, found.call, text)
        return place


def parse_variations(text: str) -> Mapping[str, int]:
    """Variations by site, from JSON such as ``{"tests/test_model.py:12": 1}``.

    Raises:
        ConfigError: if it is anything else.
    """
    try:
        variations = json.loads(text)
    except ValueError:
        variations = None
    if isinstance(variations, dict) and all(type(number) is int for number in variations.values()):
        return variations
    raise ConfigError(
        f"not an object of numbers by site: {text!r}",
        where="MLREPRO_GUARD_VARY",
        remedy='for instance: {"tests/test_model.py:12": 1}',
    )


def _worker() -> str:
    """Which process of a pool this is: forked workers must not all draw the same."""
    multiprocessing = sys.modules.get("multiprocessing.process")
    identity = () if multiprocessing is None else getattr(multiprocessing.current_process(), "_identity", ())
    return ".".join(map(str, identity)) if identity else ""
