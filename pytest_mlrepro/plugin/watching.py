"""The entropy guard around tests and fixtures: when it is on, what it found, and what the summary says of it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

import pytest

from pytest_mlrepro.guard import Guard, Sightings, parse_variations
from pytest_mlrepro.visible import line

if TYPE_CHECKING:
    from pytest_mlrepro.guard import Site
    from pytest_mlrepro.guard.guard import Mode

OUTPUT = "mlrepro_guard"
"""The key of a worker's output under which it hands over what it has seen."""
_VARIATIONS = "MLREPRO_GUARD_VARY"

__tracebackhide__ = True


class Watching:
    """One a process; in the controller of xdist's workers it gathers what they have seen.

    Attributes:
        sightings: of all subjects whose turn is over.
    """

    def __init__(self, config: pytest.Config, mode: str) -> None:
        """Make one; ``mode`` is one of ``off``, ``warn``, ``fail`` and ``pin``.

        Raises:
            ConfigError: if the environment varies sites in a way that cannot be read.
        """
        self.sightings = Sightings()
        self._config = config
        self._subjects: list[str] = []
        self._names: frozenset[str] = frozenset()
        text = os.environ.get(_VARIATIONS, "")
        variations = parse_variations(text) if text else {}
        self._guard = None if mode == "off" else Guard(config.rootpath, cast("Mode", mode), variations)

    # Whose turn it is

    def begin(self, subject: str, seed: int) -> None:
        """Watch a subject's turn; turns nest."""
        if self._guard is not None:
            self._subjects.append(subject)
            self._guard.enter(subject, seed)

    def end(self) -> None:
        """The turn that began last is over."""
        if self._guard is not None:
            self.sightings.add(self._subjects.pop(), self._guard.leave())

    def concerns(self, fixture: str) -> bool:
        """Whether a fixture of higher scope is to be watched although it does not ask for ours.

        Its generators may be made while a test that is none of ours has its turn, and drawn from by one of ours.
        """
        return bool(self._subjects) or fixture in self._names

    def seen(self) -> tuple[Site, ...]:
        """What took randomness so far in the turn that began last."""
        return self._guard.sites() if self._guard is not None and self._subjects else ()

    def suspects(self, subjects: Iterable[str]) -> tuple[Site, ...]:
        """What may be behind a drift of the test whose turn it is, with the fixtures that it rests on."""
        return tuple(site for site in (*self.seen(), *self.sightings.of(*subjects)) if not site.pinned)

    # Hooks

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        from pytest_mlrepro.plugin.items import is_user

        users = [item for item in session.items if is_user(item)]
        self._names = frozenset(name for item in users for name in getattr(item, "fixturenames", ()))

    def pytest_sessionfinish(self) -> None:
        output = getattr(self._config, "workeroutput", None)
        if output is not None and self.sightings:
            output[OUTPUT] = self.sightings.to_json()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        # Where a run is judged the desk has a section, and says it there.
        if self.sightings and not self._config.pluginmanager.has_plugin("mlrepro-desk"):
            terminalreporter.write_sep("-", "mlrepro")
            for told in self.sightings.lines():
                terminalreporter.write_line(line(told))

    def pytest_unconfigure(self) -> None:
        if self._guard is not None:
            self._subjects.clear()
            self._guard.close()
