"""Hyper-parameters and configuration as facts."""

import argparse
import collections
import dataclasses
import datetime
import enum
import functools
import random
import re
import types
import uuid
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pydantic
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import GridSearchCV, KFold, RandomizedSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from pytest_mlrepro.errors import RecordingError
from pytest_mlrepro.facets.settings import Settings
from pytest_mlrepro.model import Drift, Tolerance

SETTINGS = Settings()


class Optimizer(enum.Enum):
    ADAM = "adam"
    SGD = "sgd"


@dataclasses.dataclass
class Adam:
    rate: float = 0.1


@dataclasses.dataclass
class Sgd:
    rate: float = 0.1


class Model(pydantic.BaseModel):
    model_config = {"extra": "allow", "protected_namespaces": ()}

    depth: int = 3
    login: pydantic.SecretStr = pydantic.SecretStr("hush")


Point = collections.namedtuple("Point", "x y")


def recorded(obj, name=""):
    return {fact.key: fact.value for fact in SETTINGS.capture(obj, name)}


def drift(before, now):
    (old,), (new,) = SETTINGS.capture({"x": before}), SETTINGS.capture({"x": now})
    assert SETTINGS.rung(old, new, Tolerance()) == "drift"
    return SETTINGS.explain(Drift("s", "settings", "x", "changed", old, new))


def test_an_estimator_with_all_its_defaults():
    found = recorded(RandomForestClassifier(max_depth=3), "forest")

    assert found["forest.class"] == "RandomForestClassifier"
    assert found["forest.max_depth"] == 3
    assert found["forest.n_estimators"] == 100
    assert found["forest.random_state"] is None
    assert found.keys() - {"forest.class"} == {
        f"forest.{name}" for name in RandomForestClassifier().get_params()
    }


def test_without_a_name_the_keys_are_bare():
    assert recorded({"lr": 0.1, "layers": [64, 32]}) == {"lr": 0.1, "layers": (64, 32)}
    assert "max_depth" in recorded(RandomForestClassifier())


def test_a_pipeline_by_the_names_of_its_steps():
    columns = ColumnTransformer(
        [("scale", StandardScaler(), ["age", "fare"]), ("encode", OneHotEncoder(), [2])]
    )
    vote = VotingClassifier([("lr", LogisticRegression(C=0.5)), ("off", "drop")])
    found = recorded(Pipeline([("columns", columns), ("skip", "passthrough"), ("vote", vote)]), "pipe")

    assert found["pipe.steps"] == ("columns", "skip", "vote")
    assert found["pipe.steps.skip"] == "passthrough"
    assert found["pipe.steps.columns.transformers.scale.with_mean"] is True
    assert found["pipe.steps.columns.transformers.scale.columns"] == ("age", "fare")
    assert found["pipe.steps.columns.transformers.encode.columns"] == (2,)
    assert found["pipe.steps.vote.estimators.lr.C"] == 0.5
    assert found["pipe.steps.vote.estimators.off"] == "drop"


def test_searches_with_grids_distributions_scorers_and_splitters():
    grid = GridSearchCV(
        LogisticRegression(),
        [{"C": [0.1, 1.0]}, {"penalty": ["l1"], "C": np.logspace(0, 1, 3)}],
        cv=KFold(3, shuffle=True, random_state=1),
        scoring=make_scorer(f1_score, average="macro"),
    )
    found = recorded(grid)
    assert found["param_grid.0.C"] == (0.1, 1.0)
    assert found["param_grid.1.C"] == tuple(np.logspace(0, 1, 3).tolist())
    assert found["cv.class"] == "KFold"
    assert found["cv.random_state"] == 1
    assert found["scoring.function"] == "sklearn.metrics.f1_score"
    assert found["scoring.average"] == "macro"

    random_search = RandomizedSearchCV(LogisticRegression(), {"C": scipy.stats.loguniform(1e-3, 10)})
    found = recorded(random_search)
    assert found["param_distributions.C.args"] == (1e-3, 10)
    assert found["param_distributions.C.distribution"]


