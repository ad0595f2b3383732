"""What differs between then and now, piece by piece."""

from __future__ import annotations

import pytest

from pytest_mlrepro.bisect.elements import (
    Element,
    kind_of,
    of_files,
    of_libraries,
    of_seed,
    of_variables,
)
from pytest_mlrepro.bisect.states import THEN, as_now, parse, spec
from pytest_mlrepro.errors import ConfigError
from pytest_mlrepro.export.pins import Pin
from pytest_mlrepro.model import Fact, Run
from pytest_mlrepro.redaction import redacted


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("src/model.py", "source"),
        ("notebooks/a.ipynb", "source"),
        ("Makefile", "source"),
        ("params.yaml", "settings"),
        ("conf/a.json", "settings"),
        (".env", "settings"),
        ("uv.lock", "settings"),
        ("data/a.json", "data"),
        ("a/Data/b.txt", "data"),
        ("train.csv", "data"),
        ("model.pkl", "data"),
        ("LICENSE", "data"),
    ],
)
def test_kinds_of_files(path, kind):
    assert kind_of(path) == kind


def test_code_is_one_and_other_files_are_each_their_own():
    found = {
        each.name: each
        for each in of_files(["b.py", "a.py", "x.csv", "c.toml", "mlrepro.lock"], ["mlrepro.lock"])
    }
    assert {name: (each.kind, each.paths) for name, each in found.items()} == {
        "x.csv": ("data", ("x.csv",)),
        "c.toml": ("settings", ("c.toml",)),
        "source": ("source", ("a.py", "b.py")),
    }
    assert (found["source"].step, found["x.csv"].step) == ("2 files", "")


def test_many_files_are_taken_folder_by_folder():
    many = [f"data/{number % 3}/{number}.png" for number in range(40)]
    found = [*of_files(many, [])]
    assert [(each.name, len(each.paths)) for each in found] == [
        ("data/0/", 14),
        ("data/1/", 13),
        ("data/2/", 13),
    ]
    (one,) = of_files([f"data/{number}/x.png" for number in range(40)], [])
    assert (one.name, one.step) == ("data files", "40 files")


def variables(facts, now, shown=None):
    return of_variables(facts, now, redacted, shown or {})


def environ(name, value):
    return Fact("assumptions", f"environ.{name}", value)


def test_variables_that_differ():
    facts = [environ("A", "1"), environ("B", None), environ("C", "3"), environ("D", None), environ("E", "5")]
    found = variables(facts, {"A": "1", "B": "2", "C": "4"})
    assert [(each.name, each.then, each.now) for each in found.elements] == [
        ("environ.B", None, "2"),
        ("environ.C", "3", "4"),
        ("environ.E", "5", None),
    ]
    assert [each.step for each in found.elements] == ["not set -> 2", "3 -> 4", "5 -> not set"]


def test_a_secret_and_a_path_cannot_be_set_back():
    facts = [environ("API_KEY", redacted("API_KEY", "one")), environ("PLACE", ".../model.bin")]
    same = variables(facts, {"API_KEY": "one", "PLACE": "x"})
    assert [line.partition(":")[0] for line in same.hidden] == ["PLACE"]
    other = variables(facts, {"API_KEY": "two", "PLACE": "x"})
    assert [line.partition(":")[0] for line in other.hidden] == ["API_KEY", "PLACE"]
    assert not other.elements


def test_variables_of_the_session():
    session = [Fact("libraries", "env.OMP_NUM_THREADS", "1"), Fact("libraries", "numpy", "2.0")]
    found = variables(session, {"OMP_NUM_THREADS": "4", "TZ": "UTC"}, {"OMP_NUM_THREADS": "4", "TZ": "UTC"})
    assert [(each.name, each.then, each.now) for each in found.elements] == [
        ("environ.OMP_NUM_THREADS", "1", "4"),
        ("environ.TZ", None, "UTC"),
    ]
    gone = variables(session, {}, {})
    assert [(each.name, each.now) for each in gone.elements] == [("environ.OMP_NUM_THREADS", None)]
    # A lockfile without libraries does not tell what was not set.
    assert variables([], {"TZ": "UTC"}, {"TZ": "UTC"}).elements == ()


def libraries(**versions):
    return Run.of({"session": [Fact("libraries", name, version) for name, version in versions.items()]})


def test_libraries_that_differ():
    then = libraries(a="1.0", b="1.0", c="1.0 (editable)", d="1.0")
    found = of_libraries(then, {"a": "1.0", "b": "2.0", "c": "2.0"}, [Pin("b", "2.0"), Pin("e", "3.0")])
    assert [(each.name, each.then, each.now) for each in found] == [
        ("libraries.b", "1.0", "2.0"),
        ("libraries.d", "1.0", None),
        ("libraries.e", None, "3.0"),
    ]
    assert [*of_libraries(Run(), {"a": "1"}, [Pin("a", "1")])] == []


def test_the_seed_of_the_project_and_that_of_a_marker():
    def seeded(base):
        return [Fact("randomization", "seed", 5 + base, detail={"base": base})]

    (found,) = of_seed(seeded(0), seeded(3), 3)
    assert (found.then, found.now) == ("0", "3")
    assert [*of_seed(seeded(3), seeded(3), 3)] == []
    # A marker decides: the change is one of code.
    assert [*of_seed(seeded(0), seeded(7), 0)] == []


ELEMENTS = (
    Element("a, b=c.csv", "data", paths=("a, b=c.csv",)),
    Element("source", "source", paths=("x.py",)),
    Element("environ.TZ", "variable", None, "UTC"),
    Element("libraries.numpy", "library", "1.0", "2.0"),
)


@pytest.mark.parametrize(
    "state",
    [
        THEN,
        as_now(["source"]),
        as_now(each.name for each in ELEMENTS),
        frozenset({("a, b=c.csv", "0123456"), ("libraries.numpy", "1.5")}),
    ],
)
def test_a_state_is_the_same_after_it_was_written(state):
    assert parse(spec(state, ELEMENTS), ELEMENTS) == state


def test_a_state_in_a_word():
    assert spec(THEN, ELEMENTS) == "none"
    assert (
        spec(frozenset({("libraries.numpy", "1.5"), ("source", "")}), ELEMENTS)
        == "source,libraries.numpy=1.5"
    )


def test_what_has_nothing_between():
    with pytest.raises(ConfigError, match="there is nothing between then and now"):
        parse("environ.TZ=x", ELEMENTS)
