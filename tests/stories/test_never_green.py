"""A drift is red whatever runs the test, whatever the test is called, and in whichever attempt it is."""

from __future__ import annotations

import importlib.util
import os

import pytest

SLOW = pytest.mark.slow


def has(module):
    return importlib.util.find_spec(module) is not None


def subjects(result):
    return {drift["subject"] for drift in result.report["drifts"] if drift["policy"] == "fail"}


KINDS = {
    "test_plain.py": """
import os


def test_plain(mlrepro):
    mlrepro.metric("value", float(os.environ.get("V", "1")))
""",
    "test_unittest.py": """
import os
import unittest

import pytest


@pytest.fixture(scope="class")
def recorder(request, mlrepro):
    request.cls.mlrepro = mlrepro


@pytest.mark.usefixtures("recorder")
class TestOfUnittest(unittest.TestCase):
    def test_case(self):
        self.mlrepro.metric("value", float(os.environ.get("V", "1")))


@pytest.mark.usefixtures("recorder")
class TestOfUnittestAsync(unittest.IsolatedAsyncioTestCase):
    async def test_coroutine(self):
        self.mlrepro.metric("value", float(os.environ.get("V", "1")))
""",
    "test_same_names.py": """
import os


class TestOne:
    def test_it(self, mlrepro):
        mlrepro.metric("value", float(os.environ.get("V", "1")))


class TestTwo:
    def test_it(self, mlrepro):
        mlrepro.metric("value", 10 * float(os.environ.get("V", "1")))

    class TestOne:
        def test_it(self, mlrepro):
            mlrepro.metric("value", 100 * float(os.environ.get("V", "1")))
""",
    "guide.txt": """
>>> import os
>>> mlrepro = getfixture("mlrepro")
>>> _ = mlrepro.metric("value", float(os.environ.get("V", "1")))
""",
    "calc.py": '''
def calc():
    """Calculate.

    >>> import os
    >>> mlrepro = getfixture("mlrepro")
    >>> _ = mlrepro.metric("value", float(os.environ.get("V", "1")))
    """
''',
}
OF_PLUGINS = {
    "anyio": """
import os

import pytest


@pytest.fixture(params=["asyncio"])
def anyio_backend(request):
    return request.param


@pytest.mark.anyio
async def test_of_anyio(mlrepro):
    mlrepro.metric("value", float(os.environ.get("V", "1")))
""",
    "pytest_asyncio": """
import asyncio
import os

import pytest
import pytest_asyncio


@pytest_asyncio.fixture
async def given(mlrepro):
    await asyncio.sleep(0)
    return mlrepro.metric("given", float(os.environ.get("V", "1")))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model(mlrepro):
    await asyncio.sleep(0)
    yield mlrepro.metric("score", float(os.environ.get("V", "1")))


@pytest.mark.asyncio
async def test_of_asyncio(mlrepro, given):
    await asyncio.gather(*(record(mlrepro, number) for number in range(5)))


@pytest.mark.asyncio(loop_scope="module")
async def test_of_a_model(model):
    pass


async def record(mlrepro, number):
    await asyncio.sleep(0)
    mlrepro.metric(f"value{number}", float(os.environ.get("V", "1")))
""",
    "subtests": """
import os
import unittest

import pytest


def test_of_subtests(subtests, mlrepro):
    for number in range(3):
        with subtests.test(number=number):
            mlrepro.metric(f"value{number}", float(os.environ.get("V", "1")))


class TestOfSubtests(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _recorder(self, mlrepro):
        self.mlrepro = mlrepro

    def test_parts(self):
        for number in range(3):
            with self.subTest(number=number):
                self.mlrepro.metric(f"value{number}", float(os.environ.get("V", "1")))
""",
}
SUBJECTS = {"anyio": 1, "pytest_asyncio": 2, "subtests": 2}
DOCTESTS = ("--doctest-modules", "--doctest-glob=*.txt")
SETTINGS = "[tool.pytest.ini_options]\nfilterwarnings = ['ignore::pytest.PytestConfigWarning']\n"


def is_at_hand(name):
    if name == "subtests":
        return int(pytest.__version__.partition(".")[0]) >= 9 or has("pytest_subtests")
    return has(name)


