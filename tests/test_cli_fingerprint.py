"""``mlrepro fingerprint``: the digest that a test would record, what goes with it, and what it says of bad paths."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy
import pytest

from pytest_mlrepro import fingerprint
from pytest_mlrepro.cli import main
from pytest_mlrepro.facets.data import Data
from pytest_mlrepro.fingerprints.digests import algorithm
from pytest_mlrepro.report import progress

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
    assert r"  \udcff.csv" in out
    assert r"  two\nlines.csv" in out
    out.encode()
    status, out, _ = command("data", "--json")
    assert status == 0
    out.encode()
    assert command(os.fsdecode(b"\xfe"))[2].startswith(r"mlrepro: \udcfe: ")


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
    assert "example: mlrepro fingerprint data/train.csv --by-value" in capsys.readouterr().out


def test_it_needs_no_pytest_and_no_numpy(folder):
    code = (
        "import sys; from pytest_mlrepro.cli import main; main(['fingerprint', 'data']);"
        "print({'pytest', 'numpy', 'sklearn'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "set()"


def test_a_table_by_value_in_words(folder, command):
    pytest.importorskip("pandas")
    (folder / "people.csv").write_bytes(
        b"age,sex,alive,a b\n22,m,True,1\n38.5,f,False,2\n,f,True,3\n80,,True,4\n"
    )
    taken = fingerprint(folder / "people.csv", by_value=True)
    digests = [column[2] for column in taken.detail["columns"]]
    blocks = taken.detail["blocks"]
    assert command("data/people.csv", "--by-value") == (
        0,
        f"{taken.digest}\n"
        "  table, 4 rows, 4 columns\n"
        "    digest    column  dtype    missing  min  max     mean  distinct\n"
        f"    {digests[0]}  age     float64        1   22   80  46.8333\n"
        f"    {digests[1]}  sex     str            1                            2\n"
        f"    {digests[2]}  alive   bool           0    0    1     0.75\n"
        f"    {digests[3]}  a b     int64          0    1    4      2.5\n"
        f"    {blocks[:4]}  from row 0 on\n"
        f"    {blocks[4:8]}  from row 1 on\n"
        f"    {blocks[8:12]}  from row 2 on\n"
        f"    {blocks[12:]}  from row 3 on\n",
        "",
    )


def test_arrays_by_value_in_words(folder, command):
    numpy.save(folder / "x.npy", numpy.array([[1.5, 2.0]]))
    numpy.save(folder / "y.npy", numpy.array([3, 4, 5]))
    numpy.savez(folder / "z.npz", one=numpy.array(1))
    first, second = (column[0] for column in fingerprint(folder / "x.npy", by_value=True).detail["columns"])
    assert command("data/x.npy", "--by-value")[1].splitlines()[1:] == [
        "  array, shape 1 x 2",
        "    digest    column  dtype    missing  min  max  mean",
        f"    {first}  0       float64        0  1.5  1.5   1.5",
        f"    {second}  1       float64        0    2    2     2",
    ]
    assert command("data/y.npy", "--by-value")[1].splitlines()[1:4] == [
        "  array, shape 3",
        "    dtype  missing  min  max  mean",
        "    int64        0    3    5     4",
    ]
    ((_, digest),) = fingerprint(folder / "z.npz", by_value=True).detail["keys"]
    assert command("data/z.npz", "--by-value")[1].splitlines()[1:] == ["  dict, 1 item", f"    {digest}  one"]


def test_a_wide_table_is_told_by_column(folder, command):
    pytest.importorskip("pandas")
    names = [f"column number {place}" for place in range(60)]
    (folder / "wide.csv").write_text("\n".join([",".join(names), ",".join(["1"] * 60)]))
    lines = command("data/wide.csv", "--by-value")[1].splitlines()
    assert lines[1:3] == ["  table, 1 row, 60 columns", "    digest  column            dtype"]
    assert len(lines) == 63
    assert lines[-1].endswith("    column number 59  int64")


def test_a_folder_by_value_in_words(folder, command):
    pytest.importorskip("pandas")
    (_, one), (_, iris) = fingerprint(folder, by_value=True).detail["entries"]
    assert command("data", "--by-value")[1].splitlines()[1:] == [
        f"  folder by value, 2 files, {len(IRIS) + 1} bytes",
        f"    {one}  deep/one.bin",
        f"    {iris}  iris.csv",
    ]
    assert iris != fingerprint(folder).detail["entries"][1][1]


def test_rows_in_any_order(folder, command):
    pytest.importorskip("pandas")
    head, *rows = IRIS.splitlines(keepends=True)
    (folder / "back.csv").write_bytes(head + b"".join(rows[::-1]))
    digests = [command(f"data/{name}.csv", "--by-value", "--unordered")[1][:44] for name in ("iris", "back")]
    assert digests[0] == digests[1] != command("data/iris.csv", "--by-value")[1][:44]
    assert command("data/iris.csv", "--unordered")[::2] == (
        4,
        "mlrepro: data/iris.csv: ordered=False has no meaning for the bytes of 'iris.csv'\n"
        "let its values count, with by_value=True, or leave ordered=False out\n",
    )


def test_another_hash(folder, command):
    pytest.importorskip("xxhash")
    for path in ("data", "data/iris.csv"):
        out = command(path, "--digest", "xxh3")[1]
        assert out.startswith("mlr1-xxh3:")
        assert out.splitlines()[0] == fingerprint(Path(path), digest="xxh3").digest


def test_a_hash_that_is_not_installed(folder, command, monkeypatch):
    algorithm.cache_clear()
    monkeypatch.setitem(sys.modules, "xxhash", None)
    status, out, err = command("data", "--digest", "xxh3")
    assert (status, out) == (4, "")
    assert "xxhash" in err


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.bin", b"1", "'a.bin' cannot be read by value, its ending is none of .arrow "),
        ("a.csv", b"a,b\n1\n", "'a.csv': line 2 has 1 cell, the first row has 2\n"),
        ("a.npy", b"1", "'a.npy' cannot be read by value: "),
    ],
)
def test_what_cannot_be_read_by_value(folder, command, name, data, said):
    pytest.importorskip("pandas")
    (folder / name).write_bytes(data)
    status, out, err = command(f"data/{name}", "--by-value")
    assert (status, out) == (4, "")
    assert err.startswith(f"mlrepro: data/{name}: {said}")


def test_numbers_that_json_has_not(folder, command):
    numpy.save(folder / "x.npy", numpy.array([numpy.inf, 1.0]))
    status, out, _ = command("data/x.npy", "--by-value", "--json")
    assert status == 0
    assert json.loads(out, parse_constant=pytest.fail)["detail"]["summary"][2] == "inf"


def test_progress_is_told_on_a_terminal_only(tmp_path, capsys, monkeypatch):
    (tmp_path / "a.bin").write_bytes(bytes(3_000_000))
    monkeypatch.setattr(progress, "_PATIENCE", -1.0)
    monkeypatch.setattr(progress, "_PAUSE", -1.0)
    assert main(["fingerprint", str(tmp_path / "a.bin")]) == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert main(["fingerprint", str(tmp_path / "a.bin")]) == 0
    told = capsys.readouterr()
    assert told.err.startswith("\rmlrepro: reading ")
    assert told.err.endswith(" \r")
    assert told.out.startswith("mlr1-blake3:")
