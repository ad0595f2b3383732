"""The hooks of ``--mlrepro-trace``: whose functions are followed, and how traces reach the process that writes."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from pytest_mlrepro.lockfile import decode_trace, encode_trace
from pytest_mlrepro.plugin import USING
from pytest_mlrepro.plugin.items import fixture_subject, identity, is_user
from pytest_mlrepro.traces import Trace
from pytest_mlrepro.tracing import Tracer
from pytest_mlrepro.tracing.tracer import Track

__tracebackhide__ = True
"""What goes wrong in a test is shown without the frames of these hooks."""

_CARRIER = "_mlrepro_traces"
"""The attribute of a report that carries traces: it survives the crash of a worker."""


class Traces:
    """One a process. Its wrappers are the innermost: what other hooks do is nobody's step."""

    def __init__(self, config: pytest.Config) -> None:
        self._tracer = Tracer(config.rootpath)
        self._track: Track | None = None
        self._calls = False
        self._pending: list[tuple[str, bool, Trace]] = []
        self._gathers = not hasattr(config, "workerinput")
        self.gathered: dict[str, Trace] = {}
        """By subject, in the process that reports: of a test the last attempt, of a fixture the first copy."""

    # Following

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, None, None]:
        self._track = Track() if is_user(item) else None
        yield from self._followed(self._track)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self) -> Generator[None, None, None]:
        self._calls = True
        try:
            yield from self._followed(self._track)
        finally:
            self._calls = False

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        if fixturedef.scope == "function" or fixturedef.argname in USING:
            return (yield)
        # One that asks for no recorder runs in whichever test comes first: it is no step of that test.
        asks = not USING.isdisjoint(fixturedef.argnames)
        track = Track() if asks else None
        try:
            return (yield from self._followed(track))
        finally:
            if track is not None:
                self._pending.append((fixture_subject(fixturedef, request), False, track.trace()))

    def _followed(self, track: Track | None) -> Generator[None, Any, Any]:
        with self._tracer.following(track):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if self._calls:
            # A subtest is reported while the test goes on.
            return report
        if self._track is not None and (report.when == "call" or call.excinfo is not None):
            if not report.skipped:
                self._pending.append((identity(item), True, self._track.trace()))
            self._track = None
        if self._pending:
            plain = [[subject, is_test, encode_trace(trace)] for subject, is_test, trace in self._pending]
            setattr(report, _CARRIER, plain)
            self._pending = []
        return report

    # Gathering

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not self._gathers:
            return
        for subject, is_test, node in getattr(report, _CARRIER, ()):
            if is_test or subject not in self.gathered:
                self.gathered[subject] = decode_trace(node, "a test's report", subject)

    def pytest_unconfigure(self) -> None:
        self._tracer.close()
