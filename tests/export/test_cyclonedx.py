"""The bill of materials, checked by the official schema."""

from __future__ import annotations

import json

import pytest
from export.runs import EVERY_ORIGIN, MODEL, SOURCE, TEST, locked, project
from hypothesis import given, settings
from hypothesis import strategies as st
from packageurl import PackageURL
from strategies import RUNS

from pytest_mlrepro.export import Source
from pytest_mlrepro.export.cyclonedx import cyclonedx
from pytest_mlrepro.lockfile.codec import dumps, loads
from pytest_mlrepro.model import Fact, Run

validation = pytest.importorskip("cyclonedx.validation.json", reason="cyclonedx-python-lib is not installed")


@pytest.fixture(scope="module")
def schema():
    from cyclonedx.schema import SchemaVersion

    return validation.JsonStrictValidator(SchemaVersion.V1_6)


def bill(run, source=SOURCE):
    return json.loads(cyclonedx(run, source).text)


def components(run, kind):
    return {each["name"]: each for each in bill(run)["components"] if each["type"] == kind}


def properties(node):
    return {each["name"]: each["value"] for each in node["properties"]}


@pytest.mark.parametrize("run", [project(), Run(), locked(EVERY_ORIGIN), Run.of({TEST: MODEL})])
def test_it_is_what_the_schema_says(schema, run):
    assert schema.validate_str(cyclonedx(run, SOURCE).text) is None


def test_the_schema_would_find_an_error(schema):
    assert schema.validate_str(cyclonedx(project(), SOURCE).text.replace('"library"', '"libary"')) is not None


@settings(max_examples=25)
@given(run=RUNS, name=st.text(max_size=10))
def test_whatever_a_lockfile_holds(schema, run, name):
    made = cyclonedx(run, Source(name, "ab" * 32))
    assert schema.validate_str(made.text) is None
    references = [each["bom-ref"] for each in json.loads(made.text)["components"]]
    assert len(references) == len(set(references))
    assert made.text.isascii()


def test_the_same_lockfile_gives_the_same_bytes():
    again = loads(dumps(project()))
    assert cyclonedx(again, SOURCE) == cyclonedx(project(), SOURCE)
    assert bill(project())["serialNumber"] == "urn:uuid:0f9f1fd3-af06-5320-bf7a-46046f3e907b"
    assert (
        bill(project(), Source("mlrepro.lock", "00" * 32))["serialNumber"] != bill(project())["serialNumber"]
    )


def test_it_is_about_the_lockfile():
    about = bill(project())["metadata"]
    assert about["component"]["hashes"] == [{"alg": "SHA-256", "content": SOURCE.sha256}]
    assert about["component"]["name"] == "mlrepro.lock"
    assert properties(about)["mlrepro:randomization.hash_seed"] == "0"
    assert properties(about)["mlrepro:libraries.runtime.libc"] == "glibc 2.36"
    assert "mlrepro:libraries.numpy" not in properties(about)


def test_libraries_have_their_package_urls():
    found = components(project(), "library")
    purls = {name: PackageURL.from_string(each["purl"]) for name, each in found.items() if "purl" in each}
    assert purls == {
        "numpy": PackageURL("pypi", None, "numpy", "2.4.6"),
        "torch": PackageURL("pypi", None, "torch", "2.5.1+cu124"),
        "scipy": PackageURL("conda", None, "scipy", "1.17.1", {"build": "py312h64a7726_0"}),
    }
    assert found["torch"]["purl"] == "pkg:pypi/torch@2.5.1%2Bcu124"
    assert found.keys() == EVERY_ORIGIN.keys()
    assert properties(found["mine"]) == {"mlrepro:origin": "editable"}


def test_an_archive_has_its_digest():
    found = components(locked({"packed": "3.0 (archive)"}, sha256="cd" * 32), "library")
    assert found["packed"]["hashes"] == [{"alg": "SHA-256", "content": "cd" * 32}]


def test_python_and_the_system():
    assert components(project(), "platform")["CPython"]["version"] == "3.12.4"
    assert components(project(), "operating-system")["Linux"]["version"] == "debian 12.5"


def test_a_model_has_its_metrics_and_settings():
    models = components(project(), "machine-learning-model")
    assert models.keys() == {TEST, "tests/test_model.py::test_loss"}
    card = models[TEST]["modelCard"]
    assert card["quantitativeAnalysis"]["performanceMetrics"] == [
        {"type": "converged", "value": "true"},
        {"type": "f1", "value": "0.95"},
        {"type": "lost", "value": "nan"},
        {"type": "right", "value": "137"},
    ]
    assert properties(card) == {
        "mlrepro:band:f1": "0.9 to 0.97, over 20 seeds",
        "mlrepro:better:f1": "higher",
    }
    assert properties(models[TEST]) == {
        "mlrepro:results.label": "setosa",
        "mlrepro:results.matrix": "[[86, 4], [2, 51]]",
        "mlrepro:settings.forest.max_depth": "null",
        "mlrepro:source.train": "mlr1:915b",
    }


def test_data_is_told_by_fingerprint_type_and_size_alone():
    data = components(project(), "data")
    assert properties(data["train"]) == {
        "mlrepro:fingerprint": "mlr1-blake3:a073",
        "mlrepro:kind": "array",
        "mlrepro:shape": "[426, 30]",
    }
    assert data.keys() == {"train", "corpus"}


def test_models_rest_on_their_data():
    content = bill(project())
    dependencies = {each["ref"]: each.get("dependsOn", []) for each in content["dependencies"]}
    data = components(project(), "data")["train"]["bom-ref"]
    assert dependencies[f"model:{TEST}"] == [data]
    assert dependencies["lockfile"] == sorted(each["bom-ref"] for each in content["components"])
    model = components(project(), "machine-learning-model")[TEST]
    assert model["modelCard"]["modelParameters"]["datasets"] == [{"ref": data}]


def test_two_data_sets_of_one_name_are_two():
    run = Run.of(
        {
            f"a.py::test_{each}": [Fact("data", "train", f"mlr1:{each}"), Fact("results", "x", 1)]
            for each in "ab"
        }
    )
    assert len([each for each in bill(run)["components"] if each["type"] == "data"]) == 2