def test_kernels_functions_and_dtypes():
    found = recorded(GaussianProcessRegressor(RBF(2.0) + WhiteKernel()))
    assert found["kernel.class"] == "Sum"
    assert found["kernel.k1.length_scale"] == 2.0

    assert recorded(FunctionTransformer(np.log1p))["func"] == "numpy.log1p"
    assert recorded(CountVectorizer())["dtype"] == "numpy.int64"
    assert recorded(CountVectorizer())["token_pattern"] == r"(?u)\b\w\w+\b"


def test_a_clone_has_the_same_settings():
    forest = RandomForestClassifier(random_state=np.random.RandomState(3))

    assert recorded(forest) == recorded(clone(forest))


@pytest.mark.parametrize(
    "make", [np.random.RandomState, np.random.default_rng, random.Random, np.random.PCG64]
)
def test_generators_by_their_state(make):
    assert recorded({"rng": make(3)}) == recorded({"rng": make(3)})
    assert recorded({"rng": make(3)}) != recorded({"rng": make(4)})
    assert "0x" not in recorded({"rng": make(3)})["rng"]


def test_configurations_of_all_kinds():
    assert recorded(argparse.Namespace(lr=0.1)) == {"lr": 0.1}
    assert recorded(types.SimpleNamespace(lr=0.1)) == {"lr": 0.1}
    assert recorded(Point(1, Point(2, 3))) == {"x": 1, "y.x": 2, "y.y": 3}
    assert recorded(OmegaConf.create({"a": {"b": 1, "c": "${a.b}"}, "d": [1, {"e": 2}]})) == {
        "a.b": 1,
        "a.c": 1,
        "d.0": 1,
        "d.1.e": 2,
    }
    found = recorded(Adam(), "opt")
    assert found.keys() == {"opt.class", "opt.rate"}
    assert found["opt.class"].endswith(".Adam")
    found = recorded(Model(depth=4, extra=[1]), "m")
    assert found["m.depth"] == 4
    assert found["m.extra"] == (1,)
    assert found["m.login"].startswith("digest:")


def test_an_attrs_class():
    # Attrs promises this attribute of its classes; the package itself is not needed to read it.
    class Config:
        __attrs_attrs__ = (types.SimpleNamespace(name="depth"), types.SimpleNamespace(name="rate"))

        def __init__(self):
            self.depth, self.rate = 3, 0.5

    found = recorded(Config(), "c")
    assert (found["c.depth"], found["c.rate"]) == (3, 0.5)


def test_the_class_of_a_nested_configuration_counts():
    assert recorded({"opt": Adam()}) != recorded({"opt": Sgd()})


