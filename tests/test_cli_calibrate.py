"""``mlrepro calibrate``: what it prints, writes and refuses; its replays are scripted."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest
from calibrate.scripted import TEST, metric, normal, replay, share

from pytest_mlrepro.cli import calibrate, main
from pytest_mlrepro.lockfile import load_lockfile, update_lockfile
from pytest_mlrepro.model import Run

OTHER = "tests/test_model.py::test_other"


def healthy(seed):
    return {
        TEST: [
            metric("f1", 0.9 + normal(seed, 0.01), better="higher"),
            share("accuracy", 90 + seed % 3, 100),
            metric("epochs", 40 + seed % 2),
            metric("guesses", [seed, 1]),
        ],
        OTHER: [metric("fixed", 0.75), metric("loss", 0.1 + abs(normal(seed, 0.01)), rtol=1e-3)],
    }


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose replays give what ``project.facts`` says."""

    class Project:
        root = tmp_path
        lockfile = tmp_path / "mlrepro.lock"
        facts = staticmethod(healthy)
        problems: tuple[int, ...] = ()
        failing: tuple[int, ...] = ()
        asked: tuple[int, ...] = ()
        meanwhile = None

        def accept(self, seed=0):
            run = Run(Run.of(self.facts(seed)).subjects, environments={"ci": {}})
            update_lockfile(self.lockfile, lambda before: run)

        def replays(self, replayer, changes, what):
            self.asked = tuple(change.seed for change in changes)
            if self.meanwhile is not None:
                self.meanwhile()
            return tuple(self._replay(change.seed) for change in changes)

        def _replay(self, seed):
            if seed in self.problems:
                return replay(seed, {}, problem="pytest ended with exit status 3\n  boom")
            facts = dict(self.facts(seed))
            if seed in self.failing:
                lost = {TEST: facts.pop(TEST)}
                return replay(seed, facts, failed={TEST: "assert 0.8 > 0.9"}, unfinished=lost)
            return replay(seed, facts)

    (tmp_path / "pyproject.toml").write_text("[tool.mlrepro]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLREPRO_CACHE", str(tmp_path / "cache"))
    made = Project()
    monkeypatch.setattr(calibrate.replaying, "replays", made.replays)
    return made


def run(*arguments, status=0):
    assert main(["calibrate", *arguments]) == status


def bands(project):
    return {
        fact.key: fact.band for _, fact in load_lockfile(project.lockfile).view("ci") if fact.band is not None
    }


def test_a_table_says_all_that_is_promised(project, capsys):
    project.accept()
    run()
    printed = capsys.readouterr().out
    assert project.asked == tuple(range(1, 21))
    assert printed.splitlines()[:3] == [
        "calibrated over 20 runs, base seeds 1-20",
        "prediction interval, mean +- 3.44 sd: false-alarm rate 0.01 over 3 metrics, 0.0033 each",
        "",
    ]
    (head,) = [line for line in printed.splitlines() if line.startswith("    metric")]
    assert head.split("  ")[-2:] == ["one run shows", "a recheck shows"]
    (row,) = [line.split() for line in printed.splitlines() if line.startswith("    f1")]
    assert row[0:2] == ["f1", "0.901257"]
    assert row[5] == "to"
    (row,) = [line.split() for line in printed.splitlines() if line.startswith("    fixed")]
    assert row == ["fixed", "0.75", "0.75", "0", "0.75", "any", "any"]
    assert f"    {OTHER}: fixed: the same under all 20 seeds: the band is this one value" in printed
    assert f"    {OTHER}: loss: the test's own tolerance (rtol 0.001, atol 0) wins over the band" in printed
    assert f"    {TEST}: epochs (whole number, moved with the seed)" in printed
    assert f"    {TEST}: guesses (array, moved with the seed)" in printed
    assert bands(project) == {}


