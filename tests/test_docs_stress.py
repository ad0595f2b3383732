"""The guide to stress tests: its example is run, its settings are parsed, its lists are whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import tomli

from pytest_mlrepro.config import parse_config
from pytest_mlrepro.steadiness import HOLDS

GUIDE = (Path(__file__).parents[1] / "docs" / "stress.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^```\S+ title=(\S+)\n(.*?)^```$", GUIDE, re.M | re.S))
INI = "[tool.pytest.ini_options]\npythonpath = ['.']\naddopts = '-p no:randomly'\n"
ROW = re.compile(r"^\| `(\w+)` \|", re.M)


def test_every_change_is_described_in_its_group():
    table = GUIDE.partition("## The changes")[2].partition("\n\nTolerances")[0]
    strict, loose = table.split("within their tolerances**")
    found = dict.fromkeys(ROW.findall(strict), "bitwise") | dict.fromkeys(ROW.findall(loose), "rounding")
    assert found == HOLDS


def test_the_settings_can_be_used(tmp_path):
    (text,) = re.findall(r"^```toml\n(.*?)^```$", GUIDE, re.M | re.S)
    assert parse_config(tomli.loads(text)["tool"]["mlrepro"], tmp_path, "here").stress["order"] == "off"


@pytest.mark.slow
def test_the_example_is_what_is_printed(empty, tmp_path):
    project = empty.write(
        {"pyproject.toml": INI, **{name: text for name, text in BLOCKS.items() if "." in name}}
    )
    project = project.setenv(MLREPRO_CACHE=str(tmp_path / "cache"), COLUMNS="150")
    told = project.command("stress", "tests/test_encoding.py").red().output
    assert masked(told) == masked(BLOCKS["output"])


def masked(told):
    """Without what differs from run to run and from machine to machine."""
    lines = [re.sub(r"-?\d\.\d{9,}|\(\+?-?[\d.e-]+, [+-][\d.]+ %\)", "N", line) for line in told.splitlines()]
    shown = [line for line in lines if not line.startswith("not tried here: ")]
    # Where it stood there is an empty line too many.
    return re.sub(r"\n{3,}", "\n\n", "\n".join(shown))
