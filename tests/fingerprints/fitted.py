"""Every estimator of scikit-learn, fitted on small data. Run as a script it prints the fingerprint of each."""

from __future__ import annotations

import copy
import json
import pickle
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from inspect import signature
from types import MappingProxyType
from typing import Any

import numpy as np

NOT_FITTED: Mapping[str, str] = MappingProxyType({})
"""Estimators left out, each with the reason."""

TEXTS = ["the cat sat on the mat", "the dog", "a cat and a dog and a cat", "sea and land"]


@contextmanager
def quietly() -> Iterator[None]:
    """Few rows and iterations make estimators warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@cache
def classes() -> Mapping[str, type[Any]]:
    """All estimators by name."""
    with quietly():
        from sklearn.utils import all_estimators

        return {name: kind for name, kind in all_estimators() if name not in NOT_FITTED}


def arguments(name: str) -> dict[str, Any]:
    """What an estimator must be given to be made."""
    from scipy.stats import uniform
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    classifier, regressor = LogisticRegression(), LinearRegression()
    scalers = [("standard", StandardScaler()), ("range", MinMaxScaler())]
    one: dict[str, Any] = {
        "estimator": regressor if name == "RegressorChain" or name.endswith("Regressor") else classifier
    }
    wrappers = (
        "ClassifierChain, FixedThresholdClassifier, FrozenEstimator, MultiOutputClassifier, MultiOutputRegressor, "
        "OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier, RFE, RFECV, RegressorChain, SelectFromModel, "
        "SelfTrainingClassifier, SequentialFeatureSelector, TunedThresholdClassifierCV"
    )
    several = {"estimators": [(place, one["estimator"]) for place in ("one", "two")]}
    given: dict[str, dict[str, Any]] = {
        **dict.fromkeys(wrappers.split(", "), one),
        "StackingClassifier": several,
        "StackingRegressor": several,
        "VotingClassifier": several,
        "VotingRegressor": several,
        "ColumnTransformer": {"transformers": [(*scalers[0], [0, 1]), (*scalers[1], [2])]},
        "FeatureUnion": {"transformer_list": scalers},
        "GridSearchCV": {**one, "param_grid": {"C": [0.1, 1.0]}, "cv": 2},
        "HalvingGridSearchCV": {**one, "param_grid": {"C": [0.1, 1.0]}, "cv": 2},
        "HalvingRandomSearchCV": {**one, "param_distributions": {"C": uniform(0.1, 1)}, "cv": 2},
        "Pipeline": {"steps": [*scalers, ("last", classifier)]},
        "QuantileRegressor": {"solver": "highs"},
        "RandomizedSearchCV": {**one, "param_distributions": {"C": uniform(0.1, 1)}, "n_iter": 2, "cv": 2},
        "SelectKBest": {"k": 2},
        "SparseCoder": {"dictionary": np.eye(4)},
        "GaussianRandomProjection": {"n_components": 2},
        "SparseRandomProjection": {"n_components": 2},
    }
    return given.get(name, {})


def data(name: str) -> tuple[Any, ...]:
    """What an estimator is fitted on."""
    from sklearn.datasets import load_iris

    features, target = load_iris(return_X_y=True)
    features, target = features[::3], target[::3]
    two = np.stack([target, target[::-1]], axis=1)
    shaped: dict[str, Callable[[], tuple[Any, ...]]] = {
        **dict.fromkeys(("CountVectorizer", "TfidfVectorizer", "HashingVectorizer"), lambda: (TEXTS,)),
        "DictVectorizer": lambda: ([{"a": 1, "b": "x"}, {"b": "y", "c": 2.5}],),
        "FeatureHasher": lambda: ([{"a": 1}],),
        "FrozenEstimator": lambda: (features, target),
        "GammaRegressor": lambda: (features, target + 1.0),
        "IsotonicRegression": lambda: (features[:, 0], target),
        "KernelCenterer": lambda: (features @ features.T,),
        **dict.fromkeys(("LabelBinarizer", "LabelEncoder"), lambda: (target,)),
        "MultiLabelBinarizer": lambda: ([{"a", "b"}, {"c"}, set()],),
        **dict.fromkeys(
            ("FixedThresholdClassifier", "TunedThresholdClassifierCV"), lambda: (features, target > 0)
        ),
        "ClassifierChain": lambda: (features, two > 0),
        "TargetEncoder": lambda: (features, target > 0),
    }
    multiple = ("CCA", "PLS", "MultiTask", "MultiOutput", "RegressorChain")
    if name in shaped:
        return shaped[name]()
    return (features, two) if name.startswith(multiple) else (features, target)


def made(name: str) -> Any:
    """The estimator before it is fitted, its seed pinned."""
    kind = classes()[name]
    given = arguments(name)
    if "estimator" in given and "estimator" not in signature(kind).parameters:
        # Its name before scikit-learn 1.7.
        given = {"base_estimator": given["estimator"]}
    with quietly():
        estimator = kind(**given)
    if "random_state" in signature(kind).parameters:
        estimator.set_params(random_state=0)
    if name == "FrozenEstimator":
        features, target = data(name)
        estimator.estimator.fit(features, target)
    return estimator


def fitted(name: str) -> Any:
    """The estimator, fitted."""
    with quietly():
        return made(name).fit(*data(name))


def copies(model: Any) -> dict[str, Any]:
    """The estimator after a way through pickle, and copied."""
    with quietly():
        return {"pickled": pickle.loads(pickle.dumps(model)), "copied": copy.deepcopy(model)}


if __name__ == "__main__":
    from pytest_mlrepro import fingerprint

    print(json.dumps({name: str(fingerprint(fitted(name))) for name in sys.argv[1:] or classes()}))
