"""Every estimator of scikit-learn: one fingerprint after fitting again, pickling, copying, in any process."""

import json
from functools import cache
from pathlib import Path

import pytest
from fingerprints.fitted import NOT_FITTED, classes, copies, fitted, made
from fingerprints.processes import told

from pytest_mlrepro import fingerprint
from pytest_mlrepro.errors import FingerprintError

DOZEN = (
    "AdaBoostClassifier",
    "ColumnTransformer",
    "HDBSCAN",
    "IsolationForest",
    "KBinsDiscretizer",
    "LatentDirichletAllocation",
    "MLPRegressor",
    "MultiLabelBinarizer",
    "OneHotEncoder",
    "StackingClassifier",
    "SplineTransformer",
    "TfidfVectorizer",
)
SEEDS = ("1", "2")


@cache
def told_elsewhere(seed, *names):
    """The fingerprint of each, fitted in a process with another seed of string hashes."""
    script = Path(__file__).with_name("fitted.py")
    return json.loads(told(script, *names, PYTHONHASHSEED=seed))


def failures_of(name, model, elsewhere):
    """How the fingerprint of a fitted estimator fails to be one."""
    expected = fingerprint(model)
    same = {"fitted again": fitted(name), **copies(model)}
    found = [f"{name}: {what}" for what, other in same.items() if fingerprint(other) != expected]
    if any(digests[name] != str(expected) for digests in elsewhere):
        found.append(f"{name}: in another process")
    new = made(name)
    # Some learn nothing.
    if fingerprint(new) == expected and vars(new).keys() != vars(model).keys():
        found.append(f"{name}: before it is fitted")
    return found


@pytest.mark.parametrize("name", DOZEN)
def test_a_dozen(name):
    if name not in classes():
        pytest.skip("this scikit-learn has none")
    names = [name for name in DOZEN if name in classes()]
    assert not failures_of(name, fitted(name), [told_elsewhere(seed, *names) for seed in SEEDS])


@pytest.mark.slow
def test_every_estimator(capsys):
    elsewhere = [told_elsewhere(seed) for seed in SEEDS]
    failures = []
    for name in classes():
        model = fitted(name)
        try:
            failures += failures_of(name, model, elsewhere)
        except FingerprintError as error:
            failures.append(f"{name}: {error}")
    with capsys.disabled():
        print(f"\n{len(classes())} estimators, {len(failures)} failures, {len(NOT_FITTED)} not fitted")
    assert not failures
    assert len(classes()) > 180
