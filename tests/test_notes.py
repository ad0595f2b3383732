"""What a test noted says the same as its facts: one by one, all together, and as a lockfile would write it."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_mlrepro import gate
from pytest_mlrepro.comparison import compare_facts
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.lockfile import dumps, loads
from pytest_mlrepro.model import Fact, Run, Tolerance
from pytest_mlrepro.notes import Notes
from pytest_mlrepro.recording import Origins

SUBJECTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8).map("tests/test_a.py::{}".format)
SCALARS = st.booleans() | st.floats() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=8)
RESULTS = st.dictionaries(st.text(st.characters(codec="ascii"), min_size=1, max_size=8), SCALARS, max_size=5)
SEED = (1143319930, 0)


def notes(results, *, receipt=SEED, tolerance=None, more=()):
    rows = {f"results.{name}": (name, value, "/tests/test_a.py", 3) for name, value in results.items()}
    return Notes({**rows, **{fact.address: fact for fact in more}}, receipt, tolerance, Origins())


def section(text):
    return text.partition("\n\n")[2].removesuffix("\n")


@given(SUBJECTS, RESULTS)
@example("tests/test_a.py::test_a", {"b": 0.0, "a": -0.0, "c": math.nan, "d.e": True, "f": 1})
def test_the_text_is_what_a_lockfile_holds(subject, results):
    noted = notes(results)
    assert noted.text(subject) == section(dumps(Run({subject: dict(noted.items())})))


@given(RESULTS, st.sampled_from([None, SEED]), st.sampled_from([None, Tolerance(0.1, 0.0)]))
def test_each_fact_is_that_of_all_together(results, receipt, tolerance):
    other = Fact("settings", "depth", 3)
    noted = notes(results, receipt=receipt, tolerance=tolerance, more=[other])
    made = dict(noted.items())
    assert [*noted] == [*made]
    assert len(noted) == len(made)
    assert {address: repr(noted[address]) for address in noted} == {key: repr(made[key]) for key in made}
    assert repr([*noted.values()]) == repr([*made.values()])
    assert all(address in noted for address in made)
    assert repr(noted) == repr(made)
    assert "results.not noted" not in noted
    with pytest.raises(KeyError):
        noted["results.not noted"]


def test_no_receipt_is_no_seed():
    assert "randomization.seed" not in notes({}, receipt=None)
    with pytest.raises(KeyError):
        notes({}, receipt=None)["randomization.seed"]


@pytest.mark.parametrize(
    "noted",
    [
        notes({"f1": 0.5}, receipt=None),
        notes({"f1": 0.5}, tolerance=Tolerance(0.1, 0.0)),
        notes({"f1": 0.5}, more=[Fact("settings", "depth", 3)]),
        notes({"f1": 0.5}, more=[Fact("results", "auc", 0.5, remark="moved")]),
    ],
)
def test_what_takes_facts_has_no_text(noted):
    assert not noted.text("test_a.py::test_a")


@given(SUBJECTS, RESULTS, RESULTS)
@example("a::b", {"f1": 1}, {"f1": True})
@example("a::b", {"f1": 0.0}, {"f1": -0.0})
@example("a::b", {"f1": math.nan}, {"f1": math.nan})
@example("a::b", {"f1": 0.5, "auc": 0.5}, {"f1": 0.5})
def test_terms_find_what_the_facts_say(subject, accepted, recorded):
    before = loads(dumps(Run({subject: dict(notes(accepted).items())})))
    for now in (notes(recorded), notes(accepted)):
        found = Terms(before).compare(subject, now, {})
        said = compare_facts(subject, before.facts(subject), dict(now.items()))
        assert found.identical == said.identical
        assert [drift.address for drift in found.drifts] == [drift.address for drift in said.drifts]


def test_what_stands_there_to_the_letter_is_not_looked_at(monkeypatch):
    noted = notes({"f1": 0.5, "auc": 0.75})
    before = loads(dumps(Run({"a.py::test_a": dict(noted.items())})))
    monkeypatch.setattr(gate, "compare_facts", None)
    assert Terms(before).compare("a.py::test_a", noted, {}).identical == 3
    with pytest.raises(TypeError):
        Terms(before).compare("a.py::test_a", notes({"f1": 0.5, "auc": 0.5}), {})


def test_no_text_is_not_the_same_as_no_text():
    before = loads(dumps(Run({"a.py::test_b": dict(notes({"f1": 0.5}).items())})))
    found = Terms(before).compare("a.py::test_a", notes({"f1": 0.5}, tolerance=Tolerance(0.1, 0.0)), {})
    assert [drift.kind for drift in found.drifts] == ["added", "added"]
