"""How many replays ``mlrepro bisect`` takes beside the least that can tell, and what it costs beside pytest and uv::

    OMP_NUM_THREADS=1 python benchmarks/bisection.py

Replays are counted after the check that then holds and now drifts. The least is the information that the answer holds:
log2 of the number of answers that are told apart, for a replay says one of two things. The second table is a real
search: a commit among so many, its CPU time by who spent it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from _rounds import duration, markdown, save

from pytest_mlrepro.bisect.causes import Search
from pytest_mlrepro.bisect.halving import boundary
from pytest_mlrepro.cli import main as command
from pytest_mlrepro.history.git import Git
from pytest_mlrepro.replay import Checkouts
from pytest_mlrepro.replay.child import Children

LIBRARIES = 8
_COUNTS = ("what", "answers", "least (log2)", "mean", "most")
_TIMES = ("who", "CPU", "share")


def one_cause(names: Sequence[str], *causes: Sequence[str]) -> int:
    """The sets of changes that are asked for until the causes are named."""
    asked = {frozenset(), frozenset(names)}
    wanted = [frozenset(each) for each in causes]

    def test(some: frozenset[str]) -> Any:
        asked.add(some)
        return "drifts" if any(each <= some for each in wanted) else "holds"

    found = Search(names, test).causes()
    assert {frozenset(each.changes) for each in found.found} == set(wanted)
    return len(asked) - 2


def commits(number: int) -> Iterator[int]:
    """The places of a row that are asked for, for each place where the drift may begin."""
    for first in range(1, number + 1):
        asked: list[int] = []

        def test(place: int, first: int = first, asked: list[int] = asked) -> Any:
            asked.append(place)
            return "drifts" if place >= first else "holds"

        assert boundary(0, number, test).drifts == first
        yield len(asked)


def counts(number: int) -> list[list[str]]:
    """A row a kind of question."""
    names = [*"abcdefgh"[:LIBRARIES]]
    asked = {
        f"one of {LIBRARIES} libraries": [one_cause(names, [name]) for name in names],
        f"two of {LIBRARIES}, only together": [
            one_cause(names, pair) for pair in itertools.combinations(names, 2)
        ],
        f"two of {LIBRARIES}, either suffices": [
            one_cause(names, *([each] for each in pair)) for pair in itertools.combinations(names, 2)
        ],
        f"a commit among {number}": [*commits(number)],
    }
    return [
        [name, str(len(some)), f"{math.log2(len(some)):.1f}", f"{mean(some):.1f}", str(max(some))]
        for name, some in asked.items()
    ]


MODEL = "STEP = {step}\n\n\ndef loss():\n    return 1.0 + (STEP > {guilty})\n"
TEST = 'from model import loss\n\n\ndef test_loss(mlrepro):\n    mlrepro.metric("loss", loss())\n'


def project(folder: Path, number: int) -> Path:
    """A repository whose test drifts from some commit on."""
    folder.mkdir()
    (folder / "pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = ["."]\n')
    (folder / ".gitignore").write_text("__pycache__\n")
    (folder / "test_model.py").write_text(TEST)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@y.invalid"]
    subprocess.run([*git, "init", "-q"], cwd=folder, check=True)
    for step in range(number + 1):
        (folder / "model.py").write_text(MODEL.format(step=step, guilty=number * 5 // 8))
        if step == 0:
            # No compiled code stays: Python believes it of a file that changes within a second and keeps its size.
            update = [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:randomly", "--mlrepro-update"]
            subprocess.run(update, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        subprocess.run([*git, "add", "-A"], cwd=folder, check=True)
        subprocess.run([*git, "commit", "-q", "-m", f"Step {step}"], cwd=folder, check=True)
    return folder


def of_children() -> float:
    """CPU seconds of the child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextlib.contextmanager
def watched(spent: dict[str, float]) -> Iterator[None]:
    """Adds up what is spent in child processes, by who starts them; one at a time."""

    def watching(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched_call(*arguments: Any, **options: Any) -> Any:
            before = of_children()
            try:
                return call(*arguments, **options)
            finally:
                spent[name] += of_children() - before

        return watched_call

    kept = (Children.run, Checkouts._git, Git.attempt)
    Children.run = watching("pytest", Children.run)  # type: ignore[method-assign]
    Checkouts._git = watching("git", Checkouts._git)  # type: ignore[method-assign]
    Git.attempt = watching("git", Git.attempt)  # type: ignore[method-assign]
    try:
        yield
    finally:
        Children.run, Checkouts._git, Git.attempt = kept  # type: ignore[method-assign]


def real(folder: Path, cache: Path) -> tuple[Mapping[str, float], str]:
    """A real search, its CPU seconds by who spent them, and what it printed."""
    spent = dict.fromkeys(("pytest", "git"), 0.0)
    printed = io.StringIO()
    os.environ["MLREPRO_CACHE"] = str(cache)
    before = time.process_time()
    with contextlib.chdir(folder), watched(spent), contextlib.redirect_stdout(printed):
        status = command(["bisect", "test_model.py::test_loss", "-j", "1"])
    assert status == 1, printed.getvalue()
    spent["mlrepro itself"] = time.process_time() - before
    return spent, printed.getvalue()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commits", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=1, help="real searches, whose times are added")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    # Of the peers in the same environment two define the same option, and pytest would not start.
    os.environ["PYTEST_ADDOPTS"] = "-p no:snapshot"
    told = counts(options.commits)
    print(markdown(_COUNTS, told))
    with tempfile.TemporaryDirectory() as folder:
        made = project(Path(folder) / "project", options.commits)
        searched = [real(made, made.parent / f"cache{number}") for number in range(options.rounds)]
    spent = {name: sum(each[name] for each, _ in searched) for name in searched[0][0]}
    total = sum(spent.values())
    times = [[name, duration(each), f"{100 * each / total:.1f} %"] for name, each in spent.items()]
    print()
    print(markdown(_TIMES, times))
    print()
    print(next(line for line in searched[0][1].splitlines() if " replays" in line and " of tests" in line))
    if options.json:
        save(options.json, "bisection", {"replays": (_COUNTS, told), "times": (_TIMES, times)})


if __name__ == "__main__":
    main()
