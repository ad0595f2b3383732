"""Two runs are recorded with --mlrepro-trace, and mlrepro diff names the first function that returned another value."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import tomli

from pytest_mlrepro import load_lockfile

APP = """
import numpy as np

SCALE = 2.0


def build_vocab(texts):
    return list({word for text in texts for word in text.split()})


def encode(texts, vocab):
    table = np.zeros((len(texts), len(vocab)))
    for row, text in enumerate(texts):
        for word in text.split():
            table[row, vocab.index(word)] += scaled(1.0)
    return table


def scaled(value):
    return value * SCALE


def weighted(table):
    return float((table * np.arange(table.shape[1])).sum())
"""
TESTS = """
import app

TEXTS = ["alpha beta gamma", "delta epsilon alpha", "zeta eta theta iota"]


def test_words(mlrepro):
    vocab = app.build_vocab(TEXTS)
    mlrepro.metric("score", app.weighted(app.encode(TEXTS, vocab)))


def test_untouched():
    assert app.scaled(1.0)
"""


@pytest.fixture
def project(empty):
    return empty.write(
        {
            "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\n',
            "app.py": APP,
            "test_words.py": TESTS,
        }
    )


def record(project, name, *arguments, **environment):
    """Record a run with a trace under ``tmp``, where every copy of the project finds it."""
    path = project.tmp / name
    ran = project.setenv(**environment).pytest("--mlrepro-trace", f"--mlrepro-record={path}", *arguments)
    return str(path), ran


def steps(path, subject):
    return [(step.routine.name, step.seen.form) for step in load_lockfile(path).traces[subject].steps]


def test_the_order_of_a_set_names_the_function_that_made_a_list_of_it(project):
    one, ran = record(project, "one.lock", PYTHONHASHSEED="1")
    assert "and 1 trace in one.lock" in ran.ok().output
    other, _ = record(project, "other.lock", PYTHONHASHSEED="2")
    red = project.command("diff", one, other).red().output
    assert (
        "first divergence in test_words.py::test_words: app.py:7 build_vocab() (call 1 of 1) returned another value: "
        "list of 9, the same items in another order\n" in red
    )
    traces = json.loads(project.command("diff", one, other, "--json").red().output)["traces"]
    assert [each["subject"] for each in traces] == ["test_words.py::test_words"]
    first = traces[0]["divergences"][0]
    assert (first["how"], first["function"], first["line"]) == ("value", "build_vocab", 7)
    assert project.command("diff", one, one).ok().output.splitlines()[-1].startswith("0 drifts")


@pytest.mark.slow
def test_an_edited_constant_names_the_function_that_uses_it(project):
    one, _ = record(project, "one.lock", PYTHONHASHSEED="1")
    edited = project.edit("app.py", "SCALE = 2.0", "# twice\n\nSCALE = 3.0")
    other, _ = record(edited, "other.lock", PYTHONHASHSEED="1")
    red = project.command("diff", one, other).red().output
    assert "app.py:21 scaled() (call 1 of 10) returned another value: float 2 -> 3, difference 1\n" in red


@pytest.mark.slow
def test_what_is_edited_in_the_body_of_a_test_is_outside_of_functions(project):
    one, _ = record(project, "one.lock", PYTHONHASHSEED="1")
    edited = project.edit("test_words.py", "app.encode(TEXTS, vocab))", "app.encode(TEXTS, vocab)) + 1")
    other, _ = record(edited, "other.lock", PYTHONHASHSEED="1")
    red = project.command("diff", one, other).red().output
    assert (
        "no divergence in test_words.py::test_words: 14 values of traced functions all agree, so the" in red
    )


@pytest.mark.slow
def test_a_call_more_is_said(project):
    one, _ = record(project, "one.lock", PYTHONHASHSEED="1")
    edited = project.edit("test_words.py", "zeta eta", "zeta")
    other, _ = record(edited, "other.lock", PYTHONHASHSEED="1")
    red = project.command("diff", one, other).red().output
    assert "build_vocab() (call 1 of 1) returned another value: list of 9 -> list of 8\n" in red
    assert (
        "  then calls diverge after app.py:19 scaled(): the next one to return is before app.py:19 scaled()"
        in red
    )


BLAS = """
import numpy as np


