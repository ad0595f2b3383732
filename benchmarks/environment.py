"""What reading the environment costs a run, in milliseconds of CPU time, once a process::

    OMP_NUM_THREADS=1 python benchmarks/environment.py

The distributions are those installed here, copied until there are enough of them. Beside them stand the standard
library's own way to the same table, and what a run spends anyway: starting Python and importing numpy.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from _rounds import Candidate, Timing, markdown, measure, save

from pytest_mlrepro.environment.distributions import Distributions
from pytest_mlrepro.facets.libraries import Libraries

COUNT = 300


def copies(folder: Path, count: int) -> int:
    """Fill a folder with that many distributions' metadata, under new names; how many there are."""
    sources = sorted({path for entry in sys.path for path in Path(entry or ".").glob("*.dist-info")})
    for number in range(count):
        source, round_ = sources[number % len(sources)], number // len(sources)
        name, _, rest = source.name.partition("-")
        target = folder / f"{name}_{round_}-{rest}"
        shutil.copytree(source, target, dirs_exist_ok=True)
        for file, pattern, new in (
            ("METADATA", r"^Name: (.*)$", rf"Name: \1_{round_}"),
            ("RECORD", r"^(\w+)", rf"\1_{round_}"),
        ):
            path = target / file
            if path.exists():
                text = path.read_text(encoding="utf-8", errors="replace")
                path.write_text(re.sub(pattern, new, text, flags=re.MULTILINE), encoding="utf-8")
    return count


def forget(folder: Path) -> None:
    """Take the folder's files out of the system's memory, so that they are read from the disk."""
    os.sync()
    for path in folder.rglob("*"):
        if path.is_file():
            handle = os.open(path, os.O_RDONLY)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(handle)


def ours(folder: Path) -> None:
    """What a run asks for: which modules each has, and the versions of all, as if all were in use."""
    found = Distributions.read([str(folder)])
    found.providers("no_such_module_anywhere")
    for each in found.by_name.values():
        assert each.version


def theirs(folder: Path) -> None:
    """The same by the standard library."""
    for each in importlib.metadata.distributions(path=[str(folder)]):
        assert each.version is not None
        assert each.files is None or {file.parts[0] for file in each.files}


def machine() -> None:
    """The facts of Python, the processor, native libraries and variables."""
    Libraries(environ={}).runtime(["numpy"])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        count = copies(folder, given.count)
        work: dict[str, Callable[[], object]] = {
            f"{count} distributions": lambda: ours(folder),
            "the same by importlib.metadata": lambda: theirs(folder),
            "the machine and what is loaded": machine,
        }
        timings = measure([Candidate(name, run, 1) for name, run in work.items()], given.rounds)
        if hasattr(os, "posix_fadvise"):
            timings[f"{count} distributions, from the disk"] = cold(folder, given.rounds)
    head = ["what", "ms of CPU", "ms by the clock"]
    rows = [
        [name, f"{median(timing.cpu) * 1e3:.1f}", f"{median(timing.wall) * 1e3:.1f}"]
        for name, timing in timings.items()
    ]
    print(markdown(head, rows))
    if given.json is not None:
        save(given.json, "environment", {"costs": (head, rows)})


COLD = """
import sys, time
from pathlib import Path
sys.path[:0] = [{here!r}]
import environment, packaging.version
environment.metadata()
cpu, wall = time.process_time(), time.perf_counter()
environment.ours(Path({folder!r}))
print(time.process_time() - cpu, time.perf_counter() - wall)
"""


def metadata() -> None:
    """Import what the reading imports, so that it is not timed."""
    from pytest_mlrepro.environment.imports import metadata_library

    metadata_library()


def cold(folder: Path, rounds: int) -> Timing:
    """The first reading of a process, of files that are not in the system's memory."""
    code = COLD.format(here=str(Path(__file__).parent), folder=str(folder))
    taken = []
    for _ in range(rounds):
        forget(folder)
        done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
        taken.append(tuple(map(float, done.stdout.split())))
    return Timing(tuple(cpu for cpu, _ in taken), tuple(wall for _, wall in taken))


if __name__ == "__main__":
    main()
