"""``mlrepro fingerprint``: the digest that a test would record, what goes with it, and what it says of bad paths."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from pytest_mlrepro import fingerprint
from pytest_mlrepro.cli import main
from pytest_mlrepro.facets.data import Data

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="FIFOs and names of bytes are POSIX")
IRIS = (files("sklearn.datasets") / "data" / "iris.csv").read_bytes()


@pytest.fixture
def command(capsys):
    """Runs the command: its exit status and what it printed."""

    def run(*arguments):
        status = main(["fingerprint", *map(str, arguments)])
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of data in the working folder, with the table of irises."""
    (tmp_path / "data" / "deep").mkdir(parents=True)
    (tmp_path / "data" / "iris.csv").write_bytes(IRIS)
    (tmp_path / "data" / "deep" / "one.bin").write_bytes(b"\0")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"


@pytest.mark.parametrize("path", ["data", "data/iris.csv", "data/deep/one.bin"])
def test_the_digest_is_the_one_that_a_test_records(folder, command, path):
    status, out, err = command(path)
    assert (status, err) == (0, "")
    (fact,) = Data().capture("train", Path(path))
    assert out.splitlines()[0] == fact.value


def test_a_file_in_words(folder, command):
    lines = command("data/iris.csv")[1].splitlines()
    assert lines[1] == f"  file, 151 lines, {len(IRIS)} bytes"
    blocks = fingerprint(folder / "iris.csv").detail["blocks"]
    assert lines[2] == f"    {blocks[:4]}  from byte 0 on"
    assert lines[3] == f"    {blocks[4:8]}  from byte 256 on"
    assert len(lines) == 2 + len(blocks) // 4


def test_a_folder_in_words(folder, command):
    lines = command("data")[1].splitlines()
    (_, one), (_, iris) = fingerprint(folder).detail["entries"]
    assert lines[1:] == [
        f"  folder, 2 files, {len(IRIS) + 1} bytes",
        f"    {one}  deep/one.bin",
        f"    {iris}  iris.csv",
    ]


def test_one_is_not_told_as_many(folder, command):
    assert command("data/deep")[1].splitlines()[1] == "  folder, 1 file, 1 byte"


def test_a_large_folder_is_told_by_groups(folder, command):
    for number in range(200):
        (folder / f"image_{number:04}.png").write_bytes(bytes([number]))
    lines = command("data")[1].splitlines()
    groups = fingerprint(folder).detail["groups"]
    assert lines[2:] == [f"    {digest}  from {first} on" for first, digest in groups]
    assert len(lines) < 40


def test_as_json(folder, command):
    status, out, _ = command("data", "--json")
    taken = fingerprint(folder)
    assert status == 0
    assert json.loads(out) == {
        "path": "data",
        "digest": taken.digest,
        "detail": {**taken.detail, "entries": [list(entry) for entry in taken.detail["entries"]]},
    }


@POSIX
def test_names_that_cannot_be_printed(folder, command):
    try:
        for name in (os.fsdecode(b"\xff.csv"), "two\nlines.csv"):
            (folder / name).write_bytes(b"1")
    except OSError:
        pytest.skip("this file system takes no such names")
    out = command("data")[1]
    assert r"'\udcff.csv'" in out
    assert r"'two\nlines.csv'" in out
    out.encode()
    status, out, _ = command("data", "--json")
    assert status == 0
    out.encode()
    assert command(os.fsdecode(b"\xfe"))[2].startswith(r"mlrepro: '\udcfe':")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nope.csv", "mlrepro: nope.csv: 'nope.csv' cannot be read: No such file or directory\ncheck that"),
        ("data/iris.csv/x", "mlrepro: data/iris.csv/x: 'x' cannot be read: Not a directory\n"),
        ("", "mlrepro: the path is empty\n"),
    ],
)
def test_a_path_that_cannot_be_used(folder, command, path, said):
    status, out, err = command(path)
    assert (status, out) == (4, "")
    assert err.startswith(said)


@POSIX
def test_what_is_neither_file_nor_folder(folder, command):
    os.mkfifo(folder / "pipe")
    status, out, err = command("data")
    assert (status, out) == (4, "")
    assert err.startswith("mlrepro: data: 'pipe' is neither a file nor a folder\n")


@pytest.mark.parametrize("arguments", [[], ["one", "two"]])
def test_it_takes_one_path(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["fingerprint", *arguments])
    assert caught.value.code == 4
    assert capsys.readouterr().err.startswith("usage: mlrepro")


def test_help_shows_an_example(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["fingerprint", "--help"])
    assert caught.value.code == 0
    assert "example: mlrepro fingerprint " in capsys.readouterr().out


def test_it_needs_no_pytest_and_no_numpy(folder):
    code = (
        "import sys; from pytest_mlrepro.cli import main; main(['fingerprint', 'data']);"
        "print({'pytest', 'numpy', 'sklearn'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "set()"
