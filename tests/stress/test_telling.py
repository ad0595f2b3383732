"""What is printed: a matrix that can be read, then what differs, why, and what to do; and the document for tools."""

from __future__ import annotations

import json

import pytest
from stress.worlds import CLOCK, OTHER, SITE, Fails, World, steady

from pytest_mlrepro.report.machine import written
from pytest_mlrepro.stress.document import document
from pytest_mlrepro.stress.telling import headline, lines, matrix


def hashed(conditions):
    return {
        "data.train": "digest",
        "results.f1": 0.5 if conditions.variable("PYTHONHASHSEED") == "0" else 0.75,
    }


def nudged(conditions):
    return {"results.f1": 0.5 + 2.0**-50 * (conditions.threads > 1)}


def text(told, width=200):
    return "\n".join(lines(told, width))


def test_a_wide_matrix_has_a_name_over_each_column():
    told = World({"test_m.py::test_b": hashed, "test_m.py::test_near": nudged}).stress()
    header, first, second, legend = matrix(told, 200)
    place = header.index(" hash") + len(" hash") - 1
    assert first.startswith("test_m.py::test_b ")
    assert (first[place], second[place]) == ("!", "=")
    place = header.index(" threads") + len(" threads") - 1
    assert (first[place], second[place]) == ("=", "~")
    assert legend.strip() == "= bitwise the same, ~ the same within tolerance, ! drifted"


def test_a_narrow_matrix_has_its_names_upright():
    told = World({"test_m.py::test_b": hashed, "test_m.py::test_near": nudged}).stress()
    *header, first, _, _ = matrix(told, 80)
    assert max(map(len, (*header, first))) <= 80
    place = [column for column in range(len(first)) if first[column] == "!"][-1]
    assert "".join(line[place : place + 1] or " " for line in header).split() == ["hash"]


def test_a_long_name_loses_its_beginning():
    name = f"tests/{'very_' * 20}long.py::test_b"
    told = World({name: steady}).stress()
    for width in (80, 160):
        row = [*matrix(told, width)][-2]
        assert row.startswith("...")
        assert "long.py::test_b " in row
        assert len(row) <= max(width, 80)


def test_of_very_many_subjects_those_that_hold_are_counted():
    tests = {f"test_m.py::test_{number}": steady for number in range(40)}
    told = World({**tests, "test_m.py::test_b": hashed}).stress("hash", "process")
    shown = [*matrix(told, 200)]
    assert "test_m.py::test_b" in shown[1]
    assert shown[2] == "and 40 subjects, bitwise the same under every change"
    assert [*matrix(World(tests).stress(), 200)] == ["and 40 subjects, bitwise the same under every change"]


def test_a_drift_says_where_it_starts_why_and_what_to_do():
    told = text(World({"test_m.py::test_b": hashed}).stress())
    assert (
        "test_m.py::test_b drifted under another PYTHONHASHSEED (hash)\n"
        "  starts at    results.f1: 0.5 -> 0.75 (+0.25, +50 %) (2nd of 2 facts, 1 differs)\n"
        "  must be      bitwise the same\n"
        "  likely       the order of a set of texts, or hash() of a text\n"
        "  do           sort what comes out of a set: sorted(words); take a digest (hashlib) in the place of hash()\n"
    ) in told
    assert told.endswith("not reproducible: 1 subject drifted; 1 subject under 13 changes, 17 replays")


def test_of_what_may_round_the_tolerance_is_told():
    told = World({"t::a": lambda c: {"results.f1": float(c.threads)}}).stress()
    assert "beyond rounding" in text(told)
    assert "  must be      the same within its tolerance\n" in text(told)
    told = World({"t::a": lambda c: {"results.f1": 0.5 + 2.0**-50 * c.does("listing")}}).stress()
    assert "  must be      bitwise the same; it is so within its tolerance only\n" in text(told)


def test_unseeded_places_are_named_with_their_line():
    def test(conditions):
        conditions.entropy(OTHER)
        return {"results.f1": conditions.entropy(SITE)}

    told = text(World({"t::a": test}).stress())
    assert (
        "  proven       an unpinned generator\n"
        "               test_m.py:5 default_rng() via numpy\n"
        "  do           pass a seed: default_rng(mlrepro.seed)\n"
    ) in told
    assert "  test_m.py:5 default_rng() via numpy: matters to results.f1 of t::a\n" in told
    assert "  test_m.py:9 uuid.uuid4(): harmless, no fact depends on it\n" in told
    assert "a seed that is taken from the clock" in text(
        World({"t::a": lambda c: {"results.f1": c.entropy(CLOCK)}}).stress()
    )


def test_an_unseeded_place_that_changes_nothing():
    def test(conditions):
        conditions.entropy(SITE)
        return {"results.f1": 0.5}

    told = text(World({"t::a": test}).stress())
    assert (
        "unpinned randomness that changes no fact: test_m.py:5 default_rng() via numpy; pass a seed" in told
    )


def test_what_could_not_be_tried_is_said():
    def failing(conditions):
        raise Fails("AssertionError: no")

    def elsewhere(conditions):
        if conditions.change.elsewhere:
            raise Fails("FileNotFoundError: data.csv")
        return {"results.f1": 1}

    world = World(
        {"t::a": elsewhere, "t::bad": failing},
        broken=lambda c: "it died\n  said" if c.does("listing") else "",
    )
    told = text(world.stress())
    assert "  the test     passed before, fails now: FileNotFoundError: data.csv\n" in told
    assert "not tried, it fails as it is: t::bad: AssertionError: no" in told
    assert "under reversed listings of folders (listing) the tests cannot be run: it died\n  said\n" in told
    world = World(
        {"t::a": steady}, broken=lambda c: "it died" if c.does("listing") and c.does("order") else ""
    )
    assert "under all changes at once (together) the tests cannot be run: it died\n" in text(world.stress())


@pytest.mark.parametrize(
    ("tests", "verdict"),
    [
        ({"t::a": steady}, "reproducible: 1 subject under 13 changes, 2 replays"),
        ({"t::a": steady, "t::b": steady}, "reproducible: 2 subjects under 13 changes, 2 replays"),
    ],
)
def test_the_headline(tests, verdict):
    assert headline(World(tests).stress()) == verdict


def test_the_document_holds_the_same():
    def test(conditions):
        conditions.entropy(OTHER)
        return {"results.f1": conditions.entropy(SITE)}

    told = document(World({"t::a": test, "t::b": hashed}).stress())
    assert json.loads(written(told)) == told
    assert told["schema"] == 1
    assert told["verdict"] == "drifted"
    assert told["matrix"]["t::b"]["hash"] == "drifted"
    assert {each["name"]: each["hold"] for each in told["changes"]}["threads"] == "rounding"
    first, second = told["drifts"]
    assert (first["subject"], first["change"], first["first"]) == ("t::a", "process", "results.f1")
    assert [site["line"] for site in first["sites"]] == [5]
    assert first["proven"]
    assert (second["change"], second["baseline"], second["current"]) == ("hash", 0.5, 0.75)
    assert [each["matters"] for each in told["unpinned"]] == [False, True]
    assert document(World({"t::a": steady}).stress())["verdict"] == "reproducible"
