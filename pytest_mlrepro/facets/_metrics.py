"""The usual metrics of classification and regression, computed by scikit-learn from checked input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from pytest_mlrepro.errors import RecordingError
from pytest_mlrepro.facets._arrays import to_array
from pytest_mlrepro.model import Better, Value
from pytest_mlrepro.values import to_value

CONFUSION_MATRIX = "confusion_matrix"
CLASSES = "classes"
"""The detail of a confusion matrix that names its rows and columns."""

_NOTHING: Mapping[str, Value] = MappingProxyType({})
# In these label sets, the second label is the positive class by convention.
_BINARY = ((0, 1), (-1, 1))


class Metric(NamedTuple):
    """One metric: its name, its value (a number, or a matrix of integers), and what helps to explain it."""

    name: str
    value: Any
    better: Better | None
    detail: Mapping[str, Value] = _NOTHING


def classification(y_true: object, y_pred: object, y_score: object, what: str) -> tuple[Metric, ...]:
    """Accuracy, precision, recall, F1, the confusion matrix, and the area under the ROC curve where scores are given.

    Labels {0, 1}, {False, True} and {-1, 1} are binary with 1 or True as the positive class; any others are averaged
    over the classes (macro). Ratios without a denominator are 0.

    Args:
        y_true: the n true labels.
        y_pred: the n predicted labels.
        y_score: scores of the larger label, shape (n,); or probabilities a class, shape (n, classes), in the order
            of the sorted labels; or None. With more than two classes the area is the mean of one class versus the rest.
        what: how to call it in an error message.

    Raises:
        RecordingError: empty input, different lengths, NaN, scores instead of labels, mixed types.
    """
    from sklearn import metrics

    true, predicted = _pair(y_true, y_pred, what, _labels)
    labels = _all_labels(true, predicted, what)
    true, predicted = true.astype(labels.dtype), predicted.astype(labels.dtype)
    positive = _positive(labels)
    average = "macro" if positive is None else "binary"
    options = {} if positive is None else {"pos_label": positive}
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        true, predicted, average=average, zero_division=0, **options
    )
    written = to_value(labels.tolist(), what=what)[0]
    averaged: dict[str, Value] = {"average": average}
    correct, n = int((true == predicted).sum()), len(true)
    found = [
        Metric("accuracy", correct / n, "higher", {"correct": correct, "n": n}),
        Metric("precision", float(precision), "higher", averaged),
        Metric("recall", float(recall), "higher", averaged),
        Metric("f1", float(f1), "higher", averaged),
        Metric(CONFUSION_MATRIX, _confusion_matrix(true, predicted, labels), None, {CLASSES: written}),
    ]
    if y_score is not None:
        found.append(Metric("roc_auc", _roc_auc(true, labels, y_score, what), "higher"))
    return tuple(found)


def regression(y_true: object, y_pred: object, what: str) -> tuple[Metric, ...]:
    """R2, mean absolute error, root mean squared error and largest error, the last three in the target's unit.

    Raises:
        RecordingError: fewer than two values, different lengths, NaN or infinities, several outputs.
    """
    from sklearn import metrics

    true, predicted = _pair(y_true, y_pred, what, _numbers)
    if len(true) < 2:
        raise RecordingError(f"{what}: R2 needs at least two values, got one", remedy="evaluate on more rows")
    return (
        Metric("r2", float(metrics.r2_score(true, predicted)), "higher"),
        Metric("mae", float(metrics.mean_absolute_error(true, predicted)), "lower"),
        Metric("rmse", float(metrics.mean_squared_error(true, predicted)) ** 0.5, "lower"),
        Metric("max_error", float(metrics.max_error(true, predicted)), "lower"),
    )


def _confusion_matrix(true: Any, predicted: Any, labels: Any) -> Any:
    """How many rows have which true (row) and which predicted label (column)."""
    import numpy as np

    # scikit-learn's own warns of a single label even when it is told the labels.
    matrix = np.zeros((len(labels), len(labels)), dtype=np.int64)
    np.add.at(matrix, (np.searchsorted(labels, true), np.searchsorted(labels, predicted)), 1)
    return matrix


def _pair(y_true: object, y_pred: object, what: str, checked: Any) -> tuple[Any, Any]:
    true, predicted = checked(y_true, f"{what}: y_true"), checked(y_pred, f"{what}: y_pred")
    if len(true) != len(predicted):
        raise RecordingError(
            f"{what}: y_true has {len(true)} values, y_pred has {len(predicted)}",
            remedy="pass the targets and the predictions of the same rows",
        )
    return true, predicted


def _column(y: object, what: str) -> Any:
    array = to_array(y, what)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array.ravel()
    if array.ndim != 1:
        raise RecordingError(
            f"{what} has the shape {array.shape}, expected one value a row",
            remedy="pass labels, for instance probabilities.argmax(axis=1), or one output at a time",
        )
    if not array.size:
        raise RecordingError(f"{what} is empty", remedy="check the split that it comes from")
    return array


def _labels(y: object, what: str) -> Any:
    array = _column(y, what)
    if array.dtype.kind == "O":
        array = _from_objects(array.tolist(), what)
    if array.dtype.kind == "T":
        array = array.astype(str)
    if array.dtype.kind == "f":
        _check_finite(array, what)
        if (array % 1 != 0).any():
            raise RecordingError(
                f"{what} holds scores, not labels: {float(array[array % 1 != 0][0])!r}",
                remedy="pass labels here and the scores as y_score",
            )
    if array.dtype.kind not in "biufU":
        raise RecordingError(f"{what} is of dtype {array.dtype}", remedy="pass numbers, booleans or strings")
    return array


def _from_objects(items: Sequence[object], what: str) -> Any:
    import numpy as np

    kinds = {"a string" if isinstance(item, str) else "a number" for item in items if _is_label(item)}
    odd = next((item for item in items if not _is_label(item)), None)
    if len(kinds) != 1 or any(not _is_label(item) for item in items):
        told = (
            f"{what} holds {odd!r}"
            if kinds != {"a string", "a number"}
            else f"{what} mixes strings and numbers"
        )
        raise RecordingError(told, remedy="pass labels of one type, without missing values")
    return np.asarray(items)


def _is_label(item: object) -> bool:
    import numpy as np

    if isinstance(item, float | np.floating):
        return not np.isnan(item)
    return isinstance(item, str | bool | int | np.integer | np.bool_)


def _numbers(y: object, what: str) -> Any:
    array = _column(y, what)
    if array.dtype.kind not in "biufO":
        raise RecordingError(f"{what} is of dtype {array.dtype}", remedy="pass real numbers")
    try:
        # In double precision, so that the metric's own arithmetic adds no noise of single precision.
        array = array.astype("float64")
    except (TypeError, ValueError) as error:
        raise RecordingError(
            f"{what} holds something else than numbers: {error}", remedy="pass numbers"
        ) from None
    _check_finite(array, what)
    return array


def _check_finite(array: Any, what: str) -> None:
    import numpy as np

    bad = ~np.isfinite(array)
    if bad.any():
        first = int(np.argmax(bad))
        raise RecordingError(
            f"{what} holds {float(array[first])} at index {first} ({int(bad.sum())} of {array.size} values)",
            remedy="drop or impute the rows before evaluating",
        )


def _all_labels(true: Any, predicted: Any, what: str) -> Any:
    import numpy as np

    if (true.dtype.kind == "U") != (predicted.dtype.kind == "U"):
        raise RecordingError(
            f"{what}: y_true is of dtype {true.dtype}, y_pred of dtype {predicted.dtype}",
            remedy="pass strings for both or numbers for both",
        )
    return np.unique(np.concatenate([true, predicted]))


def _positive(labels: Any) -> Any:
    """The positive class of a binary task, None for any other; True and 1.0 are 1 here."""
    if labels.dtype.kind == "U":
        return None
    return next((two[1] for two in _BINARY if set(labels.tolist()) <= set(two)), None)


def _roc_auc(true: Any, labels: Any, y_score: object, what: str) -> float:
    import numpy as np

    what = f"{what}: y_score"
    scores = to_array(y_score, what)
    if scores.dtype.kind not in "biuf":
        raise RecordingError(
            f"{what} is of dtype {scores.dtype}", remedy="pass decision values or probabilities"
        )
    present = np.unique(true)
    if len(present) < 2:
        raise RecordingError(
            f"{what}: the area under the ROC curve needs two classes, y_true has {len(present)}",
            remedy="leave y_score out, or evaluate on rows of both classes",
        )
    if len(labels) == 2 and (scores.ndim == 1 or scores.shape == (len(scores), 1)):
        scores = np.stack([-scores.ravel(), scores.ravel()], axis=1)
    if scores.shape != (len(true), len(labels)):
        raise RecordingError(
            f"{what} has the shape {scores.shape}, expected {(len(true), len(labels))}: "
            f"a column for each of the labels {labels.tolist()!r:.60}",
            remedy="pass predict_proba() of the same rows, reduced to the labels that occur in y_true or y_pred",
        )
    _check_finite(scores.ravel().astype("float64"), what)
    return _mean_area(true, labels, scores)


def _mean_area(true: Any, labels: Any, scores: Any) -> float:
    """One class versus the rest, averaged over the classes that occur; with two classes, of the second one."""
    from sklearn.metrics import roc_auc_score

    columns = [1] if len(labels) == 2 else [at for at, label in enumerate(labels) if (true == label).any()]
    areas = [float(roc_auc_score(true == labels[at], scores[:, at])) for at in columns]
    return sum(areas) / len(areas)
