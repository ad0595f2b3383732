"""However a run ends: no baseline is lost, nothing is left behind, and the next run is not in its way."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

POSIX = pytest.mark.skipif(os.name == "nt", reason="needs signals of POSIX")
SLOW = pytest.mark.slow

SUITE = """
import os
import signal
import sys
import time

import pytest


def value():
    return float(os.environ.get("V", "1"))


@pytest.fixture(scope="module")
def model(mlrepro):
    mlrepro.metric("score", value())
    yield
    mlrepro.metric("late", value())


def test_a(mlrepro):
    mlrepro.metric("a", value())


def test_b(mlrepro, model):
    mlrepro.metric("b", value())
    exec(os.environ.get("END", ""))


def test_c(mlrepro, model):
    mlrepro.metric("c", value())
"""
KEPT = ("b = 1.0", "score = 1.0", "late = 1.0")
KILL = "os.kill(os.getpid(), signal.{}); time.sleep(9)"


@pytest.fixture
def suite(empty):
    project = empty.write({"test_s.py": SUITE})
    project.update().ok()
    return project


def names(project):
    return sorted(
        path.name for path in project.root.iterdir() if path.name not in ("report.json", ".pytest_cache")
    )


@pytest.mark.parametrize(
    ("end", "options", "status", "accepted"),
    [
        pytest.param(KILL.format("SIGINT"), "", 2, "a", marks=POSIX, id="ctrl-c"),
        pytest.param(KILL.format("SIGTERM"), "", -15, "", marks=[POSIX, SLOW], id="terminated"),
        pytest.param(KILL.format("SIGKILL"), "", -9, "", marks=[POSIX, SLOW], id="killed"),
        pytest.param(KILL.format("SIGHUP"), "", -1, "", marks=[POSIX, SLOW], id="hung up"),
        pytest.param("pytest.exit('enough', 7)", "", 7, "a", marks=SLOW, id="exit"),
        pytest.param("sys.exit(0)", "", 1, "ac", marks=SLOW, id="sys.exit"),
        pytest.param("assert False", "-x", 1, "a", id="first failure"),
        pytest.param("assert False", "--maxfail=1", 1, "a", marks=SLOW, id="maxfail"),
        pytest.param("os._exit(3)", "-n2 --max-worker-restart=2", 1, "ac", id="dead worker"),
        pytest.param("assert False", "-n2 -x", None, "", marks=SLOW, id="first failure of workers"),
        pytest.param(
            "os.kill(os.getppid(), signal.SIGINT); time.sleep(3); assert False", "-n2", 2, "", marks=[POSIX, SLOW],
            id="ctrl-c with workers",
        ),
    ],
)  # fmt: skip
def test_what_did_not_end_well_keeps_its_baseline(suite, end, options, status, accepted):
    before = names(suite)
    ran = suite.setenv(V="5", END=end).update(*options.split())
    assert status is None or ran.returncode == status, ran.output
    for line in KEPT:
        assert line in ran.lockfile, ran.output
    for test in accepted:
        assert f"{test} = 5.0" in ran.lockfile, ran.output
    if status is not None and status < 0:
        assert "= 5.0" not in ran.lockfile
    assert names(ran.project) == before
    after = suite.setenv(V="5").update().ok().lockfile
    assert "1.0" not in after.partition("\n")[2]


@pytest.mark.parametrize("status", [3, pytest.param(4, marks=SLOW), pytest.param(7, marks=SLOW)])
def test_a_run_that_somebody_ends_says_what_it_did_whatever_the_status(suite, status):
    ends = suite.setenv(V="5", END=f"pytest.exit('enough', {status})")
    ran = ends.check().red(status)
    assert ran.output.count("not reproduced. ") == 1
    assert ran.lockfile.count("= 5.0") == 0
    ran = ends.update("--mlrepro-record=run.lock").red(status)
    section = ran.output.partition("--- mlrepro ---")[2]
    assert "  results.a " in section
    assert "updated mlrepro.lock: review and commit it" in section
    assert "not accepted: test_s.py::model did not pass; its baseline is as it was" in section
    assert section.count("recorded ") == 1
    assert "a = 5.0" in ran.lockfile
    for line in (*KEPT, "c = 1.0"):
        assert line in ran.lockfile
    assert ran.report["exitstatus"] == status


BROKEN = """
import os


def pytest_runtest_logreport(report):
    if report.nodeid.endswith("test_b"):
        raise RuntimeError("a plugin that is broken")
