"""What is said of a drift, and in which order its suspects stand."""

from __future__ import annotations

import random

import pytest

from pytest_mlrepro.explain import explain, sentence
from pytest_mlrepro.model import SESSION, Drift, Fact, Tolerance

TEST = "tests/test_a.py::test_a"
FIXTURE = "tests/conftest.py::model"
DEFAULT = Tolerance()


def drift(address, before=1.0, now=2.0, *, subject=TEST, policy="fail"):
    facet, _, key = address.partition(".")
    kind = "added" if before is None else "removed" if now is None else "changed"
    return Drift(
        subject,
        facet,
        key,
        kind,
        None if before is None else Fact(facet, key, before),
        None if now is None else Fact(facet, key, now),
        policy,
    )


def suspects(result, *inputs, around=()):
    first = explain([result, *inputs], around, tolerance=DEFAULT)[0]
    return [each.drift.address for each in first.suspects]


RESULT = drift("results.f1", 0.95, 0.91)
TINY = drift("results.f1", 0.95, 0.95 + 1e-8)
INPUTS = [
    drift("libraries.numpy", "1.26", "2.4", subject=SESSION),
    drift("assumptions.region", "EU", "US"),
    drift("source.train", "a", "b", policy="note"),
    drift("randomization.seed", 1, 2),
    drift("settings.depth", 3, 4),
    drift("data.train", "mlr1:a", "mlr1:b"),
]
MACHINE = [
    drift("libraries.cpu.model", "A", "B", subject=SESSION, policy="note"),
    drift("randomization.threads.openblas", 4, 8, subject=SESSION, policy="note"),
]


def test_one_explanation_a_drift_in_the_same_order():
    drifts = [RESULT, *INPUTS]
    assert [each.drift for each in explain(drifts, tolerance=DEFAULT)] == drifts


def test_only_results_have_suspects_and_only_inputs_are_some():
    explained = explain([RESULT, drift("results.auc", 0.9, 0.8), *INPUTS], tolerance=DEFAULT)
    for each in explained:
        roles = {suspect.drift.facet for suspect in each.suspects}
        assert "results" not in roles
        assert bool(roles) == (each.drift.facet == "results")


def test_what_people_change_comes_first():
    assert suspects(RESULT, *INPUTS, around=MACHINE) == [
        "data.train",
        "settings.depth",
        "randomization.seed",
        "source.train",
        "assumptions.region",
        "libraries.numpy",
    ]


def test_what_nobody_decided_is_a_suspect_where_there_is_no_other():
    assert suspects(RESULT, around=MACHINE) == ["randomization.threads.openblas", "libraries.cpu.model"]


MERELY_DIFFERENT = [
    drift("libraries.env.LANG", "C", "de_DE.UTF-8", subject=SESSION, policy="note"),
    drift("libraries.runtime.os_release", "debian 12", "ubuntu 24.04", subject=SESSION, policy="note"),
    drift("libraries.attrs", None, "25.1", subject=SESSION, policy="note"),
]


def test_what_can_move_a_number_comes_before_what_is_merely_different():
    moved = ["randomization.threads.openblas", "libraries.cpu.model"]
    different = ["libraries.attrs", "libraries.env.LANG", "libraries.runtime.os_release"]
    around = [*MERELY_DIFFERENT, *MACHINE]
    assert suspects(RESULT, around=around) == [*moved, *different]
    assert suspects(TINY, around=around) == [*reversed(moved), *different]


