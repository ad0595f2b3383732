"""What the plugin costs a suite of 2,000 tests, off and on, beside what it replaces::

    pip install --group bench
    OMP_NUM_THREADS=1 python benchmarks/suite.py

Off: the suite and an empty folder, with the plugin and without (``-p no:mlrepro``), and which modules pytest imports
because of it. On: 5 floats a test are checked, or all of them changed and accepted. Each candidate is a process of
its own; they take turns, and what counts is the CPU time, user and system, over that of the same round's baseline.
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from _children import Command, take_turns
from _rounds import Timing, duration, markdown, save, verdict

MODULES = 20
FLOATS = 5
HEAVY = ("pytest_mlrepro", "numpy", "sklearn", "scipy", "pandas")
QUIET = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly", "--no-header")
ON_CHECK, ON_UPDATE, OFF_SHARE, OFF_START = 60.0, 80.0, 1.01, 10.0
"""Targets: microseconds a test above an empty fixture, two; times the suite without the plugin; ms of start-up."""

_VALUES = "[({seed} + 0.1) / (n + 1.7) for n in range({floats})]"
_HEAD = ("what", "CPU", "wall", "x bare", "us a test above the empty fixture", "MiB", "wanted", "")


@dataclass(frozen=True, slots=True)
class Peer:
    """One way to hold five floats to what they were.

    Attributes:
        needs: the module that has to be installed; empty for none.
        fixture: that a test asks for.
        body: of a test, which has ``values`` and its ``number``.
        check, update: options of pytest.
        head: of each module.
        statuses: of an update; some say that it failed, having done it.
        conftest: beside the modules.
    """

    needs: str
    fixture: str
    body: str
    check: tuple[str, ...] = ()
    update: tuple[str, ...] = ()
    head: str = ""
    statuses: tuple[int, ...] = (0,)
    conftest: str = ""


OURS = Peer(
    "pytest_mlrepro",
    "mlrepro",
    "for n, value in enumerate(values):\n        mlrepro.metric(f'm{n}', value)",
    ("--mlrepro",),
    ("--mlrepro-update",),
)
EMPTY = Peer(
    "", "kept", "kept.update(enumerate(values))", head="@pytest.fixture\ndef kept():\n    return {}\n"
)
BY_HAND = Peer(
    "",
    "kept",
    "kept.update((f'm{n}', value) for n, value in enumerate(values))",
    update=("--accept",),
    conftest="""
import json, random, zlib
from pathlib import Path
import pytest

FILE = Path(__file__).with_name("known.json")
KNOWN = json.loads(FILE.read_text()) if FILE.exists() else {}
FOUND, NOW = {}, {}

def pytest_addoption(parser):
    parser.addoption("--accept", action="store_true")

@pytest.fixture(scope="session")
def kept():
    return NOW

@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    NOW.clear()
    state = random.getstate()
    random.seed(zlib.crc32(item.nodeid.encode()))
    try:
        outcome = yield
    finally:
        random.setstate(state)
    FOUND[item.nodeid] = dict(NOW)
    assert item.config.option.accept or FOUND[item.nodeid] == KNOWN[item.nodeid]
    return outcome

def pytest_sessionfinish(session):
    if session.config.option.accept:
        FILE.write_text(json.dumps(FOUND))