"""


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (
            "",
            [
                "mlrepro.lock is as it was: nothing was accepted",
                "nothing was written to run.lock, report.json",
            ],
        ),
        pytest.param("-n2", ["mlrepro.lock is as it was: nothing was accepted"], marks=SLOW),
    ],
)
def test_a_run_that_breaks_off_says_that_it_did_nothing(suite, option, said):
    before = suite.check().lockfile
    broken = suite.setenv(V="5").write({"conftest.py": BROKEN})
    ran = broken.update("--mlrepro-record=run.lock", *option.split()).red(3)
    for line in ("the run broke off: tests that did not run were not compared", *said):
        assert ran.output.count(line) == 1, ran.output
    assert ran.lockfile == before
    assert not (broken.root / "run.lock").exists()
    assert ran.report is None


@SLOW
@pytest.mark.parametrize("end", ["pytest.exit('enough', 3)", "pytest.exit('enough', 7)"])
def test_with_workers_a_run_that_somebody_ends_is_told_too(suite, end):
    before = suite.check().lockfile
    ran = suite.setenv(V="5", END=end).update("-n2")
    told = (
        "updated mlrepro.lock"
        if ran.lockfile != before
        else "mlrepro.lock is as it was: nothing was accepted"
    )
    assert ran.output.count(told) == 1, ran.output
    for line in KEPT:
        assert line in ran.lockfile


def test_a_path_that_is_not_there_is_told(suite):
    ran = suite.update("missing.py").red(4)
    assert "mlrepro.lock is as it was: nothing was accepted" in ran.output
    assert "nothing was accepted" not in suite.check("missing.py").red(4).output


KILLED = """
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest
from pytest_mlrepro.lockfile import load_lockfile

path, chance, found = Path("mlrepro.lock"), random.Random(0), []


def update(value):
    os.environ["V"] = str(value)
    return pytest.main(["-q", "-p", "no:randomly", "-p", "no:cacheprovider", "--mlrepro-update"])


# Once here, so that a forked process has all that it needs, and takes little time.
assert update(1) == 0
began = time.monotonic()
assert update(1) == 0
took = time.monotonic() - began
for number in range(2, 2 + int(sys.argv[1])):
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        try:
            update(number)
        finally:
            os._exit(0)
    # Half of them near the end, where the lockfile is written.
    time.sleep(took * (chance.uniform(0, 1) if number % 2 else chance.uniform(0.7, 1.3)))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    run = load_lockfile(path)
    values = {fact.value for subject, fact in run if subject != "session" and fact.facet == "results"}
    assert len(values) == 1 and len(run.subjects) == 5, (values, list(run.subjects))
    left = [each.name for each in Path.cwd().iterdir() if each.suffix == ".tmp"]
    outcome = "killed" if os.WIFSIGNALED(status) else "ended"
    found.append([outcome, "new" if values == {float(number)} else "old", len(left)])
print("FOUND", json.dumps(found))
"""


@POSIX
@SLOW
def test_a_run_that_is_killed_at_any_moment_leaves_the_old_lockfile_or_the_new_one(suite):
    kills = int(os.environ.get("MLREPRO_KILLS", "60"))
    ran = suite._run([sys.executable, "-c", KILLED, str(kills)], ".")
    found = json.loads(ran.stdout.partition("FOUND ")[2] or "[]")
    assert len(found) == kills, ran.stdout
    counts = Counter((outcome, which) for outcome, which, _ in found)
    print(counts, "temporaries left:", Counter(left for *_, left in found))
    assert max(left for *_, left in found) <= 1
    assert {"old", "new"} <= {which for _, which in counts}
    suite.setenv(V="5").update().ok()
    assert names(suite) == ["mlrepro.lock", "pyproject.toml", "test_s.py"]


@pytest.mark.parametrize(
    ("method", "status"), [("signal", 1), pytest.param("thread", 1, marks=SLOW)]
)  # fmt: skip
@POSIX
def test_a_test_that_takes_too_long_keeps_its_baseline(suite, method, status):
    pytest.importorskip("pytest_timeout")
    before = suite.check().lockfile
    slow = suite.setenv(V="5", END="time.sleep(60)")
    ran = slow.update("--timeout=1.5", f"--timeout-method={method}").red(status)
    assert "Timeout" in ran.output
    for line in KEPT:
        assert line in ran.lockfile
    if method == "thread":
        assert ran.lockfile == before
    assert names(ran.project) == names(suite)


FORKED = """
import os
import time


def test_forks():
    if not os.fork():
        # It goes on with the run, and comes to the end after the other.
        time.sleep(1)
        os.environ["V"] = "99"


def test_value(mlrepro):
    mlrepro.metric("value", float(os.environ.get("V", "1")))
"""


@POSIX
@SLOW
def test_a_copy_of_the_run_that_a_test_forked_writes_nothing(empty):
    ran = empty.write({"test_f.py": FORKED}).update("-s", "-W", "ignore::DeprecationWarning").ok()
    assert "value = 1.0" in ran.lockfile
    assert ran.output.count("updated mlrepro.lock") == 1


# The lockfile changes while a run is going


def test_what_somebody_else_changes_meanwhile_stays_and_what_is_replaced_is_said(suite):
    change = """
