"""Ask a program of the system, which may be absent, broken, or hang with the driver that it asks."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass

SECONDS = 2.0
"""How long a program has to answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program said.

    Attributes:
        text: what it printed; empty where it gave no usable answer.
        problem: why it gave none, fit to be shown; empty where it did.
    """

    text: str = ""
    problem: str = ""


def ask(command: Sequence[str], seconds: float = SECONDS) -> Answer:
    """Run a program that needs no input.

    Args:
        command: the program's path, and its arguments.
        seconds: how long to wait for it. One that does not end then is killed, and left alone if even that
            does not end it: a program inside a driver that hangs cannot be killed.
    """
    try:
        program = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
        )
    except OSError:
        return Answer(problem="cannot be run")
    try:
        text, _ = program.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        program.kill()
        # Waiting for it here could take for ever; somebody has to, or it stays in the table of processes.
        threading.Thread(target=_bury, args=(program,), daemon=True).start()
        return Answer(problem=f"did not answer within {seconds:g} s")
    if program.returncode != 0:
        return Answer(problem=f"failed with status {program.returncode}")
    return Answer(text)


def _bury(program: subprocess.Popen[str]) -> None:
    program.wait()
    if program.stdout is not None:
        program.stdout.close()
