"""Replays: one after another or side by side, remembered, with progress, and ended cleanly."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from pytest_mlrepro.errors import LockfileError, MissingExtraError, ReplayError
from pytest_mlrepro.lockfile import load_lockfile
from pytest_mlrepro.model import Run
from pytest_mlrepro.replay.change import Change
from pytest_mlrepro.replay.checkouts import Checkouts, imported_from
from pytest_mlrepro.replay.child import Children, lasting, variables
from pytest_mlrepro.replay.environments import Environments
from pytest_mlrepro.replay.results import RUN, WITNESS, Results, installed, key_of, state_of
from pytest_mlrepro.replay.witness import ORDERS, Orders, Witness

SECONDS = 3600.0
"""How long one replay may take where nobody says otherwise."""
_RAN = (0, 1)
_NO_TESTS = 5
_USAGE = 4


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of one change.

    Attributes:
        change: that was asked for.
        run: the facts; none where the replay could not be made.
        witness: what else the process told.
        problem: why it could not be made; empty where it was.
        seconds: that it took, when it was run.
        remembered: whether it was not run now.
    """

    change: Change
    run: Run = field(default_factory=Run)
    witness: Witness = field(default_factory=Witness)
    problem: str = ""
    seconds: float = 0.0
    remembered: bool = False