from pathlib import Path
path = Path('mlrepro.lock')
path.write_text(path.read_text().replace('c = 1.0', 'c = 7.0').replace('b = 1.0', 'b = 7.0'))
"""
    ran = suite.setenv(V="5", END=change).update("-k", "test_a or test_b").ok()
    assert "c = 7.0" in ran.lockfile
    assert "b = 5.0" in ran.lockfile
    assert (
        "mlrepro.lock was changed by somebody else while this run was going; "
        "this run's facts replaced what was accepted there of: test_s.py::test_b"
    ) in ran.output


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("write_text('<<<<<<< HEAD\\n')", "mlrepro.lock, line 1: a merge left conflict markers"),
        pytest.param("write_text('lock-version = \"9.0\"\\n')", "newer than 1.x", marks=SLOW),
        pytest.param("chmod(0o444)", "mlrepro.lock: cannot be written: the file is read-only", marks=SLOW),
    ],
)
def test_a_lockfile_that_becomes_unusable_meanwhile_is_told_and_left(suite, change, said):
    ran = suite.setenv(V="5", END=f"import pathlib; pathlib.Path('mlrepro.lock').{change}").update().red(4)
    assert said in ran.output
    assert "mlrepro.lock is as it was: nothing was accepted" in ran.output
    assert "1.0 -> 5.0" not in ran.output
    assert "5.0" not in ran.lockfile
    assert "Traceback" not in ran.output


TOGETHER = """
import os
import time
from pathlib import Path


def meet():
    me, other = os.environ.get("ME"), os.environ.get("OTHER")
    if me:
        Path(me).touch()
        while not Path(other).exists():
            time.sleep(0.01)


def test_a(mlrepro):
    meet()
    mlrepro.metric("a", os.environ.get("ME", ""))


def test_b(mlrepro):
    meet()
    mlrepro.metric("b", os.environ.get("ME", ""))
"""


def both(project, *selections):
    """Two updates, each of which has read the lockfile before the other writes it."""

    def one(me, other, selection):
        command = [sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:cacheprovider"]
        return project.setenv(ME=me, OTHER=other)._run([*command, "--mlrepro-update", *selection], ".")

    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(one, ("left", "right"), ("right", "left"), selections))
    assert [run.returncode for run in runs] == [0, 0], runs
    return [run.stdout for run in runs], (project.root / "mlrepro.lock").read_text()


@pytest.fixture
def meeting(empty):
    project = empty.write({"test_t.py": TOGETHER})
    project.update().ok()
    return project


@SLOW
def test_two_updates_at_once_of_different_tests_both_land(meeting):
    said, lockfile = both(meeting, ["test_t.py::test_a"], ["test_t.py::test_b"])
    assert 'a = "left"' in lockfile
    assert 'b = "right"' in lockfile
    assert all("updated mlrepro.lock" in each and "somebody else" not in each for each in said)
    assert names(meeting) == ["left", "mlrepro.lock", "pyproject.toml", "right", "test_t.py"]


def test_of_two_updates_at_once_of_the_same_test_the_last_says_that_it_replaced_the_first(meeting):
    said, lockfile = both(meeting, ["test_t.py::test_a"], ["test_t.py::test_a"])
    (loser, winner) = said if "somebody else" in said[1] else said[::-1]
    assert "somebody else" not in loser
    assert "this run's facts replaced what was accepted there of: test_t.py::test_a" in winner
    assert ('a = "right"' if winner is said[1] else 'a = "left"') in lockfile
    assert all(f"'' -> '{name}'" in each for name, each in zip(("left", "right"), said, strict=True)), said


# Runs inside of runs

OUTER = """
import os

import numpy  # it cannot be imported by the inner run first
import pytest

pytest_plugins = ["pytester"]

INNER = '''
def test_inner(mlrepro):
    mlrepro.metric("inner", 1)
'''


def test_outer(pytester, mlrepro):
    seed = mlrepro.seed
    pytester.makepyfile(test_i=INNER)
    for run in (pytester.runpytest_inprocess, pytester.runpytest_subprocess):
        run("--mlrepro-update", "-p", "no:randomly").assert_outcomes(passed=1)
        assert "inner = 1" in (pytester.path / "mlrepro.lock").read_text()
        run("--mlrepro", "-p", "no:randomly").assert_outcomes(passed=1)
    assert mlrepro.seed == seed
    mlrepro.metric("outer", float(os.environ.get("V", "1")))
"""


@SLOW
def test_a_run_inside_of_a_run_has_a_lockfile_of_its_own(empty):
    project = empty.write({"test_o.py": OUTER})
    lockfile = project.update("-p", "pytester").ok().lockfile
    assert "outer = 1.0" in lockfile
    assert "inner" not in lockfile
    assert project.setenv(V="2").check("-p", "pytester").red().drifts() == {"results.outer"}


# What a command line must not do


@pytest.mark.parametrize(
    "option", ["--mlrepro-record=./link.lock", pytest.param("--mlrepro-record=mlrepro.lock", marks=SLOW)]
)
def test_a_recorded_run_never_takes_the_place_of_the_lockfile(suite, option):
    (suite.root / "link.lock").symlink_to("mlrepro.lock")
    before = (suite.root / "mlrepro.lock").read_text()
    ran = suite.setenv(V="5").pytest(option).red(4)
    assert "--mlrepro-record names the lockfile, which only an update may write" in ran.output
    assert ran.lockfile == before
