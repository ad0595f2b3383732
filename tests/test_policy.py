"""What a drift leads to: which rule wins, and what holds where there is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.facets import Versions
from pytest_mlrepro.model import FACET_NAMES, Drift, Fact
from pytest_mlrepro.policy import Policies, failing

PARTS = st.lists(
    st.sampled_from(["results", "data", "test", "f1", "loss", "fold[0]"]), min_size=2, max_size=4
)
ADDRESSES = PARTS.map(".".join)


def drift(address, before=1, now=2):
    facet, _, key = address.partition(".")
    return Drift(
        "tests/test_a.py::test_a", facet, key, "changed", Fact(facet, key, before), Fact(facet, key, now)
    )


def rule(rules, address):
    return Policies((rules,)).rule(address)


@pytest.mark.parametrize(
    ("pattern", "address", "matches"),
    [
        ("results", "results.f1", True),
        ("results", "results.test.f1", True),
        ("results.test", "results.test.f1", True),
        ("results.test", "results.testing", False),
        ("res", "results.f1", False),
        ("results.f1", "results.f1", True),
        ("results.f1", "results.f1_macro", False),
        ("results.*.loss", "results.train.loss", True),
        ("results.*.loss", "results.train.fold.loss", True),
        ("results.*.loss", "results.loss", False),
        ("*.f1", "results.test.f1", True),
        ("results.f?", "results.f1", True),
        ("results.[ab]", "results.b", True),
        ("results.fold[0]", "results.fold[0]", True),
        ("results.fold[0]", "results.fold[0].f1", True),
        ("results.fold[0]", "results.fold[1]", False),
        ("Results", "results.f1", False),
    ],
)
def test_what_a_pattern_stands_for(pattern, address, matches):
    assert rule({pattern: "warn"}, address) == ("warn" if matches else None)


VERSIONS = Versions({"numpy": "compatible"})
PATCH, MINOR = drift("libraries.numpy", "2.4.5", "2.4.6"), drift("libraries.numpy", "2.4.5", "2.5.0")


@pytest.mark.parametrize(
    ("rules", "patch", "minor"),
    [
        ({}, ["note"], ["fail"]),
        # A rule for the address is for what is beyond the rule for the version.
        ({"libraries.numpy": "warn"}, ["note"], ["warn"]),
        ({"libraries": "fail"}, ["note"], ["fail"]),
        ({"libraries.numpy": "ignore"}, [], []),
    ],
)
def test_a_version_within_its_rule_is_a_note(rules, patch, minor):
    policies = Policies((rules,) if rules else (), VERSIONS)
    assert [each.policy for each in policies.judge([PATCH])] == patch
    assert [each.policy for each in policies.judge([MINOR])] == minor
    # The same below a marker's rules.
    assert [each.policy for each in policies.over({"results": "warn"}).judge([PATCH])] == patch


def test_the_longest_pattern_wins_whatever_the_order():
    rules = {"results": "fail", "results.test": "warn", "results.test.f1": "ignore"}
    for items in ([*rules.items()], [*reversed(rules.items())]):
        assert rule(dict(items), "results.test.f1") == "ignore"
        assert rule(dict(items), "results.test.auc") == "warn"
        assert rule(dict(items), "results.auc") == "fail"


def test_a_marker_wins_over_the_project_even_with_a_shorter_pattern():
    policies = Policies(({"results.test.f1": "ignore"},)).over({"results": "warn"})
    assert policies.rule("results.test.f1") == "warn"


def test_where_the_marker_is_silent_the_project_speaks():
    policies = Policies(({"data": "note"},)).over({"results": "warn"})
    assert policies.rule("data.train") == "note"
    assert policies.rule("settings.depth") is None


def test_a_marker_without_rules_changes_nothing():
    policies = Policies(({"data": "note"},))
    assert policies.over({}) is policies


@given(ADDRESSES)
def test_an_address_is_a_pattern_for_itself_and_all_above(address):
    assert rule({address: "warn"}, address) == "warn"
    parts = address.split(".")
    for count in range(1, len(parts)):
        above = ".".join(parts[:count])
        assert rule({above: "warn"}, address) == "warn"
        assert rule({address: "warn"}, above) is None


def test_the_defaults_of_the_facets():
    found = {each.facet: each.policy for each in Policies().judge(drift(f"{name}.x") for name in FACET_NAMES)}
    assert found == {**dict.fromkeys(FACET_NAMES, "fail"), "source": "note"}


def test_a_facet_may_know_better_for_a_key():
    noted, failed = Policies().judge(
        [drift("libraries.cpu.cores", 4, 8), drift("libraries.numpy", "1.0", "2.0")]
    )
    assert (noted.policy, failed.policy) == ("note", "fail")


def test_what_is_ignored_is_left_out_and_the_rest_keeps_its_order():
    policies = Policies(({"results.b": "ignore", "results.c": "warn"},))
    judged = policies.judge(drift(f"results.{key}") for key in "abc")
    assert [(each.key, each.policy) for each in judged] == [("a", "fail"), ("c", "warn")]
    assert [each.key for each in failing(judged)] == ["a"]
