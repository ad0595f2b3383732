"""How exactly a version must be the locked one: which rule holds, and what is within it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.facets import Versions
from pytest_mlrepro.model import Drift, Fact


def drift(key, before, now, *, facet="libraries", policy="fail"):
    sides = [None if value is None else Fact(facet, key, value) for value in (before, now)]
    kind = "added" if before is None else "removed" if now is None else "changed"
    return Drift("session", facet, key, kind, *sides, policy)


def judged(rule, before, now, key="numpy"):
    name = "python" if key == "runtime.python" else key
    return Versions({name: rule}).judge(drift(key, before, now)).policy


@pytest.mark.parametrize(
    ("rules", "name", "rule"),
    [
        ({}, "numpy", None),
        ({"numpy": "any"}, "numpy", "any"),
        ({"numpy": "any"}, "numpy-financial", None),
        ({"Scikit_Learn": "any"}, "scikit-learn", "any"),
        ({"scikit_*": "compatible"}, "scikit-image", "compatible"),
        ({"*": "compatible", "nvidia-*": "any"}, "nvidia-cublas-cu12", "any"),
        ({"nvidia-*": "any", "*": "compatible"}, "pandas", "compatible"),
        ({"nvidia-*": "any", "nvidia-nccl*": "exact"}, "nvidia-nccl-cu12", "exact"),
        ({"*": "any"}, "python", None),
        ({"*": "any", "python": "exact"}, "python", "exact"),
        ({"python": "exact"}, "numpy", None),
    ],
)
def test_the_longest_matching_pattern_wins(rules, name, rule):
    assert Versions(rules).rule(name) == rule


@pytest.mark.parametrize(
    ("before", "now", "compatible", "any_version"),
    [
        ("2.4.5", "2.4.6", True, True),
        ("2.4", "2.4.1", True, True),
        ("2.4.5", "2.5.0", False, True),
        ("2.4.5", "3.4.5", False, True),
        ("1", "1.0.7", True, True),
        ("2.4.0rc1", "2.4.0", True, True),
        ("1!2.4", "2.4", False, True),
        ("2.9.0+cpu", "2.9.1+cpu", True, True),
        ("2.9.0+cpu", "2.9.0+cu132", False, True),
        ("2.4.5", "unknown", False, True),
        ("1.0 (git 1a)", "1.0 (git 2b)", True, True),
        ("1.0 (git 1a)", "2.0 (git 2b)", False, True),
        ("1.0 (conda py311_0)", "1.0.1 (conda py311_1)", True, True),
        ("1.0", "1.0 (editable)", False, False),
        ("1.0 (editable)", "1.0 (git 1a)", False, False),
        ("1.0", "1.0 (no distribution)", False, False),
    ],
)
def test_what_is_within_a_rule(before, now, compatible, any_version):
    for one, other in ((before, now), (now, before)):
        assert (judged("compatible", one, other) == "note") == compatible
        assert (judged("any", one, other) == "note") == any_version
        assert judged("exact", one, other) == "fail"


@pytest.mark.parametrize(
    ("before", "now", "exact", "compatible", "any_version"),
    [
        ("CPython 3.11.7", "CPython 3.11.9", "fail", "note", "note"),
        ("CPython 3.11.7", "CPython 3.12.1", "fail", "fail", "note"),
        ("CPython 3.11.7", "PyPy 3.11.7", "fail", "fail", "fail"),
        ("CPython 3.14.0", "CPython 3.14.0 free-threaded", "fail", "fail", "fail"),
    ],
)
def test_python_has_a_rule_of_its_own(before, now, exact, compatible, any_version):
    told = [judged(rule, before, now, "runtime.python") for rule in ("exact", "compatible", "any")]
    assert told == [exact, compatible, any_version]


@pytest.mark.parametrize(
    "found",
    [
        drift("numpy", None, "1.0"),
        drift("numpy", "1.0", None),
        drift("blas.numpy", "openblas 1", "openblas 2"),
        drift("env.X", "1.0", "1.1"),
        drift("numpy", "1.0", "1.1", facet="settings"),
    ],
    ids=lambda found: f"{found.address}-{found.kind}",
)
def test_only_versions_that_changed_have_a_rule(found):
    assert Versions({"*": "any"}).judge(found) is found


def test_a_version_within_its_rule_is_told_with_the_rule():
    found = Versions({"num*": "compatible"}).judge(drift("numpy", "2.4.5", "2.4.6"))
    assert found.current.remark == "within its rule 'compatible'"
    beyond = drift("numpy", "2.4.5", "2.5.0")
    assert Versions({"num*": "compatible"}).judge(beyond) is beyond


@given(st.text(max_size=20), st.text(max_size=20), st.sampled_from(["exact", "compatible", "any"]))
def test_what_is_no_version_is_no_error(before, now, rule):
    for key in ("numpy", "runtime.python"):
        assert judged(rule, before, now, key) in ("fail", "note")