def test_a_project_without_a_lockfile_can_be_calibrated(project, capsys):
    run("--runs", "8")
    printed = capsys.readouterr().out
    assert "warning: from 8 seeds a band is wide and shows little; 20 are the default" in printed
    assert "base seeds 1-8" in printed
    assert not project.lockfile.exists()


def test_json_holds_the_same(project, capsys):
    project.accept()
    run("--json", "--runs", "10")
    found = json.loads(capsys.readouterr().out)
    assert found["seeds"] == [*range(1, 11)]
    assert (found["alpha"], found["shares"], found["environment"]) == (0.01, 3, "ci")
    f1 = next(each for each in found["metrics"] if each["key"] == "f1")
    assert f1["subject"] == TEST
    assert f1["band"]["base"] == [*range(1, 11)]
    assert len(f1["band"]["values"]) == 10
    assert f1["band"]["method"] == "prediction interval"
    assert 0 < f1["shown_by_recheck"] < f1["shown_by_one"]
    assert {"subject": TEST, "key": "guesses", "reason": "array"} in found["without"]


def test_accepting_writes_bands_and_no_values(project, capsys):
    project.accept()
    before = project.lockfile.read_text()
    run("--accept")
    printed = capsys.readouterr().out
    assert project.asked == (*range(1, 21), 0)
    assert printed.endswith("4 bands in mlrepro.lock; the accepted values stay\n")
    assert set(bands(project)) == {"f1", "accuracy", "fixed", "loss"}
    after = load_lockfile(project.lockfile)
    assert {(subject, fact.key): fact.value for subject, fact in after} == {
        (subject, fact.key): fact.value for subject, facts in healthy(0).items() for fact in facts
    }
    lines = project.lockfile.read_text().splitlines()
    assert len(lines) == len(before.splitlines())
    (line,) = [each for each in lines if each.startswith("accuracy")]
    assert 'method = "prediction interval", alpha = 0.01, metrics = 3, base = "1-20", values = [' in line
    run("--accept")
    assert "4 bands in mlrepro.lock (as they were); the accepted values stay" in capsys.readouterr().out


def test_a_base_seed_among_the_runs_is_run_once(project):
    (project.root / "pyproject.toml").write_text("[tool.mlrepro]\nseed = 7\n")
    project.accept(7)
    run("--accept")
    assert project.asked == tuple(range(1, 21))


def test_a_value_that_moved_gets_no_band(project, capsys):
    project.accept()
    project.facts = lambda seed: {
        **healthy(seed),
        TEST: [metric("f1", 0.8 + normal(seed, 0.01), better="higher")],
    }
    run("--accept", status=1)
    printed = capsys.readouterr().out
    assert f"not accepted: {TEST}: results.f1: its value moved: 0.90" in printed
    assert "accept their values first: pytest --mlrepro-update" in printed
    assert set(bands(project)) == {"fixed", "loss"}


def test_what_somebody_else_accepts_meanwhile_stays(project, capsys):
    project.accept()
    # The lockfile was read before the replays, and is read again under its lock.
    project.meanwhile = lambda: update_lockfile(
        project.lockfile, lambda before: Run.of({TEST: [metric("f1", 0.5)]})
    )
    run("--accept", status=1)
    assert "results.f1: somebody else has just accepted another value" in capsys.readouterr().out
    assert load_lockfile(project.lockfile).facts(TEST)["results.f1"].band is None


def test_an_untypical_seed_is_told(project, capsys):
    project.accept()
    run_ = load_lockfile(project.lockfile)
    lucky = replace(run_.facts(TEST)["results.f1"], value=0.99)
    subjects = {**run_.subjects, TEST: {**run_.facts(TEST), "results.f1": lucky}}
    update_lockfile(project.lockfile, lambda before: replace(run_, subjects=subjects))
    run()
    assert (
        "f1: the accepted value 0.99 lies outside of its band: its seed is no typical one"
        in capsys.readouterr().out
    )


