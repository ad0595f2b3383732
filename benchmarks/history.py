"""What ``mlrepro log`` costs beside ``git log -p`` of the same file, in CPU time with all child processes::

    OMP_NUM_THREADS=1 python benchmarks/history.py

A repository is made of a script: so many commits, each of which changes a few facts of a lockfile. Beside the command
stand its parts, and what Python takes to start with the package's modules, which no work on the history can save.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from _rounds import Timing, duration, markdown, save, verdict

from pytest_mlrepro.history.commits import walk
from pytest_mlrepro.history.repository import Repository
from pytest_mlrepro.history.timeline import timeline
from pytest_mlrepro.lockfile import dumps, loads
from pytest_mlrepro.model import Fact, Run

LOCKFILE = "mlrepro.lock"
WANTED = 2.0
"""At most so many times the CPU time of ``git log -p``."""

FACETS = ("results", "settings", "data", "source", "randomization")
_HEAD = ("what", "CPU", "wall", "times git log -p", "wanted", "")


def repository(folder: Path, commits: int, facts: int, changes: int) -> Path:
    """A repository of a lockfile's history; the lockfile."""
    rng = random.Random(0)
    state = {f"tests/test_{number // 50}.py::test_{number // 10}": {} for number in range(0, facts, 10)}
    subjects = [*state]
    for number in range(facts):
        state[subjects[number // 10]][(FACETS[number % 5], f"key{number % 10}")] = rng.random()
    stream = []
    for number in range(commits):
        for _ in range(changes if number else 0):
            subject = rng.choice(subjects)
            state[subject][rng.choice([*state[subject]])] = rng.random()
        text = dumps(
            Run.of({name: [Fact(*key, value) for key, value in some.items()] for name, some in state.items()})
        )
        who = f"A <a@b.invalid> {1_700_000_000 + number} +0000"
        stream.append(
            f"commit refs/heads/main\nauthor {who}\ncommitter {who}\ndata 4\nwork\n"
            f"M 100644 inline {LOCKFILE}\ndata {len(text.encode())}\n{text}\n"
        )
    subprocess.run(["git", "init", "-q", "-b", "main", folder], check=True)
    subprocess.run(["git", "fast-import", "--quiet"], cwd=folder, input="".join(stream).encode(), check=True)
    subprocess.run(["git", "gc", "-q"], cwd=folder, check=True)
    subprocess.run(["git", "checkout", "-q", "-f", "main"], cwd=folder, check=True)
    return folder / LOCKFILE


def git_log(file: Path) -> None:
    """What the command is compared with."""
    command = ["git", "--no-pager", "log", "-p", "--", file.name]
    subprocess.run(command, cwd=file.parent, stdout=subprocess.DEVNULL, check=True)


def ours(file: Path, *words: str) -> None:
    """A command of ours, in a process of its own; that two versions differ is no failure."""
    command = [sys.executable, "-m", "pytest_mlrepro.cli", *words]
    ended = subprocess.run(command, cwd=file.parent, stdout=subprocess.DEVNULL, check=False)
    if ended.returncode not in (0, 1):
        raise RuntimeError(f"{' '.join(command)}: status {ended.returncode}")


def oldest(file: Path) -> str:
    """The first commit."""
    found = Repository.of(file)
    return walk(found.git, found.path, found.resolve("HEAD")).commits[-1].name


def python(file: Path) -> None:
    """Python with what any such command takes of the standard library: less is not to be had."""
    modules = "argparse, dataclasses, datetime, pathlib, re, subprocess"
    subprocess.run([sys.executable, "-c", f"import {modules}"], cwd=file.parent, check=True)


def start(file: Path) -> None:
    """The same with the modules that the command imports."""
    subprocess.run([sys.executable, "-c", "import pytest_mlrepro.cli.log"], cwd=file.parent, check=True)


def walked(file: Path) -> None:
    """Which commits there are."""
    found = Repository.of(file)
    walk(found.git, found.path, found.resolve("HEAD"))


def read(file: Path) -> None:
    """The contents of all versions, nothing parsed."""
    found = Repository.of(file)
    commits = walk(found.git, found.path, found.resolve("HEAD")).commits
    for _ in found.git.contents([f"{commit.name}:{found.path}" for commit in commits]):
        pass


def steps(file: Path) -> None:
    """All that the command does before it prints."""
    found = Repository.of(file)
    for _ in timeline(found.git, walk(found.git, found.path, found.resolve("HEAD"))):
        pass


def whole(file: Path) -> None:
    """The same contents, each parsed as a whole."""
    found = Repository.of(file)
    commits = walk(found.git, found.path, found.resolve("HEAD")).commits
    for each in found.git.contents([f"{commit.name}:{found.path}" for commit in commits]):
        assert each is not None
        loads(each[1].decode())


CANDIDATES: Mapping[str, Callable[[Path], None]] = {
    "git log -p": git_log,
    "mlrepro log": lambda file: ours(file, "log"),
    "mlrepro log results.key0": lambda file: ours(file, "log", "results.key0"),
    "mlrepro diff, first and last": lambda file: ours(file, "diff", oldest(file), "HEAD"),
    "  of it: Python alone": python,
    "  of it: that and imports": start,
    "  of it: git's list of commits": walked,
    "  of it: that and the contents": read,
    "  of it: that, parsed and compared": steps,
    "every version parsed as a whole": whole,
}


def spent() -> float:
    """CPU seconds of this process and of its children so far."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def measure(file: Path, rounds: int) -> dict[str, Timing]:
    """Every candidate once a round, in an order that rotates; a first turn of each warms up and is thrown away."""
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in CANDIDATES}
    names = [*CANDIDATES]
    for run in CANDIDATES.values():
        run(file)
    for turn in range(rounds):
        shift = turn % len(names)
        for name in [*names[shift:], *names[:shift]]:
            began, before = time.perf_counter(), spent()
            CANDIDATES[name](file)
            samples[name].append((spent() - before, time.perf_counter() - began))
    return {
        name: Timing(tuple(cpu for cpu, _ in taken), tuple(wall for _, wall in taken))
        for name, taken in samples.items()
    }


def rows(timings: Mapping[str, Timing]) -> list[list[str]]:
    """A row a candidate."""
    found = []
    for name, timing in timings.items():
        ratio = timing.ratio(timings["git log -p"])
        wanted = name.startswith("mlrepro")
        said = [f"at most {WANTED:g}", verdict(ratio <= WANTED)] if wanted else ["", ""]
        times = [duration(median(timing.cpu)), duration(median(timing.wall))]
        found.append([name, *times, timing.times(timings["git log -p"]), *said])
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commits", type=int, default=1000)
    parser.add_argument("--facts", type=int, default=500)
    parser.add_argument("--changes", type=int, default=3, help="facts that a commit changes")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        file = repository(Path(folder) / "repository", options.commits, options.facts, options.changes)
        size = file.stat().st_size
        told = rows(measure(file, options.rounds))
    print(
        f"{options.commits} commits of {options.facts} facts ({size} bytes), {options.changes} changed in each\n"
    )
    print(markdown(_HEAD, told))
    if options.json:
        save(options.json, "history", {"history": (_HEAD, told)})


if __name__ == "__main__":
    main()
