"""Which facts names mean."""

from __future__ import annotations

import pytest

from pytest_mlrepro.choice import chosen
from pytest_mlrepro.errors import ConfigError
from pytest_mlrepro.model import SESSION

A, B, C = "tests/test_a.py::test_x[1]", "tests/test_a.py::test_y", "tests/sub/test_b.py::TestC::test_z"
KNOWN = {
    A: ["results.test.f1", "results.test.f2"],
    B: ["results.test.f1", "settings.depth"],
    C: ["data.train", "results.loss"],
    SESSION: ["libraries.numpy", "libraries.env.TZ"],
}


def found(*words):
    choice = chosen(words, KNOWN, "run.lock")
    return {
        (subject, address) for subject, some in KNOWN.items() for address in some if choice(subject, address)
    }


def pairs(*subjects):
    return {(subject, address) for subject in subjects for address in KNOWN[subject]}


def test_no_name_is_everything():
    assert found() == pairs(*KNOWN)


@pytest.mark.parametrize(
    ("word", "subjects"),
    [
        (A, [A]),
        ("tests/test_a.py::test_x", [A]),
        ("tests/test_a.py", [A, B]),
        ("tests", [A, B, C]),
        ("tests/", [A, B, C]),
        ("tests/sub/test_b.py::TestC", [C]),
        ("*::test_?", [B, C]),
        ("session", [SESSION]),
    ],
)
def test_a_subject_or_what_it_begins_with(word, subjects):
    assert found(word) == pairs(*subjects)


def test_an_address_matches_as_in_a_policy():
    assert found("results") == {pair for pair in pairs(A, B, C) if pair[1].startswith("results.")}
    assert found("results.test.f1") == {(A, "results.test.f1"), (B, "results.test.f1")}
    assert found("results.*.f2") == {(A, "results.test.f2")}
    assert found("libraries.env") == {(SESSION, "libraries.env.TZ")}


def test_of_one_kind_any_counts_and_both_kinds_must_agree():
    assert found(B, C) == pairs(B, C)
    assert found("settings", "data") == {(B, "settings.depth"), (C, "data.train")}
    assert found("tests/test_a.py", "results.test.f1", "data") == {
        (A, "results.test.f1"),
        (B, "results.test.f1"),
    }


@pytest.mark.parametrize(
    ("word", "nearest"),
    [
        ("results.test.f3", "results.test.f2"),
        ("tests/test_a.py::test_yy", B),
        ("libraries.nunpy", "libraries.numpy"),
    ],
)
def test_what_names_nothing_is_said_with_the_nearest(word, nearest):
    with pytest.raises(ConfigError) as caught:
        found("results", word)
    assert str(caught.value) == (
        f"run.lock: no subject and no fact is called {word!r}\n"
        f"did you mean {nearest!r}? mlrepro show --lockfile run.lock lists what there is"
    )


def test_names_that_mean_nothing_together():
    with pytest.raises(ConfigError, match=r"run\.lock: none of tests/sub has a fact settings\.depth"):
        found("tests/sub", "settings.depth")