def features():
    return np.random.RandomState(0).rand(200, 120)


def gram(table):
    return table.T @ table


def labels(products):
    return (products > 30).astype(int)
"""
BLAS_TEST = """
import app


def test_gram(mlrepro):
    mlrepro.metric("count", int(app.labels(app.gram(app.features())).sum()))
"""
PROBE = "import numpy as np; r = np.random.RandomState(0).rand(200, 120); print((r.T @ r).tobytes().hex()[:2000000])"


@pytest.mark.slow
def test_another_kernel_is_told_as_rounding_that_is_absorbed(project):
    kernels = [
        subprocess.run(
            [sys.executable, "-c", PROBE], env=environment, capture_output=True, check=False, text=True
        ).stdout
        for environment in ({"OPENBLAS_CORETYPE": "Haswell"}, {"OPENBLAS_CORETYPE": "Nehalem"})
    ]
    if kernels[0] == kernels[1]:
        pytest.skip("this BLAS has no kernels to choose from")
    project = project.write({"app.py": BLAS, "test_words.py": BLAS_TEST})
    one, _ = record(project, "one.lock", OPENBLAS_CORETYPE="Haswell")
    other, _ = record(project, "other.lock", OPENBLAS_CORETYPE="Nehalem")
    said = project.command("diff", one, other).output
    head, _, rest = said.partition("first divergence in test_words.py::test_gram: ")
    assert "results.count" not in head
    assert rest.startswith("app.py:9 gram() (call 1 of 1) returned another value by rounding, about ")
    size = float(rest.split("about ")[1].split()[0])
    assert 1e-17 < size < 1e-12
    assert len(rest.splitlines()) == 1


SCOPES = """
import app
import pytest


@pytest.fixture(scope="module")
def data():
    return app.scaled(1.0)


@pytest.fixture(scope="module")
def model(mlrepro, data):
    yield app.scaled(data)
    app.scaled(0.0)


@pytest.fixture
def small():
    return app.scaled(3.0)


def test_body(mlrepro, model, small):
    mlrepro.metric("score", app.scaled(4.0))


def test_again(mlrepro, model):
    app.scaled(5.0)
    raise RuntimeError


class TestAll:
    async_ = True

    def test_method(self, mlrepro):
        import asyncio

        async def later():
            return app.scaled(6.0)

        asyncio.run(later())


@pytest.fixture
def broken(mlrepro):
    app.scaled(7.0)
    raise RuntimeError


def test_broken(broken):
    pass


@pytest.mark.skip
def test_skipped(mlrepro):
    pass
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_each_step_belongs_to_the_test_or_fixture_that_made_it(project, workers):
    path, ran = record(project.write({"test_words.py": SCOPES}), "run.lock", *workers)
    ran.red()
    assert "2 passed" in ran.output
    assert {subject: len(trace.steps) for subject, trace in load_lockfile(path).traces.items()} == {
        "test_words.py::model": 2,
        "test_words.py::test_body": 4,
        "test_words.py::test_again": 1,
        "test_words.py::TestAll::test_method": 3,
        "test_words.py::test_broken": 1,
    }
    assert steps(path, "test_words.py::test_body") == [
        ("scaled", "float"),
        ("small", "float"),
        ("scaled", "float"),
        ("test_body", "None"),
    ]
    assert [name for name, _ in steps(path, "test_words.py::model")] == ["scaled", "model"]


PARTS = """
import unittest

import app
import pytest


@pytest.fixture
def recorder(request, mlrepro):
    request.cls.mlrepro = mlrepro


def test_parts(request, mlrepro):
    subtests = request.getfixturevalue("subtests")
    for end in (str, pytest.skip, pytest.fail):
        with subtests.test("a part"):
            end(app.small() and "on purpose")
    app.weighted(app.np.eye(2))


@pytest.mark.usefixtures("recorder")
class TestParts(unittest.TestCase):
    def test_parts(self):
        for number in range(2):
            with self.subTest(number=number):
                assert app.small() == 2.0 - number
        app.weighted(app.np.eye(2))
"""


