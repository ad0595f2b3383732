"""Old data: the rows of a file that changed, shown where both of its contents are still to be found."""

import os
import socket
import stat
import subprocess
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.fingerprints import fingerprint
from pytest_mlrepro.model import Drift, Fact
from pytest_mlrepro.olddata import changed, find, told

OLD = "name,age\nAda,36\nBo,41\nCy,7\n"
NEW = "name,age\nAda,36\nBo,14\nCy,7\n"


def git(folder, *arguments):
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(folder, name, text):
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "data")
    return git(folder, "log", "-1", "--format=%h")


def fact(file, path, **options):
    taken = fingerprint(file, **options)
    return Fact("data", "people", taken.digest, detail={**taken.detail, "path": path})


def drift(before, now):
    return Drift("test_a.py::test_a", "data", "people", "changed", before, now)


@pytest.fixture
def repository(tmp_path):
    git(tmp_path, "init", "-q")
    return tmp_path


def test_from_an_earlier_commit(repository):
    first = commit(repository, "data/p.csv", OLD)
    before = fact(repository / "data/p.csv", "data/p.csv")
    commit(repository, "data/p.csv", OLD + "Di,1\n")
    (repository / "data/p.csv").write_text(NEW)
    now = fact(repository / "data/p.csv", "data/p.csv")
    assert list(told([drift(before, now)], repository)) == [
        "",
        f"data.people: data/p.csv at {first} -> data/p.csv",
        "  row 1: age '41' -> '14'",
    ]


def test_both_from_git_and_below_a_folder_of_the_repository(repository):
    first = commit(repository, "model/p.csv", OLD)
    before = fact(repository / "model/p.csv", "p.csv")
    second = commit(repository, "model/p.csv", NEW)
    now = fact(repository / "model/p.csv", "p.csv")
    (repository / "model/p.csv").unlink()
    lines = list(told([drift(before, now)], repository / "model"))
    assert lines[1] == f"data.people: p.csv at {first} -> p.csv at {second}"


def test_what_is_nowhere_is_said(repository):
    commit(repository, "p.csv", OLD)
    before = Fact("data", "people", "mlr1-blake3:" + "0" * 32, detail={"path": "p.csv"})
    lines = list(told([drift(before, fact(repository / "p.csv", "p.csv"))], repository))
    expected = (
        "data.people: neither git nor the folder has p.csv as the baseline had it, so no rows are shown"
    )
    assert lines == ["", expected]
    lines = list(told([drift(fact(repository / "p.csv", "p.csv"), before)], repository))
    assert lines[1].startswith("data.people: neither git nor the folder has p.csv as the run had it")


@pytest.mark.parametrize("setup", ["no repository", "no git"])
def test_without_git(tmp_path, monkeypatch, setup):
    (tmp_path / "p.csv").write_text(OLD)
    if setup == "no git":
        monkeypatch.setenv("PATH", "")
    else:
        monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    known = fact(tmp_path / "p.csv", "p.csv")
    assert find(tmp_path, "p.csv", known).data == OLD.encode()
    (tmp_path / "p.csv").write_text(NEW)
    assert find(tmp_path, "p.csv", known) is None


def test_only_for_texts_with_a_path_that_changed(tmp_path):
    (tmp_path / "p.csv").write_text(OLD)
    (tmp_path / "p.npy").write_text(OLD)
    plain = fact(tmp_path / "p.csv", "p.csv")
    assert list(told([drift(None, plain), drift(plain, None)], tmp_path)) == []
    other = fact(tmp_path / "p.npy", "p.npy")
    assert list(told([drift(other, other)], tmp_path)) == []


@pytest.fixture
def outside(tmp_path):
    """A project, and beside it a secret that git knows as well."""
    git(tmp_path, "init", "-q")
    commit(tmp_path, "secret.csv", OLD)
    commit(tmp_path, "secret.csv", NEW)
    (tmp_path / "project" / "data").mkdir(parents=True)
    return tmp_path / "project"


@pytest.mark.parametrize(
    "path",
    [
        "../secret.csv",
        "data/../../secret.csv",
        "data/..\\..\\secret.csv",
        "{folder}/secret.csv",
        "link.csv",
        "linked/secret.csv",
        "circle.csv",
        "C:secret.csv",
        "\\\\host\\share\\secret.csv",
        "a\0.csv",
        "\ud800.csv",
    ],
)
def test_no_path_leads_out_of_the_project(outside, path):
    secret = outside.parent / "secret.csv"
    (outside / "link.csv").symlink_to(secret)
    (outside / "linked").symlink_to(outside.parent)
    (outside / "circle.csv").symlink_to("circle.csv")
    path = path.replace("{folder}", outside.parent.as_posix())
    secret.write_text(OLD)
    before = fact(secret, path)
    secret.write_text(NEW)
    now = fact(secret, path)
    good = fact(secret, "p.csv")
    for pair in ((before, now), (before, good), (good, now)):
        lines = list(told([drift(*pair)], outside))
        assert lines[0] == ""
        # Of links in a circle newer releases of Python say no more than that there is no such file.
        refused = "data.people: its path leads out of the project, so no rows are shown"
        assert len(lines) == 2
        assert lines[1] == refused or (path == "circle.csv" and "neither git nor the folder has" in lines[1])
        assert not any("Bo" in line or "41" in line for line in lines)
    assert find(outside, path, before) is None
    assert find(outside, path, now) is None


