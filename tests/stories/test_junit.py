"""JUnit XML: a drift is the failure text of its test, and facts are properties where somebody asks for them."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

TESTS = """
import os


def test_score(mlrepro):
    mlrepro.metric("f1", float(os.environ.get("F1", 0.1 + 0.2)))
    mlrepro.metric("names", ["a", "<b>"])
    mlrepro.metric("odd\\x1b", "x\\udce9")
    mlrepro.settings({"depth": None}, name="tree")
"""


@pytest.fixture
def project(empty):
    return empty.write({"test_a.py": TESTS, "pyproject.toml": "[tool.mlrepro]\njunit_properties = true\n"})


def case(ran):
    (found,) = ElementTree.parse(ran.project.root / "out.xml").iter("testcase")
    return found, {each.get("name"): each.get("value") for each in found.iter("property")}


@pytest.mark.parametrize("workers", [(), pytest.param(("-n", "1"), marks=pytest.mark.slow)])
def test_facts_are_properties_on_request(project, workers):
    if workers:
        pytest.importorskip("xdist")
    project.update().ok()
    found, told = case(project.setenv(F1="0.4").check("--junit-xml=out.xml", *workers).red())
    assert "results.f1 drifted: 0.30000000000000004 -> 0.4" in "".join(found.itertext())
    assert told["mlrepro.results.f1"] == "0.4"
    assert told["mlrepro.results.names"] == '["a", "<b>"]'
    assert told["mlrepro.settings.tree.depth"] == "null"
    assert [value for name, value in told.items() if "odd" in name] == ["x\\udce9"]


def test_without_there_are_none(project):
    plain = project.write({"pyproject.toml": "[tool.mlrepro]\njunit_properties = false\n"})
    assert case(plain.update("--junit-xml=out.xml").ok())[1] == {}
