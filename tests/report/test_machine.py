"""The JSON report: schema 1, and valid JSON whatever was recorded."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from strategies import RUNS, VALUES

from pytest_mlrepro.balance import contrast, draw
from pytest_mlrepro.bands import Band
from pytest_mlrepro.contribution import Contribution
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.ledger import Extent, Ledger
from pytest_mlrepro.model import SESSION, Fact, Run, Tolerance, by_address
from pytest_mlrepro.report import machine

TEST = "tests/test_model.py::test_f1"


def strict(text):
    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def document(before, now, *, exitstatus=0, **terms):
    terms = Terms(before, **terms)
    ledger = Ledger()
    for subject, facts in now.subjects.items():
        ledger.add(Contribution(subject, facts))
        ledger.outcome(subject, passed=True, failed=False, finished=True)
    return machine.document(draw(ledger, terms, Extent()), terms, exitstatus=exitstatus)


def test_what_is_not_known_of_the_environment_stands_beside_the_context():
    ledger = Ledger()
    doubtful = Fact("libraries", "tiny", "unknown", detail={"note": "no distribution provides it"})
    environment = by_address([doubtful, Fact("libraries", "numpy", "2.4.6", detail={"direct": True})])
    ledger.add(Contribution(SESSION, environment=environment, is_test=False))
    total = draw(ledger, Terms(Run()), Extent())
    found = machine.document(total, Terms(Run()), exitstatus=0, context={"kernel": "6.1"})
    note = {
        "facet": "libraries",
        "key": "tiny",
        "value": "unknown",
        "note": "no distribution provides it",
    }
    assert found["environment"] == {
        "name": "",
        "recorded": True,
        "context": {"kernel": "6.1"},
        "notes": [note],
    }


def run(*facts):
    return Run({TEST: by_address(facts)})


BEFORE = run(Fact("results", "f1", 0.95), Fact("data", "train", "mlr1:a"), Fact("settings", "depth", 3))
NOW = run(Fact("results", "f1", 0.75), Fact("data", "train", "mlr1:b"), Fact("settings", "trees", 9))


def test_the_whole_document():
    found = document(BEFORE, NOW, exitstatus=1)
    told = {f"{each['facet']}.{each['key']}": each["explanation"] for each in found["drifts"]}
    sentences = [each.pop("explanation") for each in found["drifts"]]
    assert found == {
        "schema": 1,
        "verdict": "drifted",
        "exitstatus": 1,
        "environment": {"name": "", "recorded": True, "context": {}, "notes": []},
        "mode": "check",
        "only": [],
        "lockfile": "",
        "written": None,
        "accept": "",
        "headline": "",
        "conflicts": [],
        "new": [],
        "stale": [],
        "refused": [],
        "hints": [],
        "unpinned": [],
        "counts": {"subjects": 1, "facts": 3, "drifts": 4, "identical": 0, "rounding": 0, "band": 0},
        "drifts": [
            {
                "subject": TEST,
                "facet": facet,
                "key": key,
                "kind": kind,
                "policy": "fail",
                "outcome": "failed",
                "baseline": baseline,
                "current": current,
                "tolerance": {"rtol": 1e-9, "atol": 1e-12, "width": 1e-12 + 1e-9 * 0.95}
                if key == "f1"
                else None,
                "better": None,
                "band": None,
                "classes": None,
                "suspects": suspects,
                "suspected": [
                    {
                        "subject": TEST,
                        "facet": address.partition(".")[0],
                        "key": address.partition(".")[2],
                        "explanation": told[address],
                    }
                    for address in suspects
                ],
            }
            for facet, key, kind, baseline, current, suspects in [
                ("settings", "depth", "removed", 3, None, []),
                ("settings", "trees", "added", None, 9, []),
                ("data", "train", "changed", "mlr1:a", "mlr1:b", []),
                (
                    "results",
                    "f1",
                    "changed",
                    0.95,
                    0.75,
                    ["data.train", "settings.depth", "settings.trees"],
                ),
            ]
        ],
        "subjects": [
            {
                "subject": TEST,
                "facts": [
                    {"facet": "data", "key": "train", "rung": "drift", "value": "mlr1:b"},
                    {
                        "facet": "results",
                        "key": "f1",
                        "rung": "drift",
                        "value": 0.75,
                        "tolerance": {"rtol": 1e-9, "atol": 1e-12, "width": 1e-12 + 1e-9 * 0.95},
                        "better": None,
                        "band": None,
                        "classes": None,
                    },
                    {"facet": "settings", "key": "trees", "rung": "drift", "value": 9},
                ],
            }
        ],
        "agreements": [],
    }
    assert all(sentences)
    assert "\n" not in "".join(sentences)


def test_where_each_fact_stands_and_what_it_is_measured_by():
    band = Band(low=0.922, high=0.958, mean=0.94, sd=0.006, seeds=20)
    matrix = ((3, 1), (0, 2))
    before = run(
        Fact("results", "f1", 0.94, band=band),
        Fact("results", "loss", 1.0),
        Fact("results", "noise", 1),
        Fact("results", "matrix", matrix, detail={"classes": ("a", "b")}),
        Fact("results", "share", 0.5, detail={"correct": 1, "n": 2}),
        Fact("results", "same", 2.0),
    )
    now = run(
        Fact("results", "f1", 0.95, better="higher"),
        Fact("results", "loss", 1.0 + 1e-10, tolerance=Tolerance(rtol=1e-6, atol=0.5)),
        Fact("results", "noise", 2),
        Fact("results", "matrix", matrix, detail={"classes": ("a", "c")}),
        Fact("results", "share", 0.5, detail={"correct": 1, "n": 2}),
        Fact("results", "same", 2.0),
        Fact("results", "new", float("inf")),
    )
    policies = Terms().policies.over({"results.noise": "ignore"})
    (found,) = document(before, now, policies=policies)["subjects"]
    facts = {each.pop("key"): each for each in found["facts"]}
    assert {key: each["rung"] for key, each in facts.items()} == {
        "f1": "band",
        "loss": "rounding",
        "matrix": "identical",
        "new": "drift",
        "noise": "ignored",
        "same": "identical",
        "share": "identical",
    }
    assert facts["f1"]["band"] == {"low": 0.922, "high": 0.958, "mean": 0.94, "sd": 0.006, "seeds": 20}
    assert facts["f1"]["better"] == "higher"
    assert facts["loss"]["tolerance"] == {"rtol": 1e-6, "atol": 0.5, "width": 0.5 + 1e-6}
    assert facts["matrix"]["classes"] == {"baseline": ["a", "b"], "current": ["a", "c"]}
    assert facts["same"]["tolerance"] == {"rtol": 1e-9, "atol": 1e-12, "width": 1e-12 + 2e-9}
    # Exact, although one of them is a float: it is known what it counts.
    assert [facts[key]["tolerance"] for key in ("share", "noise", "matrix")] == [None] * 3


def test_every_key_is_in_the_guide():
    guide = (Path(__file__).parents[2] / "docs" / "reports.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`(\w+)`", guide.partition("## JSON")[2]))
    found = document(BEFORE, NOW)
    (subject,) = found["subjects"]
    keys = {*found, *found["counts"], *found["drifts"][0], *subject, *subject["facts"][1]}
    assert keys | {"rtol", "atol", "width", "low", "high", "mean", "sd", "seeds"} <= told


def test_the_green_rungs_below_identical_are_listed():
    band = Band(low=0.922, high=0.958, mean=0.94, sd=0.006, seeds=20)
    before = run(Fact("results", "f1", 0.94, band=band), Fact("results", "loss", 1.0), Fact("data", "x", "a"))
    found = document(
        before, run(Fact("results", "f1", 0.95), Fact("results", "loss", 1.0 + 1e-10), Fact("data", "x", "a"))
    )
    assert found["counts"] == {
        "subjects": 1, "facts": 3, "drifts": 0, "identical": 1, "rounding": 1, "band": 1
    }  # fmt: skip
    assert found["verdict"] == "reproduced"
    assert found["agreements"] == [
        {
            "subject": TEST,
            "facet": "results",
            "key": "f1",
            "rung": "band",
            "baseline": 0.94,
            "current": 0.95,
            "explanation": "0.94 -> 0.95 (+0.01, +1.06 %), "
            "within the calibrated band (20 seeds, 0.94 +- 0.006)",
        },
        {
            "subject": TEST,
            "facet": "results",
            "key": "loss",
            "rung": "rounding",
            "baseline": 1.0,
            "current": 1.0 + 1e-10,
            "explanation": "1.0 -> 1.0000000001 (+1e-10, +1e-08 %), "
            "within rounding, 0.1 of the tolerance (rtol 1e-09)",
        },
    ]


@pytest.mark.parametrize(
    ("before", "now", "update", "verdict"),
    [
        (BEFORE, BEFORE, False, "reproduced"),
        (BEFORE, NOW, False, "drifted"),
        (BEFORE, NOW, True, "updated"),
        (None, NOW, False, "drifted"),
        (run(Fact("source", "f", "a")), run(Fact("source", "f", "b")), False, "reproduced"),
    ],
)
def test_the_verdict(before, now, update, verdict):
    assert document(before, now, update=update)["verdict"] == verdict


def test_fixtures_that_disagree_are_a_drift():
    ledger = Ledger()
    for value in (1, 2):
        ledger.add(Contribution(TEST, by_address([Fact("results", "x", value)]), is_test=False))
    terms = Terms(run(Fact("results", "x", 2)))
    assert machine.document(draw(ledger, terms, Extent()), terms, exitstatus=1)["verdict"] == "drifted"


def test_notes_are_in_it_and_warnings():
    before = run(Fact("source", "f", "a"), Fact("settings", "x", 1))
    now = run(Fact("source", "f", "b"), Fact("settings", "x", 2))
    policies = Terms().policies.over({"settings": "warn"})
    found = document(before, now, policies=policies)
    assert [(each["facet"], each["policy"]) for each in found["drifts"]] == [
        ("source", "note"),
        ("settings", "warn"),
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (float("-inf"), "-inf"),
        (complex(1, float("nan")), {"real": 1.0, "imag": "nan"}),
        ((1, (True, None), "a"), [1, [True, None], "a"]),
        ("Größe", "Größe"),
        ("a\udce9", "a\\udce9"),
        (2**70, 2**70),
    ],
)
def test_values_as_json(value, expected):
    assert machine.plain(value) == expected
    assert type(machine.plain(value)) is type(expected)


@settings(max_examples=50, deadline=None)
@given(VALUES)
def test_every_value_is_valid_json(value):
    written = json.dumps(machine.plain(value), allow_nan=False, ensure_ascii=False)
    assert strict(written.encode()) == machine.plain(value)


@settings(max_examples=15, deadline=None)
@given(before=RUNS, now=RUNS)
def test_every_report_can_be_written_and_read(before, now):
    terms = Terms(before)
    content = machine.document(contrast(now, terms), terms, exitstatus=1)
    assert strict(machine.written(content).encode()) == content
    assert content["counts"]["drifts"] == len(content["drifts"])
    assert content["counts"]["facts"] == sum(1 for _ in now)


def outcomes(before, now, **terms):
    found = document(before, now, **terms)
    return {f"{each['facet']}.{each['key']}": each["outcome"] for each in found["drifts"]}


def test_what_became_of_each_drift():
    before = run(Fact("settings", "a", 1), Fact("results", "f1", 1), Fact("source", "f", "a"))
    now = run(Fact("settings", "a", 2), Fact("results", "f1", 2), Fact("source", "f", "b"))
    policies = Terms().policies.over({"settings": "warn"})
    assert outcomes(before, now, policies=policies) == {
        "settings.a": "warned",
        "results.f1": "failed",
        "source.f": "noted",
    }
    assert set(outcomes(Run(), now).values()) == {"new"}
    assert set(outcomes(before, now, update=True).values()) == {"accepted"}
    # A subject that fails is accepted in nothing.
    assert outcomes(before, now, update=True, only=frozenset({"settings"})) == {
        "settings.a": "left",
        "results.f1": "failed",
        "source.f": "noted",
    }


def test_an_environment_that_an_update_leaves_is_not_told_as_accepted():
    before = Run({**BEFORE.subjects, SESSION: by_address([Fact("libraries", "numpy", "1.26")])})
    environment = by_address([Fact("libraries", "numpy", "2.4"), Fact("libraries", "runtime.python", "3.11")])
    terms = Terms(before, update=True)
    ledger = Ledger()
    ledger.add(Contribution(TEST, BEFORE.facts(TEST), environment=environment))
    ledger.outcome(TEST, passed=True, failed=False, finished=True)
    # Of a part of the suite, which does not use numpy.
    found = machine.document(draw(ledger, terms, Extent()), terms, exitstatus=0)
    assert {each["key"]: each["outcome"] for each in found["drifts"]} == {
        "numpy": "left",
        "runtime.python": "accepted",
    }


def test_what_is_said_of_whole_subjects():
    ledger = Ledger()
    for name in (TEST, "new", "failed"):
        ledger.add(Contribution(name, BEFORE.facts(TEST)))
        ledger.outcome(name, passed=name != "failed", failed=name == "failed", finished=True)
    terms = Terms(
        Run({name: BEFORE.facts(TEST) for name in (TEST, "a/test_b.py::test_gone", "failed")}), update=True
    )
    collected = frozenset(ledger.contributions)
    found = machine.document(draw(ledger, terms, Extent(collected, whole=True)), terms, exitstatus=0)
    assert (found["new"], found["refused"], found["stale"]) == (
        ["new"],
        ["failed"],
        ["a/test_b.py::test_gone"],
    )


def test_what_disagrees_within_the_run():
    ledger = Ledger()
    for value in (1, 2):
        ledger.add(Contribution(TEST, by_address([Fact("results", "x", value)]), is_test=False))
    terms = Terms(run(Fact("results", "x", 2)))
    found = machine.document(draw(ledger, terms, Extent()), terms, exitstatus=1)
    assert found["conflicts"] == [
        {
            "subject": TEST,
            "facet": "results",
            "key": "x",
            "one": 1,
            "another": 2,
            "explanation": "1 -> 2 (+1)",
        }
    ]


def test_names_that_are_no_text_are_escaped():
    before, now = (Run({"a\udce9": by_address([Fact("results", "b\udce9", value)])}) for value in (1, 2))
    content = document(before, now)
    assert strict(machine.written(content).encode()) == content
    assert (content["drifts"][0]["subject"], content["drifts"][0]["key"]) == ("a\\udce9", "b\\udce9")


def test_the_facts_of_a_run():
    facts = [
        Fact("results", "test.f1", 0.5),
        Fact("results", "worst", float("-inf")),
        Fact("settings", "x", None),
    ]
    assert machine.facts(run(*facts)) == {
        TEST: {"results": {"test.f1": 0.5, "worst": "-inf"}, "settings": {"x": None}}
    }