@pytest.fixture
def kinds(empty):
    """Tests of every kind that is at hand, accepted, and how many subjects they are."""
    at_hand = [name for name in OF_PLUGINS if is_at_hand(name)]
    asyncio = "asyncio_default_fixture_loop_scope = 'function'\n" if has("pytest_asyncio") else ""
    files = {f"test_{name}.py": OF_PLUGINS[name] for name in at_hand}
    project = empty.write({**KINDS, **files, "pyproject.toml": SETTINGS + asyncio})
    lockfile = project.update(*DOCTESTS).ok().lockfile
    count = 8 + sum(SUBJECTS[name] for name in at_hand)
    assert lockfile.count(".results]\n") == count, lockfile
    return project, count


@pytest.mark.parametrize(
    "options",
    [
        "-p no:cacheprovider",
        *(
            pytest.param(each, marks=SLOW)
            for each in (
                "--assert=plain",
                "-p randomly -p no:cacheprovider",
                "-n2",
                "-n2 --dist=loadscope",
                "-n2 --dist=loadfile",
                "-n2 --dist=loadgroup",
                "-n2 --dist=worksteal",
                "-n2 --dist=each",
                "--reruns=1",
                "-n2 --reruns=1",
            )
        ),
    ],
)
def test_every_kind_of_test_is_red(kinds, options):
    project, count = kinds
    project.check(*DOCTESTS, *options.split()).ok()
    red = project.setenv(V="2").check(*DOCTESTS, *options.split()).red()
    assert len(subjects(red)) == count, red.output


@SLOW
@pytest.mark.parametrize("level", ["1", "2"])
def test_optimized_python_is_red_too(kinds, level):
    project, count = kinds
    project = project.setenv(PYTHONOPTIMIZE=level)
    # What it leaves out of docstrings is no doctest.
    count -= level == "2"
    project.check(*DOCTESTS).ok()
    assert len(subjects(project.setenv(V="2").check(*DOCTESTS).red())) == count


@SLOW
def test_a_part_of_a_test_that_fails_or_is_skipped_is_not_accepted(empty):
    if not is_at_hand("subtests"):
        pytest.skip("needs subtests")
    test = """
import os

import pytest


@pytest.mark.parametrize("end", ["fail", "skip"])
def test_parts(subtests, mlrepro, end):
    mlrepro.metric("value", float(os.environ.get("V", "1")))
    with subtests.test("a part"):
        if "END" in os.environ:
            getattr(pytest, end)("on purpose")
        mlrepro.metric("part", 1)


class TestOfUnittest:
    pass
"""
    project = empty.write({"test_p.py": test})
    before = project.update().ok().lockfile
    moved = project.setenv(V="2", END="1")
    ran = moved.update().red()
    assert ran.lockfile == before
    assert "not accepted: test_p.py::test_parts[fail]" in ran.output
    assert "not accepted: test_p.py::test_parts[skip]" in ran.output
    assert "results.value" in moved.check("-k", "skip").red().drifts()


UNITTEST = """
import os
import unittest

import pytest


@pytest.fixture(scope="class")
def recorder(request, mlrepro):
    request.cls.mlrepro = mlrepro


@pytest.mark.usefixtures("recorder")
class TestOfUnittest(unittest.TestCase):
    def test_ends(self):
        self.mlrepro.metric("before", float(os.environ.get("V", "1")))
        exec(os.environ.get("END", ""))
        self.mlrepro.metric("after", 1)
"""


@SLOW
@pytest.mark.parametrize("end", ["self.fail()", "self.skipTest('today')"])
def test_a_unittest_that_does_not_end_says_nothing_of_what_it_did_not_record(empty, end):
    project = empty.write({"test_u.py": UNITTEST})
    before = project.update().ok().lockfile
    ran = project.setenv(V="2", END=end).update()
    assert ran.lockfile == before
    checked = project.setenv(END=end).check()
    assert checked.drifts() == set(), checked.output


# Reruns and repetitions

