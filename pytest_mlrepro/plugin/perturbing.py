"""What a replay does to the process that runs the tests."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Generator, Sequence
from functools import wraps
from typing import Any

import pytest

from pytest_mlrepro.plugin.arrays import Poison, relaid
from pytest_mlrepro.plugin.items import identity
from pytest_mlrepro.plugin.listing import Listing

CORES = "cores:"
"""Before a number: what ``os.cpu_count`` says, and so ``multiprocessing``."""
ONLY = "only:"
"""Before a JSON array of tests: they are run, in this order, and no others."""


class Perturbing:
    """Perturbations that no environment variable makes.

    By name: ``listing`` reverses listings of folders, ``order`` the order of the tests; ``offset`` draws a number from
    each global generator before a module is imported and before a test begins, so before anything is pinned;
    ``layout`` lets ``mlrepro.data`` give back arrays that lie the other way round in memory; ``memory`` fills arrays
    that nobody has filled; ``cores:N`` lets there be so many; ``only:[TEST, ...]`` runs these tests and no others, in
    this order.
    """

    def __init__(self, names: Sequence[str]) -> None:
        """Make one.

        Args:
            names: which.
        """
        self._names = frozenset(names)
        self._only: list[str] | None = _told(ONLY, names)
        self._cores: int | None = _told(CORES, names)
        self._cpu_count = os.cpu_count
        self._listing = Listing()
        self._poison = Poison()

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self) -> None:
        # Plugins are loaded, in the order in which the system lists them; nothing of the project is.
        if "listing" in self._names:
            self._listing.install()
        if self._cores is not None:
            os.cpu_count = lambda: self._cores

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        os.cpu_count = self._cpu_count
        self._listing.restore()
        self._poison.restore()

    def pytest_collectstart(self) -> None:
        self._offset()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> Generator[None, None, None]:
        yield
        if "order" in self._names:
            # What shares a fixture still stands together, so that each fixture is set up as often as before.
            items.reverse()
        if self._only is not None:
            known = {identity(item): item for item in items}
            chosen = [known[name] for name in self._only if name in known]
            config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
            items[:] = chosen

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        if "memory" in self._names:
            self._poison.install()
        self._offset()
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        given: Any = yield
        if fixturedef.argname == "mlrepro" and "layout" in self._names:
            given.data = _relaying(given.data)
        return given

    def _offset(self) -> None:
        """Draw once from each generator of the process that is there."""
        if "offset" not in self._names:
            return
        for module, draw in (("random", "random"), ("numpy.random", "random_sample"), ("torch", "rand")):
            if (found := sys.modules.get(module)) is not None:
                getattr(found, draw)(*((1,) if module == "torch" else ()))


def _told(beginning: str, names: Sequence[str]) -> Any:
    """What stands behind a beginning, as JSON; None where no name begins so."""
    return next(
        (json.loads(name.removeprefix(beginning)) for name in names if name.startswith(beginning)), None
    )


def _relaying(data: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(data)
    def given_back(*arguments: Any, **keywords: Any) -> Any:
        return relaid(data(*arguments, **keywords))

    return given_back
