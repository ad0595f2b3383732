"""Models that were trained well, and the same ones with a fault planted, under any seed."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

CONDITIONS = ("before", "another stream", "5 % label noise", "half of the rows", "a fifth of the model")
"""The first is calibrated; all others draw from another random stream than it, as after an upgrade of a library."""
_OFFSET = 1_000_003
_LARGE, _SMALL = 1.0, 0.2


class Pair(NamedTuple):
    """A data set and a model for it."""

    data: str
    model: str


def pairs() -> list[Pair]:
    """Every data set with every model, but for boosting ten classes, which takes as long as a third of the others."""
    return [Pair(data, model) for data in DATA for model in MODELS if (data, model) != ("digits", "GB")]


def values(pair: Pair, condition: str, seed: int, *, split: bool) -> dict[str, float]:
    """The metrics of a model that is trained under a seed.

    Args:
        pair: what is trained on what.
        condition: one of ``CONDITIONS``.
        seed: of the model, and of the split where that varies too.
        split: whether the seed decides how the data are split; else all seeds have the same split.
    """
    from sklearn.model_selection import train_test_split

    x, y = DATA[pair.data]()
    is_regression = pair.data == "diabetes"
    x_train, x_test, y_train, y_test = train_test_split(
        x, y, test_size=0.3, stratify=None if is_regression else y, random_state=seed if split else 0
    )
    stream = seed + _OFFSET * CONDITIONS.index(condition)
    generator = np.random.default_rng([stream, 7])
    if condition == "5 % label noise":
        y_train = _noisy(y_train, generator)
    if condition == "half of the rows":
        kept = generator.permutation(len(y_train))[: len(y_train) // 2]
        x_train, y_train = x_train[kept], y_train[kept]
    size = _SMALL if condition == "a fifth of the model" else _LARGE
    model = MODELS[pair.model](is_regression, size, stream % 2**32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(x_train, y_train)
        return _regression(model, x_test, y_test) if is_regression else _classification(model, x_test, y_test)


def _noisy(y: Any, generator: np.random.Generator) -> Any:
    """One in twenty labels is another row's."""
    y = y.copy()
    chosen = generator.permutation(len(y))[: max(1, len(y) // 20)]
    if len(np.unique(y)) <= 10:
        classes = np.unique(y)
        steps = generator.integers(1, len(classes), size=len(chosen))
        y[chosen] = classes[(np.searchsorted(classes, y[chosen]) + steps) % len(classes)]
    else:
        y[chosen] = generator.choice(y, size=len(chosen))
    return y


def _classification(model: Any, x: Any, y: Any) -> dict[str, float]:
    from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score

    predicted, scores = model.predict(x), model.predict_proba(x)
    return {
        "accuracy": float(accuracy_score(y, predicted)),
        "f1": float(f1_score(y, predicted, average="macro")),
        "roc_auc": float(
            roc_auc_score(y, scores if scores.shape[1] > 2 else scores[:, 1], multi_class="ovr")
        ),
        "log_loss": float(log_loss(y, scores)),
    }


def _regression(model: Any, x: Any, y: Any) -> dict[str, float]:
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    predicted = model.predict(x)
    return {
        "r2": float(r2_score(y, predicted)),
        "mae": float(mean_absolute_error(y, predicted)),
        "rmse": float(root_mean_squared_error(y, predicted)),
    }


def _loaded(name: str, rows: int | None = None) -> Callable[[], tuple[Any, Any]]:
    def load() -> tuple[Any, Any]:
        from sklearn import datasets

        x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        return x[:rows], y[:rows]

    return load


DATA: Mapping[str, Callable[[], tuple[Any, Any]]] = {
    "iris": _loaded("iris"),
    "breast_cancer": _loaded("breast_cancer"),
    "digits": _loaded("digits", 600),
    "diabetes": _loaded("diabetes"),
}


def _trees(name: str, count: int, **further: Any) -> Callable[[bool, float, int], Any]:
    def make(is_regression: bool, size: float, seed: int) -> Any:
        from sklearn import ensemble

        kind = getattr(ensemble, f"{name}{'Regressor' if is_regression else 'Classifier'}")
        return kind(n_estimators=round(count * size), random_state=seed, **further)

    return make


def _network(is_regression: bool, size: float, seed: int) -> Any:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    kind = MLPRegressor if is_regression else MLPClassifier
    options: dict[str, Any] = {"hidden_layer_sizes": (20,), "learning_rate_init": 0.01, "random_state": seed}
    model = make_pipeline(StandardScaler(), kind(max_iter=round(50 * size), **options))
    return TransformedTargetRegressor(model, transformer=StandardScaler()) if is_regression else model


def _descent(is_regression: bool, size: float, seed: int) -> Any:
    from sklearn.linear_model import SGDClassifier, SGDRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    kind = SGDRegressor if is_regression else SGDClassifier
    options: dict[str, Any] = {} if is_regression else {"loss": "log_loss"}
    return make_pipeline(
        StandardScaler(), kind(max_iter=round(30 * size), tol=None, random_state=seed, **options)
    )


MODELS: Mapping[str, Callable[[bool, float, int], Any]] = {
    "RF": _trees("RandomForest", 50),
    "ET": _trees("ExtraTrees", 50),
    "GB": _trees("GradientBoosting", 40, subsample=0.8),
    "Bagging": _trees("Bagging", 20),
    "MLP": _network,
    "SGD": _descent,
}
