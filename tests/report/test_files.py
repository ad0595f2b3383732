"""Report files."""

from __future__ import annotations

import json

import pytest

from pytest_mlrepro.balance import draw
from pytest_mlrepro.errors import ConfigError
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.ledger import Extent, Ledger
from pytest_mlrepro.report import files, machine

DOCUMENT = machine.document(draw(Ledger(), Terms(), Extent()), Terms(), exitstatus=0)


def test_the_ending_says_which(tmp_path):
    for name in ("new/folder/out.json", "out.md"):
        files.write(tmp_path / name, DOCUMENT)
    assert json.loads((tmp_path / "new/folder/out.json").read_bytes()) == DOCUMENT
    assert (tmp_path / "out.md").read_text().startswith("mlrepro **reproduced**")


@pytest.mark.parametrize("ending", files.FORMATS)
def test_a_report_that_cannot_be_written_is_told(tmp_path, ending):
    path = tmp_path / f"out{ending}"
    path.mkdir()
    with pytest.raises(ConfigError, match="the report cannot be written: Is a directory"):
        files.write(path, DOCUMENT)