@pytest.mark.parametrize(
    ("obj", "value"),
    [
        (None, None),
        (Optimizer.ADAM, "Optimizer.ADAM = 'adam'"),
        (datetime.date(2020, 1, 2), "2020-01-02"),
        (Decimal("1.10"), "1.10"),
        (Fraction(1, 3), "1/3"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (datetime.timedelta(hours=1), "1:00:00"),
        (re.compile("a+"), "re:a+"),
        (range(3), "range(0, 3)"),
        (b"ab", "bytes:6162"),
        ({3, 1, 2}, (1, 2, 3)),
        ({}, ()),
        ([], ()),
        ((1, (2, 3)), (1, (2, 3))),
        (np.arange(3), (0, 1, 2)),
        (np.dtype("f4"), "float32"),
        (np.mean, "numpy.mean"),
        (dict.fromkeys, "dict.fromkeys"),
        (Path("data/x.csv"), "data/x.csv"),
        (Path("/no/such/x.csv"), ".../x.csv"),
    ],
)
def test_values(obj, value):
    assert recorded({"x": obj}) == {"x": value}


def test_partial_functions():
    found = recorded({"loss": functools.partial(np.sum, axis=0)})

    assert found == {"loss.function": "numpy.sum", "loss.axis": 0}


def test_large_arrays_by_fingerprint():
    before, after = np.arange(1000), np.arange(1000)
    after[500] = 0

    assert recorded({"x": before}) == recorded({"x": np.arange(1000)})
    assert recorded({"x": before}) != recorded({"x": after})
    assert recorded({"x": list(range(1000))}) != recorded({"x": list(range(1001))})
    assert len(recorded({"x": list(range(1000))})["x"]) < 100


def test_sets_do_not_depend_on_their_order():
    # Functions hash by where they lie in memory, which differs from process to process.
    assert recorded({"x": {np.sum, np.mean, len}})["x"] == ("len", "numpy.mean", "numpy.sum")
    assert recorded({"x": {2, 10, "b", "a"}})["x"] == (10, 2, "a", "b")


@pytest.mark.parametrize("name", ["password", "db.api_key"])
def test_secrets_are_digests(name):
    found = recorded({name: "hush"})

    assert found[name].startswith("digest:")
    assert "hush" not in repr(found)
    assert "hush" not in repr(recorded({"credentials": {"user": "hush", "nested": ["hush"]}}))


def test_what_the_project_calls_a_secret_is_a_digest():
    held = {"db": {"dsn": "hush", "hosts": ["a"]}, "team": {"x": {"y": "hush"}}, "plain": "seen"}
    found = {fact.key: fact.value for fact in SETTINGS.capture(held, "", ("dsn", "team*"))}
    assert found["plain"] == "seen"
    assert found["db.hosts"] == ("a",)
    assert "hush" not in repr(found)


class Opaque:
    pass


class Broken(BaseEstimator):
    def __init__(self, depth=1):
        pass


def _cycle():
    config = {}
    config["self"] = config
    return config


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        ({"a": {"b": Opaque()}}, "settings: a.b is of type .*Opaque"),
        (Opaque(), "settings is of type .*Opaque"),
        (_cycle(), "settings: self leads back"),
        (functools.reduce(lambda below, _: {"k": below}, range(40), 1), "deeper than 32"),
        ({"a.b": 1, "a": {"b": 2}}, "two parameters of settings have the key 'a.b'"),
        ({"1": 1, 1: 2}, "the key '1'"),
        (0.1, "one value without a name"),
        ({Opaque(): 1}, "neither a string nor a number"),
        ({"x": {Point(1, Adam)}, "y": {frozenset({1})}}, "no order"),
        (OmegaConf.create({"a": "${b}"}), "cannot be resolved"),
        (OmegaConf.create({"a": "???"}), "cannot be resolved"),
        (Broken(), r"get_params\(\) of .*Broken fails"),
    ],
)
def test_what_cannot_be_recorded(obj, message):
    with pytest.raises(RecordingError, match=message) as caught:
        SETTINGS.capture(obj)
    assert caught.value.remedy


def test_a_name_must_be_a_string():
    with pytest.raises(RecordingError, match="must be a string"):
        SETTINGS.capture({"a": 1}, 3)


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(st.from_regex(r"[a-z]{1,4}", fullmatch=True), below, max_size=3)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,4}", fullmatch=True), _PLAIN, max_size=4))
def test_any_plain_configuration_agrees_with_itself(config):
    facts = SETTINGS.capture(config)

    assert all(SETTINGS.rung(fact, fact, Tolerance()) == "identical" for fact in facts)
    assert len({fact.key for fact in facts}) == len(facts)
    assert all(type(fact.value) in (type(None), bool, int, float, str, tuple) for fact in facts)


def test_explanations():
    assert drift(5, 6) == "5 -> 6"
    assert drift(5, 5.0) == "5 -> 5.0"
    assert drift([1, 2], [1, 3]) == "[1, 2] -> [1, 3]"
    assert drift(np.float32(1), np.float64(1)) == "same value, float32 -> float"
    assert drift(list(range(100)), [*range(99), 0]) == "1 of 100 members changed: [99] 99 -> 0"
    assert drift(list(range(100)), list(range(101))) == "100 -> 101 members, added 100"
    assert drift("a" * 100 + "b", "a" * 100 + "c") == f"...'{'a' * 20}b' -> ...'{'a' * 20}c'"
    (old,), (new,) = SETTINGS.capture({"token": "a"}), SETTINGS.capture({"token": "b"})
    secret = SETTINGS.explain(Drift("s", "settings", "token", "changed", old, new))
    assert secret == "changed (a secret: only its digest is recorded)"
    assert SETTINGS.explain(Drift("s", "settings", "token", "removed", old, None)).startswith("was ")
