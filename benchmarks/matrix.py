"""The matrix: the fingerprints' tests in throw-away environments of old and new libraries.

Each environment is a virtual environment of its own, with this checkout and the versions named below; the known
answers there say that a digest does not depend on the version of any library. Run it from anywhere::

    python benchmarks/matrix.py                          # all environments, the default tests
    python benchmarks/matrix.py oldest newest --keep /tmp/matrix
    python benchmarks/matrix.py -- tests/fingerprints -m slow -k estimators

With ``--keep`` the environments stay and are used again. What follows ``--`` is given to pytest. The exit status is
that of the worst environment.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
TESTS = ("tests/fingerprints",)
SHOWN = ("numpy", "pandas", "pyarrow", "polars", "scipy", "scikit-learn")
TOOLS = ("hypothesis>=6.100", "pytest>=8.4", "tzdata", "pytz")


@dataclass(frozen=True, slots=True)
class Environment:
    """What to install, and with which Python."""

    requirements: tuple[str, ...]
    python: str = sys.executable


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the tests gave in an environment."""

    versions: tuple[str, ...]
    counts: Mapping[str, int]
    status: int
    failures: tuple[str, ...] = ()


ENVIRONMENTS: Mapping[str, Environment] = MappingProxyType(
    {
        "oldest": Environment(
            (
                "numpy==1.26.4",
                "pandas==2.0.3",
                "pyarrow==14.0.2",
                "polars==0.20.31",
                "scipy==1.11.4",
                "scikit-learn==1.3.2",
            )
        ),
        "middle": Environment(("numpy==2.2.6", "pandas==2.3.3", "pyarrow==18.1.0", "polars==1.17.1")),
        "newest": Environment(("numpy", "pandas", "pyarrow", "polars", "scikit-learn")),
        "without Arrow": Environment(("numpy==2.2.6", "pandas==2.2.3", "polars==1.0.0")),
    }
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tests in the environments asked for, print the table and give the worst exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    own, tests = (
        (given[: given.index("--")], given[given.index("--") + 1 :]) if "--" in given else (given, [])
    )
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="ENVIRONMENT", help=", ".join(ENVIRONMENTS))
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="make the environments here and keep them"
    )
    parser.add_argument(
        "--newest-with", metavar="PYTHON", help="one more environment: the newest libraries with this Python"
    )
    options = parser.parse_args(own)
    environments = dict(ENVIRONMENTS)
    if options.newest_with:
        environments["other Python"] = Environment(ENVIRONMENTS["newest"].requirements, options.newest_with)
    if unknown := set(options.names) - set(environments):
        parser.error(
            f"unknown environment {', '.join(sorted(unknown))}: choose from {', '.join(environments)}"
        )
    outcomes = {}
    with ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="matrix-")))
        for name in options.names or environments:
            outcomes[name] = outcome_in(folder / name.replace(" ", "-"), environments[name], tests or TESTS)
            print(table(outcomes), flush=True)
    return max(outcome.status for outcome in outcomes.values())


def outcome_in(folder: Path, environment: Environment, tests: Sequence[str]) -> Outcome:
    """Make the environment where there is none yet, and run the tests there."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([environment.python, "-m", "venv", folder], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, *environment.requirements, *TOOLS, "-e", str(ROOT)], check=True)
    report = folder / "report.xml"
    report.unlink(missing_ok=True)
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    options = ["-q", "-p", "no:cacheprovider", f"--junit-xml={report}"]
    done = subprocess.run(
        [python, "-m", "pytest", *options, *tests],
        cwd=ROOT,
        env={**inherited, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    (folder / "output.txt").write_text(done.stdout + done.stderr)
    return Outcome(versions(python), *counted(report, done.returncode))


def versions(python: Path) -> tuple[str, ...]:
    """The versions of Python and of the libraries shown; a dash where there is none."""
    program = (
        "import sys, importlib.metadata as m\n"
        "print(sys.version.split()[0])\n"
        "for name in sys.argv[1:]:\n"
        "    found = [d for d in m.distributions(name=name)]\n"
        "    print(found[0].version if found else '-')\n"
    )
    done = subprocess.run([python, "-c", program, *SHOWN], capture_output=True, text=True, check=True)
    return tuple(done.stdout.split())


def counted(report: Path, status: int) -> tuple[Mapping[str, int], int, tuple[str, ...]]:
    """How many tests passed, failed and were skipped; the exit status; the names of those that failed."""
    if not report.exists():
        return {}, status or 1, ("no test ran: see output.txt",)
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    failures = []
    for case in ElementTree.parse(report).iter("testcase"):
        kinds = {part.tag for part in case}
        if kinds & {"failure", "error"}:
            counts["failed"] += 1
            failures.append(f"{case.get('classname')}::{case.get('name')}")
        else:
            counts["skipped" if "skipped" in kinds else "passed"] += 1
    return counts, status, tuple(failures)


def table(outcomes: Mapping[str, Outcome]) -> str:
    """The outcomes, a line for each environment, and below it what failed there."""
    head = ("environment", "Python", *SHOWN, "passed", "failed", "skipped")
    lines = [head]
    for name, outcome in outcomes.items():
        figures = (str(outcome.counts.get(kind, "-")) for kind in ("passed", "failed", "skipped"))
        lines.append((name, *outcome.versions, *figures))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    failed = [f"{name}: {test}" for name, outcome in outcomes.items() for test in outcome.failures]
    return "\n".join([*text, *failed, ""])


if __name__ == "__main__":
    sys.exit(main())
