"""The process of a replay: its command and variables, how long it may take, and how it is ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from pytest_mlrepro.errors import ReplayError

_LINES = 12
_GRACE = 3.0
# What decides nothing and changes from one shell to the next.
_FLEETING = ("_", "PWD", "OLDPWD", "SHLVL", "TERM", "COLUMNS", "LINES", "WINDOWID", "COLORTERM")
_FLEETING_BEGINNINGS = ("SSH_", "XDG_SESSION", "DBUS_", "PYTEST_", "COV_CORE_", "COVERAGE_", "MLREPRO_REPLAY")
# A suite that asks for many workers spins for nothing while it waits for a core.
_PATIENT = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0"}


def variables(changed: Mapping[str, str | None], further: Mapping[str, str]) -> dict[str, str]:
    """The environment variables of a replay: ours, patient threads, what the change says, what the replay needs."""
    found = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT")
    }
    found = {**_PATIENT, **found}
    for name, value in changed.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = value
    return {**found, **further, "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"}


def lasting(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that what a test does may depend on."""
    return {
        name: value
        for name, value in environment.items()
        if name not in _FLEETING and not name.startswith(_FLEETING_BEGINNINGS)
    }


@dataclass
class Children:
    """The processes that are running; all of them end when the command does.

    Attributes:
        seconds: when to give one up.
    """

    seconds: float
    _running: set[subprocess.Popen[str]] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)
    _stopped: bool = False

    def run(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
        """Run a process to its end.

        Returns:
            Its exit status, and the last lines of what it printed.

        Raises:
            ReplayError: if it cannot be started, takes too long, or was stopped.
        """
        with self._lock:
            if self._stopped:
                raise ReplayError("stopped", where="replay")
            try:
                process = subprocess.Popen(
                    command,
                    cwd=folder,
                    env=dict(environment),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    encoding="utf-8",
                    errors="replace",
                    # Ctrl-C reaches us, and we end them: they must not race us to it.
                    start_new_session=True,
                )
            except OSError as error:
                raise ReplayError(
                    f"the process cannot be started: {error.strerror}", where=command[0]
                ) from None
            self._running.add(process)
        try:
            output, _ = process.communicate(timeout=self.seconds)
        except subprocess.TimeoutExpired:
            end(process)
            raise ReplayError(
                f"the tests have not finished in {self.seconds:g} seconds",
                where="replay",
                remedy="give them longer: --timeout SECONDS",
            ) from None
        except BaseException:
            end(process)
            raise
        finally:
            # One that was ended has not been read to its end.
            assert process.stdout is not None
            process.stdout.close()
            with self._lock:
                self._running.discard(process)
        if self._stopped:
            raise ReplayError("stopped", where="replay")
        return process.returncode, "\n".join(output.rstrip().splitlines()[-_LINES:])

    def stop(self) -> None:
        """End all that run, and begin no more."""
        with self._lock:
            self._stopped = True
            running = [*self._running]
        for process in running:
            end(process)


def end(process: subprocess.Popen[str]) -> None:
    """End a process with all that it has started: asked first, then made to."""
    for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, number)
            else:
                process.terminate()
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            continue
        if number != signal.SIGTERM or not hasattr(os, "killpg"):
            return
