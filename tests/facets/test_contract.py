"""The same promises for every facet, each with a realistic capture and a realistic change."""

from __future__ import annotations

import locale
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from strategies import VALUES

from pytest_mlrepro import comparison
from pytest_mlrepro.codegraph import CodeGraph
from pytest_mlrepro.facets import FACETS, same_value
from pytest_mlrepro.facets.assumptions import Assumptions
from pytest_mlrepro.facets.data import Data
from pytest_mlrepro.facets.libraries import Libraries
from pytest_mlrepro.facets.randomization import Randomization
from pytest_mlrepro.facets.results import Results
from pytest_mlrepro.facets.settings import Settings
from pytest_mlrepro.facets.source import Source
from pytest_mlrepro.lockfile import dumps, loads
from pytest_mlrepro.model import Drift, Fact, Run, Tolerance, by_address

TEST = "tests/test_model.py::test_iris"
DEFAULT = Tolerance()
KINDS = ("changed", "added", "removed")


@dataclass
class Study:
    """What somebody sets up to train on iris: all that a capture may be asked to look at."""

    C: float = 1.0
    features: Any = field(default_factory=lambda: load_iris().data)
    labels: Any = field(default_factory=lambda: load_iris().target)
    graph: CodeGraph = field(default_factory=lambda: CodeGraph(Path(__file__).parents[2]))

    def __post_init__(self):
        self.model = make_pipeline(StandardScaler(), LogisticRegression(C=self.C, max_iter=500))
        self.model.fit(self.features, self.labels)
        self.forest = RandomForestClassifier(5, max_depth=3, random_state=0).fit(self.features, self.labels)

    @property
    def frame(self):
        frame = pd.DataFrame(self.features, columns=["sepal", "width", "petal", "breadth"])
        return frame.assign(
            species=pd.Categorical.from_codes(self.labels, ["setosa", "versicolor", "virginica"])
        )


def source(study):
    objects = (source, Study) if study.C == 1.0 else (Study, source)
    facts = Source().capture(study.graph, *objects)
    # Another implementation under the same names.
    names = ("project.clean", "project.compare")
    return tuple(replace(fact, key=name) for fact, name in zip(facts, names, strict=True))


def assumptions(study):
    facet = Assumptions()
    return (
        *facet.capture("min_rows", len(study.features)),
        *facet.capture("scope", {"region": "EU", "species": ["setosa", "virginica"], "C": study.C}),
        *facet.environ(["TZ", "API_TOKEN", "NOT_SET_ANYWHERE"]),
    )


def settings_of(study):
    facet = Settings()
    return (
        *facet.capture(study.model, "model"),
        *facet.capture(study.forest, "forest"),
        *facet.capture(StratifiedKFold(5 if study.C == 1.0 else 3), "folds"),
        *facet.capture({"rate": study.C, "password": f"hunter{study.C}", "steps": [1, 2, study.C]}, "config"),
    )


def randomization(study):
    facet = Randomization()
    seed = 1000 + int(study.C)
    return (*facet.capture(seed, base=int(study.C), pins=(seed,)), *facet.session(["numpy", "random"]))


def data(study):
    facet = Data()
    return (
        *facet.capture("features", study.features),
        *facet.capture("narrow", study.features.astype(np.float32)),
        *facet.capture("frame", study.frame),
        *facet.capture("labels", study.labels.tolist()),
        *facet.capture("bag", study.features, ordered=False),
    )


def results(study):
    facet = Results()
    predicted, scores = study.model.predict(study.features), study.model.predict_proba(study.features)
    return (
        *facet.capture("loss", float(-np.log(scores.max(axis=1)).mean()), rtol=1e-6, better="lower"),
        *facet.capture("worst", float("nan")),
        *facet.classification(study.labels, predicted, scores, name="train"),
        *facet.regression(study.labels, scores[:, 1], name="odd"),
        *facet.array("predicted", predicted),
        *facet.array("scores", scores),
        *facet.model("model", study.model),
        *facet.model("forest", study.forest),
    )


def libraries(study):
    facet = Libraries(dict(os.environ))
    names = ["numpy", "scikit-learn", "scipy"] if study.C == 1.0 else ["numpy", "pandas"]
    return (*facet.capture(names, direct=names[:1]), *facet.runtime(names))


CAPTURES: dict[str, Callable[[Study], tuple[Fact, ...]]] = {
    "source": source,
    "assumptions": assumptions,
    "settings": settings_of,
    "randomization": randomization,
    "data": data,
    "results": results,
    "libraries": libraries,
}
EACH = pytest.mark.parametrize("name", FACETS)