def test_environments_have_an_envelope(project, capsys):
    project.accept()
    run_ = load_lockfile(project.lockfile)
    own = {TEST: {"results.f1": replace(run_.facts(TEST)["results.f1"], value=1.9)}}
    update_lockfile(project.lockfile, lambda before: replace(run_, environments={"ci": {}, "mac": own}))
    run()
    assert "f1: environments differ from 0.901257 to 1.9, more than seeds do" in capsys.readouterr().out


def test_failures_and_broken_replays_are_told(project, capsys):
    project.problems, project.failing = (2, 3, 9), (4, 5, 6, 8)
    run("--runs", "12")
    printed = capsys.readouterr().out
    assert "calibrated over 9 runs, base seeds 1, 4-8, 10-12" in printed
    assert f"    {TEST}: under seeds 4-6, 8: assert 0.8 > 0.9" in printed
    assert "    seeds 2-3, 9: pytest ended with exit status 3\n      boom" in printed


def test_too_few_replays_are_an_error(project, capsys):
    project.problems = tuple(range(1, 17))
    run(status=4)
    assert capsys.readouterr().err.splitlines() == [
        "mlrepro: mlrepro calibrate: 4 of 20 replays could be made, 5 are needed",
        "pytest ended with exit status 3",
        "  boom",
        "see that the tests run: pytest --mlrepro-record=run.lock",
    ]


def test_bands_need_a_replay_under_the_project_s_own_seed(project, capsys):
    project.accept()
    project.problems = (0,)
    run()
    run("--accept", status=4)
    assert capsys.readouterr().err.splitlines()[0] == (
        "mlrepro: mlrepro calibrate: the replay under the project's own seed, 0, could not be made"
    )
    assert bands(project) == {}


@pytest.mark.skipif(os.name == "nt" or not hasattr(os, "geteuid"), reason="rights of files")
def test_a_lockfile_that_cannot_be_written_is_said_before_anything_runs(project, capsys):
    project.accept()
    project.lockfile.chmod(0o444)
    run("--accept", status=4)
    assert capsys.readouterr().err.splitlines() == [
        "mlrepro: mlrepro.lock: cannot be written: the file is read-only",
        "name a writable file: --lockfile PATH",
    ]
    assert project.asked == ()


def test_names_are_shown_as_text(project, capsys):
    hostile = "tests/test_model.py::test_a[\x1b[31m\n::error::x]"
    project.facts = lambda seed: {hostile: [metric("f1", 0.9 + normal(seed, 0.01)), metric("a\nb", seed)]}
    project.accept()
    run("--accept")
    run("--recheck")
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert not [line for line in printed.splitlines() if line.startswith("::")]
    run("--accept", "--json")
    assert json.loads(capsys.readouterr().out)["accepted"] == [{"subject": hostile, "address": "results.f1"}]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("--runs", "4"),
            [
                "mlrepro: --runs 4: from fewer than 5 seeds nobody can tell how far they move a metric",
                "leave it out for 20",
            ],
        ),
        (
            ("--accept",),
            ["mlrepro: mlrepro.lock: there is no lockfile", "make one first: pytest --mlrepro-update"],
        ),
        (
            ("--recheck",),
            [
                "mlrepro: mlrepro.lock: there is no lockfile",
                "make one first: pytest --mlrepro-update, then mlrepro calibrate --accept",
            ],
        ),
        (
            ("no_such.py",),
            [
                "mlrepro: no_such.py: there is no such file or folder in the project",
                "name a test: FILE::TEST",
            ],
        ),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_runs(project, capsys, arguments, told):
    run(*arguments, status=4)
    assert capsys.readouterr().err.splitlines() == told
    assert project.asked == ()