@pytest.mark.parametrize(
    "path", [":/secret.csv", ":(top)secret.csv", ":!a.csv", "*.csv", "--all.csv", "-p.csv"]
)
def test_a_path_is_no_pattern_and_no_option_of_git(outside, path):
    secret = outside.parent / "secret.csv"
    lines = list(told([drift(fact(secret, path), fact(secret, path))], outside))
    assert lines[1:] == [
        f"data.people: neither git nor the folder has {path} as the baseline had it, so no rows are shown"
    ]


@pytest.mark.parametrize("name", ["--all.csv", "-p.csv", ":x.csv", ":(top)x.csv", "[a]*.csv"])
def test_a_file_with_the_name_of_an_option_or_a_pattern_is_found(repository, name):
    first = commit(repository, name, OLD)
    before = fact(repository / name, name)
    (repository / name).write_text(NEW)
    assert find(repository, name, before).place == first


def pipe(path):
    os.mkfifo(path)


def device(path):
    try:
        # One that never ends, as /dev/zero is.
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))
    except OSError:
        pytest.skip("only root may make devices, and not everywhere")


def door(path):
    listening = socket.socket(socket.AF_UNIX)
    # The name of a socket must be short.
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        listening.bind(path.name)
    finally:
        os.chdir(before)
        listening.close()


def link_to_pipe(path):
    os.mkfifo(path.with_suffix(".pipe"))
    path.symlink_to(path.with_suffix(".pipe").name)


@pytest.mark.skipif(os.name == "nt", reason="POSIX only")
@pytest.mark.parametrize("kind", [pipe, device, door, link_to_pipe, Path.mkdir])
def test_what_is_no_file_is_not_waited_for(repository, kind):
    first = commit(repository, "p.csv", OLD)
    before = fact(repository / "p.csv", "p.csv")
    commit(repository, "p.csv", NEW)
    now = fact(repository / "p.csv", "p.csv")
    (repository / "p.csv").unlink()
    kind(repository / "p.csv")
    told_of = Fact("data", "people", "mlr1-blake3:" + "0" * 32, detail={"path": "p.csv"})
    found = []
    drifts = [drift(before, now), drift(before, told_of)]
    # Whoever waits for ever must not keep the others waiting.
    thread = Thread(target=lambda: found.extend(told(drifts, repository)), daemon=True)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    assert found[1].startswith(f"data.people: p.csv at {first} -> p.csv at ")
    assert found[2] == "  row 1: age '41' -> '14'"
    assert "neither git nor the folder has p.csv as the run had it" in found[4]


def test_a_field_too_long_for_a_table_is_told(tmp_path):
    (tmp_path / "p.csv").write_text(f"a\n{'x' * 200_000}\n")
    known = fact(tmp_path / "p.csv", "p.csv")
    lines = list(told([drift(known, known)], tmp_path))
    assert lines[2] == "  no rows are shown: field larger than field limit (131072)"


@pytest.mark.parametrize("path", [3, None, ("a.csv",)])
def test_a_path_that_is_none_is_passed_over(tmp_path, path):
    (tmp_path / "p.csv").write_text(OLD)
    good, bad = fact(tmp_path / "p.csv", "p.csv"), fact(tmp_path / "p.csv", path)
    assert list(told([drift(good, bad), drift(bad, good)], tmp_path)) == []


def rows(*texts):
    return [("h", "i"), *(tuple(text.split(",")) for text in texts)]


def test_cells():
    assert list(changed(rows("a,1", "b,2"), rows("a,1", "b,3"))) == ["row 1: i '2' -> '3'"]
    assert list(changed(rows("a,1"), rows("a"))) == ["row 0: i '1' -> nothing"]
    assert list(changed(rows("a,1"), rows("a,1,2"))) == ["row 0: 2 nothing -> '2'"]


def test_rows_added_and_removed():
    assert list(changed(rows("a,1", "b,2", "c,3"), rows("a,1", "c,3"))) == ["row 1 of before: removed: b,2"]
    assert list(changed(rows("a,1", "c,3"), rows("a,1", "b,2", "c,3"))) == ["row 1: added: b,2"]
    many = [f"{number},0" for number in range(10_000)]
    found = list(changed(rows(*many), rows("x,1", *many[::-1])))
    assert found == ["row 0: added: x,1"]


def test_header_and_nothing():
    assert list(changed([("a",), ("1",)], [("b",), ("1",)])) == ["header a -> b"]
    assert list(changed([], rows("a,1"))) == ["header nothing -> h,i", "row 0: added: a,1"]
    assert list(changed(rows(), rows())) == []


TABLES = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("12")), max_size=8).map(
    lambda found: [("h", "i"), *found]
)


@given(TABLES, TABLES)
def test_nothing_is_said_of_equal_rows_and_something_of_others(before, after):
    lines = list(changed(before, after))
    assert bool(lines) == (before != after)
    if len(before) == len(after):
        assert len(lines) == sum(one != other for one, other in zip(before, after, strict=True))
