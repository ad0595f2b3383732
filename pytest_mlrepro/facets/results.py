"""What came out: metrics, confusion matrices, predictions, fitted models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_mlrepro.errors import RecordingError
from pytest_mlrepro.facets._protocol import Facet
from pytest_mlrepro.facets._yardstick import BITS, BITS_OF_A_MODEL, Yardstick
from pytest_mlrepro.model import (
    DEFAULT_TOLERANCE,
    Agreement,
    Better,
    Drift,
    Fact,
    Role,
    Rung,
    Tolerance,
    Value,
)
from pytest_mlrepro.values import is_arraylike, is_sparse, to_value

if TYPE_CHECKING:
    from pytest_mlrepro.facets._bounds import allowed
    from pytest_mlrepro.facets._closeness import counts, excess, scale_of
    from pytest_mlrepro.facets._metrics import Metric
    from pytest_mlrepro.facets._wording import direction

__all__ = ["Results", "Yardstick", "allowed", "counts", "direction", "excess", "scale_of"]

# Where plain numbers are recorded, and none of them moved, nobody asks for the rest.
_HOMES = {
    "allowed": "_bounds",
    "counts": "_closeness",
    "direction": "_wording",
    "excess": "_closeness",
    "scale_of": "_closeness",
}

# A matrix of 64 classes is still told cell by cell.
_LARGEST_MATRIX = 64 * 64
_PLAIN = Yardstick()
# Tolerances mean nothing for these.
_EXACT = (bool, str)


class Results(Facet):
    """The only outputs: what all the other facets are there to explain."""

    name: ClassVar[str] = "results"
    role: ClassVar[Role] = "output"

    def capture(
        self,
        name: str,
        value: object,
        *,
        rtol: float | None = None,
        atol: float | None = None,
        better: Better | None = None,
        against: Yardstick = _PLAIN,
    ) -> tuple[Fact, ...]:
        """One metric.

        Args:
            name: its key, for instance ``f1``.
            value: a bool, int, float, complex or string, a numpy scalar, or a (nested) list or array of those;
                more than 256 of them are recorded as ``array`` does.
            rtol: relative tolerance; where given, ``atol`` is 0 unless given too. Then integers have a tolerance
                as well.
            atol: absolute tolerance in the metric's unit; where given, ``rtol`` is 0 unless given too.
            better: ``higher`` or ``lower``, to say of a drift that it is better or worse.
            against: what large arrays are measured by.

        Raises:
            RecordingError: None, a mapping, a data frame, any other object; a negative tolerance.
        """
        from pytest_mlrepro.facets._arrays import SMALL, to_array
        from pytest_mlrepro.facets._asked import check_better, check_metric, given, named
        from pytest_mlrepro.facets._closeness import cells

        what = f"metric {named(name)!r}"
        check_better(better, what)
        check_metric(value, what)
        tolerance = given(rtol, atol)
        plain, dtype = to_value(value, what=what)
        scalars = [cell.value for cell in cells(plain)]
        if None in scalars:
            raise RecordingError(
                f"{what} holds None",
                remedy="record float('nan') for a value that is not defined, or leave it out",
            )
        if len(scalars) > SMALL:
            return self._array(name, to_array(value, what), what, tolerance, against=against)
        if all(isinstance(scalar, _EXACT) for scalar in scalars):
            tolerance = None
        return (Fact(self.name, name, plain, dtype=dtype, tolerance=tolerance, better=better),)

    def none(self, *, rtol: float | None, atol: float | None) -> tuple[Fact, ...]:
        """No metric at all: the tolerance is checked as it is with some.

        Raises:
            RecordingError: see ``capture``.
        """
        from pytest_mlrepro.facets._asked import given

        given(rtol, atol)
        return ()

    def classification(
        self,
        y_true: object,
        y_pred: object,
        y_score: object = None,
        *,
        name: str = "",
        rtol: float | None = None,
        atol: float | None = None,
    ) -> tuple[Fact, ...]:
        """Accuracy, precision, recall, F1, the confusion matrix and, with scores, the area under the ROC curve.

        Labels {0, 1}, {False, True} and {-1, 1} are binary, any others averaged over the classes (macro).

        Args:
            y_true: the n true labels: a list, an array, a column.
            y_pred: the n predicted labels.
            y_score: scores of the larger label (n,), or probabilities (n, classes) in the order of the sorted labels.
            name: goes before the keys: ``test.f1``.
            rtol: see ``capture``.
            atol: see ``capture``.

        Raises:
            RecordingError: empty input, different lengths, NaN, scores in the place of labels.
        """
        from pytest_mlrepro.facets._asked import given
        from pytest_mlrepro.facets._metrics import classification

        what = f"classification {name!r}" if name else "classification"
        metrics = classification(y_true, y_pred, y_score, what)
        return tuple(self._metrics(metrics, name, given(rtol, atol)))

    def regression(
        self,
        y_true: object,
        y_pred: object,
        *,
        name: str = "",
        rtol: float | None = None,
        atol: float | None = None,
    ) -> tuple[Fact, ...]:
        """R2, mean absolute, root mean squared and largest error, the latter three in the target's unit.

        Args:
            y_true: the n targets, n >= 2.
            y_pred: the n predictions.
            name: goes before the keys: ``test.r2``.
            rtol: see ``capture``.
            atol: see ``capture``.

        Raises:
            RecordingError: fewer than two values, different lengths, NaN or infinities, several outputs.
        """
        from pytest_mlrepro.facets._asked import given
        from pytest_mlrepro.facets._metrics import regression

        what = f"regression {name!r}" if name else "regression"
        return tuple(self._metrics(regression(y_true, y_pred, what), name, given(rtol, atol)))

    def array(
        self,
        name: str,
        values: object,
        *,
        rtol: float | None = None,
        atol: float | None = None,
        up_to_sign: bool = False,
        against: Yardstick = _PLAIN,
    ) -> tuple[Fact, ...]:
        """An array: value by value up to 256 of them, else by fingerprint, with a summary to tell how far it moved.

        Labels and integers are compared exactly, unless integers are given a tolerance. A sparse matrix is recorded
        as the three arrays of its canonical CSR form.

        Args:
            name: its key.
            values: an array, a tensor, a column, a (nested) list, or a sparse matrix.
            rtol: relative to the largest magnitude in the baseline; see ``capture``.
            atol: see ``capture``.
            up_to_sign: each component, a row of a matrix or the whole of a vector, is the same with the other sign.
            against: see ``capture``.

        Raises:
            RecordingError: if it is none of those, ragged, or holds neither numbers nor strings; if it is to be
                compared up to sign and is sparse, or no array of real numbers.
        """
        from pytest_mlrepro.facets._arrays import to_array
        from pytest_mlrepro.facets._asked import given, named
        from pytest_mlrepro.facets._signs import UP_TO_SIGN, canonical, variants

        what = f"array {named(name)!r}"
        tolerance = given(rtol, atol)
        if not up_to_sign:
            return tuple(self._arrays(name, values, what, tolerance, against=against))
        if is_sparse(values):
            raise RecordingError(
                f"{what} is a sparse matrix, which cannot be compared up to sign",
                remedy="pass values.toarray()",
            )
        turned = canonical(to_array(values, what), what)
        (fact,) = self._array(name, turned, what, tolerance, against=against)
        if fact.nearness and not fact.nearness.holds:
            others = variants(turned, fact.nearness.width)
            tried = (self._array(name, other, what, tolerance, against=against)[0] for other in others)
            fact = next((each for each in tried if each.nearness and each.nearness.holds), fact)
        return (replace(fact, detail={**fact.detail, UP_TO_SIGN: True}),)

    def model(self, name: str, estimator: object, *, against: Yardstick = _PLAIN) -> tuple[Fact, ...]:
        """The fitted state of a model, an attribute a fact: ``name.coef_``, ``name.estimators_.tree_.threshold``.

        ``name.class`` holds the class, and as its detail what was skipped and why: callables, random generators, how
        long fitting took.

        Args:
            name: goes before the keys.
            estimator: the fitted estimator; it is neither changed nor pickled.
            against: see ``capture``.

        Raises:
            RecordingError: if it has no fitted state.
        """
        from pytest_mlrepro.facets._asked import named
        from pytest_mlrepro.facets._fitted import fitted_state
        from pytest_mlrepro.facets._parameters import class_name

        what = f"model {named(name)!r}"
        state = fitted_state(estimator, what)
        detail: dict[str, Value] = {"skipped": tuple(state.skipped)} if state.skipped else {}
        facts = [Fact(self.name, f"{name}.class", class_name(estimator), detail=detail)]
        for path, leaf in state.leaves.items():
            facts += self._leaf(f"{name}.{path}", leaf, f"{what}: {path}", against)
        return tuple(facts)

    def rung(self, baseline: Fact, current: Fact, default: Tolerance) -> Rung:
        """The whole ladder; arrays are scaled by their largest magnitude, another type is a drift."""
        from pytest_mlrepro.facets._closeness import rung

        return rung(baseline, current, default)

    def explain(self, drift: Drift, default: Tolerance = DEFAULT_TOLERANCE) -> str:
        """One sentence: old and new value, how far outside the tolerance, better or worse.

        Args:
            drift: a drift of this facet.
            default: the project's tolerance, for floats without one of their own.
        """
        if drift.baseline is None or drift.current is None:
            return super().explain(drift)
        from pytest_mlrepro.facets._wording import changed

        return changed(drift.baseline, drift.current, default)

    def agree(self, agreement: Agreement, default: Tolerance = DEFAULT_TOLERANCE) -> str:
        """One sentence: old and new value, and how far within the tolerance or the band."""
        from pytest_mlrepro.facets._wording import near

        return near(agreement, default)

    def _metrics(self, metrics: tuple[Metric, ...], name: str, tolerance: Tolerance | None) -> Iterator[Fact]:
        from pytest_mlrepro.facets._metrics import CONFUSION_MATRIX

        for metric in metrics:
            key = f"{name}.{metric.name}" if name else metric.name
            if metric.name == CONFUSION_MATRIX:
                yield self._matrix(key, metric)
            else:
                yield Fact(
                    self.name,
                    key,
                    metric.value,
                    tolerance=tolerance,
                    better=metric.better,
                    detail=metric.detail,
                )

    def _matrix(self, key: str, metric: Metric) -> Fact:
        if metric.value.size <= _LARGEST_MATRIX:
            return Fact(self.name, key, to_value(metric.value)[0], detail=metric.detail)
        from pytest_mlrepro.facets._arrays import recorded

        value, dtype, detail = recorded(metric.value, key)
        return Fact(self.name, key, value, dtype=dtype, detail={**detail, **metric.detail})

    def _arrays(
        self,
        name: str,
        values: Any,
        what: str,
        tolerance: Tolerance | None,
        *,
        located: bool = True,
        **measured: Any,
    ) -> Iterator[Fact]:
        from pytest_mlrepro.facets._arrays import sparse_parts, to_array

        if is_sparse(values):
            for part, array in sparse_parts(values):
                own = tolerance if part == "data" else None
                yield from self._array(f"{name}.{part}", array, what, own, located=False, **measured)
        else:
            yield from self._array(name, to_array(values, what), what, tolerance, located=located, **measured)

    def _array(
        self,
        name: str,
        array: Any,
        what: str,
        tolerance: Tolerance | None,
        *,
        against: Yardstick,
        bits: Mapping[int, int] = BITS,
        located: bool = True,
    ) -> tuple[Fact, ...]:
        from pytest_mlrepro.facets._arrays import recorded

        if array.dtype.kind not in "iufc":
            tolerance = None
        value, dtype, detail = recorded(array, what, tolerant=tolerance is not None, located=located)
        fact = Fact(self.name, name, value, dtype=dtype, tolerance=tolerance, detail=detail)
        return (against.laid_on(fact, array, bits),)

    def _leaf(self, key: str, leaf: Any, what: str, against: Yardstick) -> Iterator[Fact]:
        from pytest_mlrepro.facets._arrays import SMALL, digest

        if leaf is None:
            yield Fact(self.name, key, None)
        elif isinstance(leaf, list) or is_arraylike(leaf) or hasattr(type(leaf), "tocsr"):
            yield from self._arrays(
                key, leaf, what, None, located=False, against=against, bits=BITS_OF_A_MODEL
            )
        elif isinstance(leaf, str) and len(leaf) > SMALL:
            # The text form of a booster's trees.
            yield Fact(self.name, key, digest(leaf, what), detail={"length": len(leaf)})
        else:
            value, dtype = to_value(leaf, what=what)
            yield Fact(self.name, key, value, dtype=dtype)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"pytest_mlrepro.facets.{_HOMES[name]}"), name)