def test_what_networks_amplify_stays_a_suspect_behind_what_was_edited():
    simd = drift("libraries.cpu.simd_torch", "AVX512", "AVX2", subject=SESSION, policy="note")
    threads = drift("randomization.threads.torch", 2, 4, subject=SESSION, policy="note")
    around = [*MACHINE, *MERELY_DIFFERENT, simd, threads]
    edited = drift("settings.depth", 3, 4)
    assert suspects(RESULT, edited, around=around) == [
        "settings.depth",
        "randomization.threads.torch",
        "libraries.cpu.simd_torch",
    ]
    # Where nothing else changed it comes before what only reaches the last digits.
    assert suspects(RESULT, around=around)[:2] == ["randomization.threads.torch", "libraries.cpu.simd_torch"]
    assert suspects(RESULT, around=around)[2:4] == ["randomization.threads.openblas", "libraries.cpu.model"]
    # It came into use: that the test uses torch now is told by its version.
    new = drift("libraries.cpu.simd_torch", None, "AVX2", subject=SESSION, policy="note")
    assert suspects(RESULT, edited, around=[new]) == ["settings.depth"]


def test_an_upgrade_that_a_rule_lets_pass_is_no_matter_of_the_machine():
    within = drift("libraries.numpy", "2.4.5", "2.4.6", subject=SESSION, policy="note")
    assert suspects(RESULT, around=[*MACHINE, *MERELY_DIFFERENT, within]) == ["libraries.numpy"]
    assert suspects(RESULT, INPUTS[4], within, around=MACHINE) == ["settings.depth", "libraries.numpy"]


def test_for_rounding_the_machine_comes_first():
    assert suspects(TINY, *INPUTS, around=MACHINE) == [
        "libraries.cpu.model",
        "randomization.threads.openblas",
        "libraries.numpy",
        "assumptions.region",
        "source.train",
        "randomization.seed",
        "settings.depth",
        "data.train",
    ]


@pytest.mark.parametrize("result", [RESULT, TINY])
def test_the_order_does_not_depend_on_who_was_found_first(result):
    everything = [*INPUTS, *MACHINE, drift("data.test", "mlr1:a", "mlr1:b"), drift("data.extra", "a", "b")]
    expected = suspects(result, *everything)
    for number in range(10):
        random.Random(number).shuffle(everything)
        assert suspects(result, *everything) == expected


def test_what_is_nearest_to_the_result_comes_first():
    own, fixture = drift("data.x", "a", "b"), drift("data.x", "a", "b", subject=FIXTURE)
    (explained,) = explain([RESULT], [fixture, own], tolerance=DEFAULT)
    assert [each.drift.subject for each in explained.suspects] == [TEST, FIXTURE]


def test_a_result_that_is_new_is_not_a_matter_of_rounding():
    assert suspects(drift("results.f1", None, 0.95), *INPUTS)[0] == "data.train"


def test_a_label_that_changed_is_not_a_matter_of_rounding():
    assert suspects(drift("results.best", "svm", "knn"), *INPUTS)[0] == "data.train"


def test_the_projects_tolerance_says_what_is_tiny():
    moved = drift("results.f1", 1.0, 1.001)
    wide = explain([moved, *INPUTS], tolerance=Tolerance(1e-4, 0.0))[0]
    assert suspects(moved, *INPUTS)[0] == "data.train"
    assert wide.suspects[0].drift.facet == "libraries"


def test_suspects_carry_their_own_sentences():
    (explained, _) = explain([RESULT, drift("settings.depth", 3, 4)], tolerance=DEFAULT)
    assert [each.sentence for each in explained.suspects] == ["3 -> 4"]
    assert explained.sentence == sentence(RESULT)


def test_nothing_to_explain():
    assert explain([], INPUTS, tolerance=DEFAULT) == ()


def test_what_only_lies_beneath_an_equal_value_stands_behind_what_changed():
    facts = [Fact("data", "test", "mlr1:a", remark=remark) for remark in ("", "in another order in memory")]
    beneath = Drift(TEST, "data", "test", "changed", *facts, "note")
    edited = drift("settings.depth", 3, 4)
    assert suspects(RESULT, edited, around=[beneath]) == ["settings.depth", "data.test"]
    assert suspects(TINY, edited, around=[beneath]) == ["data.test", "settings.depth"]
