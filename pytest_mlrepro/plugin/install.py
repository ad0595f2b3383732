"""Read the options of a run, and register what it needs."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_mlrepro.config import GUARDS, Config, called, load_config, parse_seed, unknown
from pytest_mlrepro.environment.naming import default_name, parse_name
from pytest_mlrepro.errors import ConfigError, MlreproError
from pytest_mlrepro.facets import Versions, facet, facet_names
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.lockfile import Edition, check_writable, read_lockfile
from pytest_mlrepro.model import Run
from pytest_mlrepro.plugin.desk import Desk
from pytest_mlrepro.plugin.omissions import Omissions
from pytest_mlrepro.plugin.stage import Stage
from pytest_mlrepro.plugin.watching import Watching
from pytest_mlrepro.policy import Policies
from pytest_mlrepro.seeding import Seeding

_WITHOUT_TESTS = (
    "cacheshow",
    "collectonly",
    "setuponly",
    "setupplan",
    "show_fixtures_per_test",
    "showfixtures",
)


@dataclass(frozen=True, slots=True)
class Order:
    """What a run was asked to do.

    Attributes:
        check, update: compare; accept what passes.
        only: see ``Terms``.
        lockfile: its path.
        shown: its path as messages call it.
        seed: the base seed.
        reports, record: files to write.
        idle: whether no test will run.
        digest: the hash to record data with; empty for that of the lockfile, where nothing will be written.
        guard: the mode of the entropy guard.
        repeated: options that say what the facts are compared with, so that the update needs them too.
        trace: whether what functions return is recorded too.
        environment: the name of the one that the run is made in.
        secrets: patterns of names whose values are secret.
        properties: whether the facts of a test go into JUnit XML.
    """

    check: bool
    update: bool
    only: frozenset[str]
    lockfile: Path
    shown: str
    seed: int
    reports: tuple[Path, ...]
    record: Path | None
    idle: bool = False
    digest: str = ""
    guard: str = "warn"
    repeated: tuple[str, ...] = ()
    trace: bool = False
    environment: str = ""
    secrets: tuple[str, ...] = ()
    properties: bool = False

    @property
    def judges(self) -> bool:
        return self.check or self.update

    @property
    def active(self) -> bool:
        return not self.idle and (self.judges or self.record is not None)


def install(config: pytest.Config) -> Stage:
    """Register the hooks that this run needs.

    Raises:
        pytest.UsageError: for an option, a setting or a lockfile that cannot be used.
    """
    try:
        project = load_config(config.rootpath)
        order = read_order(config, project)
        known = _accepted(order) if order.active else None
        terms = _terms(order, project, known.run if known is not None else None) if order.active else None
        seeding = Seeding.with_entry_points()
        watching = Watching(config, order.guard)
    except MlreproError as error:
        raise pytest.UsageError(f"mlrepro: {error}") from None
    worker: Mapping[str, object] | None = getattr(config, "workerinput", None)
    desk = None
    if terms is not None and worker is None:
        desk = Desk(config, order, terms, watching.sightings, known if order.update else None)
    baseline = terms.baseline if terms is not None else None
    omissions = Omissions(config, baseline.subjects if baseline is not None else ())
    stage = Stage(config, order, terms, seeding, omissions=omissions, desk=desk, watching=watching)
    if terms is not None:
        config.pluginmanager.register(omissions, "mlrepro-omissions")
    if terms is not None and order.trace:
        from pytest_mlrepro.plugin.traces import Traces

        traces = Traces(config)
        config.pluginmanager.register(traces, "mlrepro-traces")
        if desk is not None:
            desk.traces = traces.gathered
    if desk is not None:
        config.pluginmanager.register(desk, "mlrepro-desk")
        _speak_to_github(config, order, desk)
    # Before the stage, so that its judgement comes after what the guard has to say.
    config.pluginmanager.register(watching, "mlrepro-watching")
    if order.guard == "fail":
        from pytest_mlrepro.plugin.refusing import Refusing

        config.pluginmanager.register(Refusing(config.rootpath, watching), "mlrepro-refusing")
    # After the desk: of two hooks that want to be first the later one is, and what the stage has left must be taken.
    config.pluginmanager.register(stage, "mlrepro-stage")
    return stage


def _speak_to_github(config: pytest.Config, order: Order, desk: Desk) -> None:
    if order.judges and os.environ.get("GITHUB_ACTIONS") == "true":
        from pytest_mlrepro.plugin.github import GitHub

        desk.github = GitHub(os.environ, config.rootpath, order.lockfile)
        config.pluginmanager.register(desk.github, "mlrepro-github")


def read_order(config: pytest.Config, project: Config) -> Order:
    """The options, laid over the project's settings.

    Raises:
        ConfigError: for one that cannot be used.
    """
    options = config.option
    path = _lockfile(config, project)
    order = Order(
        check=options.mlrepro,
        update=options.mlrepro_update,
        only=_only(options.mlrepro_only),
        lockfile=path,
        shown=called(path, config.invocation_params.dir),
        seed=project.seed if options.mlrepro_seed is None else _seed(options.mlrepro_seed),
        reports=tuple(_report(name, config) for name in options.mlrepro_report),
        record=config.invocation_params.dir / options.mlrepro_record if options.mlrepro_record else None,
        repeated=_repeated(options),
        guard=_guard(options.mlrepro_guard) or project.guard or "warn",
        digest=project.digest if options.mlrepro_update else "",
        trace=options.mlrepro_trace,
        environment=_environment(options.mlrepro_environment, project),
        secrets=project.secrets,
        properties=project.junit_properties,
        idle=any(getattr(options, name, False) for name in _WITHOUT_TESTS),
    )
    if order.trace and order.record is None:
        raise ConfigError(
            "--mlrepro-trace needs --mlrepro-record: a trace belongs into a recorded run, not into the lockfile",
            remedy="name a file for the run, for instance: --mlrepro-record=run.lock",
        )
    for name, paths in (("--mlrepro-record", [order.record]), ("--mlrepro-report", order.reports)):
        if any(
            path is not None and os.path.realpath(path) == os.path.realpath(order.lockfile) for path in paths
        ):
            raise ConfigError(
                f"{name} names the lockfile, which only an update may write",
                where=order.shown,
                remedy="name another file, or accept the run with --mlrepro-update",
            )
    for name, given in (("--mlrepro-only", order.only), ("--mlrepro-report", order.reports)):
        if given and not order.judges:
            # Silently comparing nothing would be a green light that means nothing.
            raise ConfigError(f"{name} needs --mlrepro or --mlrepro-update", remedy="add one of them")
    return order


def _repeated(options: argparse.Namespace) -> tuple[str, ...]:
    given = (
        ("--mlrepro-lockfile", options.mlrepro_lockfile),
        ("--mlrepro-seed", options.mlrepro_seed),
        ("--mlrepro-environment", options.mlrepro_environment),
        ("--mlrepro-guard", options.mlrepro_guard if options.mlrepro_guard == "pin" else None),
    )
    return tuple(f"{name}={value}" for name, value in given if value is not None)


def _accepted(order: Order) -> Edition | None:
    """What the lockfile holds; None where there is none, or nothing is compared with it."""
    if order.update:
        check_writable(order.lockfile, shown=order.shown)
    exists = order.judges and (order.lockfile.exists() or order.lockfile.is_symlink())
    return read_lockfile(order.lockfile, shown=order.shown) if exists else None


def _terms(order: Order, project: Config, accepted: Run | None) -> Terms:
    return Terms(
        baseline=accepted.view(order.environment) if accepted is not None else None,
        update=order.update,
        only=order.only,
        policies=Policies((project.policy,) if project.policy else (), Versions(project.versions)),
        tolerance=project.tolerance,
        environment=order.environment,
        recorded=frozenset(accepted.environments if accepted is not None else ()),
        strangers=project.unknown_environment,
    )


def _lockfile(config: pytest.Config, project: Config) -> Path:
    given: str | None = config.option.mlrepro_lockfile
    return config.invocation_params.dir / given if given else project.lockfile_path


def _only(text: str | None) -> frozenset[str]:
    names = frozenset(name.strip() for name in (text or "").split(",") if name.strip())
    for name in sorted(names):
        if facet(name) is None:
            raise unknown(name, facet_names(), "facet", "--mlrepro-only")
    if text is not None and not names:
        raise ConfigError("--mlrepro-only names no facet", remedy=f"name some of: {', '.join(facet_names())}")
    return names


def _seed(text: str) -> int:
    try:
        seed = int(text)
    except ValueError:
        raise ConfigError(f"--mlrepro-seed takes an integer, got {text!r}", remedy="take 0") from None
    return parse_seed(seed, "--mlrepro-seed")


def _guard(text: str | None) -> str | None:
    if text is not None and text not in GUARDS:
        raise unknown(text, GUARDS, "mode of the guard", "--mlrepro-guard")
    return text


def _environment(given: str | None, project: Config) -> str:
    if given is not None:
        return parse_name(given, "--mlrepro-environment")
    if told := os.environ.get("MLREPRO_ENVIRONMENT"):
        return parse_name(told, "MLREPRO_ENVIRONMENT")
    return project.environment or default_name()


def _report(name: str, config: pytest.Config) -> Path:
    from pytest_mlrepro.report import files

    path = config.invocation_params.dir / name
    files.check(path, f"--mlrepro-report={name}")
    return path
