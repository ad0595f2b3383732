"""``mlrepro report``: a recorded run against the lockfile."""

from __future__ import annotations

import json
import sys

import pytest
from history.repositories import Script

from pytest_mlrepro.cli import main
from pytest_mlrepro.lockfile import write_run
from pytest_mlrepro.model import SESSION, Fact, Run
from pytest_mlrepro.report import markdown, page

TEST, OTHER = "tests/test_model.py::test_f1", "tests/test_model.py::test_loss"
ACCEPTED = {
    SESSION: [Fact("libraries", "numpy", "2.0"), Fact("libraries", "pandas", "3.0")],
    TEST: [Fact("results", "f1", 0.95), Fact("settings", "depth", 3)],
    OTHER: [Fact("results", "loss", 0.25)],
}
MOVED = {**ACCEPTED, TEST: [Fact("results", "f1", 0.75), Fact("settings", "depth", 4)]}
HERE = "linux-x86_64-py311"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project with a lockfile, which is the working folder."""
    (tmp_path / "pyproject.toml").write_text("")
    write_run(tmp_path / "mlrepro.lock", Run.of(ACCEPTED))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def recorded(folder, facts, name="run.lock", environment=""):
    own = {environment: {}} if environment else {}
    write_run(folder / name, Run(Run.of(facts).subjects, environments=own))
    return name


def test_a_run_that_drifted(folder):
    assert main(["report", recorded(folder, MOVED), "-o", "out/report.html"]) == 1
    assert main(["report", "run.lock", "-o", "out.json"]) == 1
    assert main(["report", "run.lock", "-o", "out.md"]) == 1
    document = json.loads((folder / "out.json").read_text())
    assert document["verdict"] == "drifted"
    assert [each["key"] for each in document["drifts"]] == ["depth", "f1"]
    assert document["drifts"][1]["suspects"] == ["settings.depth"]
    assert document["lockfile"] == "mlrepro.lock"
    assert document["accept"] == "mlrepro accept run.lock"
    # All of them are read off one document.
    assert (folder / "out/report.html").read_text() == page.written(document)
    assert (folder / "out.md").read_text() == markdown.written(document)


def test_a_run_that_reproduces(folder):
    assert main(["report", recorded(folder, ACCEPTED), "-o", "out.html"]) == 0
    assert "<title>Reproduced" in (folder / "out.html").read_text()


def test_what_a_part_of_the_suite_has_not_seen_is_no_drift(folder):
    facts = {TEST: ACCEPTED[TEST], SESSION: [Fact("libraries", "numpy", "2.1")]}
    assert main(["report", recorded(folder, facts), "-o", "out.json"]) == 1
    document = json.loads((folder / "out.json").read_text())
    assert [(each["subject"], each["key"]) for each in document["drifts"]] == [(SESSION, "numpy")]
    assert [each["subject"] for each in document["subjects"]] == [SESSION, TEST]


def test_what_the_whole_suite_no_longer_uses_is_a_drift(folder):
    facts = {**ACCEPTED, SESSION: ACCEPTED[SESSION][:1]}
    assert main(["report", recorded(folder, facts), "-o", "out.json"]) == 0
    document = json.loads((folder / "out.json").read_text())
    assert [(each["key"], each["outcome"]) for each in document["drifts"]] == [("pandas", "noted")]


def test_a_test_without_a_baseline(folder):
    facts = {**ACCEPTED, "tests/test_new.py::test_new": [Fact("results", "x", 1)]}
    assert main(["report", recorded(folder, facts), "-o", "out.json"]) == 1
    assert json.loads((folder / "out.json").read_text())["new"] == ["tests/test_new.py::test_new"]


def test_the_environment_it_was_recorded_in_decides(folder):
    own = {SESSION: {"libraries.numpy": Fact("libraries", "numpy", "1.26")}}
    baseline = Run(Run.of(ACCEPTED).subjects, environments={HERE: own, "gpu": {}})
    write_run(folder / "own.lock", baseline)
    old = {**ACCEPTED, SESSION: [Fact("libraries", "numpy", "1.26"), ACCEPTED[SESSION][1]]}
    name = recorded(folder, old, environment=HERE)
    options = ["report", name, "-o", "out.json", "--lockfile", "own.lock"]
    assert main(options) == 0
    document = json.loads((folder / "out.json").read_text())
    assert document["environment"]["name"] == HERE
    assert document["accept"] == "mlrepro accept run.lock --lockfile own.lock"
    assert main([*options, "--environment", "gpu"]) == 1


def test_an_environment_that_is_not_recorded_fails_no_library(folder):
    write_run(folder / "own.lock", Run(Run.of(ACCEPTED).subjects, environments={HERE: {}}))
    other = {**ACCEPTED, SESSION: [Fact("libraries", "numpy", "9"), ACCEPTED[SESSION][1]]}
    name = recorded(folder, other, environment="gpu")
    assert main(["report", name, "-o", "out.json", "--lockfile", "own.lock"]) == 0
    document = json.loads((folder / "out.json").read_text())
    assert not document["environment"]["recorded"]
    assert [each["outcome"] for each in document["drifts"]] == ["noted"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["run.lock", "-o", "out.txt"],
            "-o out.txt: unknown ending of a report '.txt'\nknown: .html, .json, .md",
        ),
        (
            ["absent.lock", "-o", "out.html"],
            "absent.lock: there is no such file\nmake one: pytest --mlrepro-record=absent.lock; or fetch",
        ),
        (["run.lock", "-o", "out.html", "--lockfile", "absent.lock"], "absent.lock"),
        (["run.lock", "-o", "folder.html"], "-o folder.html: the report cannot be written: Is a directory"),
        (["odd.json", "-o", "odd.json"], "-o odd.json: that is what the report is about\nname another file"),
        (["run.lock", "-o", "out.html", "--environment", "gpu"], "unknown environment 'gpu'"),
        (["-o", "out.html", "--environment", "gpu"], "unknown environment 'gpu'"),
        (
            ["-o", "out.md"],
            "-o out.md: without a run there is nothing to judge: what is accepted is shown as a page alone\n"
            "name the run: mlrepro report RUN -o out.md; or see mlrepro show, or mlrepro show --json",
        ),
    ],
)
def test_what_cannot_be_used(folder, capsys, options, said):
    recorded(folder, ACCEPTED)
    recorded(folder, ACCEPTED, "odd.json")
    (folder / "folder.html").mkdir()
    before = (folder / "odd.json").read_bytes()
    assert main(["report", *options]) == 4
    told = capsys.readouterr().err
    assert all(line in told for line in said.splitlines())
    assert (folder / "odd.json").read_bytes() == before


@pytest.fixture
def committed(folder):
    """The same, in a repository with two earlier values of a metric."""
    now = (folder / "mlrepro.lock").read_text()
    script = Script()
    for value in ("0.9", "0.93", "0.95"):
        script.commit({"mlrepro.lock": now.replace("0.95", value)}, title=f"Accept {value}")
    script.make(folder)
    assert (folder / "mlrepro.lock").read_text() == now
    return folder


def test_a_page_has_the_history_of_its_metrics(committed):
    assert main(["report", recorded(committed, MOVED), "-o", "out.html"]) == 1
    page = (committed / "out.html").read_text()
    # The other metric is as it was accepted first.
    assert [page.count(f"<td>Accept {value}</td>") for value in ("0.9", "0.93", "0.95")] == [2, 1, 1]
    assert "mlrepro accept run.lock" in page
    assert "--mlrepro-update" not in page


def test_the_page_of_what_is_accepted(committed):
    assert main(["report", "-o", "out.html"]) == 0
    page = (committed / "out.html").read_text()
    assert "<title>What mlrepro.lock holds" in page
    assert "<td>Accept 0.93</td>" in page


def test_what_is_accepted_in_one_environment(folder):
    own = {TEST: {"results.f1": Fact("results", "f1", 0.125)}}
    write_run(folder / "mlrepro.lock", Run(Run.of(ACCEPTED).subjects, environments={"ci": {}, "gpu": own}))
    assert main(["report", "-o", "out.html", "--environment", "gpu"]) == 0
    assert "0.125" in (folder / "out.html").read_text()
    assert main(["report", "-o", "out.html"]) == 0
    assert "0.125" not in (folder / "out.html").read_text()


def test_no_history_is_asked_for_where_none_is_shown(committed, monkeypatch):
    monkeypatch.setattr("pytest_mlrepro.cli.report.histories", lambda *_: pytest.fail("was asked"))
    assert main(["report", recorded(committed, MOVED), "-o", "out.json"]) == 1
    assert main(["report", "run.lock", "-o", "out.md"]) == 1


def test_a_page_without_the_library_that_writes_it(folder, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert main(["report", recorded(folder, ACCEPTED), "-o", "out.html"]) == 4
    assert 'pip install "pytest-mlrepro[html]"' in capsys.readouterr().err


def test_an_output_is_asked_for(folder, capsys):
    with pytest.raises(SystemExit) as left:
        main(["report", recorded(folder, ACCEPTED)])
    assert left.value.code == 4
    assert "-o" in capsys.readouterr().err
