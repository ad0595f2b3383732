"""What a call that records a result asks for, checked."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_mlrepro.errors import RecordingError
from pytest_mlrepro.model import Tolerance
from pytest_mlrepro.values import type_name


def named(name: object) -> str:
    """The name of a result, if it can be one.

    Raises:
        RecordingError: unless it is a string that is not empty.
    """
    if not isinstance(name, str) or not name:
        raise RecordingError(
            f"the name of a result must be a non-empty string, got {name!r}",
            remedy='for instance: mlrepro.metric("f1", value)',
        )
    return name


def check_better(better: object, what: str) -> None:
    """Refuse a direction that is none.

    Raises:
        RecordingError: unless it is ``higher``, ``lower`` or None.
    """
    if better not in ("higher", "lower", None):
        raise RecordingError(
            f'{what}: better must be "higher", "lower" or None, got {better!r}',
            remedy='pass better="higher" for a score, better="lower" for a loss',
        )


def check_metric(value: object, what: str) -> None:
    """Refuse what is known not to be one metric.

    Raises:
        RecordingError: for a mapping, None, or a data frame.
    """
    if isinstance(value, Mapping):
        raise RecordingError(
            f"{what} is a mapping", remedy="record its items: mlrepro.metrics({'auc': 0.99})"
        )
    if value is None:
        raise RecordingError(
            f"{what} is None",
            remedy="does the function that computes it return it? record a number or a string",
        )
    if hasattr(value, "columns"):
        raise RecordingError(
            f"{what} is a {type_name(value)}, whose columns would lose their names",
            remedy="record one metric a column, or mlrepro.array(name, frame) for its values",
        )


def given(rtol: float | None, atol: float | None) -> Tolerance | None:
    """The tolerance that a call gives: the other bound is 0 where one is given; None where neither is.

    Raises:
        RecordingError: unless the bounds are finite numbers >= 0.
    """
    if rtol is None and atol is None:
        return None
    return Tolerance(0.0 if rtol is None else rtol, 0.0 if atol is None else atol)
