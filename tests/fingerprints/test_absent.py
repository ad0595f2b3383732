"""Optional libraries that are not installed: what needs none of them works, what needs one names it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SCRIPT = """
import datetime, sys, tempfile
from pathlib import Path

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[1:]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
import numpy as np
from pytest_mlrepro.errors import MissingExtraError
from pytest_mlrepro.fingerprints import fingerprint

def attempt(what, make, **options):
    try:
        made = make()
    except ModuleNotFoundError as error:
        print(what, "absent", error.name)
        return
    try:
        print(what, fingerprint(made, **options).digest)
    except MissingExtraError as error:
        print(what, str(error).replace("\\n", " | "))

def load(name):
    return __import__(name)

attempt("array", lambda: np.arange(9.0), locate=False, ordered=False)
attempt("objects", lambda: np.array(["a", None, 1], dtype=object))
attempt("list", lambda: [1, datetime.datetime(2020, 1, 1), {"a": (2.5,)}])
attempt("frame", lambda: load("pandas").DataFrame({"a": [1, 2], "b": ["x", None]}))
attempt("table", lambda: load("pyarrow").table({"a": [1, 2], "b": ["x", None]}))
attempt("polars", lambda: load("polars").DataFrame({"a": [1, 2], "b": ["x", None]}))
with tempfile.TemporaryDirectory() as folder:
    for name in ("a.txt", "a.csv", "a.parquet", "a.png"):
        (Path(folder) / name).write_bytes(b"a\\n1\\n")
    attempt("file", lambda: Path(folder) / "a.txt")
    attempt("hash", lambda: Path(folder) / "a.txt", digest="xxh3")
    for name in sys.argv[1:]:
        ending = {"pandas": "csv", "pyarrow": "parquet", "PIL": "png"}.get(name)
        if ending:
            attempt(name, lambda: Path(folder) / f"a.{ending}", by_value=True)
"""
SAID = {
    "pandas": "pandas 'a.csv' cannot be read by value without the package pandas | pip install pandas",
    "pyarrow": "pyarrow 'a.parquet' cannot be read by value without the package pyarrow | pip install pyarrow",
    "PIL": "PIL 'a.png' cannot be read by value without the package pillow | pip install pillow",
    "xxhash": 'hash digest = "xxh3" needs the package xxhash | pip install "pytest-mlrepro[xxh3]"',
}


def told(*absent):
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, *absent],
        env={**os.environ, "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


def digests(lines):
    return {line for line in lines if " mlr1-" in line}


def check(*absent):
    lines = told(*absent)
    assert digests(lines) <= digests(told())
    assert {line.split()[0] for line in digests(lines)} >= {"array", "objects", "list", "file"}
    assert set(lines) >= {SAID[name] for name in absent if name in SAID}
    return lines


def test_without_any_of_them():
    lines = check("pandas", "pyarrow", "polars", "PIL", "xxhash", "dask", "torch")
    assert set(lines) >= {"frame absent pandas", "table absent pyarrow", "polars absent polars"}


@pytest.mark.slow
@pytest.mark.parametrize("absent", ["pandas", "pyarrow", "polars", "PIL", "xxhash", "dask", "torch"])
def test_without_one_of_them(absent):
    lines = check(absent)
    others = {"frame": "pandas", "table": "pyarrow", "polars": "polars", "hash": "xxhash"}
    installed = {line.split()[0] for line in digests(told())}
    assert {line.split()[0] for line in digests(lines)} == {
        what for what in installed if others.get(what) != absent
    }
