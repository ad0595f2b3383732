"""How cost grows with the lockfile: 1,000, 10,000 and 100,000 facts::

    OMP_NUM_THREADS=1 python benchmarks/growth.py

Of the core: loading, comparing with an equal run, writing, and the memory of what was loaded. Of the plugin: a check of
one test, in a process of its own, where the lockfile holds so many facts of others; at 1,000 and 10,000 facts a check
of all tests, also with ``-n 2``. The exponent is that of growth between the two largest sizes: 1 is linear.
"""

from __future__ import annotations

import argparse
import gc
import math
import random
import subprocess
import tempfile
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

import tomli
from _children import Command, take_turns
from _rounds import Candidate, Timing, duration, markdown, measure, save, verdict, with_spread
from suite import OURS, pytest_command

from pytest_mlrepro import compare
from pytest_mlrepro.lockfile import dumps, loads
from pytest_mlrepro.model import Fact, Run

SIZES = (1_000, 10_000, 100_000)
FACTS_A_TEST = 5
LINEAR = 1.15
"""The largest exponent that counts as linear: measurements are not exact."""
BYTES_A_FACT = 1.5 * 1024
MB_A_SECOND = 40.0
ONE_TEST = 1.3
PARSER = "parse (tomli alone)"


def lockfile(facts: int) -> str:
    """A lockfile of so many facts: of each test five results, and below them the seed that it ran with."""
    rng = random.Random(0)
    return dumps(
        Run.of(
            {
                f"test_m{number // 100}.py::test_{number}": [
                    Fact("randomization", "seed", rng.randrange(2**32), detail={"base": 0}),
                    *(Fact("results", f"m{at}", rng.random()) for at in range(FACTS_A_TEST)),
                ]
                for number in range(facts // FACTS_A_TEST)
            }
        )
    )


def memory(text: str) -> dict[str, float]:
    """Bytes a fact that a loaded lockfile holds, and that it holds together with all facts made of it."""
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    run = loads(text)
    gc.collect()
    loaded = tracemalloc.get_traced_memory()[0] - before
    facts = list(run)
    gc.collect()
    made = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return {"memory, loaded": loaded / len(facts), "memory, and every fact made": made / len(facts)}


def core(sizes: Sequence[int], rounds: int) -> list[list[str]]:
    """Loading, comparing and writing."""
    seconds: dict[str, dict[int, float]] = {}
    found = []
    for size in sizes:
        text = lockfile(size)
        run, other = loads(text), loads(text)
        work: Mapping[str, Callable[[], object]] = {
            PARSER: lambda text=text: tomli.loads(text),  # type: ignore[misc]
            "load": lambda text=text: loads(text),  # type: ignore[misc]
            "load, and make every fact": lambda text=text: list(loads(text)),  # type: ignore[misc]
            "compare": lambda run=run, other=other: compare(run, other),  # type: ignore[misc]
            "write": lambda run=run: dumps(run),  # type: ignore[misc]
        }
        calls = max(1, 10_000 // size)
        timings = measure([Candidate(name, each, calls) for name, each in work.items()], rounds)
        for name, timing in timings.items():
            spent = seconds.setdefault(name, {})[size] = median(timing.cpu)
            rate = len(text) / spent / 1e6
            wanted, told = "", ""
            if name == "load" and size == sizes[-1]:
                bound = len(text) / seconds[PARSER][size] / 1e6
                wanted = f"at least {MB_A_SECOND:g} MB/s, or what tomli gives: {bound:.0f}"
                told = verdict(rate >= min(MB_A_SECOND, bound / 1.2))
            found.append(
                [
                    name,
                    f"{size:,}",
                    duration(spent),
                    duration(median(timing.wall)),
                    with_spread([each / size * 1e6 for each in timing.cpu]),
                    f"{rate:.0f}",
                    timing.times(timings[PARSER]),
                    wanted,
                    told,
                ]
            )
    large, small = sizes[-1], sizes[-2]
    for name, spent in seconds.items():
        power = math.log(spent[large] / spent[small]) / math.log(large / small)
        # The parser is beside ours for comparison.
        wanted = ["", ""] if name == PARSER else [f"at most {LINEAR:g}", verdict(power <= LINEAR)]
        found.append([name, "exponent", f"{power:.2f}", *[""] * 4, *wanted])
    for name, held in memory(lockfile(large)).items():
        wanted = [f"at most {BYTES_A_FACT:.0f}", verdict(held <= BYTES_A_FACT)]
        found.append([name, f"{large:,}", f"{held:.0f} bytes a fact", *[""] * 4, *wanted])
    return found


def suite(folder: Path, tests: int, seed: int = 0) -> None:
    """Tests that record what the lockfile of ``lockfile`` holds."""
    rng = random.Random(seed)
    for module in range(-(-tests // 100)):
        lines = []
        for number in range(module * 100, min(tests, module * 100 + 100)):
            values = [rng.random() for _ in range(FACTS_A_TEST)]
            lines.append(
                f"def test_{number}(mlrepro):\n    for n, value in enumerate({values}):\n"
                "        mlrepro.metric(f'm{n}', value)\n"
            )
        (folder / f"test_m{module}.py").write_text("\n".join(lines))


def accepted(folder: Path, tests: int) -> None:
    """Let the tests of a folder be accepted."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    suite(folder, tests)
    subprocess.run(pytest_command(OURS, ("--mlrepro-update",)), cwd=folder, check=True, capture_output=True)


def checks(place: Path, sizes: Sequence[int], rounds: int) -> list[list[str]]:
    """A check of one test beside ever more facts of others, and of all."""
    commands: dict[str, Command] = {}
    for size in (100, *sizes):
        folder = place / str(size)
        folder.mkdir()
        accepted(folder, size // FACTS_A_TEST)
        one = pytest_command(OURS, ("--mlrepro", "test_m0.py::test_0"))
        commands[f"one test of {size:,} facts"] = Command(one, folder)
        if size in (1_000, 10_000):
            whole = pytest_command(OURS, ("--mlrepro",))
            commands[f"all {size:,} facts"] = Command(whole, folder)
            commands[f"all {size:,} facts, -n 2"] = Command([*whole, "-n", "2"], folder)
    timings, _ = take_turns(commands, rounds)
    least = timings["one test of 100 facts"]
    found = []
    for name, timing in timings.items():
        times = [duration(median(timing.cpu)), duration(median(timing.wall)), timing.times(least)]
        found.append([name, *times, "", ""])
    largest = f"one test of {sizes[-1]:,} facts"
    text = (place / str(sizes[-1]) / "mlrepro.lock").read_text()
    reading = median(measure([Candidate("load", lambda: loads(text))], 3)["load"].cpu)
    beyond = Timing(tuple(spent - reading for spent in timings[largest].cpu), ())
    ratio = beyond.ratio(least)
    found.append(
        [
            f"{largest}, without reading the file ({duration(reading)})",
            duration(median(beyond.cpu)),
            "",
            beyond.times(least),
            f"at most {ONE_TEST:g}",
            verdict(ratio <= ONE_TEST),
        ]
    )
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="facts, ascending; at least two")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", choices=("core", "checks"))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    tables: dict[str, tuple[Sequence[str], Sequence[Sequence[str]]]] = {}
    if options.only != "checks":
        head = ("what", "facts", "CPU", "wall", "us a fact", "MB/s", "x tomli", "wanted", "")
        tables["core"] = head, core(options.sizes, options.rounds)
    if options.only != "core":
        with tempfile.TemporaryDirectory() as folder:
            found = checks(Path(folder), options.sizes, options.rounds)
        tables["checks"] = ("what", "CPU", "wall", "x one test of 100 facts", "wanted", ""), found
    for title, (head, rows) in tables.items():
        print(f"\n{title}\n\n{markdown(head, rows)}")
    if options.json:
        save(options.json, "growth", tables)


if __name__ == "__main__":
    main()