FLAKY = """
import itertools
import os

COUNT = itertools.count()
SCRIPT = os.environ.get("SCRIPT", "1").split(",")


def test_flaky(mlrepro):
    said = SCRIPT[min(next(COUNT), len(SCRIPT) - 1)]
    mlrepro.metric("value", float(said.strip("!")))
    assert "!" not in said
"""


@pytest.mark.parametrize(
    ("script", "checked", "written"),
    [
        pytest.param("2,1", 0, "1.0", id="drift then agreement", marks=SLOW),
        pytest.param("2,2", 1, None, id="drift twice", marks=SLOW),
        pytest.param("1!,2", 1, "1.0", id="failure then drift"),
        pytest.param("2!,2", 1, "1.0", id="failure and drift", marks=SLOW),
        pytest.param("2!,1", 0, "1.0", id="failure then agreement", marks=SLOW),
    ],
)
def test_the_last_attempt_counts_and_is_accepted_only_if_it_is_the_first(empty, script, checked, written):
    pytest.importorskip("pytest_rerunfailures")
    project = empty.write({"test_f.py": FLAKY})
    project.update().ok()
    moved = project.setenv(SCRIPT=script)
    ran = moved.check("--reruns=1")
    assert ran.returncode == checked, ran.output
    assert ran.drifts() == ({"results.value"} if checked else set())
    if "!" in script:
        assert f"value = {written}" in moved.update("--reruns=1").ok().lockfile


@SLOW
def test_a_missing_baseline_stays_red_under_reruns(empty):
    pytest.importorskip("pytest_rerunfailures")
    project = empty.write({"test_f.py": FLAKY})
    ran = project.check("--reruns=2").red()
    assert "no baseline for test_f.py::test_flaky" in ran.output
    assert not (project.root / "mlrepro.lock").exists()


@SLOW
def test_repeated_tests_are_others_and_drop_nobody(empty):
    pytest.importorskip("pytest_repeat")
    project = empty.write({"test_f.py": FLAKY})
    before = project.update().ok().lockfile
    assert "no baseline for test_f.py::test_flaky[1-2]" in project.check("--count=2").red().output
    repeated = project.update("--count=2").ok()
    assert set(before.splitlines()) <= set(repeated.lockfile.splitlines())
    assert project.setenv(SCRIPT="1,2").check("--count=2").red().drifts() == {"results.value"}
    project.check().ok()


@SLOW
def test_each_worker_must_give_the_same(empty):
    test = """
import os


def test_worker(mlrepro):
    mlrepro.metric("worker", os.environ["PYTEST_XDIST_WORKER"])
"""
    ran = empty.write({"test_w.py": test}).update("-n2", "--dist=each").red()
    assert "test_w.py::test_worker is not reproducible within this run" in ran.output
    assert not (ran.project.root / "mlrepro.lock").exists() or "gw" not in ran.lockfile


@SLOW
def test_tests_in_processes_of_their_own(kinds):
    pytest.importorskip("pytest_forked")
    project, count = kinds
    green = project.check(*DOCTESTS, "--forked")
    red = project.setenv(V="2").check(*DOCTESTS, "--forked").red()
    if green.returncode:
        pytest.skip("pytest-forked fails every test of this pytest")
    assert len(subjects(red)) == count
    assert project.setenv(V="2").update(*DOCTESTS, "--forked").ok().lockfile.count("= 1.0") == 0


# Names

NAMES = """
import os

import pytest

IDS = {ids!r}


@pytest.mark.parametrize("number", range(len(IDS)), ids=IDS)
def test_named(mlrepro, number):
    mlrepro.metric("value", number + float(os.environ.get("V", "1")))


@pytest.mark.parametrize("text", IDS)
def test_valued(mlrepro, text):
    mlrepro.metric("value", len(text) + float(os.environ.get("V", "1")))


@pytest.mark.parametrize("number", [1.0, "1_0", "1.0 ", 1])
def test_alike(mlrepro, number):
    mlrepro.metric("value", float(os.environ.get("V", "1")))
"""
IDS = [
    "1.0", "1_0", "a/b/../c", "a\\b", "[x]", "a]::[b", "x::test_y", '"quoted"', "'single'", "two\nlines", "tab\t",
    "nul\0", "esc\x1b[31m", "Größe µ 数", "e\u0301", "\u202eright to left", " spaces ", "#", "=", "{}", "%s",
    "x" * 10_000, "session", "mlrepro", "\udcff",
]  # fmt: skip
RAW = "disable_test_id_escaping_and_forfeit_all_rights_to_community_support = true\n"