def test_a_lockfile_without_bands_cannot_be_rechecked(project, capsys):
    project.accept()
    run("--recheck", status=4)
    assert capsys.readouterr().err.splitlines() == [
        "mlrepro: mlrepro.lock: no fact in it holds the values that a recheck compares with",
        "calibrate first: mlrepro calibrate --accept",
    ]
    assert project.asked == ()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--recheck", "--accept"), "not allowed with argument"),
        (("--alpha", "0"), "argument --alpha: invalid number between 0 and 1 value: '0'"),
        (("--alpha", "x"), "argument --alpha: invalid number between 0 and 1 value: 'x'"),
        (("--runs", "many"), "argument --runs: invalid int value"),
    ],
)
def test_usage(project, capsys, arguments, told):
    with pytest.raises(SystemExit) as caught:
        main(["calibrate", *arguments])
    assert caught.value.code == 4
    assert told in capsys.readouterr().err


class TestRecheck:
    @pytest.fixture
    def calibrated(self, project, capsys):
        project.accept()
        run("--accept")
        capsys.readouterr()
        return project

    def test_the_same_is_identical(self, calibrated, capsys):
        run("--recheck")
        printed = capsys.readouterr().out
        assert calibrated.asked == tuple(range(1, 11))
        assert "rechecked over 10 runs, base seeds 1-10" in printed
        assert (
            "paired t-test and prediction interval of the mean, half of the rate each: "
            "false-alarm rate 0.01 over 4 metrics, 0.0025 each"
        ) in printed
        assert printed.endswith("every value is the same\n")

    def test_another_random_stream_holds(self, calibrated, capsys):
        calibrated.facts = lambda seed: healthy(seed + 999)
        run("--recheck")
        printed = capsys.readouterr().out
        (row,) = [line.split() for line in printed.splitlines() if line.startswith("    f1")]
        assert row[1] == "holds"
        assert "no metric got worse; smaller shifts than shown may have been" in printed
        assert "pytest --mlrepro-update, then mlrepro calibrate --accept" in printed

    def test_a_model_that_got_worse_fails(self, calibrated, capsys):
        calibrated.facts = lambda seed: {
            **healthy(seed),
            TEST: [
                metric("f1", 0.87 + normal(seed + 999, 0.01), better="higher"),
                share("accuracy", 90 + seed % 3, 100),
            ],
        }
        run("--recheck", status=1)
        printed = capsys.readouterr().out
        (row,) = [line.split() for line in printed.splitlines() if line.startswith("    f1")]
        assert (row[1], row[-1]) == ("drift", "worse")
        assert "1 metric moved: this is no other seed, it is another model" in printed
        run("--recheck", "--json", status=1)
        found = json.loads(capsys.readouterr().out)
        f1 = next(each for each in found["metrics"] if each["key"] == "f1")
        assert (found["green"], f1["verdict"], f1["fails"], f1["pairs"]) == (False, "drift", True, 10)
        assert f1["difference"] < 0 < f1["shows"]

    def test_a_better_model_is_told_and_green(self, calibrated, capsys):
        calibrated.facts = lambda seed: {
            **healthy(seed),
            TEST: [
                metric("f1", 0.95 + normal(seed + 999, 0.01), better="higher"),
                share("accuracy", 90 + seed % 3, 100),
            ],
        }
        run("--recheck")
        (row,) = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("    f1")]
        assert (row[1], row[-1]) == ("better", "better")

    def test_more_seeds_can_be_asked_for(self, calibrated):
        run("--recheck", "--runs", "15")
        assert calibrated.asked == tuple(range(1, 16))

    def test_what_is_gone_and_what_cannot_be_decided_fails(self, calibrated, capsys):
        calibrated.facts = lambda seed: {OTHER: healthy(seed)[OTHER]}
        calibrated.problems = (1, 2, 3, 4, 5)
        run("--recheck", status=1)
        printed = capsys.readouterr().out
        assert "not recorded under seed 6" in printed
        calibrated.problems = ()
        run("--recheck", str(calibrated.root), status=0)