class Replayer:
    """Replays a selection of tests of one project."""

    def __init__(
        self,
        root: Path,
        tests: Sequence[str],
        *,
        cache: Path | None,
        jobs: int = 1,
        seconds: float = SECONDS,
        checkouts: Checkouts | None = None,
        options: Sequence[str] = (),
        forgets: bool = False,
    ) -> None:
        """Make one; close it, or use it in a ``with`` statement.

        Args:
            root: the project's folder, which tests are named from.
            tests: what to hand to pytest; nothing for all that it finds.
            cache: the folder that keeps environments and results; None for one that goes with this object.
            jobs: how many replays run side by side.
            seconds: that one may take.
            checkouts: for changes that name a commit.
            options: further options of pytest, of each replay.
            forgets: whether every replay is run, whatever was kept of it.
        """
        self.root = root
        self.tests = tuple(tests)
        self._jobs = jobs
        self._options = tuple(options)
        self._checkouts = checkouts
        self._folder = Path(tempfile.mkdtemp(prefix="mlrepro-"))
        self._children = Children(seconds)
        self._environments = Environments((cache or self._folder) / "environments")
        self._results = None if cache is None else Results(cache / "replays")
        self._state = "" if cache is None else state_of(root)
        self._forgets = forgets

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End what runs, and remove what was written for it."""
        self._children.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def replay(self, change: Change) -> Replay:
        """Run the tests under a change, or give back what that gave before.

        Raises:
            MissingExtraError: if the change takes a library that is not installed.
        """
        try:
            return self._replay(change)
        except MissingExtraError:
            raise
        except (ReplayError, LockfileError) as error:
            return Replay(change, problem="\n".join((error.what, *error.said)))

    def replays(
        self, changes: Iterable[Change], done: Callable[[Replay], None] | None = None
    ) -> tuple[Replay, ...]:
        """Run the tests under several changes, side by side.

        Args:
            changes: what to replay.
            done: is told of each as it ends.

        Returns:
            In the order of the changes.
        """
        changes = tuple(changes)
        found: dict[int, Replay] = {}
        with ThreadPoolExecutor(self._jobs) as pool:
            asked: dict[Future[Replay], int] = {
                pool.submit(self.replay, change): index for index, change in enumerate(changes)
            }
            try:
                for future in as_completed(asked):
                    found[asked[future]] = future.result()
                    if done is not None:
                        done(found[asked[future]])
            except BaseException:
                # Whoever waits at a prompt waits for no model: nothing more is begun, and what runs ends.
                for future in asked:
                    future.cancel()
                self._children.stop()
                raise
        return tuple(found[index] for index in range(len(changes)))

    def _replay(self, change: Change) -> Replay:
        python = self._python(change)
        key = self._key(change, python)
        if self._results is not None and not self._forgets and (kept := self._results.find(key)) is not None:
            return Replay(change, kept.run, kept.witness, seconds=kept.seconds, remembered=True)
        with self._place() as place:
            began = time.monotonic()
            self._run(change, python, Path(place))
            seconds = time.monotonic() - began
            witness = Witness.read(Path(place, WITNESS))
            if witness.strays:
                raise ReplayError(
                    "modules came from the working folder, not from the commit under test: "
                    + ", ".join(witness.strays[:3]),
                    where="replay",
                )
            run = load_lockfile(Path(place, RUN))
            if self._results is not None:
                self._results.keep(key, Path(place), seconds)
        return Replay(change, run, witness, seconds=seconds)

    def _place(self) -> tempfile.TemporaryDirectory[str]:
        return tempfile.TemporaryDirectory(dir=self._folder, ignore_cleanup_errors=True)

    def _python(self, change: Change) -> str:
        if change.packages is None:
            return sys.executable
        return str(self._environments.python(change.packages, change.python))

    def _key(self, change: Change, python: str) -> str:
        if self._results is None:
            return ""
        return key_of(
            change=change.digest,
            python=[python, sys.version],
            installed=installed() if change.packages is None else sorted(change.packages),
            files=change.commit or self._state,
            tests=self.tests,
            options=self._options,
            root=str(self.root),
            variables=lasting(os.environ),
            ours=state_of(Path(__file__).parents[1]),
        )

    def _run(self, change: Change, python: str, place: Path) -> None:
        root, further = self._root(change)
        here = place / "elsewhere" if change.elsewhere else root
        temporary = place / "tmp"
        for folder in (here, temporary):
            folder.mkdir(parents=True, exist_ok=True)
        orders = Orders(
            str(place / WITNESS),
            change.perturbations,
            str(self._checkouts.top) if change.commit and self._checkouts is not None else "",
            tuple(
                dict.fromkeys(
                    (str(Path(python).parents[1]), sys.prefix, sys.base_prefix, str(root), str(place))
                )
            ),
        )
        environment = variables(dict(change.variables), further | {ORDERS: orders.to_json()})
        if change.packages is not None and change.commit:
            # Environment and files are ours: what was compiled for one replay serves the next.
            environment.pop("PYTHONDONTWRITEBYTECODE", None)
        if change.elsewhere:
            environment["TMPDIR"] = environment["TEMP"] = environment["TMP"] = str(temporary)
        status, output = self._children.run(
            [python, "-m", "pytest_mlrepro.plugin.replayed", *self._arguments(change, root, here, place)],
            here,
            environment,
        )
        if status in _RAN:
            return
        if status == _NO_TESTS:
            raise ReplayError("no test was found", where="replay", said=_indented(output))
        reason = "pytest cannot be used so" if status == _USAGE else f"pytest ended with exit status {status}"
        raise ReplayError(reason, where="replay", said=_indented(output))

    def _root(self, change: Change) -> tuple[Path, dict[str, str]]:
        """The project's folder, and the variables that let its modules come from there."""
        if not change.commit:
            return self.root, {} if change.packages is None else {"PYTHONPATH": self._own_path()}
        if self._checkouts is None:
            raise LookupError("a change names a commit, and there are no checkouts")
        paths = [*map(str, self._checkouts.search_path(change.commit)), os.environ.get("PYTHONPATH", "")]
        return self._checkouts.folder(change.commit), {"PYTHONPATH": os.pathsep.join(filter(None, paths))}

    def _own_path(self) -> str:
        """The user's own folders that modules are imported from, which an environment made for a replay lacks."""
        own = imported_from(Path(os.path.realpath(self.root)))
        return os.pathsep.join(
            filter(None, [*(str(self.root / each) for each in own), os.environ.get("PYTHONPATH", "")])
        )

    def _arguments(self, change: Change, root: Path, here: Path, place: Path) -> Iterator[str]:
        yield from (f"--rootdir={root}", f"--mlrepro-record={place / RUN}", "-q", "--no-header", "--tb=short")
        # The cache of the last run, and what it remembers, is the user's.
        yield from ("-o", f"cache_dir={place / 'cache'}", f"--basetemp={place / 'basetemp'}")
        if change.seed is not None:
            yield f"--mlrepro-seed={change.seed}"
        yield from (*self._options, *change.options)
        yield from (
            str(root / test) if here != root else test for test in self.tests or ("",) if test or here != root
        )


def _indented(output: str) -> tuple[str, ...]:
    return tuple(f"  {each}" for each in output.splitlines())
