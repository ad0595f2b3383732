"""The source facet, on the code of a fixture project."""

import importlib
import importlib.util
import sys
from pathlib import Path

import pytest
from sklearn.svm import SVC

from pytest_mlrepro.codegraph import CodeGraph
from pytest_mlrepro.errors import RecordingError
from pytest_mlrepro.facets.source import Source
from pytest_mlrepro.model import Drift, Fact, Tolerance

ROOT = Path(__file__).parents[2]
DIABETES = ROOT / "fixtures" / "projects" / "diabetes"
SOURCE = Source()


@pytest.fixture(scope="module")
def graph():
    return CodeGraph(ROOT)


@pytest.fixture
def diabetes():
    return CodeGraph(DIABETES)


@pytest.fixture
def progression(monkeypatch):
    monkeypatch.syspath_prepend(DIABETES)
    yield importlib.import_module("progression")
    del sys.modules["progression"]


def fact(definitions=(), key="m.f", value="mlr1:0", what="definitions"):
    return Fact("source", key, value, detail={what: tuple(definitions)})


def explained(before, now, kind="changed"):
    return SOURCE.explain(Drift("t", "source", "m.f", kind, before, now, "note"))


def test_one_fact_an_object(diabetes, progression):
    facts = SOURCE.capture(diabetes, progression.search, progression.BlendSettings, progression)
    assert [each.address for each in facts] == [
        "source.progression.search",
        "source.progression.BlendSettings",
        "source.progression",
    ]
    for each in facts:
        algorithm, digest = each.value.split(":")
        assert algorithm == "mlr1"
        assert len(digest) == 32
        assert int(digest, 16)
    assert len({each.value for each in facts}) == 3


def test_the_detail_names_the_definitions(diabetes, progression):
    (found,) = SOURCE.capture(diabetes, progression.search)
    definitions = found.detail["definitions"]
    assert dict(definitions) == diabetes.definitions(progression.search)
    assert definitions == tuple(sorted(definitions))
    names = {name for name, _ in definitions}
    assert names == {"progression:ALPHAS", "progression:ridge", "progression:search"}


def test_code_of_tests_is_called_by_its_file(graph):
    def train():
        return ROOT

    (found,) = SOURCE.capture(graph, train)
    assert found.key == "tests.facets.test_source.test_code_of_tests_is_called_by_its_file"


def test_capturing_twice_gives_equal_facts(diabetes, progression):
    assert SOURCE.capture(diabetes, progression) == SOURCE.capture(CodeGraph(DIABETES), progression)


def test_code_of_others_is_refused(graph):
    with pytest.raises(RecordingError, match="not Python code of this project"):
        SOURCE.capture(graph, SVC)


def load(path, text):
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("written", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["written"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def written(tmp_path):
    yield lambda text: SOURCE.capture(CodeGraph(tmp_path), load(tmp_path / "written.py", text))[0]
    sys.modules.pop("written", None)


def test_an_edit_is_a_drift_that_names_what_changed(written):
    before = written("LIMIT = 1\ndef f(): return LIMIT\n")
    commented = written("LIMIT = 1  # the limit\n\n\ndef f():\n    return LIMIT\n")
    edited = written("LIMIT = 2\ndef f(): return LIMIT\n")
    assert SOURCE.rung(before, commented, Tolerance()) == "identical"
    assert SOURCE.rung(before, edited, Tolerance()) == "drift"
    assert explained(before, edited) == "written.LIMIT changed"


def test_many_definitions_are_kept_as_modules(written):
    text = "".join(f"x{number} = {number}\n" for number in range(200))
    assert len(written(text).detail["definitions"]) == 200
    found = written(f"{text}x200 = 200\n")
    ((name, digest),) = found.detail["modules"]
    assert (name, len(digest)) == ("written", 8)
    assert "definitions" not in found.detail


def test_definitions_and_modules_can_be_compared(written):
    text = "".join(f"x{number} = {number}\n" for number in range(200))
    assert explained(written(text), written(f"{text}x200 = 200\n")) == "written changed"


def test_drifts_are_notes():
    drift = Drift("t", "source", "m.f", "changed", fact(), fact())
    assert SOURCE.default_policy(drift) == "note"
    assert SOURCE.role == "input"


@pytest.mark.parametrize(
    ("before", "now", "sentence"),
    [
        ([("m:f", "1")], [("m:f", "2")], "m.f changed"),
        ([("m:<body>", "1")], [("m:<body>", "2")], "top level of m changed"),
        ([("m:f", "1")], [("m:f", "1"), ("a.b:C.g", "2")], "a.b.C.g added"),
        ([("m:f", "1"), ("m:g", "1")], [("m:f", "1")], "m.g removed"),
        (
            [("a:f", "1"), ("b:f", "1"), ("c:f", "1")],
            [("a:f", "2"), ("b:f", "2"), ("d:f", "1")],
            "2 changed: a.f, b.f; 1 added: d.f; 1 removed: c.f",
        ),
        (
            [("m:f", "1")],
            [("m:f", "1")],
            "the digest changed, though what is recorded of its definitions is the same",
        ),
    ],
)
def test_explanations(before, now, sentence):
    assert explained(fact(before), fact(now)) == sentence


def test_modules_are_explained_like_definitions():
    before, now = ([("pack.a", "1"), ("pack.b", number)] for number in "12")
    assert explained(fact(before, what="modules"), fact(now, what="modules")) == "pack.b changed"


def test_long_explanations_are_cut_and_say_so():
    before = [(f"package.module:function_{number}", "1") for number in range(50)]
    sentence = explained(fact(before), fact([(name, "2") for name, _ in before]))
    assert sentence.startswith("50 changed: package.module.function_0, package.module.function_1")
    assert sentence.endswith(", and 46 more")
    assert len(sentence) <= 160


def test_names_too_long_for_a_sentence_are_counted():
    before, now = ([(f"m:{letter * 150}", number) for letter in "ab"] for number in "12")
    assert explained(fact(before), fact([*now, ("m:c", "1")])) == "2 changed; 1 added"


def test_facts_that_came_or_went():
    one = fact([("m:f", "1"), ("m:g", "1")])
    assert explained(None, one, "added") == "not in the baseline, now 2 definitions"
    assert explained(one, None, "removed") == "was 2 definitions, no longer declared"
    assert explained(None, fact([("m", "1")], what="modules"), "added") == "not in the baseline, now 1 module"
