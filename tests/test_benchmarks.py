"""The benchmarks run. What they measure is not tested: it depends on the machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    not (Path(__file__).parents[1] / "benchmarks").is_dir(), reason="only the repository holds the benchmarks"
)
BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def load(name):
    spec = spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def rounds():
    yield load("_rounds")
    del sys.modules["_rounds"]


def run(*arguments, path=BENCHMARKS, name="fingerprints"):
    folders = (path, BENCHMARKS, BENCHMARKS.parent)
    scale = ["--scale", "0.001"] if name == "fingerprints" else []
    command = [sys.executable, str(BENCHMARKS / f"{name}.py"), *scale, "--rounds", "1", *arguments]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, folders))},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_every_input_has_its_rows_and_targets(tmp_path):
    report = tmp_path / "report.json"
    run("--no-memory", "--json", str(report))
    tables = json.loads(report.read_text(encoding="utf-8"))
    inputs = list(dict.fromkeys(row["input"] for row in tables["times"]))
    assert len(inputs) == 22
    assert list(dict.fromkeys(row["input"] for row in tables["targets"])) == inputs
    for name in inputs:
        candidates = {row["candidate"] for row in tables["times"] if row["input"] == name}
        assert {"read", "blake3", "xxh3", "ours, check", "ours, full", "ours, check, xxh3"} <= candidates


def test_one_input_gives_all_tables():
    printed = run("--only", "1000 floats")
    assert [line for line in printed.splitlines() if line.startswith("#")] == [
        "## Times",
        "## Targets",
        "## Memory",
    ]
    rows = [line.split("|")[2].strip() for line in printed.splitlines() if line.startswith("| 1000 floats")]
    assert {"read", "blake3", "ours, check", "ours, full", "joblib.hash", "HF Hasher"} <= set(rows)


def test_an_input_whose_library_is_missing_says_so(tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError('no torch here')", encoding="utf-8")
    printed = run("--only", "torch, transposed", "--no-memory", path=tmp_path)
    assert "(no torch here)" in printed
    assert "not measured" in printed


def test_the_guard_is_measured(tmp_path):
    report = tmp_path / "report.json"
    printed = run("--calls", "3", "--json", str(report), name="guard")
    names = [row["call"] for row in json.loads(report.read_text(encoding="utf-8"))["guard"]]
    assert names[0] == "np.random.rand()"
    assert names[-1] == "a test's turn"
    assert all(name in printed for name in names)


def test_a_ratio_is_of_the_rounds_that_both_took_part_in(rounds):
    slow = rounds.Timing((6.0, 6.0, 6.0), (6.0, 6.0, 6.0))
    fast = rounds.Timing((1.0, 1.0, 1.0, 9.0, 9.0, 9.0, 9.0), (1.0,) * 7)
    assert slow.ratio(fast) == 6.0


def test_a_ratio_is_that_to_the_baseline_of_the_same_round(rounds):
    # The machine becomes three times as slow in the second round and is quicker in the third: the ratio is the same.
    baseline = rounds.Timing((1.0, 3.0, 0.5), (1.0,) * 3)
    ours = rounds.Timing((2.0, 6.6, 1.0), (1.0,) * 3)
    assert ours.ratio(baseline) == 2.0
    assert ours.times(baseline) == "2.00 ±0.05"
    assert rounds.Timing((2.0,), (2.0,)).times(baseline) == "2.00"


def test_a_target_knows_its_direction(rounds):
    timings = {"ours": rounds.Timing((2.0,), (2.0,)), "hash": rounds.Timing((1.0,), (1.0,))}
    within = rounds.Target("ours", "hash", 1.5)
    faster = rounds.Target("hash", "ours", 1.5, faster=True)
    assert within.ratio(timings) == faster.ratio(timings) == 2.0
    assert (within.met(2.0), faster.met(2.0)) == (False, True)
    assert rounds.Target("ours", "joblib", 2).ratio(timings) is None


def test_candidates_take_turns_in_a_rotating_order(rounds):
    calls = []
    candidates = [rounds.Candidate(name, lambda name=name: calls.append(name)) for name in "abc"]
    timings = rounds.measure(candidates, 3)
    assert "".join(calls) == "abc" + "abc" + "bca" + "cab"
    assert {len(timing.cpu) for timing in timings.values()} == {3}


@pytest.mark.slow
def test_the_environments_costs_are_told(tmp_path):
    report = tmp_path / "report.json"
    run("--count", "5", "--json", str(report), name="environment")
    rows = json.loads(report.read_text(encoding="utf-8"))["costs"]
    assert {row["what"] for row in rows} >= {"5 distributions", "the machine and what is loaded"}


def test_the_history_is_measured(tmp_path):
    report = tmp_path / "report.json"
    run("--commits", "3", "--facts", "10", "--json", str(report), name="history")
    rows = json.loads(report.read_text(encoding="utf-8"))["history"]
    assert [row["what"] for row in rows[:2]] == ["git log -p", "mlrepro log"]
    assert rows[1]["wanted"] == "at most 2"


@pytest.mark.slow
def test_a_bisection_is_counted_and_measured(tmp_path):
    report = tmp_path / "report.json"
    run("--commits", "4", "--json", str(report), name="bisection")
    tables = json.loads(report.read_text(encoding="utf-8"))
    assert [row["what"] for row in tables["replays"]][-1] == "a commit among 4"
    assert [row["who"] for row in tables["times"]] == ["pytest", "git", "mlrepro itself"]


@pytest.mark.slow
def test_promises_and_power_of_a_calibration_are_measured(tmp_path):
    report = tmp_path / "report.json"
    printed = run("--fresh", "5", "--pairs", "1", "--no-replays", "--json", str(report), name="calibration")
    assert "10 metrics, calibrated over 20 seeds, 5 fresh seeds each" in printed
    found = json.loads(report.read_text(encoding="utf-8"))
    assert len(found["promise"]["over other twenties"]) == 200
    assert [*found["power"]] == ["split and model vary with the seed", "only the model varies with the seed"]
    for each in found["power"].values():
        assert [*each] == ["another stream", "5 % label noise", "half of the rows", "a fifth of the model"]


@pytest.mark.slow
def test_all_benchmarks_run(tmp_path):
    command = [
        sys.executable,
        "-m",
        "benchmarks",
        "growth",
        "history",
        "files",
        "--quick",
        "--json",
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=BENCHMARKS.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    growth = json.loads((tmp_path / "growth.json").read_text(encoding="utf-8"))
    assert {row["what"] for row in growth["core"]} >= {"load", "compare", "write", "memory, loaded"}
    assert growth["checks"][-1]["wanted"] == "at most 1.3"
    assert (tmp_path / "history.json").exists()
    files = json.loads((tmp_path / "files.json").read_text(encoding="utf-8"))
    assert {row["candidate"] for row in files["targets"]} >= {"xxh3", "blake3, warm"}


@pytest.mark.slow
def test_a_suite_is_measured(tmp_path):
    report = tmp_path / "report.json"
    printed = run("--tests", "40", "--json", str(report), "--peer", "mlrepro", name="suite")
    tables = json.loads(report.read_text(encoding="utf-8"))
    *whole, further = [row["what"] for row in tables["check"]]
    assert whole == ["bare pytest", "an empty fixture", "the least, by hand", "mlrepro"]
    assert further.startswith("... a further test")
    assert tables["update"][-2]["wanted"] == "at most 80 us"
    assert "imported in an empty folder: pytest_mlrepro" in printed
    assert "numpy" not in printed.splitlines()[-1]
