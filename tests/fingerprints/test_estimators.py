"""Estimators: class, parameters and fitted state by value, and nothing else."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import uniform
from sklearn.cluster import Birch, KMeans
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import fingerprint

X, Y = load_iris(return_X_y=True)

MODELS = {
    "linear": lambda: LogisticRegression(max_iter=1000),
    "tree": lambda: DecisionTreeClassifier(random_state=0),
    "forest": lambda: RandomForestClassifier(5, random_state=0),
    "boosting": lambda: GradientBoostingClassifier(n_estimators=3, random_state=0),
    "histograms": lambda: HistGradientBoostingClassifier(max_iter=3, random_state=0),
    "neighbours": lambda: KNeighborsClassifier(algorithm="kd_tree"),
    "kernel": SVC,
    "stochastic": lambda: SGDClassifier(random_state=0),
    "network": lambda: MLPClassifier(3, solver="lbfgs", max_iter=5000, random_state=0),
    "process": lambda: GaussianProcessRegressor(optimizer=None),
    "clusters": lambda: KMeans(3, n_init=1, random_state=0),
    "ring": lambda: Birch(n_clusters=3),
    "bayes": GaussianNB,
    "pipeline": lambda: make_pipeline(
        make_column_transformer((StandardScaler(), [0, 1]), remainder="passthrough"),
        FunctionTransformer(np.tanh),
        LogisticRegression(max_iter=1000),
    ),
    "search": lambda: GridSearchCV(
        LogisticRegression(max_iter=1000),
        {"C": [0.1, 1.0]},
        cv=StratifiedKFold(2, shuffle=True, random_state=0),
    ),
    "drawn": lambda: RandomizedSearchCV(
        DecisionTreeClassifier(random_state=0), {"ccp_alpha": uniform(0, 0.1)}, n_iter=2, cv=2, random_state=0
    ),
}
# These learn nothing from the cell that changes.
BLIND = ("tree", "forest", "boosting", "histograms", "kernel", "drawn")


def fitted(name, data=X):
    return MODELS[name]().fit(data, Y)


@pytest.mark.parametrize("name", MODELS)
def test_same_after_refit_pickle_copy_and_prediction(name):
    model = fitted(name)
    expected = fingerprint(model)
    assert fingerprint(fitted(name)) == expected
    assert fingerprint(pickle.loads(pickle.dumps(model))) == expected
    assert fingerprint(copy.deepcopy(model)) == expected
    model.predict(X)
    assert fingerprint(model) == expected


@pytest.mark.parametrize("name", MODELS)
def test_what_was_learnt_counts(name):
    assert fingerprint(fitted(name)) != fingerprint(MODELS[name]())
    other = X.copy()
    other[::2] += 0.5 if name in BLIND else 0.0
    other[7, 2] += 1e-3
    assert fingerprint(fitted(name, other)) != fingerprint(fitted(name))


def test_parameters_count():
    assert fingerprint(Ridge()) == fingerprint(Ridge(alpha=1.0))
    assert fingerprint(Ridge()) != fingerprint(Ridge(alpha=2.0))
    assert fingerprint(Ridge(alpha=1)) != fingerprint(Ridge(alpha=1.0))
    names = [name for name, _ in fingerprint(Ridge()).detail["keys"]]
    assert names == sorted(Ridge().get_params())


def test_class_counts():
    class Other(Ridge):
        pass

    assert fingerprint(Other()) != fingerprint(Ridge())


def test_nested_parameters_count():
    one, other = (make_pipeline(StandardScaler(), Ridge(alpha)) for alpha in (1.0, 2.0))
    assert fingerprint(one) != fingerprint(other)
    assert fingerprint(one) != fingerprint(make_pipeline(StandardScaler(), Ridge(1.0), memory="folder"))


def test_shared_parts_are_their_values():
    one, other = np.array([1.0]), np.array([1.0])
    assert fingerprint(GridSearchCV(Ridge(), {"a": [one], "b": [one]})) == fingerprint(
        GridSearchCV(Ridge(), {"a": [one], "b": [other]})
    )


def test_wall_clock_does_not_count():
    model = fitted("search")
    expected = fingerprint(model)
    model.refit_time_ += 1
    model.cv_results_["mean_fit_time"] = model.cv_results_["mean_fit_time"] + 1
    assert fingerprint(model) == expected
    model.cv_results_["mean_test_score"] = model.cv_results_["mean_test_score"] + 1
    assert fingerprint(model) != expected


def test_generators_count_as_parameters_only():
    one, same, other = (
        DecisionTreeClassifier(random_state=np.random.RandomState(seed)) for seed in (0, 0, 1)
    )
    assert fingerprint(one) == fingerprint(same) != fingerprint(other)
    process = fitted("process")
    expected = fingerprint(process)
    process._rng = np.random.RandomState(3)
    assert fingerprint(process) == expected


def test_global_generator_does_not_count():
    search = RandomizedSearchCV(Ridge(), {"alpha": uniform(0, 1)})
    expected = fingerprint(search)
    uniform.random_state.rand()
    assert fingerprint(search) == expected
    assert fingerprint(RandomizedSearchCV(Ridge(), {"alpha": uniform(0, 2)})) != expected


def test_attribute_that_leads_back():
    model = Ridge()
    model.owner_ = [model]
    expected = fingerprint(model)
    assert fingerprint(copy.deepcopy(model)) == expected
    model.owner_ = [model, 1]
    assert fingerprint(model) != expected


def test_functions_count_by_name():
    assert fingerprint(FunctionTransformer(np.log1p)) != fingerprint(FunctionTransformer(np.exp))
    assert fingerprint(FunctionTransformer(np.mean)) != fingerprint(FunctionTransformer(np.median))
    with pytest.raises(FingerprintError, match=r"^func: the function .*<lambda>.*\n.*top of a module"):
        fingerprint(FunctionTransformer(lambda values: values))


def test_what_has_no_form_is_named():
    model = make_pipeline(Ridge(alpha=(number for number in [1])))
    with pytest.raises(
        FingerprintError, match=r"^steps\.alpha: objects of type generator have no fingerprint"
    ):
        fingerprint(model)


def test_in_containers():
    assert fingerprint({"model": fitted("bayes")}) == fingerprint({"model": fitted("bayes")})
    assert fingerprint([fitted("bayes")]) != fingerprint([GaussianNB()])


def test_another_process_agrees():
    program = (
        "from sklearn.feature_extraction.text import CountVectorizer as C;"
        "from sklearn.isotonic import IsotonicRegression as I;"
        "from pytest_mlrepro import fingerprint as f;"
        "print(f(C(vocabulary={'aa', 'bb'}).fit(['aa bb', 'bb cc'])), f(I().fit([1, 2, 3], [1, 3, 2])))"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    words = CountVectorizer(vocabulary={"bb", "aa"}).fit(["aa bb", "bb cc"])
    line = IsotonicRegression().fit([1, 2, 3], [1, 3, 2])
    assert told == {f"{fingerprint(words)} {fingerprint(line)}"}
