"""What is being recorded of one subject: the only mutable thing between a test and its run."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType

from pytest_mlrepro.errors import MlreproError, RecordingError
from pytest_mlrepro.facets import same_value, show
from pytest_mlrepro.facets.randomization import Randomization
from pytest_mlrepro.facets.results import Results
from pytest_mlrepro.facets.settings import Settings
from pytest_mlrepro.model import Fact, Facts, Tolerance, Value
from pytest_mlrepro.notes import Jot, Notes
from pytest_mlrepro.policy import Policies
from pytest_mlrepro.strays import Strays
from pytest_mlrepro.values import MOST_BITS, is_long

_HERE = f"{Path(__file__).parent}{os.sep}"
_PINNED = "mlrepro.seed"
_INT64 = range(-(2**63), 2**63)


class Origins:
    """Says where something was recorded: the file relative to the working folder that the run began in."""

    def __init__(self) -> None:
        self._folder = _below_working_folder()
        self._shown: dict[str, str] = {}

    def of(self, file: str, line: int) -> str:
        """``file:line``."""
        shown = self._shown.get(file)
        if shown is None:
            shown = self._shown[file] = _shown(file, self._folder)
        return f"{shown}:{line}"


@dataclass
class Recording:
    """What is being recorded of one subject, from many threads if need be.

    Attributes:
        subject: whom the facts are about.
        seed: derived from the base seed and the subject.
        base: the base seed.
        tolerance: for floats without one of their own, where a marker gives it.
        policies: say what is not to be recorded at all.
        files: the subject's own files, for the libraries that they import.
        modules: modules of third-party objects that were handed over.
        named: distributions that were named explicitly.
        closed: whether the subject has been judged.
        process: the only one that can record: what a forked one adds to its copy never comes back.
        thread: the one that is heard when it is told of a mistake.
        strays: take what is said elsewhere.
        origins: say where a fact comes from.
    """

    subject: str
    seed: int
    base: int = 0
    tolerance: Tolerance | None = None
    policies: Policies = field(default_factory=Policies)
    files: frozenset[Path] = frozenset()
    modules: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)
    closed: bool = False
    process: int = field(default_factory=os.getpid)
    thread: int = field(default_factory=threading.get_ident)
    strays: Strays = field(default_factory=Strays)
    origins: Origins = field(default_factory=Origins)
    _noted: dict[str, Fact | Jot] = field(default_factory=dict)
    _pins: list[int] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def check_process(self) -> None:
        """Refuse to record into the copy that a forked process has.

        Raises:
            RecordingError: in another process than that of the subject.
        """
        if os.getpid() != self.process:
            raise RecordingError(
                "recorded in a process that the test has started, the fact would be lost with it",
                where=caller(),
                remedy="let the process return the value, and record it in the test",
            )

    def refused(self, error: MlreproError) -> None:
        """Note a mistake that was said to a thread or process which may tell nobody."""
        if os.getpid() != self.process or threading.get_ident() != self.thread:
            self.strays.add(str(error))

    def add(self, facts: Iterable[Fact]) -> None:
        """Record facts.

        Raises:
            RecordingError: if an address is recorded again with another value, or too late.
        """
        origin = self.origins.of(*_outside(sys._getframe(1)))
        with self._lock:
            for fact in facts:
                self._add(replace(fact, origin=origin))

    def note(self, name: str, value: float | int | bool | str, frame: FrameType) -> None:
        """Record one result that is a plain scalar, with no tolerance of its own: what nearly all of them are.

        It becomes a fact when somebody asks for the facts: this is on the path of every metric.

        Args:
            name: the result's.
            value: of exactly one of these types.
            frame: of the call; those of this package are looked through.

        Raises:
            RecordingError: see ``add`` and ``check_process``.
        """
        file = frame.f_code.co_filename
        if file.startswith(_HERE):
            file, line = _outside(frame)
        else:
            line = frame.f_lineno
        jot = (name, value, file, line)
        if (
            name.isascii()
            and (type(value) is not int or value in _INT64)
            and not (self.closed or self.policies.layers)
            and os.getpid() == self.process
            # Atomic, so that threads need no lock.
            and self._noted.setdefault(f"results.{name}", jot) is jot
        ):
            return
        self.check_process()
        with self._lock:
            self._add(self._notes({}).fact(jot))

    def _add(self, fact: Fact) -> None:
        address = fact.address
        if self.closed:
            raise RecordingError(
                f"{fact.address} is recorded after the test has been judged",
                where=fact.origin,
                remedy="record it in the test's body or in the set-up part of a fixture (before its yield)",
            )
        if self.policies.layers and self.policies.rule(address) == "ignore":
            return
        _check_key(fact)
        if is_long(fact.value):
            raise RecordingError(
                f"{fact.address} is, or holds, an integer of more than {MOST_BITS:,} bits",
                where=fact.origin,
                remedy="record it as a text, str(value) or hex(value), or as a float",
            )
        if fact.facet == Settings.name and fact.value == self.seed and type(fact.value) is int:
            # A random_state that was given the pinned seed: another seed is no other setting.
            fact = replace(fact, value=_PINNED)
        is_result = fact.facet == Results.name and fact.tolerance is None
        if self.tolerance is not None and is_result and _holds_floats(fact):
            fact = replace(fact, tolerance=self.tolerance)
        first = self._notes({}).fact(self._noted.setdefault(address, fact))
        if first is fact:
            return
        if first.dtype != fact.dtype or not same_value(first.value, fact.value):
            raise RecordingError(
                f"{fact.address} is recorded twice with different values: "
                f"{show(first.value)} at {first.origin}, {show(fact.value)} here",
                where=fact.origin,
                remedy="give the second one a name of its own, for instance with the step or fold in it",
            )

    def pinned(self, seed: int) -> None:
        """Note that the test pinned a seed of its own choice."""
        with self._lock:
            self._pins.append(seed)

    def facts(self) -> Facts:
        """Everything recorded so far, the receipt of the seeds included."""
        with self._lock:
            # A copy: another thread may note something later.
            rows, pins = self._noted.copy(), tuple(self._pins)
        if not pins and not self.policies.layers:
            return self._notes(rows, (self.seed, self.base))
        receipt = Randomization().capture(self.seed, base=self.base, pins=pins)
        kept = {fact.address: fact for fact in receipt if self.policies.rule(fact.address) != "ignore"}
        return self._notes({**kept, **rows})

    def _notes(self, rows: Mapping[str, Fact | Jot], receipt: tuple[int, int] | None = None) -> Notes:
        return Notes(rows, receipt, self.tolerance, self.origins)


def caller() -> str:
    """``file:line`` of the first frame outside this package, the file relative to the working folder."""
    file, line = _outside(sys._getframe(1))
    return f"{_shown(file, _below_working_folder())}:{line}"


def _outside(frame: FrameType) -> tuple[str, int]:
    """File and line of the first frame outside this package."""
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def _below_working_folder() -> str:
    """What the paths of all files below the working folder begin with."""
    try:
        return f"{Path.cwd()}{os.sep}"
    except OSError:
        # Somebody removed it.
        return "\0"


def _shown(file: str, folder: str) -> str:
    shown = file.removeprefix(folder) if file.startswith(folder) else Path(file).name
    return shown.replace(os.sep, "/")


def _holds_floats(fact: Fact) -> bool:
    """Whether a tolerance that somebody set for floats is meant for a result: counts and labels stay exact."""
    told = fact.detail.get("dtype")
    if isinstance(told, str):
        # A large array is recorded as a fingerprint.
        return "float" in told or "complex" in told
    return _any_float(fact.value)


def _any_float(value: Value) -> bool:
    return any(map(_any_float, value)) if isinstance(value, tuple) else isinstance(value, float | complex)


def _check_key(fact: Fact) -> None:
    if fact.key.isascii():
        return
    try:
        fact.key.encode()
    except UnicodeEncodeError:
        raise RecordingError(
            f"{fact.key!r} cannot be the name of a fact: it holds half of a surrogate pair",
            where=fact.origin,
            remedy="give it a name of whole characters",
        ) from None
