"""Ten metrics of the fixture projects under any base seed: their own code, without pytest around it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_mlrepro.facets.results import Results
from pytest_mlrepro.model import Fact
from pytest_mlrepro.seeding import derive_seed

PROJECTS = Path(__file__).resolve().parents[1] / "fixtures" / "projects"
RESULTS = Results()


def _cancer() -> Callable[[int], Iterable[Fact]]:
    from cancer.train import train  # type: ignore[import-not-found]
    from sklearn.datasets import load_breast_cancer
    from sklearn.model_selection import train_test_split

    x, y = load_breast_cancer(return_X_y=True)
    malignant = (y == 0).astype(int)
    x_train, x_test, y_train, y_test = train_test_split(
        x, malignant, test_size=0.25, stratify=malignant, random_state=0
    )

    def facts(seed: int) -> Iterable[Fact]:
        model = train(x_train, y_train, seed=seed)
        scores = model.predict_proba(x_test)[:, 1]
        return RESULTS.classification(y_test, model.predict(x_test), scores, name="test")

    return facts


def _diabetes() -> Callable[[int], Iterable[Fact]]:
    from progression import BlendSettings, blend  # type: ignore[import-not-found]
    from sklearn.datasets import load_diabetes
    from sklearn.model_selection import train_test_split

    x, y = load_diabetes(return_X_y=True, scaled=False)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, random_state=0)

    def facts(seed: int) -> Iterable[Fact]:
        model = blend(BlendSettings(trees=80), seed=seed).fit(x_train, y_train)
        return RESULTS.regression(y_test, model.predict(x_test), name="test")

    return facts


def _houses() -> Callable[[int], Iterable[Fact]]:
    from houses import read, train  # type: ignore[import-not-found]

    data = PROJECTS / "houses" / "data"
    train_houses, test_houses = read(data / "train.csv"), read(data / "test.csv")

    def facts(seed: int) -> Iterable[Fact]:
        predicted = train(train_houses, "forest", seed=seed).predict(test_houses.drop(columns="price"))
        return RESULTS.regression(test_houses["price"], predicted, name="test")

    return facts


SUBJECTS: Mapping[tuple[str, str], tuple[Callable[[], Callable[[int], Iterable[Fact]]], tuple[str, ...]]] = {
    ("breast_cancer", "tests/test_model.py::test_forest"): (
        _cancer,
        ("test.accuracy", "test.f1", "test.precision", "test.roc_auc"),
    ),
    ("diabetes", "tests/test_progression.py::test_blend"): (
        _diabetes,
        ("test.r2", "test.mae", "test.max_error"),
    ),
    ("houses", "tests/test_prices.py::test_prices[forest]"): (
        _houses,
        ("test.r2", "test.rmse", "test.max_error"),
    ),
}
"""By project and test: what trains, and which of its metrics are looked at; ten in all."""


def observed(project: str, test: str, seeds: Iterable[int]) -> dict[str, dict[int, Fact]]:
    """The chosen metrics of a test by key and base seed."""
    sys.path.insert(0, str(PROJECTS / project))
    prepare, keys = SUBJECTS[project, test]
    facts_of = prepare()
    found: dict[str, dict[int, Fact]] = {key: {} for key in keys}
    for base in seeds:
        facts: dict[str, Any] = {fact.key: fact for fact in facts_of(derive_seed(base, test))}
        for key in keys:
            # What travels between processes must be picklable.
            found[key][base] = replace(facts[key], detail=dict(facts[key].detail))
    return found
