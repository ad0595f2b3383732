"""The cost of the entropy guard: what is added to a call while it is on, and what a test's turn costs::

    python benchmarks/guard.py

Each call is made many times in a region of the guard and outside of any, in rounds that alternate; microseconds of CPU
time. The targets: nothing on draws, 6 us on the construction of a generator, 30 us on a test.
"""

from __future__ import annotations

import argparse
import os
import random
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np
from _rounds import Candidate, markdown, measure, save, verdict

from pytest_mlrepro.guard import Guard

CALLS = 2000
CONSTRUCTION, DRAW = 6.0, 0.1
TURN = 30.0
HEAD = ["call", "plain us", "warn us", "pin us", "added us", "limit us", ""]

WORK: dict[str, tuple[Callable[[], object], float]] = {
    "np.random.rand()": (np.random.rand, DRAW),
    "random.random()": (random.random, DRAW),
    "default_rng()": (np.random.default_rng, CONSTRUCTION),
    "default_rng(0)": (lambda: np.random.default_rng(0), CONSTRUCTION),
    "RandomState()": (np.random.RandomState, CONSTRUCTION),
    "RandomState(0)": (lambda: np.random.RandomState(0), CONSTRUCTION),
    "random.Random()": (random.Random, CONSTRUCTION),
    "random.Random(0)": (lambda: random.Random(0), CONSTRUCTION),
    "os.urandom(16)": (lambda: os.urandom(16), CONSTRUCTION),
    "uuid4()": (uuid.uuid4, CONSTRUCTION),
}


def plain(call: Callable[[], object], calls: int) -> Callable[[], None]:
    """Many calls outside of any region."""

    def run() -> None:
        for _ in range(calls):
            call()

    return run


def guarded(call: Callable[[], object], calls: int, guard: Guard) -> Callable[[], None]:
    """Many calls in one region."""
    inner = plain(call, calls)

    def run() -> None:
        guard.enter("benchmark", 1)
        inner()
        guard.leave()

    return run


def rows(rounds: int, calls: int) -> list[list[str]]:
    """A row a call, and one for a turn in which nothing happens."""
    guards = {mode: Guard(Path(__file__).parent, mode) for mode in ("warn", "pin")}
    table = []
    for name, (call, limit) in WORK.items():
        candidates = [Candidate("plain", plain(call, calls))]
        candidates += [Candidate(mode, guarded(call, calls, guard)) for mode, guard in guards.items()]
        timings = measure(candidates, rounds)
        us = {each: median(timing.cpu) / calls * 1e6 for each, timing in timings.items()}
        added = max(us["warn"], us["pin"]) - us["plain"]
        shown = [f"{us[each]:.2f}" for each in ("plain", "warn", "pin")]
        table.append([name, *shown, f"{added:+.2f}", f"{limit:g}", verdict(added <= limit)])
    turn = measure([Candidate("turn", guarded(int, 1, guards["warn"]), calls=calls)], rounds)["turn"]
    added = median(turn.cpu) * 1e6
    table.append(["a test's turn", "", "", "", f"{added:+.2f}", f"{TURN:g}", verdict(added <= TURN)])
    return table


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--calls", type=int, default=CALLS, help="in a sample")
    parser.add_argument("--json", type=Path, help="write the table there")
    options = parser.parse_args(arguments)
    table = rows(options.rounds, options.calls)
    print("## The entropy guard\n")
    print(markdown(HEAD, table))
    if options.json:
        save(options.json, "guard", {"guard": (HEAD, table)})


if __name__ == "__main__":
    main()
