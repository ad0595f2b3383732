"""The process of a replay: ``python -m pytest_mlrepro.plugin.replayed``, told what to do by ``MLREPRO_REPLAY``.

It runs pytest with a witness beside the tests, and perturbs the process first where it was told to.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_mlrepro.contribution import Contribution
from pytest_mlrepro.model import Facts, Run
from pytest_mlrepro.plugin.perturbing import Perturbing
from pytest_mlrepro.plugin.stage import CARRIER, NAME
from pytest_mlrepro.plugin.watching import Watching
from pytest_mlrepro.replay.results import stamp
from pytest_mlrepro.replay.witness import ORDERS, Orders, Outcome, Witness

_UNSTABLE = ("/proc/", "/sys/", "/dev/")
_LONGEST = 300


def main(arguments: Sequence[str], orders: Orders) -> int:
    """Run pytest as it was ordered.

    Returns:
        pytest's exit status.
    """
    watcher = Watcher(orders)
    sys.addaudithook(watcher.audit)
    return int(pytest.main([*arguments], plugins=[watcher, Perturbing(orders.perturbations)]))


class Watcher:
    """The witness: sees the tests end, and writes what it has seen when the run is over."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._outcomes: dict[str, Outcome] = {}
        self._order: dict[str, tuple[str, ...]] = {}
        self._partial: dict[str, Facts] = {}
        self._opened: set[str] = set()
        self._began = time.time_ns()

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Hear of files that are opened to be read."""
        if event == "open" and isinstance(arguments[0], str) and "w" not in str(arguments[1] or ""):
            self._opened.add(arguments[0])

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        # The order of the tests and the generators are the replay's to change, and one process is to run them all.
        for name, value in (
            ("randomly_seed", 0),
            ("randomly_reorganize", False),
            ("dist", "no"),
            ("numprocesses", None),
            ("maxfail", 0),
        ):
            if hasattr(config.option, name):
                setattr(config.option, name, value)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = getattr(report, NAME, report.nodeid)
        if report.when == "call" or report.failed or (report.when == "setup" and report.skipped):
            ending = "error" if report.failed and report.when != "call" else report.outcome
            if ending in ("passed", "failed", "skipped", "error"):
                self._outcomes[name] = Outcome(ending, _last_line(report) if report.failed else "")
        for text in getattr(report, CARRIER, ()):
            told = Contribution.from_json(text)
            if told.facts:
                self._order[told.subject] = tuple(told.facts)
            if told.facts and not told.complete:
                self._partial[told.subject] = told.facts

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self, config: pytest.Config) -> None:
        watching: Watching | None = config.pluginmanager.get_plugin("mlrepro-watching")
        sightings = watching.sightings if watching is not None else None
        unpinned = (
            tuple((site, tuple(sorted(sightings.subjects(site)))) for site in sightings.sites())
            if sightings
            else ()
        )
        told = Witness(
            self._outcomes,
            self._order,
            unpinned,
            self._reads(),
            self._strays(),
            Run(self._partial),
            loaded=_loaded(),
        )
        Path(self._orders.witness).write_text(told.to_json(), encoding="utf-8")

    def _reads(self) -> dict[str, tuple[int, int]]:
        inside = (*_UNSTABLE, *map(_folder, (*self._orders.inside, str(Path(__file__).parents[1]))))
        stamps = {
            path: stamp(Path(path)) for name in self._opened if not (path := _real(name)).startswith(inside)
        }
        # What the run has written itself says nothing of the next one.
        return {path: told for path, told in stamps.items() if 0 <= told[1] < self._began}

    def _strays(self) -> tuple[str, ...]:
        if not self._orders.home:
            return ()
        home, libraries = _folder(self._orders.home), (_folder(sys.prefix), _folder(sys.base_prefix))
        files = {name: getattr(module, "__file__", None) for name, module in [*sys.modules.items()]}
        return tuple(
            name
            for name, file in sorted(files.items())
            if isinstance(file, str)
            and name.partition(".")[0] != "pytest_mlrepro"
            and _real(file).startswith(home)
            and not _real(file).startswith(libraries)
        )


def _real(name: str) -> str:
    return os.path.realpath(name)


def _folder(name: str) -> str:
    return f"{_real(name)}{os.sep}"


def _last_line(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    text = str(crash.message) if crash is not None else str(report.longrepr)
    return next((line for line in text.splitlines() if line.strip()), "")[:_LONGEST]


def _loaded() -> dict[str, Any]:
    """The native libraries with thread pools, as they were really loaded; nothing is loaded to find out."""
    if "numpy" not in sys.modules:
        return {}
    from threadpoolctl import threadpool_info

    kept = ("user_api", "internal_api", "num_threads", "version", "architecture", "threading_layer")
    return {
        Path(each["filepath"]).name: {name: each[name] for name in kept if name in each}
        for each in threadpool_info()
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Orders.from_json(os.environ.pop(ORDERS))))
