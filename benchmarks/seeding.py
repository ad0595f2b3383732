"""What pinning costs a test, in microseconds of CPU time and beside what the libraries themselves take::

    OMP_NUM_THREADS=1 python benchmarks/seeding.py

A test that requests the recorder is one region: states are saved, generators pinned at set-up and right before the
body, and the states put back. Each fixture that requests the recorder pins once more.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from pathlib import Path
from statistics import median

from _rounds import Candidate, Timing, markdown, measure, save, verdict

from pytest_mlrepro.seeding import Seeding

CALLS = 2_000
LIMIT = 30.0
"""Microseconds that a test may cost with random and numpy."""

SEED = 3_000_000_007


def region(seeding: Seeding) -> None:
    """What a test costs."""
    state = seeding.save()
    seeding.pin(SEED)
    seeding.pin(SEED)
    seeding.restore(state)


def by_hand() -> None:
    """The same with nothing but what random and numpy publish."""
    import numpy as np

    states = random.getstate(), np.random.get_state()
    for _ in range(2):
        random.seed(SEED)
        np.random.seed(SEED)
    random.setstate(states[0])
    np.random.set_state(states[1])


def imported(name: str) -> bool:
    """Whether a library could be imported, and so is pinned from now on."""
    try:
        __import__(name)
    except ImportError:
        return False
    return True


def timed(work: dict[str, Callable[[], object]], rounds: int) -> dict[str, Timing]:
    """Let them take turns."""
    return measure([Candidate(name, run, CALLS) for name, run in work.items()], rounds)


def main() -> None:
    """Print the table; with more libraries imported, a row for each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()

    import numpy.random  # noqa: F401 - what is pinned has to be there

    seeding = Seeding()
    work: dict[str, Callable[[], object]] = {
        "a test, random and numpy": lambda: region(seeding),
        "the same by hand": by_hand,
    }
    timings = timed(work, given.rounds)
    outer = seeding.save()
    seeding.pin(SEED)
    timings |= timed({"one more pin": lambda: seeding.pin(SEED)}, given.rounds)
    seeding.restore(outer)
    for name in ("polars", "numba", "torch"):
        label = f"a test, and {name} imported too"
        if imported(name):
            timings |= timed({label: lambda: region(seeding)}, given.rounds)
    head = ["what", "us", "limit", ""]
    rows = []
    for name, timing in timings.items():
        spent = median(timing.cpu) * 1e6
        limited = name == "a test, random and numpy"
        rows.append(
            [
                name,
                f"{spent:.1f}",
                f"{LIMIT:g}" if limited else "",
                verdict(spent <= LIMIT) if limited else "",
            ]
        )
    print(markdown(head, rows))
    if given.json is not None:
        save(given.json, "seeding", {"costs": (head, rows)})


if __name__ == "__main__":
    main()