""",
)
"""The least that can be called the same: a test is seeded and put back, its floats are compared, one file is kept."""

ALWAYS = ("bare pytest", "an empty fixture", "the least, by hand", "mlrepro")
PEERS: Mapping[str, Peer] = {
    "bare pytest": Peer("", "", "dict(enumerate(values))"),
    "an empty fixture": EMPTY,
    "the least, by hand": BY_HAND,
    "mlrepro": OURS,
    "syrupy": Peer(
        "syrupy",
        "snapshot",
        "assert {f'm{n}': value for n, value in enumerate(values)} == snapshot",
        update=("--snapshot-update",),
    ),
    "pytest-regressions data": Peer(
        "pytest_regressions",
        "data_regression",
        "data_regression.check({f'm{n}': value for n, value in enumerate(values)})",
        update=("--regen-all",),
    ),
    "pytest-regressions num": Peer(
        "pytest_regressions",
        "num_regression",
        "num_regression.check({f'm{n}': [value] for n, value in enumerate(values)})",
        update=("--regen-all",),
    ),
    "pytest-snapshot": Peer(
        "pytest_snapshot",
        "snapshot",
        "snapshot.snapshot_dir = f'snapshots/{__name__}'\n    "
        "snapshot.assert_match(json.dumps({f'm{n}': value for n, value in enumerate(values)}), f't{number}.json')",
        update=("--snapshot-update",),
        head="import json\n",
        # It fails every test whose snapshot it has written.
        statuses=(0, 1),
    ),
    "inline-snapshot": Peer(
        "inline_snapshot",
        "",
        "assert {f'm{n}': value for n, value in enumerate(values)} == snapshot(INLINE)",
        check=("--inline-snapshot=disable",),
        update=("--inline-snapshot=fix",),
        head="from inline_snapshot import snapshot\n",
        statuses=(0, 1),
    ),
    "pytest-arraydiff": Peer(
        "pytest_arraydiff",
        "",
        "return np.array(values)",
        check=("--arraydiff",),
        update=("--arraydiff-generate-path=reference",),
        head="import numpy as np\n",
    ),
}
# Plugins that a candidate does not use are not loaded: each has its own costs.
_PLUGINS = {
    "pytest_mlrepro": ("mlrepro",),
    "syrupy": ("syrupy",),
    "pytest_regressions": ("pytest_regressions", "regressions", "datadir", "pytest-datadir"),
    "pytest_snapshot": ("snapshot", "pytest-snapshot"),
    "inline_snapshot": ("inline_snapshot",),
    "pytest_arraydiff": ("arraydiff", "pytest_arraydiff"),
}


def write(folder: Path, peer: Peer, tests: int, seed: int) -> None:
    """The suite of a peer; with another seed every value is another."""
    each = tests // MODULES
    if peer.conftest:
        (folder / "conftest.py").write_text(peer.conftest)
    for module in range(MODULES):
        lines = ["import pytest\n", peer.head]
        for number in range(each):
            values = _VALUES.format(seed=seed + module * each + number, floats=FLOATS)
            body = peer.body
            if "INLINE" in body:
                # A snapshot stands in the source: that of seed 0, as an update has to find it.
                known = eval(_VALUES.format(seed=module * each + number, floats=FLOATS))
                body = body.replace("INLINE", repr({f"m{n}": value for n, value in enumerate(known)}))
            mark = "@pytest.mark.array_compare(file_format='text', reference_dir='reference')\n"
            lines.append(
                f"{mark if peer.needs == 'pytest_arraydiff' else ''}"
                f"def test_{module * each + number}({peer.fixture}):\n"
                f"    number = {number}\n    values = {values}\n    {body}\n"
            )
        (folder / f"test_m{module}.py").write_text("\n".join(lines))


def pytest_command(peer: Peer, options: Sequence[str]) -> list[str]:
    """pytest without the plugins of the other candidates."""
    foreign = [name for module, names in _PLUGINS.items() if module != peer.needs for name in names]
    return [
        sys.executable,
        "-m",
        "pytest",
        *QUIET,
        *(word for name in foreign for word in ("-p", f"no:{name}")),
        *options,
    ]


def checked(place: Path, name: str, peer: Peer, tests: int) -> Command:
    """A suite whose values are as they were."""
    folder = place / f"check-{name.replace(' ', '-')}"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    write(folder, peer, tests, 0)
    subprocess.run(pytest_command(peer, peer.update), cwd=folder, capture_output=True, check=False)
    return Command(pytest_command(peer, peer.check), folder)


def updated(place: Path, name: str, peer: Peer, tests: int) -> Command:
    """A suite whose values have all changed, and are accepted."""
    known = place / f"check-{name.replace(' ', '-')}"
    folder = place / f"update-{name.replace(' ', '-')}"
    if not known.exists():
        checked(place, name, peer, tests)

    def renew() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(known, folder, ignore=shutil.ignore_patterns("__pycache__"))
        write(folder, peer, tests, 1)

    renew()
    return Command(pytest_command(peer, peer.update), folder, renew, peer.statuses)


def present(names: Sequence[str]) -> tuple[dict[str, Peer], list[str]]:
    """The peers that are installed, and a note on each of the others."""
    found, absent = {}, []
    for name in names:
        peer = PEERS[name]
        if peer.needs and importlib.util.find_spec(peer.needs) is None:
            absent.append(f"{name} is not installed and left out")
        else:
            found[name] = peer
    return found, absent


def rows(
    timings: Mapping[str, Timing], memory: Mapping[str, int], tests: int, targets: Mapping[str, float]
) -> list[list[str]]:
    """A row a candidate."""
    found = []
    for name, timing in timings.items():
        above = above_floor(timing, timings["an empty fixture"], tests)
        wanted = targets.get(name)
        told = ["", ""] if wanted is None else [f"at most {wanted:g} us", verdict(above <= wanted)]
        found.append(
            [
                name,
                duration(median(timing.cpu)),
                duration(median(timing.wall)),
                timing.times(timings["bare pytest"]),
                f"{above:.0f}",
                f"{memory[name] / 1024:.0f}",
                *told,
            ]
        )
    return found


def above_floor(timing: Timing, floor: Timing, tests: int) -> float:
    """Microseconds a test above the empty fixture: the median over the rounds of the difference in each."""
    return median(ours - empty for ours, empty in zip(timing.cpu, floor.cpu, strict=True)) / tests * 1e6


def on(
    make: Callable[[Path, str, Peer, int], Command],
    place: Path,
    peers: Mapping[str, Peer],
    tests: int,
    rounds: int,
) -> list[list[str]]:
    """A row a candidate; below ours what one more test costs, from a suite of a tenth that a run costs as much once."""
    timings, memory = take_turns(
        {name: make(place, name, peer, tests) for name, peer in peers.items()}, rounds
    )
    found = rows(timings, memory, tests, {"mlrepro": ON_UPDATE if make is updated else ON_CHECK})
    few, small = max(MODULES, tests // 10), place / "few"
    small.mkdir(exist_ok=True)
    ends = ("an empty fixture", "mlrepro")
    less, _ = take_turns({name: make(small, name, PEERS[name], few) for name in ends}, rounds)
    floor, ours = ends
    costs = [
        number * above_floor(each[ours], each[floor], number)
        for each, number in ((timings, tests), (less, few))
    ]
    further = (costs[0] - costs[1]) / (tests - few)
    once = duration((costs[1] - few * further) / 1e6)
    place_of_ours = [row[0] for row in found].index(ours)
    row = [f"... a further test ({once} once)", "", "", "", f"{further:.0f}", "", "", ""]
    return [*found[: place_of_ours + 1], row, *found[place_of_ours + 1 :]]


def off(place: Path, tests: int, rounds: int) -> tuple[list[list[str]], list[str]]:
    """The plugin installed and not used, against not there."""
    peer = PEERS["bare pytest"]
    suite, empty = place / "off", place / "empty"
    for folder in (suite, empty):
        folder.mkdir()
        (folder / "pytest.ini").write_text("[pytest]\n")
    write(suite, peer, tests, 0)
    without = pytest_command(peer, ())
    # The same words, so that reading them costs the same.
    withit = [word.replace("no:mlrepro", "no:mlreproo") for word in without]
    commands = {
        "the suite, without": Command(without, suite),
        "the suite, installed": Command(withit, suite),
        "an empty folder, without": Command([*without, "--collect-only"], empty, statuses=(5,)),
        "an empty folder, installed": Command([*withit, "--collect-only"], empty, statuses=(5,)),
    }
    timings, _ = take_turns(commands, rounds)
    found = []
    for what, limit in (("the suite", OFF_SHARE), ("an empty folder", OFF_START)):
        one, other = timings[f"{what}, without"], timings[f"{what}, installed"]
        for name in (f"{what}, without", f"{what}, installed"):
            timing = timings[name]
            shown = [duration(median(timing.cpu)), duration(median(timing.wall)), timing.times(one)]
            found.append([name, *shown, "", "", ""])
        pairs = [*zip(one.cpu, other.cpu, strict=True)]
        if what == "the suite":
            share = median(there / absent for absent, there in pairs)
            told = [f"{share:.3f} x", f"at most {limit:g} x", verdict(share <= limit)]
        else:
            more = median(there - absent for absent, there in pairs) * 1e3
            told = [f"{more:+.1f} ms", f"at most +{limit:g} ms", verdict(more <= limit)]
        found[-1][-3:] = told
    return found, imported(empty, withit)


def imported(folder: Path, command: Sequence[str]) -> list[str]:
    """What pytest imports of the plugin and of the heavy libraries, in an empty folder."""
    code = "import sys, pytest; pytest.main(sys.argv[1:]); print(*sorted(sys.modules), sep='\\n')"
    ran = subprocess.run(
        [sys.executable, "-c", code, *command[3:], "--collect-only"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in ran.stdout.splitlines() if line.split(".")[0] in HEAVY]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tests", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", action="append", default=[], choices=("off", "check", "update"))
    parser.add_argument(
        "--peer", action="append", default=[], help="these only, besides bare, empty and ours; repeatable"
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    parts = options.only or ["off", "check", "update"]
    peers, notes = present([name for name in PEERS if not options.peer or name in (*options.peer, *ALWAYS)])
    tables: dict[str, tuple[Sequence[str], Sequence[Sequence[str]]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if "off" in parts:
            found, modules = off(place, options.tests, options.rounds)
            tables["off"] = (("what", "CPU", "wall", "x without", "against without", "wanted", ""), found)
            notes.append(f"imported in an empty folder: {', '.join(modules) or 'nothing'}")
        for part, make in (("check", checked), ("update", updated)):
            if part in parts:
                tables[part] = _HEAD, on(make, place, peers, options.tests, options.rounds)
    for title, (head, found) in tables.items():
        print(f"\n{title}: {options.tests} tests, {FLOATS} floats each, {options.rounds} rounds\n")
        print(markdown(head, found))
    print("\n" + "\n".join(notes))
    if options.json:
        save(options.json, "suite", tables)


if __name__ == "__main__":
    main()
