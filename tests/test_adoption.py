"""Accepting a recorded run changes what an update of it would have changed, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from strategies import FACTS

from pytest_mlrepro.adoption import Adoption
from pytest_mlrepro.balance import draw
from pytest_mlrepro.bands import Band
from pytest_mlrepro.contribution import Contribution
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.ledger import Extent, Ledger
from pytest_mlrepro.lockfile import dumps
from pytest_mlrepro.model import SESSION, Fact, Run, by_address

TEST, OTHER = "tests/test_a.py::test_x", "tests/test_a.py::test_y"
BAND = Band(low=0.922, high=0.958, mean=0.94, sd=0.006, seeds=20)
CONTENT = st.dictionaries(
    st.sampled_from([TEST, OTHER]), st.lists(FACTS, min_size=1, max_size=4).map(by_address), min_size=1
)


def everything(subject, address):
    return True


def adopted(before, run, means=everything, environment=""):
    return Adoption(Terms(before.view(environment), update=True, environment=environment), Run(run), means)(
        before
    )


def results(**values):
    return by_address(Fact("results", key, value) for key, value in values.items())


@given(st.lists(st.tuples(st.sampled_from(["ci", "gpu", "laptop"]), CONTENT), max_size=5), CONTENT)
def test_all_of_a_run_is_what_an_update_would_have_written(history, run):
    before = Run()
    for name, content in history:
        before = adopted(before, content, environment=name)
    ledger = Ledger()
    for subject, facts in run.items():
        ledger.add(Contribution(subject, facts))
        ledger.outcome(subject, passed=True, failed=False, finished=True)
    total = draw(ledger, Terms(before.view("ci"), update=True, environment="ci"), Extent())
    assert dumps(adopted(before, run, environment="ci")) == dumps(total.accept(before))


def test_only_what_is_meant_changes():
    before = Run({TEST: results(f1=0.9, loss=0.5), OTHER: results(auc=0.5)})
    run = {TEST: results(f1=0.8, loss=0.4), OTHER: results(auc=0.6)}
    after = adopted(before, run, lambda subject, address: (subject, address) == (TEST, "results.f1"))
    assert after.subjects == {TEST: results(f1=0.8, loss=0.5), OTHER: results(auc=0.5)}


def test_what_a_test_no_longer_records_goes_where_that_is_meant():
    before = Run({TEST: results(f1=0.9, loss=0.5), OTHER: results(auc=0.5)})
    run = {TEST: results(f1=0.9)}
    assert adopted(before, run).subjects == {TEST: results(f1=0.9), OTHER: results(auc=0.5)}
    kept = adopted(before, run, lambda _, address: address == "results.f1")
    assert kept.subjects == before.subjects


def test_of_the_environment_nothing_goes():
    def libraries(**versions):
        return by_address(Fact("libraries", name, version) for name, version in versions.items())

    before = Run({SESSION: libraries(numpy="1", torch="2"), TEST: results(f1=0.9)})
    after = adopted(before, {SESSION: libraries(numpy="2")})
    assert after.facts(SESSION) == libraries(numpy="2", torch="2")


def test_a_part_of_a_new_subject_is_refused():
    before = Run({OTHER: results(auc=0.5)})
    run = Run({TEST: results(f1=0.9, loss=0.5), OTHER: results(auc=0.6)})
    adoption = Adoption(Terms(before, update=True), run, lambda _, address: address != "results.loss")
    assert adoption.refused(before) == (TEST,)
    assert adoption(before).subjects == {OTHER: results(auc=0.6)}
    assert Adoption(Terms(before, update=True), run, everything).refused(before) == ()
    # One of which nothing is chosen is not asked for.
    assert Adoption(Terms(before, update=True), run, lambda name, _: name == OTHER).refused(before) == ()


def test_nothing_creeps_and_a_band_stays_with_its_value():
    fact = Fact("results", "f1", 0.94, band=BAND)
    before = Run({TEST: by_address([fact]), OTHER: results(auc=0.5)})
    for value in (0.94, 0.94 + 1e-12, 0.95):
        assert dumps(adopted(before, {TEST: results(f1=value)})) == dumps(before)
    assert adopted(before, {TEST: results(f1=0.9)}).facts(TEST)["results.f1"].band is None


def test_other_environments_are_compared_with_the_same_as_before():
    before = Run({TEST: results(f1=0.9)}, environments={"ci": {}, "gpu": {}})
    after = adopted(before, {TEST: results(f1=0.8)}, environment="gpu")
    assert after.view("ci").facts(TEST) == results(f1=0.9)
    assert after.view("gpu").facts(TEST) == results(f1=0.8)


def test_the_sides_are_what_is_accepted():
    before = Run({TEST: results(f1=0.9, loss=0.5), OTHER: results(auc=0.5)})
    run = Run({TEST: results(f1=0.8), OTHER: results(auc=0.5)})
    adoption = Adoption(Terms(before, update=True), run, lambda subject, _: subject == TEST)
    old, new = adoption.sides(before)
    assert old.subjects == {TEST: results(f1=0.9, loss=0.5)}
    assert new.subjects == {TEST: results(f1=0.8)}
    assert replace(adoption, means=lambda *_: False).sides(before) == (Run(), Run())
