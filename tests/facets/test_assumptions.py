"""What a test relies on without setting it."""

import pytest

from pytest_mlrepro.errors import RecordingError
from pytest_mlrepro.facets.assumptions import Assumptions
from pytest_mlrepro.model import Drift, Tolerance

ASSUMPTIONS = Assumptions()


def explained(old, new):
    assert ASSUMPTIONS.rung(old, new, Tolerance()) == "drift"
    return ASSUMPTIONS.explain(Drift("s", "assumptions", old.key, "changed", old, new))


@pytest.fixture
def variable(monkeypatch):
    def set_to(value, name="MLREPRO_EXAMPLE"):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
        return ASSUMPTIONS.environ([name])[0]

    return set_to


def test_an_assumption_is_a_fact():
    (fact,) = ASSUMPTIONS.capture("min_age", 18)

    assert (fact.address, fact.value) == ("assumptions.min_age", 18)
    assert ASSUMPTIONS.capture("regions", {"US", "EU"})[0].value == ("EU", "US")
    assert {fact.key for fact in ASSUMPTIONS.capture("schema", {"age": "int", "sex": "str"})} == {
        "schema.age",
        "schema.sex",
    }


@pytest.mark.parametrize("key", ["", None, 3])
def test_an_assumption_needs_a_name(key):
    with pytest.raises(RecordingError, match="needs a name"):
        ASSUMPTIONS.capture(key, 1)


def test_a_value_that_cannot_be_recorded_is_named():
    with pytest.raises(RecordingError, match="assumption: model is of type object"):
        ASSUMPTIONS.capture("model", object())


def test_variables(variable):
    assert variable("UTC").value == "UTC"
    assert variable("UTC").key == "environ.MLREPRO_EXAMPLE"
    assert variable("").value == ""


def test_not_set_differs_from_every_text(variable):
    assert variable(None).value is None
    assert ASSUMPTIONS.rung(variable(None), variable("unset"), Tolerance()) == "drift"
    assert ASSUMPTIONS.rung(variable(None), variable("None"), Tolerance()) == "drift"
    assert ASSUMPTIONS.rung(variable(None), variable(None), Tolerance()) == "identical"


def test_secrets_never_appear(variable):
    before, now = variable("hush", "MLREPRO_API_KEY"), variable("quiet", "MLREPRO_API_KEY")

    assert "hush" not in repr(before)
    assert explained(before, now) == "MLREPRO_API_KEY changed (a secret: only its digest is recorded)"
    gone = variable(None, "MLREPRO_API_KEY")
    assert explained(before, gone) == "MLREPRO_API_KEY was a secret, is not set"


def test_what_the_project_calls_a_secret_never_appears(monkeypatch):
    monkeypatch.setenv("TEAM_DSN", "hush")
    found = [
        *ASSUMPTIONS.environ(["TEAM_DSN"], ("*_DSN",)),
        *ASSUMPTIONS.capture("a_dsn", "hush", ("*_DSN",)),
    ]
    assert [str(fact.value)[:7] for fact in found] == ["digest:", "digest:"]
    assert ASSUMPTIONS.environ(["TEAM_DSN"])[0].value == "hush"


@pytest.mark.parametrize("name", ["", "A=B", "A\0", 3])
def test_names_that_no_variable_can_have(name):
    with pytest.raises(RecordingError, match="cannot be the name"):
        ASSUMPTIONS.environ([name])


def test_explanations(variable):
    assert explained(variable("UTC"), variable("Europe/Berlin")) == "MLREPRO_EXAMPLE 'UTC' -> 'Europe/Berlin'"
    assert explained(variable("2"), variable(None)) == "MLREPRO_EXAMPLE was '2', is not set"
    assert explained(variable(None), variable("2")) == "MLREPRO_EXAMPLE was not set, is '2'"
    (old,), (new,) = ASSUMPTIONS.capture("min_age", 18), ASSUMPTIONS.capture("min_age", 21)
    assert explained(old, new) == "18 -> 21"
