"""The text of a lockfile: canonical, exact, and clear about what is wrong with it."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import tomli
from hypothesis import given
from strategies import RUNS, VALUES

from pytest_mlrepro.bands import Band, Calibration
from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.facets import same_value
from pytest_mlrepro.lockfile import dumps, loads
from pytest_mlrepro.lockfile.bands import ranges, seeds_of
from pytest_mlrepro.lockfile.nodes import decode, encode
from pytest_mlrepro.model import Fact, Run, Tolerance

SUBJECT = "tests/test_model.py::test_f1"
BROKEN = Path(__file__).parents[2] / "fixtures" / "lockfiles" / "broken"


def run(*facts: Fact) -> Run:
    return Run.of({SUBJECT: facts})


@given(RUNS)
def test_everything_comes_back(original):
    text = dumps(original)
    again = loads(text)
    assert dumps(again) == text
    assert again.subjects.keys() == original.subjects.keys()
    assert again.environments.keys() == original.environments.keys()
    for name, own in original.environments.items():
        assert {
            (subject, address, fact is None) for subject in own for address, fact in own[subject].items()
        } == {
            (subject, address, fact is None)
            for subject, facts in again.environments[name].items()
            for address, fact in facts.items()
        }
    for subject, fact in original:
        back = again.facts(subject)[fact.address]
        assert same_value(back.value, fact.value)
        assert (back.dtype, back.better, back.tolerance) == (fact.dtype, fact.better, fact.tolerance)
        assert back.band == fact.band
        assert back.detail.keys() == fact.detail.keys()
        assert all(same_value(back.detail[name], fact.detail[name]) for name in fact.detail)


@given(RUNS)
def test_any_toml_reader_reads_it(original):
    own = [
        fact for each in original.environments.values() for facts in each.values() for fact in facts.values()
    ]
    bands = [fact.band for fact in (*(fact for _, fact in original), *own) if fact and fact.band]
    has_more = bool(bands) or any(original.environments.values())
    needed = "1.2" if any(band.made for band in bands) else "1.1" if has_more else "1.0"
    assert tomli.loads(dumps(original))["lock-version"] == needed


@given(VALUES)
def test_values_survive(value):
    assert same_value(decode(encode(value)), value)


def test_the_order_of_recording_leaves_no_trace():
    facts = [Fact("results", "b", 1), Fact("data", "a", "x"), Fact("results", "a", 2)]
    assert dumps(run(*facts)) == dumps(run(*reversed(facts)))


def test_a_reviewer_can_read_it():
    text = dumps(
        run(
            Fact("results", "test.f1", 0.956140350877193, better="higher", tolerance=Tolerance(1e-6, 0.0)),
            Fact("results", "accuracy", 0.5),
            Fact("settings", "depth", None),
            Fact("results", "confusion_matrix", ((39, 3), (1, 71))),
        )
    )
    assert text == (
        'lock-version = "1.0"\n'
        "\n"
        '["tests/test_model.py::test_f1".settings]\n'
        'depth = { type = "none" }\n'
        "\n"
        '["tests/test_model.py::test_f1".results]\n'
        "accuracy = 0.5\n"
        "confusion_matrix = [[39, 3], [1, 71]]\n"
        '"test.f1" = { value = 0.956140350877193, better = "higher", rtol = 1e-06, atol = 0.0 }\n'
    )


def test_a_band_stands_beside_its_value_and_raises_the_version():
    band = Band(low=0.922, high=0.958, mean=0.94, sd=0.006, seeds=20)
    text = dumps(run(Fact("results", "accuracy", 0.94, band=band), Fact("results", "f1", 0.5)))
    assert text == (
        'lock-version = "1.1"\n'
        "\n"
        '["tests/test_model.py::test_f1".results]\n'
        "accuracy = { value = 0.94, band = "
        "{ high = 0.958, low = 0.922, mean = 0.94, sd = 0.006, seeds = 20 } }\n"
        "f1 = 0.5\n"
    )
    assert loads(text.replace("1.1", "1.0")).facts(SUBJECT)["results.accuracy"].band == band


def test_what_a_band_was_made_of_stands_in_its_line():
    made = Calibration("prediction interval", 0.01, 12, (1, 2, 4), (0.93, 0.94, 0.95))
    band = Band(low=0.9, high=0.98, mean=0.94, sd=0.01, seeds=3, made=made)
    text = dumps(run(Fact("results", "accuracy", 0.94, band=band), Fact("results", "f1", 0.5)))
    assert text == (
        'lock-version = "1.2"\n'
        "\n"
        '["tests/test_model.py::test_f1".results]\n'
        "accuracy = { value = 0.94, band = { high = 0.98, low = 0.9, mean = 0.94, sd = 0.01, seeds = 3, "
        'method = "prediction interval", alpha = 0.01, metrics = 12, base = "1-2,4", '
        "values = [0.93, 0.94, 0.95] } }\n"
        "f1 = 0.5\n"
    )
    assert loads(text).facts(SUBJECT)["results.accuracy"].band == band


def test_twenty_values_of_full_length_stay_in_one_line():
    values = tuple(0.9 + index / 300 for index in range(20))
    made = Calibration("prediction interval", 0.01, 12, tuple(range(1, 21)), values)
    band = Band(low=0.9, high=0.98, mean=0.94, sd=0.01, seeds=20, made=made)
    (line,) = [
        each for each in dumps(run(Fact("results", "f1", 0.94, band=band))).splitlines() if "f1 =" in each
    ]
    assert line.endswith("] } }")


@pytest.mark.parametrize(
    ("base", "count", "seeds"),
    [
        ("1-3", 3, (1, 2, 3)),
        ("7", 1, (7,)),
        ("1-2,4,6-7", 5, (1, 2, 4, 6, 7)),
        ("", 0, ()),
        ("1-3", 4, None),
        ("1-999999999999", 3, None),
        ("3-1", 1, None),
        ("-1", 1, None),
        ("1-", 1, None),
        ("a", 1, None),
        (7, 1, None),
    ],
)
def test_seeds_are_written_as_ranges(base, count, seeds):
    assert seeds_of(base, count) == seeds
    if seeds is not None:
        assert ranges(seeds) == base


def test_whole_numbers_in_a_band_are_numbers():
    text = dumps(run(Fact("results", "n", 40, band=Band(35, 45, 40, 1, 20))))
    written = text.replace("45.0", "45").replace("35.0", "35").replace("sd = 1.0", "sd = 1")
    assert written != text
    assert dumps(loads(written)) == text


def test_many_rows_stand_a_row_a_line():
    columns = tuple((f"column {index}", "float64", "a1b2c3d4") for index in range(5))
    text = dumps(run(Fact("data", "train", "mlr1", detail={"columns": columns})))
    assert text.count("\n    [") == 5


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1e22, 2**63, -(2**80), True, 1, 1.0]
)
def test_numbers_keep_their_kind(value):
    back = loads(dumps(run(Fact("results", "x", value)))).facts(SUBJECT)["results.x"].value
    assert same_value(back, value)


@pytest.mark.parametrize("path", sorted(BROKEN.glob("*.lock")), ids=lambda path: path.stem)
def test_what_is_wrong_is_said(path):
    expected = path.with_suffix(".txt").read_text()
    with pytest.raises(LockfileError) as caught:
        loads(path.read_text(), "mlrepro.lock")
    assert f"{caught.value}\n" == expected


def test_every_way_to_break_one_is_there():
    assert len(list(BROKEN.glob("*.lock"))) >= 15
