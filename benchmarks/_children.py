"""Measure whole processes: what a command costs with all that it starts, candidates taking turns."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from _rounds import Timing

# Whoever keeps no compiled code pays for compiling all of it, each time.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True, slots=True)
class Command:
    """One candidate.

    Attributes:
        words: program and arguments.
        folder: that it runs in.
        before: is called before each run; its time does not count.
        statuses: exit statuses that mean that it did its work.
        variables: environment variables on top of this process's.
    """

    words: Sequence[str]
    folder: Path
    before: Callable[[], object] = field(default=lambda: None)
    statuses: tuple[int, ...] = (0,)
    variables: Mapping[str, str] = field(default_factory=dict)


def spend(command: Command) -> tuple[float, float, int]:
    """CPU and wall seconds of one run, and the most memory that one of its processes held, in KiB.

    Raises:
        RuntimeError: if it ends with another status than it should; with the last lines that it printed.
    """
    command.before()
    with tempfile.TemporaryFile("w+") as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            command.words,
            cwd=command.folder,
            env={**_ENVIRONMENT, **command.variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in command.statuses:
            output.seek(0)
            raise RuntimeError(
                f"{' '.join(map(str, command.words))}: status {process.returncode}\n{output.read()[-1500:]}"
            )
    return used.ru_utime + used.ru_stime, wall, used.ru_maxrss


def take_turns(commands: Mapping[str, Command], rounds: int) -> tuple[dict[str, Timing], dict[str, int]]:
    """Every command once a round, in an order that rotates; a first turn of each warms up and is thrown away.

    Returns:
        The timings, and the most memory of each in KiB.
    """
    names = [*commands]
    taken: dict[str, list[tuple[float, float, int]]] = {name: [] for name in names}
    for name in names:
        spend(commands[name])
    for turn in range(rounds):
        shift = turn % max(1, len(names))
        for name in [*names[shift:], *names[:shift]]:
            taken[name].append(spend(commands[name]))
    timings = {
        name: Timing(tuple(cpu for cpu, _, _ in some), tuple(wall for _, wall, _ in some))
        for name, some in taken.items()
    }
    return timings, {name: max(size for _, _, size in some) for name, some in taken.items()}