@pytest.mark.parametrize(
    ("settings", "options"),
    [pytest.param("", "", marks=SLOW), (RAW, ""), pytest.param(RAW, "-n2", marks=SLOW)],
    ids=["escaped", "as they are", "with workers"],
)
def test_a_test_is_red_whatever_it_is_called(empty, settings, options):
    # Half of a surrogate pair is nothing that execnet carries as it is.
    ids = [each for each in IDS if not ("-n2" in options and each == "\udcff")]
    project = empty.write(
        {"test_n.py": NAMES.format(ids=ids), "pyproject.toml": f"[tool.pytest.ini_options]\n{settings}"}
    )
    created = project.update("-q", *options.split()).ok()
    count = 2 * len(ids) + 4
    assert created.lockfile.count(".results]\n") == count
    project.check("-q", *options.split()).ok()
    red = project.setenv(V="2").check("-q", *options.split()).red()
    assert len(subjects(red)) == count


# Facts from elsewhere

ELSEWHERE = """
import concurrent.futures
import multiprocessing
import threading
import time

import pytest


def record(mlrepro, name):
    mlrepro.metric(name, 1)


@pytest.mark.parametrize("count", [8])
def test_threads(mlrepro, count):
    threads = [threading.Thread(target=record, args=(mlrepro, f"x{n}")) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_threads_that_disagree(mlrepro):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for number in (1, 2):
            pool.submit(mlrepro.metric, "same", number)


def test_a_thread_that_is_late(mlrepro):
    mlrepro.metric("x", 1)
    threading.Timer(0.3, record, (mlrepro, "late")).start()


def test_after_it():
    # The late one comes while no test of ours has its turn.
    time.sleep(0.6)


def test_fork(mlrepro):
    process = multiprocessing.get_context("fork").Process(target=record, args=(mlrepro, "x"))
    process.start()
    process.join()


def test_spawn(mlrepro):
    multiprocessing.get_context("spawn").Process(target=record, args=(mlrepro, "x")).start()


def test_pool(mlrepro):
    with multiprocessing.get_context("fork").Pool(1) as pool:
        pool.apply_async(record, (mlrepro, "x")).get()


KEPT = []


def record_kept(name):
    KEPT[0].metric(name, 1)


def test_forked_pool(mlrepro):
    KEPT[:] = [mlrepro]
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
        pool.submit(record_kept, "x").exception()


def test_joblib(mlrepro):
    joblib = pytest.importorskip("joblib")
    joblib.Parallel(n_jobs=2)(joblib.delayed(record)(mlrepro, f"x{n}") for n in range(2))


def test_joblib_threads(mlrepro):
    joblib = pytest.importorskip("joblib")
    joblib.Parallel(n_jobs=2, prefer="threads")(joblib.delayed(record)(mlrepro, f"x{n}") for n in range(20))
"""
LOST = "recorded in a process that the test has started, the fact would be lost with it"
SENT = "the recorder cannot be sent to another process"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_facts_of_threads_are_there_and_facts_of_processes_are_refused_aloud(empty):
    ran = empty.write({"test_e.py": ELSEWHERE}).update("-W", "ignore").red()
    failed = {
        "test_threads_that_disagree": "results.same is recorded twice with different values",
        "test_fork": LOST,
        "test_spawn": SENT,
        "test_pool": SENT,
        "test_forked_pool": LOST,
        "test_joblib": SENT,
        "test_after_it": "a thread uses the recorder while no test that asked for it is running",
    }
    for name, said in failed.items():
        section = ran.output.partition(f" {name} __")[2].partition("\n____")[0]
        assert said in section, (name, ran.output)
        assert f'["test_e.py::{name}".results]' not in ran.lockfile
    assert "a thread uses the recorder while no test that asked for it is running" in ran.output
    for number in range(8):
        assert f"x{number} = 1" in ran.lockfile
    assert "x19 = 1" in ran.lockfile
    assert "late = " not in ran.lockfile


