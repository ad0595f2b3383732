"""The hooks of the process that reports: it gathers, judges what belongs to no test, writes and tells."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_mlrepro.balance import Sum, draw
from pytest_mlrepro.contribution import Contribution
from pytest_mlrepro.errors import MlreproError
from pytest_mlrepro.gate import Judgement, Terms
from pytest_mlrepro.guard import Sightings
from pytest_mlrepro.ledger import Extent, Ledger
from pytest_mlrepro.lockfile import Edition, update_lockfile, write_run
from pytest_mlrepro.model import SESSION, Facts, Own, Run
from pytest_mlrepro.plugin.items import CARRIER, NAME, users
from pytest_mlrepro.report import text
from pytest_mlrepro.visible import line, visible

if TYPE_CHECKING:
    from pytest_mlrepro.acceptance import Acceptance
    from pytest_mlrepro.plugin.github import GitHub
    from pytest_mlrepro.plugin.install import Order
    from pytest_mlrepro.report.page import Histories
    from pytest_mlrepro.report.standing import Standing
    from pytest_mlrepro.traces import Trace

_HELD = "held:"
_QUIET = ("lfplugin", "stepwiseplugin", "nfplugin", "mlrepro-desk")
"""Plugins that must not take a report about the session for one about a test."""
_SELECTING = ("python_", "testpaths", "norecursedirs")
"""Settings that say what a test is: laid over those of the project they may leave some out."""


class Desk:
    """One a run: in the only process, or in the controller of xdist's workers."""

    def __init__(
        self,
        config: pytest.Config,
        order: Order,
        terms: Terms,
        sightings: Sightings,
        known: Edition | None = None,
    ) -> None:
        """Make one; ``known`` is what the lockfile held at the start, where it may be updated."""
        self.config = config
        self.order = order
        self.terms = terms
        self.sightings = sightings
        self._known = known
        self.ledger = Ledger()
        self._held: dict[str, Contribution] = {}
        self.traces: Mapping[str, Trace] = {}
        self._collected: set[str] = set()
        self._names: dict[str, str] = {}
        self.partial = False
        self._process = os.getpid()
        self.github: GitHub | None = None
        self._total: Sum | None = None
        self._standing: Standing | None = None
        self._written: bool | None = None
        self._overtaken: tuple[str, ...] = ()
        self._problems: list[str] = []
        # Whether somebody ended the run, whether it broke off by itself, and whether its end was told.
        self._ended = self._broken = self._told = False

    def pytest_report_header(self) -> list[str]:
        order = self.order
        mode = "update" if order.update else "check" if order.check else "record"
        only = f" {', '.join(sorted(order.only))} only" if order.only else ""
        known = f"{len(self.terms.baseline.subjects)} subjects" if self.terms.baseline else "no baseline yet"
        place = f"environment {order.environment}{' (not recorded yet)' if self.terms.is_stranger else ''}"
        guard = "" if order.guard == "warn" else f", guard {order.guard}"
        return [line(f"mlrepro: {mode}{only}, {order.shown} ({known}), seed {order.seed}, {place}{guard}")]

    # Gathering

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        told = vars(report)
        if carried := told.get(CARRIER):
            self._take(carried)
        elif report.outcome == "passed" and report.when != "teardown" and "wasxfail" not in told:
            # So most phases end: nothing is over, and nothing is to be said.
            return
        name = self._names[report.nodeid] = getattr(report, NAME, report.nodeid)
        self.ledger.outcome(
            name,
            passed=report.outcome == "passed" and not hasattr(report, "wasxfail"),
            failed=report.outcome == "failed",
            finished=report.when == "teardown",
            # A part of a test that is skipped leaves the rest to be judged.
            excused=report.outcome == "skipped" and not hasattr(report, "context"),
        )

    def hold(self, contribution: Contribution) -> str:
        """What a report carries of a contribution: a key to it, and its text where another process made the report."""
        if os.getpid() != self._process:
            return contribution.to_json()
        key = f"{_HELD}{len(self._held)}"
        self._held[key] = contribution
        return key

    def _take(self, texts: Iterable[str]) -> None:
        for each in texts:
            held = self._held.get(each)
            self.ledger.add(held if held is not None else Contribution.from_json(each))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._collected.update(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        self._collected.update(ids)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        output: dict[str, Any] = getattr(node, "workeroutput", None) or {}
        self._take(output.pop("mlrepro", ()))
        if error or output.get("mlrepro_partial", True):
            self.partial = True

    # The end of the run

    def pytest_keyboard_interrupt(self) -> None:
        self._ended = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if os.getpid() != self._process:
            # A copy of this run, that a test forked and did not end.
            return
        # pytest.exit() gives whatever status its caller likes.
        broken = exitstatus in (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR)
        self._broken = broken and not self._ended
        if self._broken:
            return
        total = self._total = draw(self.ledger, self.terms, self._extent(session, exitstatus))
        if self.order.judges and total.is_red:
            from pytest_mlrepro.report.standing import standing

            self._standing = standing(total, self.terms, tests_failed=session.testsfailed > 0)
            self._report_red(session, total)
        try:
            self._write(total, int(session.exitstatus))
        except MlreproError as error:
            self._problems.append(str(error))
            session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def _extent(self, session: pytest.Session, exitstatus: int) -> Extent:
        collected = frozenset(self._names.get(nodeid, nodeid) for nodeid in self._collected)
        whole = (
            bool(collected)
            and not self.partial
            and self._is_whole_selection()
            and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
            and not (session.shouldstop or session.shouldfail)
            and all(map(self.ledger.is_done, collected))
        )
        return Extent(collected, whole)

    def _is_whole_selection(self) -> bool:
        """Whether the command line selects everything: --lf does not report the files that it leaves out."""
        options = self.config.option
        if getattr(options, "lf", False) or options.pyargs:
            return False
        if any(each.startswith(_SELECTING) for each in options.override_ini or ()):
            return False
        if self.config.args_source is pytest.Config.ArgsSource.TESTPATHS:
            return True
        folder = self.config.invocation_params.dir
        return any((folder / argument).resolve() == self.config.rootpath for argument in self.config.args)

    # What belongs to no test is reported as a test of its own, so that every reporter shows it.

    def _report_red(self, session: pytest.Session, total: Sum) -> None:
        tests = {name for name, each in self.ledger.contributions.items() if each.is_test}
        lacking = any(judgement.lacking for judgement in total.judgements if judgement.subject in tests)
        for judgement in total.judgements:
            if judgement.subject in tests or not judgement.red or (judgement.lacking and lacking):
                continue
            said = text.failure(
                judgement,
                self._around(judgement, total),
                lockfile=self.order.shown,
                selection="" if judgement.subject == SESSION else users(judgement.subject, self.config),
                options=self.order.repeated,
                unpinned=self.sightings.of(judgement.subject, *self._rests_on(judgement.subject)),
                environment=self.order.environment if self.terms.is_stranger else "",
                standing=self._standing if judgement.subject == SESSION else None,
            )
            self._fail(session, judgement.subject, said)
        for subject in dict.fromkeys(each.drift.subject for each in total.conflicts):
            own = [each for each in total.conflicts if each.drift.subject == subject]
            self._fail(session, subject, text.conflict(own))

    def _around(self, judgement: Judgement, total: Sum) -> dict[str, Facts]:
        names = (judgement.subject, SESSION, *self._rests_on(judgement.subject))
        return {name: total.run.facts(name) for name in names}

    def _rests_on(self, subject: str) -> tuple[str, ...]:
        contribution = self.ledger.contributions.get(subject)
        return contribution.rests_on if contribution else ()

    def _fail(self, session: pytest.Session, subject: str, said: str) -> None:
        # A parameter of a fixture may hold anything, and XML does not: JUnit's file names what is shown.
        nodeid = visible(f"{Path(self.order.shown).name}::{SESSION}" if subject == SESSION else subject)
        location = (nodeid.partition("::")[0], None, nodeid.partition("::")[2])
        report = pytest.TestReport(
            nodeid=nodeid, location=location, keywords={}, outcome="failed", longrepr=said, when="call"
        )
        manager = self.config.pluginmanager
        others = [plugin for name in _QUIET if (plugin := manager.get_plugin(name)) is not None]
        manager.subset_hook_caller("pytest_runtest_logstart", others)(nodeid=nodeid, location=location)
        manager.subset_hook_caller("pytest_runtest_logreport", others)(report=report)
        if session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _write(self, total: Sum, exitstatus: int) -> None:
        if self.order.record is not None:
            named: dict[str, Own] = {self.order.environment: {}}
            write_run(self.order.record, replace(total.run, traces=self.traces, environments=named))
        if self.order.update and total.accept is not None:
            self._written = self._update(total.accept)
        if not self.order.reports and self.github is None:
            return
        from pytest_mlrepro.report import files, machine

        alone = self._standing if self._standing is not None and self._standing.alone else None
        document = machine.document(
            total,
            self.terms,
            exitstatus=exitstatus,
            sightings=self.sightings,
            rests_on=self._rests_on,
            lockfile=self.order.shown,
            written=self._written,
            accept=alone.command(self.order.repeated)
            if alone
            else text.update_command("", self.order.repeated),
            headline=alone.headline() if alone else "",
            context=self._context(),
        )
        if self.github is not None:
            self.github.take(document)
        for path in self.order.reports:
            files.write(path, document, past=self._past)

    def _past(self) -> Histories:
        from pytest_mlrepro.report.past import histories

        known = self.order.environment in self.terms.recorded
        return histories(self.order.lockfile, self.config.rootpath, self.order.environment if known else None)

    def _context(self) -> Mapping[str, object]:
        from pytest_mlrepro.environment.context import context
        from pytest_mlrepro.history import head

        checkout = head(self.config.rootpath)
        told = {"commit": checkout[0], "changed_since": checkout[1]} if checkout else {}
        return {**context(os.environ), **told}

    def _update(self, accept: Acceptance) -> bool:
        def change(before: Run) -> Run:
            after = accept(before)
            self._overtaken = accept.overtaken(before, after)
            return after

        return update_lockfile(self.order.lockfile, change, shown=self.order.shown, known=self._known)

    # Telling

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        self._tell(terminalreporter)

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        # For a status that is none of its own pytest writes no summary.
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and not self._told:
            self._tell(reporter)

    def _tell(self, terminalreporter: pytest.TerminalReporter) -> None:
        lines = [*self._lines()]
        if not lines and not self._problems:
            return
        self._told = True
        terminalreporter.write_sep("-", "mlrepro")
        for told in lines:
            terminalreporter.write_line(line(told))
        for problem in self._problems:
            for told in problem.splitlines():
                terminalreporter.write_line(f"ERROR: {told}", red=True)

    def _lines(self) -> Iterator[str]:
        total = self._total
        if self._broken:
            others = [path.name for path in (self.order.record, *self.order.reports) if path is not None]
            yield from text.broken(
                self.order.shown, judges=self.order.judges, update=self.order.update, files=others
            )
        if total is None:
            return
        if self._standing is not None and self._standing.alone:
            yield self._standing.headline()
        if self.order.record is not None:
            traces = f" and {text.plural(len(self.traces), 'trace')}" if self.order.trace else ""
            count = text.plural(sum(1 for _ in total.run), "fact")
            yield f"recorded {count}{traces} in {self.order.record.name}"
            for subject, trace in self.traces.items():
                if trace.stopped:
                    yield f"the trace of {subject} is not whole: {trace.stopped}"
        if self.order.judges:
            yield from text.summary(
                total,
                self.terms,
                lockfile=self.order.shown,
                written=self._written,
                overtaken=self._overtaken,
                verbose=self.config.option.verbose,
                options=self.order.repeated,
                standing=self._standing,
            )
        yield from self.sightings.lines()