@pytest.fixture(scope="module")
def environment():
    """The environment of the captures, before and after."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        patch.setenv("API_TOKEN", "s3cr3t-t0ken")
        yield patch


@pytest.fixture(scope="module")
def study(environment):
    return Study()


@pytest.fixture(scope="module")
def captured(study):
    """The facts of every facet, twice of the same and once of a study that has changed."""
    first = {name: capture(study) for name, capture in CAPTURES.items()}
    second = {name: capture(study) for name, capture in CAPTURES.items()}
    features = load_iris().data[:149].copy()
    features[3, 2] += 1e-3
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Europe/Vienna")
        patch.setenv("API_TOKEN", "another-t0ken")
        patch.setenv("NOT_SET_ANYWHERE", "now\nit is")
        other = Study(C=20.0, features=features, labels=load_iris().target[:149].copy(), graph=study.graph)
        changed = {name: capture(other) for name, capture in CAPTURES.items()}
    return first, second, changed


def through_the_lockfile(facts):
    return tuple(loads(dumps(Run.of({TEST: facts}))).facts(TEST).values())


def told(facts):
    """Everything that a lockfile keeps of facts, so that NaN is itself and 1 is not True."""
    return dumps(Run.of({TEST: facts}))


def drifts(before, now):
    """All the drifts between two captures, and every one of their facts as added and as removed."""
    found = comparison.compare_facts(TEST, by_address(before), by_address(now)).drifts
    for fact in (*before, *now):
        found += (
            Drift(TEST, fact.facet, fact.key, "added", None, fact),
            Drift(TEST, fact.facet, fact.key, "removed", fact, None),
        )
    return found


def process():
    """What a facet must leave as it was."""
    kind, keys, *rest = np.random.get_state()
    return {
        "environment": dict(os.environ),
        "path": list(sys.path),
        "finders": list(sys.meta_path),
        "hooks": list(sys.path_hooks),
        "random": random.getstate(),
        "numpy.random": (kind, keys.tobytes(), *rest),
        "numpy errors": np.geterr(),
        "numpy printing": np.get_printoptions(),
        "folder": Path.cwd(),
        "warnings": list(warnings.filters),
        "locale": locale.setlocale(locale.LC_ALL),
        "recursion": sys.getrecursionlimit(),
        "signals": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
        "threads": threading.active_count(),
        "hook": sys.excepthook,
        "trace": (sys.gettrace(), sys.getprofile()),
    }


def test_every_facet_is_here():
    assert CAPTURES.keys() == FACETS.keys()


@EACH
def test_its_facts_are_its_own_and_have_names_of_their_own(name, captured):
    facts = captured[0][name]
    assert facts
    assert {fact.facet for fact in facts} == {name}
    assert len({fact.key for fact in facts}) == len(facts)
    assert all(fact.key and fact.key == fact.key.strip() for fact in facts)


@EACH
def test_a_capture_is_repeatable(name, captured):
    first, second, _ = captured
    assert told(first[name]) == told(second[name])


@EACH
def test_a_change_is_seen(name, captured):
    first, _, changed = captured
    assert comparison.compare_facts(TEST, by_address(first[name]), by_address(changed[name])).drifts


@EACH
def test_nothing_drifts_against_itself(name, captured):
    for facts in (captured[0][name], captured[2][name]):
        assert all(FACETS[name].rung(fact, fact, DEFAULT) == "identical" for fact in facts)


@EACH
def test_facts_survive_the_lockfile(name, captured):
    for facts in (captured[0][name], captured[2][name]):
        again = by_address(through_the_lockfile(facts))
        assert again.keys() == by_address(facts).keys()
        for fact in facts:
            back = again[fact.address]
            assert FACETS[name].rung(back, fact, DEFAULT) == "identical"
            assert back.detail.keys() == fact.detail.keys()
            assert all(same_value(back.detail[part], fact.detail[part]) for part in fact.detail)


@EACH
def test_a_capture_leaves_the_process_as_it_was(name, study):
    before = process()
    CAPTURES[name](study)
    after = process()
    assert {key for key in before if str(before[key]) != str(after[key])} == set()


@EACH
def test_a_capture_leaves_its_objects_as_they_were(name, study):
    before = study.features.tobytes(), study.labels.tobytes(), repr(study.model), dict(study.forest.__dict__)
    CAPTURES[name](study)
    assert before == (
        study.features.tobytes(), study.labels.tobytes(), repr(study.model), study.forest.__dict__
    )  # fmt: skip


@EACH
@pytest.mark.parametrize("kind", KINDS)
def test_every_drift_is_told_in_one_sentence(name, kind, captured):
    """As it is in a run: the baseline comes from the lockfile."""
    first, _, changed = captured
    found = [each for each in drifts(through_the_lockfile(first[name]), changed[name]) if each.kind == kind]
    assert found
    for drift in found:
        said = FACETS[name].explain(drift)
        assert said == said.strip()
        assert 0 < len(said) < 200, said
        assert "\n" not in said
        assert said.endswith("...") or not said.endswith("."), said
        assert not said.startswith(drift.address), said


@EACH
def test_a_drift_has_a_policy(name, captured):
    first, _, changed = captured
    found = {FACETS[name].default_policy(drift) for drift in drifts(first[name], changed[name])}
    assert found <= {"fail", "warn", "note"}


def test_no_secret_is_told(captured):
    first, _, changed = captured
    secrets = ("s3cr3t-t0ken", "another-t0ken", "hunter1.0", "hunter20.0")
    for name in FACETS:
        said = [FACETS[name].explain(drift) for drift in drifts(first[name], changed[name])]
        everything = "\n".join([told(first[name]), told(changed[name]), *said])
        assert not [secret for secret in secrets if secret in everything]


@EACH
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_whatever_a_lockfile_holds_is_told(name, data):
    """Somebody may have edited it, or an older release written it."""
    key = data.draw(
        st.sampled_from(["x", "seed", "hash_seed", "pins", "environ.TZ", "threads.openblas", "cpu.model"])
    )
    detail = st.dictionaries(st.sampled_from(["shape", "dtype", "base", "columns", "definitions"]), VALUES)
    before, now = (
        Fact(
            name,
            key,
            data.draw(VALUES),
            data.draw(st.sampled_from(["", "float32"])),
            detail=data.draw(detail),
        )
        for _ in range(2)
    )
    facet = FACETS[name]
    assert facet.rung(before, now, DEFAULT) in ("identical", "rounding", "band", "drift")
    for drift in drifts((before,), (now,)):
        said = facet.explain(drift)
        assert said
        assert "\n" not in said
        assert facet.default_policy(drift) in ("fail", "warn", "note")
