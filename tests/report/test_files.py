"""Report files."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from pytest_mlrepro.balance import draw
from pytest_mlrepro.errors import ConfigError, MissingExtraError
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.ledger import Extent, Ledger
from pytest_mlrepro.report import files, machine

DOCUMENT = machine.document(draw(Ledger(), Terms(), Extent()), Terms(), exitstatus=0)


def test_the_ending_says_which(tmp_path):
    for name in ("new/folder/out.json", "out.md", "out.html"):
        files.write(tmp_path / name, DOCUMENT)
    assert json.loads((tmp_path / "new/folder/out.json").read_bytes()) == DOCUMENT
    assert (tmp_path / "out.md").read_text().startswith("mlrepro **reproduced**")
    assert (tmp_path / "out.html").read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("ending", files.FORMATS)
def test_a_report_that_cannot_be_written_is_told(tmp_path, ending):
    path = tmp_path / f"out{ending}"
    path.mkdir()
    with pytest.raises(ConfigError, match="the report cannot be written: Is a directory"):
        files.write(path, DOCUMENT)


def test_an_ending_that_no_report_has_is_told_before_anything_runs():
    files.check(Path("out.html"), "-o out.html")
    with pytest.raises(
        ConfigError, match=r"unknown ending of a report '\.htm'\ndid you mean '\.html'\?"
    ) as caught:
        files.check(Path("out.htm"), "-o out.htm")
    assert caught.value.where == "-o out.htm"


def test_a_library_that_is_missing_is_told_before_anything_runs(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtraError) as caught:
        files.check(Path("out.html"), "-o out.html")
    assert str(caught.value) == (
        '-o out.html: the report as a web page needs the package jinja2\npip install "pytest-mlrepro[html]"'
    )
    files.check(Path("out.md"), "-o out.md")