@pytest.mark.skipif(int(pytest.__version__.partition(".")[0]) < 9, reason="parts of tests came with pytest 9")
def test_a_trace_goes_on_after_a_part_of_a_test(project):
    small = "\n\ndef small():\n    return scaled(1.0)\n"
    path, _ = record(project.write({"test_words.py": PARTS, "app.py": APP + small}), "run.lock")
    names = [name for name, _ in steps(path, "test_words.py::TestParts::test_parts")]
    assert names == ["recorder", "scaled", "small", "scaled", "small", "weighted", "TestParts.test_parts"]
    names = [name for name, _ in steps(path, "test_words.py::test_parts")]
    assert names == [*["scaled", "small"] * 3, "weighted", "test_parts"]


@pytest.mark.slow
def test_with_workers_the_bytes_are_the_same(project):
    serial, _ = record(project.write({"test_words.py": SCOPES}), "serial.lock", PYTHONHASHSEED="0")
    parallel, _ = record(
        project.write({"test_words.py": SCOPES}), "parallel.lock", "-n", "2", PYTHONHASHSEED="0"
    )
    first, second = (load_lockfile(path).traces for path in (serial, parallel))
    assert first == second


def test_without_a_recorded_run_it_is_refused(project):
    said = project.pytest("--mlrepro-trace").red(4).output
    assert (
        "ERROR: mlrepro: --mlrepro-trace needs --mlrepro-record: a trace belongs into a recorded run, not into the "
        "lockfile\nname a file for the run, for instance: --mlrepro-record=run.lock\n" in said
    )
    project.check("--mlrepro-trace").red(4)


@pytest.mark.slow
def test_the_lockfile_holds_no_trace(project):
    _, ran = record(project, "run.lock", "--mlrepro-update", PYTHONHASHSEED="1")
    lockfile = (project.root / "mlrepro.lock").read_text()
    assert "trace" not in lockfile
    assert lockfile.startswith('lock-version = "1.0"\n')
    # A run that somebody put in its place loses its traces with the next update.
    (project.root / "mlrepro.lock").write_text((project.tmp / "run.lock").read_text())
    edited = project.edit("app.py", "SCALE = 2.0", "SCALE = 3.0").setenv(PYTHONHASHSEED="1")
    assert "trace" not in edited.update().ok().lockfile
    assert ran.project.root == project.root
    assert "trace" in tomli.loads((project.tmp / "run.lock").read_text())["test_words.py::test_words"]


@pytest.mark.slow
def test_without_the_option_there_is_no_trace_and_one_alone_says_so(project):
    one, _ = record(project, "one.lock", PYTHONHASHSEED="1")
    plain = project.tmp / "plain.lock"
    project.setenv(PYTHONHASHSEED="2").pytest(f"--mlrepro-record={plain}").ok()
    assert load_lockfile(plain).traces == {}
    assert (
        "test_words.py::test_words: only the run before has a trace"
        in project.command("diff", one, str(plain)).red().output
    )


@pytest.mark.slow
def test_a_failing_test_is_as_without(project):
    failing = project.edit("test_words.py", "vocab))", "vocab)) / 0")
    path, ran = record(failing, "run.lock", PYTHONHASHSEED="1")
    plain = failing.pytest("-p", "no:xdist").red()
    assert "ZeroDivisionError" in ran.red().output
    assert "traces.py" not in ran.output
    assert "tracer.py" not in ran.output
    assert plain.output.count("ZeroDivisionError") == ran.output.count("ZeroDivisionError")
    assert steps(path, "test_words.py::test_words")[-1] == ("weighted", "float")


