"""A suite is stressed: what is not reproducible is found, by its cause; what is, is left alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from stories.projects import Project

from pytest_mlrepro.cli import main

INI = "[tool.pytest.ini_options]\npythonpath = ['.']\naddopts = '-p no:randomly'\n"
APP = """
def build_vocabulary(words):
    return list(set(words))


def encode(words):
    return {word: number for number, word in enumerate(build_vocabulary(words))}
"""
HASH = """
from app import encode

WORDS = "apple pear plum fig kiwi quince medlar".split()


def test_words(mlrepro):
    mlrepro.metric("count", len(WORDS))
    mlrepro.metric("code", [encode(WORDS)[word] for word in WORDS])


def test_clean(mlrepro):
    mlrepro.metric("f1", 0.5)
"""
PLANTED = """
import os
import random
import time
from datetime import datetime
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
SEEN = []


def test_clean(mlrepro):
    mlrepro.metric("drawn", float(np.random.rand()))


def test_set(mlrepro):
    mlrepro.metric("vocabulary", list({"apple", "pear", "plum", "fig", "kiwi"}))


def test_unseeded(mlrepro):
    np.random.default_rng().normal()
    mlrepro.metric("f1", np.random.default_rng().normal())


def test_spoils(mlrepro):
    SEEN.append(1)


def test_order(mlrepro):
    mlrepro.metric("count", len(SEEN))


def test_threads(mlrepro):
    values = np.random.default_rng(0).lognormal(0, 6, 100_001).astype(np.float32)
    parts = np.array_split(values, int(os.environ["OMP_NUM_THREADS"]))
    mlrepro.metric("total", float(sum(np.cumsum(part)[-1] for part in parts)))


def test_clock(mlrepro):
    random.seed(int(time.time()))
    mlrepro.metric("drawn", random.random())


def test_listing(mlrepro):
    mlrepro.data("names", [path.name for path in (HERE / "data").iterdir()])


def test_memory(mlrepro):
    weights = np.empty(10)
    weights[:9] = 1
    mlrepro.metric("largest", float(weights.max()))


def test_zone(mlrepro):
    mlrepro.metric("hour", datetime.fromtimestamp(0).hour)


def test_folder(mlrepro):
    mlrepro.metric("size", len(Path("data/b.txt").read_text()))


def test_layout(mlrepro):
    table = mlrepro.data("train", np.random.default_rng(0).random((50, 40)))
    mlrepro.metric("first", table.ravel(order="K")[1])


def test_address(mlrepro):
    mlrepro.metric("address", id(object()) % 100_003)
