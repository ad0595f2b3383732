from __future__ import annotations

import os

import pytest

from pytest_mlrepro.lockfile import write_run
from pytest_mlrepro.model import Fact, Run
from pytest_mlrepro.replay import Witness
from pytest_mlrepro.replay.results import RUN, WITNESS, Results, key_of, stamp, state_of

RUNS = Run.of({"t.py::test": [Fact("results", "f1", 0.5)]})


@pytest.fixture
def made(tmp_path):
    """What a child has written, having read a file."""
    (tmp_path / "data.csv").write_text("1")
    place = tmp_path / "made"
    place.mkdir()
    write_run(place / RUN, RUNS)
    path = tmp_path / "data.csv"
    (place / WITNESS).write_text(Witness(reads={str(path): stamp(path)}).to_json())
    return place


def test_what_was_kept_is_found(made, tmp_path):
    results = Results(tmp_path / "kept")
    assert results.find("k") is None
    results.keep("k", made, 2.5)
    found = results.find("k")
    assert found.run.subjects == RUNS.subjects
    assert found.seconds == 2.5
    assert results.find("other") is None


def test_it_is_not_found_once_a_file_that_was_read_is_another(made, tmp_path):
    results = Results(tmp_path / "kept")
    results.keep("k", made, 1.0)
    (tmp_path / "data.csv").write_text("22")
    assert results.find("k") is None


@pytest.mark.parametrize("name", [RUN, WITNESS, "seconds.json"])
@pytest.mark.parametrize("content", ["", "{", "[["])
def test_what_is_broken_is_run_again(made, tmp_path, name, content):
    results = Results(tmp_path / "kept")
    results.keep("k", made, 1.0)
    (tmp_path / "kept" / "k" / name).write_text(content)
    found = results.find("k")
    assert found is None or (name == RUN and content == "")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_folder_that_cannot_be_written_keeps_nothing(made, tmp_path):
    (tmp_path / "kept").mkdir(mode=0o500)
    results = Results(tmp_path / "kept")
    results.keep("k", made, 1.0)
    assert results.find("k") is None


def test_a_file_in_the_place_of_the_folder_keeps_nothing(made, tmp_path):
    (tmp_path / "kept").write_text("")
    results = Results(tmp_path / "kept")
    results.keep("k", made, 1.0)
    assert results.find("k") is None


def test_the_state_of_a_project_is_that_of_its_files(tmp_path):
    (tmp_path / "a.py").write_text("1")
    before = state_of(tmp_path)
    for name in (".git", "__pycache__", ".pytest_cache"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_text("")
    (tmp_path / "env").mkdir()
    (tmp_path / "env" / "pyvenv.cfg").write_text("")
    assert state_of(tmp_path) == before
    (tmp_path / "a.py").write_text("22")
    assert state_of(tmp_path) != before


def test_a_pipe_or_a_folder_is_nothing_to_depend_on(tmp_path):
    assert stamp(tmp_path) == (-1, -1)
    assert stamp(tmp_path / "absent") == (-1, -1)


def test_keys_are_of_all_their_parts():
    assert key_of(a=1, b=2) == key_of(b=2, a=1)
    assert key_of(a=1, b=2) != key_of(a=1, b=3)
