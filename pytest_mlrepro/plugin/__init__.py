"""The pytest door: options, the marker and the fixtures.

pytest imports this module in every run of every project that has the plugin installed, so it knows nothing
but the standard library and pytest; the rest is loaded when a run asks for it or a test uses a fixture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_mlrepro.capture import Recorder
    from pytest_mlrepro.fingerprints import Fingerprint
    from pytest_mlrepro.plugin.stage import Stage

USING = frozenset({"mlrepro", "mlrepro_seed", "mlrepro_libraries"})
"""The fixtures whose request makes a test or fixture a subject."""

_MARKER = (
    "mlrepro(rtol=, atol=, seed=, policy=): tolerances of floats, the base seed and policies by address "
    "for the facts of a test, class or module."
)
_STAGE = pytest.StashKey["Stage"]()


class MlreproWarning(pytest.PytestWarning):
    """A drift whose policy is to warn."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mlrepro", "reproducibility of machine learning (mlrepro)")
    group.addoption(
        "--mlrepro",
        action="store_true",
        help="compare with the lockfile: a drift fails the run; writes nothing",
    )
    group.addoption(
        "--mlrepro-update",
        action="store_true",
        help="compare, then accept: write what the passing tests of this run recorded",
    )
    group.addoption(
        "--mlrepro-only",
        metavar="FACET[,FACET]",
        help="compare these facets only; with --mlrepro-update accept these only, the others must still match",
    )
    group.addoption(
        "--mlrepro-lockfile", metavar="PATH", help="the lockfile (default: mlrepro.lock in the rootdir)"
    )
    group.addoption("--mlrepro-seed", metavar="INT", help="the base seed (default: 0)")
    group.addoption(
        "--mlrepro-environment",
        metavar="NAME",
        help="the environment's name (default: made from OS, architecture, Python and accelerator)",
    )
    group.addoption(
        "--mlrepro-guard",
        metavar="off|warn|fail|pin",
        help="the entropy guard: report unpinned randomness with file and line, fail on it, or pin it (default: warn)",
    )
    group.addoption(
        "--mlrepro-report",
        action="append",
        default=[],
        metavar="PATH",
        help="write a report, repeatable; the ending says which: .html, .json or .md",
    )
    group.addoption(
        "--mlrepro-record",
        metavar="PATH",
        help="write this run's facts, in the lockfile's format, whatever the verdict",
    )
    group.addoption(
        "--mlrepro-trace",
        action="store_true",
        help="with --mlrepro-record: fingerprint what first-party functions return, to find a first divergence",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARKER)
    config.pluginmanager.register(_fixtures(config), "mlrepro-fixtures")
    options = config.option
    asked = options.mlrepro or options.mlrepro_update or options.mlrepro_record
    given = options.mlrepro_seed is not None or options.mlrepro_guard is not None
    if asked or given or options.mlrepro_only or options.mlrepro_report or options.mlrepro_trace:
        _stage(config)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # Off, the hooks around tests and fixtures are there only if a test uses a fixture of ours.
    if _STAGE not in config.stash and any(
        not USING.isdisjoint(getattr(item, "fixturenames", ())) for item in items
    ):
        _stage(config)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    # The controller of workers knows only from them that a test used a fixture of ours.
    seen = (getattr(node, "workeroutput", None) or {}).get("mlrepro_guard")
    if seen is not None:
        _stage(node.config).watching.sightings.update_from_json(seen)


def _stage(config: pytest.Config) -> Stage:
    stage = config.stash.get(_STAGE, None)
    if stage is None:
        from pytest_mlrepro.plugin.install import install

        stage = config.stash[_STAGE] = install(config)
    return stage


def _fixtures(config: pytest.Config) -> ModuleType:
    """The fixtures of a run, as a plugin of their own.

    They know their run without asking for ``request``, which pytest makes anew, and whose signature it looks up, for
    each test that uses a fixture which asks for it.
    """
    sessions: list[pytest.Session] = []

    def pytest_sessionstart(session: pytest.Session) -> None:
        sessions.append(session)

    @pytest.fixture(scope="session")
    def mlrepro() -> Recorder:
        """The recorder of the test or fixture that requests it; requesting it pins every seed."""
        stage = _stage(config)
        stage.arrive(*sessions)
        return stage.recorder

    @pytest.fixture
    def mlrepro_seed(mlrepro: Recorder) -> int:
        """The pinned seed, ``0 <= seed < 2**32``; requesting it pins."""
        return mlrepro.seed

    @pytest.fixture(scope="session")
    def mlrepro_fingerprint() -> Callable[..., Fingerprint]:
        """``pytest_mlrepro.fingerprint``."""
        from pytest_mlrepro.fingerprints import fingerprint

        return fingerprint

    @pytest.fixture(scope="session")
    def mlrepro_libraries(mlrepro: Recorder) -> Mapping[str, str]:
        """Versions by distribution: iterates over those in use; one that is looked up is frozen too."""
        return _stage(config).libraries

    plugin = ModuleType("mlrepro-fixtures")
    vars(plugin).update(
        pytest_sessionstart=pytest_sessionstart,
        mlrepro=mlrepro,
        mlrepro_seed=mlrepro_seed,
        mlrepro_fingerprint=mlrepro_fingerprint,
        mlrepro_libraries=mlrepro_libraries,
    )
    return plugin
