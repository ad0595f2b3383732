"""All benchmarks that name a target, one after the other: ``python -m benchmarks``, or those that are named.

    OMP_NUM_THREADS=1 python -m benchmarks suite growth

Each writes its tables to ``FOLDER/NAME.json`` too where ``--json FOLDER`` is given. ``--quick`` takes fewer rounds and
smaller inputs: it shows that all of them run, and its figures mean nothing.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).parent
QUICK: Mapping[str, Sequence[str]] = {
    "suite": ("--tests", "100", "--rounds", "2"),
    "growth": ("--sizes", "200", "1000", "--rounds", "1"),
    "fingerprints": ("--scale", "0.001", "--rounds", "1"),
    "files": ("--size", "8", "--files", "200", "--rounds", "1"),
    "history": ("--commits", "20", "--rounds", "1"),
    "bisection": ("--commits", "8"),
    "seeding": ("--rounds", "1"),
    "guard": ("--rounds", "1"),
}
"""The benchmarks, in the order in which they run, with what makes them short."""
_NAMED = (
    *(
        "pytest",
        "numpy",
        "scikit-learn",
        "tomli",
        "blake3",
        "xxhash",
        "pandas",
        "polars",
        "pyarrow",
        "scipy",
        "torch",
    ),
    *("joblib", "datasets", "dvc-data", "syrupy", "pytest-regressions", "pytest-snapshot", "inline-snapshot"),
    "pytest-arraydiff",
)


def machine() -> str:
    """What the figures were made on."""
    found = []
    for name in _NAMED:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in _text(Path("/proc/cpuinfo")).splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    return (
        f"{platform.system()} {platform.release()}, {os.cpu_count()} x {cpu}, {_memory()}OMP_NUM_THREADS {threads}, "
        f"Python {platform.python_version()}, {', '.join(found)}"
    )


def _memory() -> str:
    """How much the machine has, as far as it says so."""
    total = next(
        (line for line in _text(Path("/proc/meminfo")).splitlines() if line.startswith("MemTotal")), ""
    )
    return f"{int(total.split()[1]) / 2**20:.0f} GiB, " if total else ""


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run them.

    Returns:
        0, or the number of those that ended with an error.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(QUICK)}; default: all")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path, metavar="FOLDER")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in QUICK]:
        parser.error(f"no benchmark is called {unknown[0]}")
    if options.json:
        options.json.mkdir(parents=True, exist_ok=True)
    print(machine())
    broken = 0
    for name in options.names or QUICK:
        print(f"\n## {name}", flush=True)
        command = [sys.executable, str(HERE / f"{name}.py"), *(QUICK[name] if options.quick else ())]
        if options.json:
            command += ["--json", str(options.json / f"{name}.json")]
        broken += subprocess.run(command, check=False).returncode != 0
    return broken


if __name__ == "__main__":
    sys.exit(main())