"""
CAUSES = {
    "test_set": "hash",
    "test_unseeded": "process",
    "test_order": "order",
    "test_threads": "threads",
    "test_clock": "process",
    "test_listing": "listing",
    "test_memory": "memory",
    "test_zone": "timezone",
    "test_folder": "folder",
    "test_layout": "layout",
    "test_address": "process",
}


@pytest.fixture
def hashed(empty, tmp_path):
    project = empty.write({"pyproject.toml": INI, "app.py": APP, "test_m.py": HASH})
    return project.setenv(MLREPRO_CACHE=str(tmp_path / "cache"))


def files(root):
    return {path.relative_to(root).as_posix(): path.stat().st_mtime_ns for path in root.rglob("*")}


def test_the_order_of_a_set_is_found_down_to_the_function(hashed):
    before = files(hashed.root)
    told = hashed.command("stress", "--under", "hash", "-j", "2").red().output
    assert "test_m.py::test_words     !\n" in told
    assert "test_m.py::test_clean     =\n" in told
    assert "  starts at    results.code: " in told
    assert "(2nd of 2 facts, 1 differs)" in told
    assert (
        "  first at     app.py:2 build_vocabulary() (call 1 of 7) returned another value: list of 7, " in told
    )
    assert "  likely       the order of a set of texts, or hash() of a text\n" in told
    assert told.endswith("not reproducible: 1 subject drifted; 2 subjects under 1 change, 6 replays\n")
    # The user's folder is left as it was.
    assert files(hashed.root) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--under", "hash,tread"],
            "mlrepro: --under: unknown change 'tread'\ndid you mean 'threads'? known: process, ",
        ),
        (["nowhere.py"], "mlrepro: nowhere.py: there is no such file or folder in the project\n"),
    ],
)
def test_mistakes_are_told(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLREPRO_CACHE", str(tmp_path / "cache"))
    assert main(["stress", *arguments]) == 4
    assert capsys.readouterr().err.startswith(message)


@pytest.mark.slow
def test_suites_that_cannot_be_tried_say_why(hashed):
    nothing = hashed.write({"test_m.py": "def test_plain():\n    assert True\n"})
    assert "no test recorded a fact, so that nothing can differ" in nothing.command("stress").red(4).output
    broken = hashed.write({"test_m.py": "import nowhere\n"})
    told = broken.command("stress").red(4).output
    assert "the tests cannot be run as they are: pytest ended with exit status 2" in told
    assert "ModuleNotFoundError" in told
    assert "Traceback (most recent call last)" not in told


@pytest.mark.slow
def test_each_planted_fault_is_found_by_its_cause(empty, tmp_path):
    data = {f"data/{name}.txt": name for name in ("b", "a", "c")}
    project = empty.write({"pyproject.toml": INI, "test_m.py": PLANTED, **data})
    project = project.setenv(MLREPRO_CACHE=str(tmp_path / "cache"))
    document = json.loads(project.command("stress", "--json").red().output)
    found = {(each["subject"].partition("::")[2], each["change"]) for each in document["drifts"]}
    assert found == set(CAUSES.items())
    drifts = {each["subject"].partition("::")[2]: each for each in document["drifts"]}
    assert [site["line"] for site in drifts["test_unseeded"]["sites"]] == [24]
    assert drifts["test_unseeded"]["proven"]
    assert drifts["test_clock"]["source"] == "a seed that is taken from the clock"
    assert drifts["test_order"]["source"].startswith("what test_m.py::test_spoils leaves behind")
    assert drifts["test_folder"]["first"] is None
    assert {(each["line"], each["matters"]) for each in document["unpinned"]} == {
        (23, False),
        (24, True),
        (42, True),
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", [folder.name for folder in Project.folders()])
def test_the_fixture_projects_are_reproducible(name, tmp_path):
    project = Project.copy_of(name, tmp_path).setenv(MLREPRO_CACHE=str(tmp_path / "cache"))
    told = project.command("stress").ok().output
    assert told.splitlines()[-1].startswith("reproducible: ")


@pytest.mark.slow
def test_a_sum_of_torch_that_follows_the_threads(empty, tmp_path):
    pytest.importorskip("torch")
    body = (
        "import torch\n\n\ndef test_sum(mlrepro):\n"
        "    values = torch.rand(3_000_000, generator=torch.Generator().manual_seed(0)) - 0.5\n"
        "    mlrepro.metric('total', float(values.sum()))\n"
    )
    project = empty.write({"pyproject.toml": INI, "test_m.py": body}).setenv(
        MLREPRO_CACHE=str(tmp_path / "c")
    )
    told = project.command("stress", "--under", "threads").red().output
    assert "test_m.py::test_sum drifted under 3 threads instead of one (threads)" in told


@pytest.mark.slow
def test_a_project_says_what_its_results_hold_under(hashed):
    setting = f"{INI}[tool.mlrepro.stress]\nhash = 'off'\nthreads = 'bitwise'\n"
    told = hashed.write({"pyproject.toml": setting}).command("stress", "--json").ok()
    document = json.loads(told.output)
    holds = {each["name"]: each["hold"] for each in document["changes"]}
    assert "hash" not in holds
    assert holds["threads"] == "bitwise"


@pytest.mark.slow
def test_with_pinned_entropy_it_is_told_which_places_matter(empty, tmp_path):
    body = (
        "import numpy as np\n\n\ndef test_m(mlrepro):\n    np.random.default_rng().random()\n"
        "    mlrepro.metric('f1', np.random.default_rng().random())\n"
    )
    setting = f"{INI}[tool.mlrepro]\nguard = 'pin'\n"
    project = empty.write({"pyproject.toml": setting, "test_m.py": body})
    told = (
        project.setenv(MLREPRO_CACHE=str(tmp_path / "c"))
        .command("stress", "--each", "--under", "hash")
        .ok()
        .output
    )
    assert "  test_m.py:5 default_rng() via numpy: harmless, no fact depends on it\n" in told
    assert "  test_m.py:6 default_rng() via numpy: matters to results.f1 of test_m.py::test_m\n" in told


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is another thing there")
def test_ctrl_c_ends_everything(hashed, tmp_path):
    started = tmp_path / "started"
    slow = f"import time\nfrom pathlib import Path\n\n\ndef test_m(mlrepro):\n    Path({str(started)!r}).touch()\n"
    project = hashed.write({"test_m.py": f"{slow}    time.sleep(120)\n"})
    code = "import signal, sys\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code += "from pytest_mlrepro.cli import main\nsys.exit(main(['stress']))"
    environment = {**os.environ, "MLREPRO_CACHE": str(tmp_path / "cache"), "TMPDIR": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=project.root,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    for _ in range(600):
        if started.exists():
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert (output, errors) == ("", "mlrepro: stopped\n")
    assert not [path for path in Path(tmp_path).iterdir() if path.name.startswith("mlrepro-")]
