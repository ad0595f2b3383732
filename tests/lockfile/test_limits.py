"""What no run writes is refused before it costs memory or time."""

from __future__ import annotations

import os
import stat
import sys

import pytest
from hypothesis import given
from strategies import RUNS

from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.lockfile import dumps, limits, load_lockfile, loads
from pytest_mlrepro.lockfile.limits import check

HEAD = 'lock-version = "1.0"\n["a.py::test_a".results]\n'
POSIX = pytest.mark.skipif(os.name == "nt", reason="POSIX only")
# What looks deep or long but is text.
HARMLESS = (
    'x = "' + "[" * 200 + '"',
    "x = '" + "{" * 200 + "'",
    "# " + "[" * 200,
    'x = "a" # ' + "[" * 200,
    'x = "' + "a." * 200 + '"',
    '"' + "a." * 200 + '" = 1',
    'x = "\\"' + "[" * 200 + '"',
    'x = "\\\\" # ' + "[" * 200,
    "x = '''\n" + "[" * 200 + "'\n'''",
    'x = """\n' + "[" * 200 + '"\n\\""" a\n"""',
    "x = [" + "[1.5, 2.5], " * 200 + "]",
    "x = " + "[" * 60 + "1.0" + "]" * 60,
)


def said(text):
    with pytest.raises(LockfileError) as caught:
        loads(HEAD + text, "mlrepro.lock")
    return str(caught.value)


@given(RUNS)
def test_what_is_written_is_within_the_limits(run):
    check(dumps(run), "mlrepro.lock")


@pytest.mark.parametrize("text", HARMLESS)
def test_texts_hold_no_structure(text):
    check(HEAD + text, "mlrepro.lock")


@pytest.mark.parametrize("depth", [101, 1_000_000])
@pytest.mark.parametrize("opening", ["[", "[1, ", "{a = ", '["[", ', '[{a = "", b = '])
def test_too_deep(depth, opening):
    assert said("x = " + opening * depth).startswith("mlrepro.lock: nested too deeply to be a lockfile\n")


@pytest.mark.parametrize("part", ["a", '"a"', "'a'", '"a.b\\""'])
@pytest.mark.parametrize("dot", [".", " . "])
@pytest.mark.parametrize("parts", [34, 100_000])
def test_too_many_parts(part, dot, parts):
    found = said(dot.join([part] * parts) + " = 1")
    assert found.startswith("mlrepro.lock: a key of more than 32 parts\nno run writes such a key; restore it")


@pytest.mark.parametrize(
    ("text", "most", "told"),
    [
        ("\n" * 20, "LINES", "22 lines, of 10 at most"),
        ('[["a.py::b"]]\n' * 20, "TABLES", "21 tables, of 10 at most"),
        ("x = [" + "1, " * 20 + "]", "VALUES", "20 values, of 10 at most"),
    ],
)
def test_too_many(text, most, told, monkeypatch):
    monkeypatch.setattr(limits, most, 10)
    assert said(text).startswith(
        f"mlrepro.lock: too large to be a lockfile: {told}\nname a lockfile or a run"
    )


def test_too_many_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "BYTES", 1 << 20)
    file = tmp_path / "mlrepro.lock"
    with file.open("wb") as handle:
        handle.truncate((1 << 20) + 1)
    with pytest.raises(LockfileError, match=r"too large to be a lockfile: more than 1 MiB\n"):
        load_lockfile(file)
    file.write_bytes((HEAD + "#").encode().ljust(1 << 20, b"#"))
    assert load_lockfile(file).facts("a.py::test_a") == {}


@pytest.mark.parametrize(
    "value",
    ["0x" + "f" * 5000, '{ type = "int", value = "' + "f" * 5000 + '" }', "[1, 0x" + "f" * 2000 + "]"],
)
def test_an_integer_that_nobody_can_read(value):
    found = said(f"x = {value}")
    assert found.startswith(
        'mlrepro.lock, "a.py::test_a".results.x: an integer of more than 4,096 bits\nrestore it'
    )
    assert len(found) < 300


def test_a_wrong_node_of_any_size_is_told_in_a_line():
    assert len(said("x = { dtype = 0x" + "f" * 5000 + " }")) < 400
    assert len(said("x = { dtype = [" + "[1, 2], " * 5000 + "] }")) < 400


@POSIX
@pytest.mark.parametrize("kind", ["fifo", "device", "folder"])
def test_what_is_no_file_is_told_at_once(tmp_path, kind):
    place = tmp_path / "mlrepro.lock"
    if kind == "fifo":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
    else:
        place.symlink_to("/dev/zero")
    # Of a pipe that nobody writes to there is nothing to read: it is empty, not waited for.
    told = {
        "fifo": "expected lock-version",
        "device": "it is no file",
        "folder": "Is a directory|it is no file",
    }
    with pytest.raises(LockfileError, match=told[kind]):
        load_lockfile(place)


@POSIX
def test_a_pipe_that_somebody_writes_to_is_read(tmp_path):
    reading, writing = os.pipe()
    try:
        os.write(writing, (HEAD + "x = 1\n").encode())
        os.close(writing)
        assert stat.S_ISFIFO(os.fstat(reading).st_mode)
        if sys.platform == "linux":
            run = load_lockfile(f"/proc/self/fd/{reading}")
            assert run.facts("a.py::test_a")["results.x"].value == 1
    finally:
        os.close(reading)


def test_a_long_key_is_cut():
    assert len(said('"' + "a" * 5000 + '" = { dtype = 3 }')) < 500
    assert len(said("[" + "b" * 5000 + "]")) < 500