VALUES = """
import random
import threading
from unittest import mock

import numpy as np


class Hostile:
    def __init__(self, calls):
        object.__setattr__(self, "calls", calls)

    def __getattribute__(self, name):
        if name == "__class__":
            return Hostile
        object.__getattribute__(self, "calls").append(name)
        raise AttributeError(name)

    def __eq__(self, other):
        raise RuntimeError

    def __len__(self):
        raise RuntimeError

    __hash__ = None


def hostile(calls):
    return Hostile(calls)


def generator():
    return (each for each in range(3))


def opened(path):
    return open(path)


def mocked():
    return mock.Mock()


def giant():
    return np.zeros(40_000_000)


def rng():
    return np.random.default_rng(0)


def in_thread(values):
    values.append(1)
    return values


def boom():
    raise KeyError
"""
VALUES_TEST = """
import random
import threading

import pytest
import app


def test_values(mlrepro, tmp_path):
    calls = []
    app.hostile(calls)
    assert calls == []
    assert list(app.generator()) == [0, 1, 2]
    (tmp_path / "a").write_text("abc")
    with app.opened(tmp_path / "a") as file:
        assert file.read() == "abc"
    assert app.mocked().mock_calls == []
    assert app.giant().sum() == 0
    assert app.rng().random() == app.rng().random()
    state = random.getstate()
    app.boom if False else None
    with pytest.raises(KeyError):
        app.boom()
    thread = threading.Thread(target=app.in_thread, args=([],))
    thread.start()
    thread.join()
    assert random.getstate() == state
"""


def test_values_of_every_kind_stop_nothing(project):
    path, ran = record(project.write({"app.py": VALUES, "test_words.py": VALUES_TEST}), "run.lock")
    ran.ok()
    assert [form for _, form in steps(path, "test_words.py::test_values")] == [
        "None",
        "app.Hostile",
        "generator (opaque)",
        "_io.TextIOWrapper (opaque)",
        "unittest.mock.Mock (opaque)",
        "float64 array of shape 40000000",
        "numpy Generator",
        "numpy Generator",
        "None",
    ]


CORES = ["ctrace", "sysmon"] if sys.version_info >= (3, 12) else ["ctrace"]


@pytest.mark.slow
@pytest.mark.parametrize("core", CORES)
def test_coverage_and_trace_are_both_whole(project, core):
    pytest.importorskip("coverage")
    path = project.tmp / "run.lock"
    quiet = project.setenv(
        PYTHONHASHSEED="1", COVERAGE_CORE=core, COVERAGE_PROCESS_START="", COVERAGE_PROCESS_CONFIG=""
    )
    plain, _ = record(project, "plain.lock", PYTHONHASHSEED="1")

    def measured(name, *arguments):
        data = project.tmp / name
        command = [
            sys.executable,
            "-m",
            "coverage",
            "run",
            f"--data-file={data}",
            "--include=app.py",
            "-m",
            "pytest",
        ]
        ran = quiet._run([*command, "-p", "no:randomly", "-p", "no:cacheprovider", *arguments], ".")
        assert ran.returncode == 0, ran.stdout
        said = quiet._run(
            [sys.executable, "-m", "coverage", "report", "-m", f"--data-file={data}"], "."
        ).stdout
        assert "app.py" in said, said
        return said

    assert measured("a") == measured("b", "--mlrepro-trace", f"--mlrepro-record={path}")
    assert load_lockfile(path).traces == load_lockfile(plain).traces


@pytest.mark.slow
def test_a_profiler_of_somebody_else_is_left_alone(project):
    conftest = "import sys\n\n\ndef pytest_runtest_logstart():\n    sys.setprofile(lambda *_: None)\n"
    path, ran = record(project.write({"conftest.py": conftest}), "run.lock", PYTHONHASHSEED="1")
    said = "the trace of test_words.py::test_words is not whole: another profiler is active"
    if sys.version_info >= (3, 12):
        assert said not in ran.ok().output
        assert len(steps(path, "test_words.py::test_words")) == 14
    else:
        assert said in ran.ok().output
        assert steps(path, "test_words.py::test_words") == []