# Threads that outlive their test

LEFT = """
import _thread
import threading

import pytest

LEFT = []


def begin(act, start=lambda run: threading.Thread(target=run, name="late", daemon=True).start()):
    go, done = threading.Event(), threading.Event()

    def run():
        go.wait(60)
        try:
            act()
        except Exception:
            # As a pool keeps it for whoever asks for the value.
            pass
        finally:
            done.set()

    start(run)
    return go, done


def release(go, done):
    go.set()
    assert done.wait(60)


def leave(mlrepro, name, **how):
    LEFT.append(begin(lambda: mlrepro.metric(name, 1), **how))


def test_leaves(mlrepro):
    mlrepro.metric("x", 1)
    leave(mlrepro, "stray_1")
    leave(mlrepro, "stray_2", start=lambda run: _thread.start_new_thread(run, ()))
    LEFT.append(begin(lambda: mlrepro.pin(7)))
    LEFT.append(begin(lambda: mlrepro.library("pytest")))


@pytest.mark.parametrize("what", ["metric", "foreign", "pin", "library"])
def test_after(mlrepro, what):
    mlrepro.metric("x", 1)
    release(*LEFT.pop(0))


def test_well(mlrepro):
    mlrepro.metric("well", 1)


@pytest.fixture(scope="module")
def model(mlrepro):
    mlrepro.metric("score", 1)
    leave(mlrepro, "stray_3")


def test_with_a_thread_of_its_fixture(mlrepro, model):
    release(*LEFT.pop())


@pytest.fixture(scope="module")
def patient(mlrepro):
    mlrepro.metric("patience", 1)
    release(*LEFT.pop())


def test_while_a_fixture_begins(mlrepro, request):
    leave(mlrepro, "own_1")
    request.getfixturevalue("patient")


@pytest.fixture(scope="class")
def house(mlrepro):
    own = begin(lambda: mlrepro.metric("own_2", 1))
    yield
    release(*own)
    if LEFT:
        release(*LEFT.pop())


class TestOfHouse:
    def test_well(self, mlrepro, house):
        mlrepro.metric("home", 1)


class TestOfAnother:
    def test_left(self, mlrepro, house):
        leave(mlrepro, "stray_4")


def test_asks_late(request):
    held = []
    one = begin(lambda: held[0].metric("own_3", 1))
    held.append(request.getfixturevalue("mlrepro"))
    held[0].metric("own_4", 1)
    release(*one)
"""


def test_a_thread_never_speaks_for_a_test_that_did_not_start_it(empty):
    project = empty.write({"test_l.py": LEFT})
    ran = project.update().red()
    lockfile = ran.lockfile
    assert "stray" not in lockfile
    for name in ("metric", "foreign", "pin", "library"):
        section = ran.output.partition(f" test_after[{name}] __")[2].partition("\n____")[0]
        assert "which was there before, uses the recorder in the turn of test_l.py::test_after" in section
        assert "wait for a thread in the test or fixture that starts it" in section
        assert f'["test_l.py::test_after[{name}]".' not in lockfile
    assert "the thread 'late', which was there before" in ran.output
    refused = {
        "test_with_a_thread_of_its_fixture": "which was there before, uses the recorder",
        # It is heard as what it is: a fact of the test, too late.
        "TestOfAnother.test_left": "results.stray_4 is recorded after the test has been judged",
    }
    for name, said in refused.items():
        assert said in ran.output.partition(f" {name} __")[2].partition("\n____")[0], name
    results = {
        subject: lockfile.partition(f'["{subject}".results]\n')[2].partition("\n\n")[0].rstrip()
        for subject in (
            "test_l.py::test_leaves",
            "test_l.py::test_well",
            "test_l.py::test_while_a_fixture_begins",
            "test_l.py::patient",
            "test_l.py::TestOfHouse::house",
            "test_l.py::test_asks_late",
        )
    }
    assert list(results.values()) == [
        "x = 1",
        "well = 1",
        "own_1 = 1",
        "patience = 1",
        "own_2 = 1",
        "own_3 = 1\nown_4 = 1",
    ]
