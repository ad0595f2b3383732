"""The hooks of a process that runs tests: whose turn it is, pinned seeds, and the verdict on each test."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_mlrepro.capture import Recorder
from pytest_mlrepro.contribution import Contribution
from pytest_mlrepro.crew import Crew
from pytest_mlrepro.errors import MlreproError, RecordingError
from pytest_mlrepro.facets.data import Reading
from pytest_mlrepro.gate import Judgement, Terms
from pytest_mlrepro.model import DEFAULT_TOLERANCE, Facts, Policy
from pytest_mlrepro.plugin import USING, MlreproWarning
from pytest_mlrepro.plugin.findings import Findings, Turn
from pytest_mlrepro.plugin.items import (
    CARRIER,
    NAME,
    file_of,
    fixture_subject,
    fixtures_of,
    has_failed,
    identity,
    is_renamed,
    is_user,
    marks,
    may_be_renamed,
    running,
    selection,
    tolerance,
)
from pytest_mlrepro.plugin.progress import terminal
from pytest_mlrepro.plugin.surroundings import Libraries, Surroundings
from pytest_mlrepro.policy import Policies
from pytest_mlrepro.recording import Origins, Recording, caller
from pytest_mlrepro.report import text
from pytest_mlrepro.report.progress import Progress
from pytest_mlrepro.seeding import Seeding, derive_seed
from pytest_mlrepro.strays import Strays

if TYPE_CHECKING:
    from pytest_mlrepro.fingerprints import FileCache
    from pytest_mlrepro.guard import Site
    from pytest_mlrepro.plugin.desk import Desk
    from pytest_mlrepro.plugin.install import Order
    from pytest_mlrepro.plugin.omissions import Omissions
    from pytest_mlrepro.plugin.watching import Watching

__tracebackhide__ = True
"""What goes wrong in a test or fixture is shown without the frames of these hooks."""


_NOT_THEIRS = USING | {"mlrepro_fingerprint"}
"""Fixtures that run no code of a project."""


class Drifted(pytest.fail.Exception):  # type: ignore[name-defined,misc]  # pytest types it as Any
    """Fails a test with a text that is all there is to see of it."""


class Stage:
    """Runs beside the tests; with ``terms`` it records and judges, without it only pins seeds."""

    def __init__(
        self,
        config: pytest.Config,
        order: Order,
        terms: Terms | None,
        seeding: Seeding,
        *,
        omissions: Omissions,
        desk: Desk | None,
        watching: Watching,
    ) -> None:
        self.config = config
        self.order = order
        self.terms = terms
        self.desk = desk
        self.watching = watching
        self._seeding = seeding
        self._omissions = omissions
        self._around = Surroundings(config.rootpath, seeding, order.secrets)
        self._files_read = _files_read(config) if terms is not None else None
        self.recorder = Recorder(
            self._recording,
            seeding.pin,
            self._around.graph if terms is not None else None,
            Reading(
                self._files_read, config.rootpath, order.digest, Progress(lambda: terminal(config)).telling
            ),
            self._accepted,
            tolerance=terms.tolerance if terms is not None else DEFAULT_TOLERANCE,
            secrets=order.secrets,
        )
        self.libraries = Libraries(self._around, self._recording)
        self._item: pytest.Item | None = None
        self._strays = Strays()
        self._origins = Origins()
        self._known_files: dict[frozenset[Path], frozenset[Path]] = {}
        self._files_by_fixtures: dict[tuple[object, ...], frozenset[Path]] = {}
        self._runner = (os.getpid(), threading.get_ident())
        self._crew = Crew()
        self._turns: list[Turn] = []
        self._findings = Findings(terms, self._around, judges=order.judges) if terms is not None else None

    # Whose turn it is

    def arrive(self, session: pytest.Session) -> None:
        """The recorder is set up. Requested at run time it pins when it is first used, now or by a later test."""
        if self._item is None:
            self._item = running(session)

    def _accepted(self, subject: str) -> Facts:
        """The facts of a subject's baseline."""
        baseline = self.terms.baseline if self.terms is not None else None
        return {} if baseline is None else baseline.facts(subject)

    def _recording(self) -> Recording:
        if not self._turns:
            if self._item is None:
                raise RecordingError(
                    "nothing is running that a fact could be about",
                    remedy="use the recorder inside a test or a fixture",
                )
            if threading.get_ident() != self._runner[1]:
                # It may not begin the turn of a test: an earlier one may have left it behind.
                raise self._stray(
                    "a thread uses the recorder while no test that asked for it is running",
                    "wait for the thread in the test that starts it, and let that test ask for mlrepro",
                )
            self._open(self._item)
        # Nearly always it is the test's own thread that asks, on the path of every metric.
        turn = self._turns[-1] if threading.get_ident() == self._runner[1] else self._turn_elsewhere()
        turn.touched = True
        return turn.recording

    def _turn_elsewhere(self) -> Turn:
        """Whose turn it is for another thread: of turns that nest, the innermost that has started it."""
        turns = self._turns[::-1]
        if self.terms is None:
            return turns[0]
        thread = threading.current_thread()
        for turn in turns:
            if turn.crew.has(thread):
                return turn
        raise self._stray(
            f"the thread {thread.name!r}, which was there before, uses the recorder in the turn of {turns[0].subject}",
            "wait for a thread in the test or fixture that starts it; "
            "where a pool of threads outlives a test, let it return values, and record them in the test",
        )

    def _stray(self, what: str, remedy: str) -> RecordingError:
        """What to raise in a thread that nobody may listen to: the test that runs hears of it too."""
        error = RecordingError(what, where=caller(), remedy=remedy)
        self._strays.add(str(error))
        return error

    def _open(self, item: pytest.Item, *, pins: bool = True) -> Turn:
        problem, marked, own = "", {}, None
        try:
            marked = marks(item)
            own = tolerance(marked, item)
        except MlreproError as error:
            # Said in the call phase: the test fails, it does not err.
            problem = f"mlrepro: {error}"
        subject = identity(item)
        base = marked.get("seed", self.order.seed)
        recording = Recording(
            subject,
            derive_seed(base, subject),
            base,
            own,
            self._policies(marked.get("policy", {})),
            self._files(item) if self.terms else frozenset(),
            process=self._runner[0],
            thread=self._runner[1],
            strays=self._strays,
            origins=self._origins,
        )
        self._read(recording)
        turn = Turn(recording, self._seeding.save(), marked=marked, problem=problem, crew=self._crew)
        if pins:
            self._seeding.pin(recording.seed)
        self._watch(turn)
        self._turns.append(turn)
        return turn

    def _watch(self, turn: Turn) -> None:
        self.watching.begin(turn.subject, turn.recording.seed)
        turn.watched = True

    def _end(self, turn: Turn) -> None:
        if turn.watched:
            turn.watched = False
            self.watching.end()

    def _read(self, recording: Recording) -> None:
        """Read a subject's code before it runs: a test may put other files in place."""
        if self.terms is not None:
            self._around.read(recording.files)

    def _policies(self, overlay: Mapping[str, Policy]) -> Policies:
        return self.terms.policies.over(overlay) if self.terms else Policies()

    def _files(self, item: pytest.Item) -> frozenset[Path]:
        """The files of a test and its fixtures; of tests that share them the same set, which is hashed once."""
        fixtures = (*fixtures_of(item),)
        # Most tests of a file have the same ones.
        known = self._files_by_fixtures.get((item.path, *fixtures))
        if known is None:
            known = self._files_by_fixtures[item.path, *fixtures] = self._read_files(item, fixtures)
        return known

    def _read_files(self, item: pytest.Item, fixtures: Iterable[pytest.FixtureDef[Any]]) -> frozenset[Path]:
        found = {path for each in fixtures if (path := file_of(each.func)) is not None}
        # Doctests may stand in any file.
        files = frozenset(found | {item.path} if item.path.suffix == ".py" else found)
        return self._known_files.setdefault(files, files)

    # Tests

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, None, None]:
        self._item = item
        # Whoever runs the test: with --forked that is a process of its own.
        self._runner = (os.getpid(), threading.get_ident())
        self._crew = Crew()
        if is_user(item):
            self._open(item, pins=not _begins_with_its_body(item)).touched = True
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        if self._turns:
            if self._turns[0].problem:
                raise Drifted(self._turns[0].problem)
            self._pin_when_it_runs(item, self._turns[0].recording.seed)
        try:
            outcome = yield
        except BaseException:
            # It says itself what went wrong.
            self._strays.take()
            raise
        if self._findings is not None and not has_failed(item):
            self._hear()
            self._judge(item, self._findings)
        return outcome

    def _hear(self) -> None:
        """Fail with what could not be recorded in a thread or process that told nobody."""
        if said := self._strays.take():
            raise Drifted(f"mlrepro: {said}")

    def _pin_when_it_runs(self, item: pytest.Item, seed: int) -> None:
        # Plugins that reseed before each test do so after our wrapper of pytest_runtest_call,
        # and the items of unittest and doctest never reach pytest_pyfunc_call.
        run = item.runtest

        def pinned() -> None:
            vars(item).pop("runtest", None)
            self._seeding.pin(seed)
            run()

        vars(item)["runtest"] = pinned

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, None, None]:
        try:
            outcome = yield
        finally:
            while self._turns:
                turn = self._turns.pop()
                self._end(turn)
                self._seeding.restore(turn.state)
            self._item = None
        self._hear()
        return outcome

    # Fixtures of higher scope

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        if fixturedef.argname in USING:
            return (yield)
        asks = not USING.isdisjoint(fixturedef.argnames)
        if fixturedef.scope == "function":
            if self._turns:
                self._pin_fixture(self._turns[-1], asks)
            return (yield)
        turn = self._fixture_turn(fixturedef, request, asks)
        fixturedef.addfinalizer(lambda: self._leave(turn))
        self._turns.append(turn)
        try:
            outcome = yield
        finally:
            self._step_back(turn)
            self._end(turn)
            if turn.state is not None:
                self._seeding.restore(turn.state)
                turn.state = None
        # Finalizers run last in, first out: these two bracket the fixture's teardown.
        fixturedef.addfinalizer(lambda: self._step_up(turn))
        findings = self._findings
        if findings is not None and (turn.touched or findings.is_judged(turn.subject)):
            findings.fixture(turn, fixturedef, findings.subjects_of(self._asked_by(fixturedef)))
        return outcome

    def _pin_fixture(self, turn: Turn, asks: bool) -> None:
        # What other plugins and fixtures of higher scope did to the generators must not reach the test's first fixture.
        if asks or not turn.begun:
            self._seeding.pin(turn.recording.seed)
        turn.begun = True

    def _fixture_turn(
        self, definition: pytest.FixtureDef[Any], request: pytest.FixtureRequest, asks: bool
    ) -> Turn:
        subject = fixture_subject(definition, request)
        path = file_of(definition.func)
        recording = Recording(
            subject,
            derive_seed(self.order.seed, subject),
            self.order.seed,
            policies=self._policies({}),
            files=frozenset() if path is None else frozenset({path}),
            strays=self._strays,
            origins=self._origins,
        )
        turn = Turn(recording, touched=asks)
        if asks:
            self._read(recording)
            turn.state = self._seeding.save()
            self._seeding.pin(recording.seed)
        if asks or self.watching.concerns(definition.argname):
            self._watch(turn)
        return turn

    def _step_up(self, turn: Turn) -> None:
        turn.crew.resume()
        self._turns.append(turn)

    def _step_back(self, turn: Turn) -> None:
        self._turns.remove(turn)
        left = turn.crew.pause()
        for crew in (self._crew, *(each.crew for each in self._turns)):
            crew.disown(left)

    def _leave(self, turn: Turn) -> None:
        if turn in self._turns:
            self._step_back(turn)
        if self._findings is not None:
            self._findings.fixture_left(turn)

    def _asked_by(self, definition: pytest.FixtureDef[Any]) -> Iterator[pytest.FixtureDef[Any]]:
        """The fixtures that a fixture asks for."""
        for other in fixtures_of(self._item) if self._item is not None else ():
            # One that overrides another asks for its own name.
            if other.argname in definition.argnames and other is not definition:
                yield other

    # The verdict

    def _judge(self, item: pytest.Item, findings: Findings) -> None:
        turn = self._turns[0] if self._turns else None
        if turn is None:
            if not findings.is_judged(identity(item)):
                return
            # The test recorded facts once, and no longer does.
            turn = Turn(Recording(identity(item), 0))
        if turn.problem:
            raise Drifted(turn.problem)
        turn.recording.closed = True
        if self.order.properties:
            from pytest_mlrepro.report import junit

            item.user_properties += junit.properties(turn.facts())
        rests_on = findings.subjects_of(fixtures_of(item))
        judgement = findings.test(turn, rests_on)
        if judgement is not None and (judgement.red or judgement.warned):
            self._say(item, judgement, findings.around(turn, rests_on), self.watching.suspects(rests_on))

    def _say(
        self,
        item: pytest.Item,
        judgement: Judgement,
        around: Mapping[str, Facts],
        unpinned: tuple[Site, ...],
    ) -> None:
        for explanation in judgement.warned:
            try:
                item.warn(MlreproWarning(text.warning(explanation)))
            except MlreproWarning as warning:
                raise Drifted(str(warning)) from None
        if judgement.red:
            selected = selection(judgement.subject, self.config)
            said = text.failure(
                judgement,
                around,
                lockfile=self.order.shown,
                selection=selected,
                options=self.order.repeated,
                unpinned=unpinned,
            )
            raise Drifted(said)

    # Reports

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if call.excinfo is not None and isinstance(call.excinfo.value, Drifted) and report.failed:
            # pytest would say that frames were left out; there are none that lead to the cause.
            report.longrepr = str(call.excinfo.value)
        if self._findings is None:
            return report
        if report.failed and report.when in ("setup", "call"):
            self._note_unfinished(item, report, self._findings)
        if self._findings.pending:
            setattr(report, CARRIER, self._handed(self._findings.take()))
        if may_be_renamed(report.nodeid) and is_renamed(item):
            setattr(report, NAME, identity(item))
        return report

    def _handed(self, pending: Iterable[Contribution]) -> tuple[str, ...]:
        """What a report carries: it may have to go to another process, and must be made of plain types."""
        return tuple(each.to_json() if self.desk is None else self.desk.hold(each) for each in pending)

    def _note_unfinished(self, item: pytest.Item, report: pytest.TestReport, findings: Findings) -> None:
        """A test that failed by itself: keep its baseline, and show what had drifted before."""
        turn = self._turns[0] if self._turns else None
        if turn is not None and turn.recording.closed:
            return
        rests_on = findings.subjects_of(fixtures_of(item))
        if turn is None or turn.problem:
            findings.failed_silently(identity(item), rests_on)
        elif drifted := findings.failed(turn, rests_on):
            report.sections.append(("mlrepro", text.incomplete(drifted)))

    # The end of the process

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._findings is None:
            return
        self._findings.close()
        left = self._findings.take()
        if self.desk is not None:
            self.desk.partial = self.desk.partial or self._omissions.partial
            for contribution in left:
                self.desk.ledger.add(contribution)
        elif (output := getattr(self.config, "workeroutput", None)) is not None:
            output["mlrepro"] = [each.to_json() for each in left]
            output["mlrepro_partial"] = self._omissions.partial
        if self._files_read is not None:
            self._files_read.save()


def _files_read(config: pytest.Config) -> FileCache | None:
    """What earlier runs read of data files; where pytest keeps no cache, or cannot, each is read."""
    kept = getattr(config, "cache", None)
    if kept is not None:
        from pytest_mlrepro.fingerprints import FileCache

        with contextlib.suppress(OSError):
            return FileCache(kept.mkdir("mlrepro"))
    return None


def _begins_with_its_body(item: pytest.Item) -> bool:
    """Whether nothing of the user's runs in a test before its body, which is pinned for itself."""
    names: Iterable[str] = getattr(item, "fixturenames", ("",))
    is_function = isinstance(item, pytest.Function) and isinstance(item.parent, pytest.Module)
    return is_function and _NOT_THEIRS.issuperset(names)
