"""Metrics, arrays and fitted models: how they are recorded, compared and explained."""

import math
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn import metrics
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neighbors import KernelDensity, KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.random_projection import SparseRandomProjection
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from pytest_mlrepro.errors import RecordingError
from pytest_mlrepro.facets._protocol import show
from pytest_mlrepro.facets.results import Results, excess
from pytest_mlrepro.model import Drift, Fact, Tolerance

RESULTS = Results()
DEFAULT = Tolerance()
EXACT = {"rtol": 0.0, "atol": 0.0}


def metric(value, **options):
    (fact,) = RESULTS.capture("m", value, **options)
    return fact


def array(values, **options):
    (fact,) = RESULTS.array("a", values, **options)
    return fact


def rung(before, now, default=DEFAULT):
    return RESULTS.rung(before, now, default)


def told(before, now):
    """The explanation of a drift."""
    assert rung(before, now) == "drift"
    return RESULTS.explain(Drift("s", "results", before.key, "changed", before, now))


def by_key(facts):
    return {fact.key: fact for fact in facts}


class TestMetric:
    def test_is_a_fact(self):
        fact = metric(0.5, rtol=1e-6, better="higher")

        assert (fact.address, fact.value, fact.better) == ("results.m", 0.5, "higher")
        assert fact.tolerance == Tolerance(1e-6, 0.0)

    def test_one_given_bound_sets_the_other_to_zero(self):
        assert metric(0.5, atol=1e-3).tolerance == Tolerance(0.0, 1e-3)
        assert metric(0.5).tolerance is None

    def test_many_values_become_a_fingerprint(self):
        fact = metric(np.linspace(0, 1, 1000))

        assert isinstance(fact.value, str)
        assert fact.detail["max"] == 1.0

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            (None, "is None"),
            ({"auc": 1}, "is a mapping"),
            (object(), "of type object"),
            ((i for i in ()), "of type generator"),
            ([1.0, None], "holds None"),
            (pd.DataFrame({"a": [1]}), "lose their names"),
        ],
    )
    def test_refuses_what_is_no_metric(self, value, message):
        with pytest.raises(RecordingError, match=f"metric 'm'.*{message}") as caught:
            metric(value)
        assert caught.value.remedy

    @pytest.mark.parametrize("name", ["", None, 3])
    def test_needs_a_name(self, name):
        with pytest.raises(RecordingError, match="non-empty string"):
            RESULTS.capture(name, 1.0)

    @pytest.mark.parametrize("options", [{"better": "up"}, {"rtol": -1}, {"atol": math.inf}, {"rtol": "1"}])
    def test_refuses_options_that_mean_nothing(self, options):
        with pytest.raises(RecordingError):
            metric(1.0, **options)


class TestRung:
    @pytest.mark.parametrize(
        ("before", "now", "expected"),
        [
            (0.5, 0.5, "identical"),
            (0.5, 0.5 * (1 + 1e-10), "rounding"),
            (0.5, 0.5 * (1 + 1e-8), "drift"),
            (0.0, 1e-13, "rounding"),
            (0.0, -0.0, "rounding"),
            (math.nan, math.nan, "identical"),
            (math.nan, 1.0, "drift"),
            (1.0, math.nan, "drift"),
            (math.inf, math.inf, "identical"),
            (math.inf, -math.inf, "drift"),
            (math.inf, 1e308, "drift"),
            (1, 1, "identical"),
            (1, 2, "drift"),
            (1, 1.0, "drift"),
            (1, True, "drift"),
            (10**400, 10**400 + 1, "drift"),
            ("a", "b", "drift"),
            (1 + 2j, (1 + 2j) * (1 + 1e-10), "rounding"),
            (1 + 2j, 1 + 2.1j, "drift"),
            (complex(0, math.nan), complex(0, math.nan), "identical"),
            (complex(0, math.nan), complex(1, math.nan), "drift"),
            ([1.0, 1e-20], [1.0, 2e-20], "rounding"),
            ([1.0, 2.0], [1.0, 2.0, 3.0], "drift"),
            ([[1.0], []], [[1.0], [], []], "drift"),
            ([[1.0, 2.0]], [1.0, 2.0], "drift"),
            ([1, 2.0], [1, 2.0 * (1 + 1e-10)], "rounding"),
            ([1, 2.0], [2, 2.0], "drift"),
            (np.float32(0.1), np.float32(0.1) * np.float32(1.000001), "rounding"),
            (np.float32(0.1), np.float32(0.1001), "drift"),
            (np.float32(0.1), np.float64(0.1), "drift"),
            (np.float16(0.1), np.nextafter(np.float16(0.1), np.float16(1)), "rounding"),
        ],
    )
    def test_of_two_values(self, before, now, expected):
        assert rung(metric(before), metric(now)) == expected

    def test_bitwise_equality_on_demand(self):
        exact = metric(0.5, **EXACT)

        assert rung(exact, exact) == "identical"
        assert rung(exact, metric(math.nextafter(0.5, 1), **EXACT)) == "drift"
        assert rung(metric(0.0, **EXACT), metric(-0.0, **EXACT)) == "drift"
        assert rung(metric(np.float32(0.5)), metric(np.float32(0.50000006)), Tolerance(0, 0)) == "drift"

    def test_the_current_tolerance_decides(self):
        wide, narrow = metric(1.0, rtol=0.1), metric(1.05)

        assert rung(narrow, wide) == "rounding"
        assert rung(wide, narrow) == "drift"
        assert rung(metric(1.0), metric(1.05), Tolerance(rtol=0.1)) == "rounding"

    def test_integers_have_a_tolerance_where_one_is_given(self):
        assert rung(metric(100), metric(101, rtol=0.02)) == "rounding"
        assert rung(metric(100), metric(103, rtol=0.02)) == "drift"
        assert rung(metric(100), metric(101.0, rtol=0.02)) == "drift"

    def test_texts_and_booleans_never_have_one(self):
        assert metric("a", rtol=1.0).tolerance is None
        assert rung(metric(True), metric(False, atol=5.0)) == "drift"

    scalars = (
        st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers() | st.text(max_size=3)
    )
    values = st.recursive(scalars, lambda below: st.lists(below, max_size=4).map(tuple), max_leaves=8)

    @given(values)
    def test_is_reflexive(self, value):
        fact = Fact("results", "m", value)

        assert rung(fact, fact) == "identical"
        assert excess(fact, fact, DEFAULT) in (None, 0.0)

    @given(values, values)
    def test_is_identical_both_ways_or_neither(self, left, right):
        left, right = Fact("results", "m", left), Fact("results", "m", right)

        assert (rung(left, right) == "identical") == (rung(right, left) == "identical")

    @given(
        arrays.arrays(np.float64, 5, elements=st.floats(-1e6, 1e6)),
        arrays.arrays(np.float64, 5, elements=st.floats(-1e-3, 1e-3)),
        st.floats(0, 1e-3),
        st.floats(1, 100),
    )
    def test_a_wider_tolerance_never_turns_green_to_red(self, values, change, rtol, wider):
        before, now = array(values), array(values + change)

        if rung(before, now, Tolerance(rtol, rtol)) != "drift":
            assert rung(before, now, Tolerance(rtol * wider, rtol * wider)) != "drift"

    @given(
        arrays.arrays(np.float64, 4, elements=st.floats(-1e6, 1e6)),
        arrays.arrays(np.float64, 4, elements=st.floats(-1e6, 1e6)),
        st.floats(1e-12, 1.0),
    )
    def test_excess_says_when_it_drifts(self, before, now, rtol):
        tolerance = Tolerance(rtol, 0.0)
        old, new = array(before), array(now)
        drifted = rung(old, new, tolerance) == "drift"
        width = rtol * np.abs(before).max()
        # Next to the border, and among denormal numbers, a quotient and a product round differently.
        assume(width > 1e-300)
        assume(not np.isclose(np.abs(now - before), width, rtol=1e-12, atol=0.0).any())

        assert drifted == bool((np.abs(now - before) > width).any())
        assert drifted == (excess(old, new, tolerance) > 1.0)


class TestExcess:
    def test_counts_tolerances(self):
        assert excess(metric(1.0), metric(1.0 + 1e-6), Tolerance(1e-9, 0)) == pytest.approx(1000, rel=1e-3)
        assert excess(metric([1.0, 100.0]), metric([2.0, 100.0]), Tolerance(0.01, 0)) == pytest.approx(1)

    def test_is_none_where_size_is_not_the_question(self):
        assert excess(metric(1), metric(2), DEFAULT) is None
        assert excess(metric("a"), metric("b"), DEFAULT) is None
        assert excess(metric(1), metric(1.0), DEFAULT) is None
        assert excess(metric([1.0]), metric([1.0, 2.0]), DEFAULT) is None
        assert excess(metric(1.0), metric(np.float32(1.0)), DEFAULT) is None

    def test_is_infinite_for_nan_and_without_tolerance(self):
        assert excess(metric(1.0), metric(math.nan), DEFAULT) == math.inf
        assert excess(metric(1.0), metric(1.1), Tolerance(0, 0)) == math.inf


@pytest.fixture(scope="module")
def cancer():
    data = load_breast_cancer()
    return train_test_split(data.data, data.target, test_size=0.2, random_state=0)


@pytest.fixture(scope="module")
def cancer_model(cancer):
    train, _, labels, _ = cancer
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(train, labels)


class TestClassification:
    def test_binary(self, cancer, cancer_model):
        _, test, _, truth = cancer
        predicted, scores = cancer_model.predict(test), cancer_model.predict_proba(test)
        found = by_key(RESULTS.classification(truth, predicted, scores, name="test"))

        assert found["test.accuracy"].value == metrics.accuracy_score(truth, predicted)
        assert found["test.precision"].value == metrics.precision_score(truth, predicted)
        assert found["test.recall"].value == metrics.recall_score(truth, predicted)
        assert found["test.f1"].value == metrics.f1_score(truth, predicted)
        assert found["test.roc_auc"].value == metrics.roc_auc_score(truth, scores[:, 1])
        assert found["test.confusion_matrix"].value == tuple(
            map(tuple, metrics.confusion_matrix(truth, predicted).tolist())
        )
        assert found["test.f1"].detail == {"average": "binary"}
        assert found["test.f1"].better == "higher"

    def test_the_same_from_any_container(self, cancer, cancer_model):
        _, test, _, truth = cancer
        predicted, scores = cancer_model.predict(test), cancer_model.decision_function(test)
        expected = RESULTS.classification(truth, predicted, scores)

        assert RESULTS.classification(truth.tolist(), pd.Series(predicted), scores.tolist()) == expected
        assert RESULTS.classification(truth.astype(bool), predicted == 1, scores[:, None])[:4] == expected[:4]
        assert RESULTS.classification(truth * 2 - 1, predicted * 2 - 1, scores)[:4] == expected[:4]
        assert (
            RESULTS.classification(pd.DataFrame(truth), predicted.astype(float), scores)[:4] == expected[:4]
        )

    def test_named_classes_are_averaged(self, cancer, cancer_model):
        _, test, _, truth = cancer
        names = np.array(["malignant", "benign"], dtype=object)
        predicted = cancer_model.predict(test)
        found = by_key(RESULTS.classification(pd.Series(names[truth]), names[predicted]))

        assert found["f1"].value == metrics.f1_score(truth, predicted, average="macro")
        assert found["f1"].detail == {"average": "macro"}
        assert found["confusion_matrix"].detail == {"classes": ("benign", "malignant")}

    def test_several_classes_with_scores(self):
        features, truth = load_iris(return_X_y=True)
        model = LogisticRegression(max_iter=1000).fit(features, truth)
        predicted, scores = model.predict(features), model.predict_proba(features)
        found = by_key(RESULTS.classification(truth, predicted, scores))

        assert found["recall"].value == metrics.recall_score(truth, predicted, average="macro")
        assert found["roc_auc"].value == pytest.approx(
            metrics.roc_auc_score(truth, scores, multi_class="ovr"), rel=1e-12
        )
        assert len(found["confusion_matrix"].value) == 3

    @pytest.mark.parametrize(
        ("truth", "predicted"),
        [([1, 1], [1, 1]), ([0, 0], [0, 0]), ([0, 1], [0, 0]), (["a"], ["b"]), ([2, 3], [3, 2])],
    )
    def test_degenerate_predictions_give_numbers_and_no_warning(self, truth, predicted):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = by_key(RESULTS.classification(truth, predicted))

        assert found["accuracy"].value == sum(map(lambda a, b: a == b, truth, predicted)) / len(truth)
        assert all(math.isfinite(found[name].value) for name in ("precision", "recall", "f1"))

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (([], []), "y_true is empty"),
            (([0, 1], [0]), "y_true has 2 values, y_pred has 1"),
            (([0.0, math.nan], [0, 1]), "y_true holds nan at index 1"),
            (([0, 1], [0.2, 0.9]), "y_pred holds scores, not labels: 0.2"),
            ((["a", None], ["a", "b"]), "y_true holds None"),
            ((["a", 1], ["a", "b"]), "y_true mixes strings and numbers"),
            ((["a", math.nan], ["a", "b"]), "y_true holds nan"),
            (([0, 1], ["a", "b"]), "y_pred of dtype"),
            ((np.eye(3), np.eye(3)), r"y_true has the shape \(3, 3\)"),
            ((3, 4), "y_true is of type int"),
            (([1, 1], [1, 1], [0.1, 0.2]), "needs two classes"),
            (([0, 1], [0, 1], [0.1]), r"y_score has the shape \(1, 2\), expected \(2, 2\)"),
            (([0, 1, 2], [0, 1, 2], [0.1, 0.2, 0.3]), r"expected \(3, 3\)"),
            (([0, 1], [0, 1], [0.1, math.nan]), "y_score holds nan"),
            (([0, 1], [0, 1], ["a", "b"]), "y_score is of dtype"),
        ],
    )
    def test_wrong_input_is_explained(self, arguments, message):
        with pytest.raises(RecordingError, match=message) as caught:
            RESULTS.classification(*arguments, name="test")
        assert caught.value.what.startswith("classification 'test': y_")
        assert caught.value.remedy


class TestRegression:
    def test_metrics(self):
        features, target = load_diabetes(return_X_y=True)
        predicted = Ridge().fit(features, target).predict(features)
        found = by_key(RESULTS.regression(target, pd.Series(predicted), name="test"))

        assert found["test.r2"].value == metrics.r2_score(target, predicted)
        assert found["test.mae"].value == metrics.mean_absolute_error(target, predicted)
        assert found["test.rmse"].value == pytest.approx(
            math.sqrt(np.mean((target - predicted) ** 2)), rel=1e-12
        )
        assert found["test.max_error"].value == np.abs(target - predicted).max()
        assert [fact.better for fact in found.values()] == ["higher", "lower", "lower", "lower"]

    @pytest.mark.parametrize(
        ("truth", "predicted", "message"),
        [
            ([1.0], [1.0], "at least two values"),
            ([1.0, 2.0], [1.0, math.inf], "y_pred holds inf at index 1"),
            (["a", "b"], [1, 2], "y_true is of dtype"),
            (np.ones((3, 2)), np.ones((3, 2)), "one value a row"),
            ([1.0, 2.0], [1.0], "y_pred has 1"),
        ],
    )
    def test_wrong_input_is_explained(self, truth, predicted, message):
        with pytest.raises(RecordingError, match=message):
            RESULTS.regression(truth, predicted)


class TestArray:
    def test_small_ones_value_by_value(self):
        fact = array(np.array([[1, 2], [3, 4]], dtype=np.float32))

        assert (fact.value, fact.dtype) == (((1.0, 2.0), (3.0, 4.0)), "float32")

    def test_large_ones_by_fingerprint_and_summary(self):
        values = np.random.default_rng(0).normal(size=(500, 2))
        fact = array(values)

        assert isinstance(fact.value, str)
        assert fact.detail["shape"] == (500, 2)
        assert fact.detail["mean"] == pytest.approx(values.mean())
        assert len(repr(dict(fact.detail))) < 1500
        assert (
            array(pd.DataFrame(values)) == array(values.tolist()) == array(np.asfortranarray(values)) == fact
        )

    @pytest.mark.parametrize("size", [200, 300, 100_000])
    @pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128])
    def test_rounding_and_drift_of_all_sizes(self, size, dtype):
        noise = np.random.default_rng(1)
        values = noise.normal(size=size).astype(dtype)
        step = 1e-7 if dtype == np.float32 else 1e-15
        near = (values * (1 + step * noise.uniform(-1, 1, size))).astype(dtype)
        far = values.copy()
        far[size // 3] += np.abs(values).max() * (1e-3 if dtype == np.float32 else 1e-6)

        assert rung(array(values), array(values.copy())) == "identical"
        assert rung(array(values), array(near)) == "rounding"
        assert rung(array(values), array(far)) == "drift"

    def test_changes_that_cancel_are_seen(self):
        values = np.random.default_rng(0).normal(size=10_000)
        for left, right in [(10, 11), (0, 9_999), (5_000, 5_001)]:
            swapped = values.copy()
            swapped[[left, right]] = swapped[[right, left]]

            assert rung(array(values), array(swapped)) == "drift"

    @given(st.integers(0, 999), st.floats(1.01e-9, 1.0))
    def test_one_cell_beyond_the_tolerance_is_always_seen(self, place, change):
        values = np.linspace(-1, 1, 1000)
        moved = values.copy()
        moved[place] += change * 1.001

        assert rung(array(values), array(moved)) == "drift"

    def test_nan_and_infinities_by_place(self):
        values = np.linspace(0, 1, 1000)
        values[3] = math.nan
        values[4] = math.inf
        moved = values.copy()
        moved[[3, 5]] = moved[[5, 3]]

        assert rung(array(values), array(values * (1 + 1e-15))) == "rounding"
        assert rung(array(values), array(moved)) == "drift"
        assert rung(array(values), array(np.nan_to_num(values))) == "drift"
        assert "NaN or infinite" in told(array(values), array(moved))

    def test_values_near_the_largest_float(self):
        values = np.full(1000, 1e308)

        assert rung(array(values), array(values * (1 - 1e-15))) == "rounding"

    def test_integers_and_labels_are_exact(self):
        numbers = np.arange(1000)
        labels = np.array(["a", "b"])[numbers % 2]
        other = labels.copy()
        other[7] = "a"

        assert rung(array(numbers), array(numbers + (numbers == 3))) == "drift"
        assert rung(array(labels), array(labels.astype(object))) in ("identical", "drift")
        assert rung(array(labels), array(other)) == "drift"
        assert rung(array(numbers), array(numbers.astype(float))) == "drift"

    def test_integers_with_a_tolerance(self):
        numbers = np.arange(1000)

        assert rung(array(numbers), array(numbers, atol=1)) == "identical"
        assert rung(array(numbers, atol=1), array(numbers + (numbers == 3), atol=1)) == "rounding"
        assert rung(array(numbers, atol=1), array(numbers + 2 * (numbers == 3), atol=1)) == "drift"

    def test_numbers_among_strings_stay_numbers(self):
        assert array(["a", 1, None]).value == ("a", 1, None)
        assert array([["a"], [1.5]]).value == (("a",), (1.5,))

    def test_empty_arrays_keep_their_shape(self):
        assert rung(array(np.zeros((0, 3))), array(np.zeros((0, 3)))) == "identical"
        assert rung(array(np.zeros((0, 3))), array(np.zeros((0, 4)))) == "drift"
        assert array([]).value == ()

    def test_sparse_matrices_by_their_canonical_form(self):
        matrix = scipy.sparse.random(50, 40, density=0.3, random_state=0, format="coo")
        facts = RESULTS.array("a", matrix)

        assert [fact.key for fact in facts] == ["a.shape", "a.data", "a.indices", "a.indptr"]
        assert RESULTS.array("a", matrix.tocsc()) == facts
        assert RESULTS.array("a", matrix * 2) != facts

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            (3, "of type int, not an array"),
            ("abc", "of type str, not an array"),
            ([[1], [1, 2]], "not a rectangular array"),
            ([1, [1, 2]], "not a rectangular array"),
            (np.array([b"a"]), "neither numbers nor strings"),
            (np.zeros(300, dtype="M8[s]"), "neither numbers nor strings"),
            ([object()], "of type object"),
        ],
    )
    def test_wrong_input_is_explained(self, values, message):
        with pytest.raises(RecordingError, match=message) as caught:
            array(values)
        assert "array 'a'" in caught.value.what


def _fit_forest(features, target):
    return RandomForestClassifier(20, random_state=0).fit(features, target)


MODELS = {
    "forest": lambda: RandomForestClassifier(20, random_state=0),
    "logistic": lambda: LogisticRegression(max_iter=1000),
    "tree": lambda: DecisionTreeClassifier(random_state=0),
    "boosting": lambda: GradientBoostingRegressor(n_estimators=10, random_state=0),
    "hist": lambda: HistGradientBoostingRegressor(max_iter=10),
    "mlp": lambda: MLPClassifier((20,), max_iter=2000, random_state=0),
    "neighbours": KNeighborsClassifier,
    "calibrated": lambda: CalibratedClassifierCV(LogisticRegression(max_iter=1000), cv=3),
    "gaussian": lambda: GaussianProcessRegressor(alpha=0.1),
    "density": KernelDensity,
    "projection": lambda: SparseRandomProjection(2, random_state=0),
    "vote": lambda: VotingClassifier(
        [("t", DecisionTreeClassifier(random_state=0)), ("l", LogisticRegression(max_iter=1000))]
    ),
    "search": lambda: GridSearchCV(DecisionTreeRegressor(random_state=0), {"max_depth": [1, 2]}, cv=3),
    "columns": lambda: ColumnTransformer([("s", StandardScaler(), [0, 1]), ("o", OneHotEncoder(), [3])]),
}


class TestModel:
    @pytest.mark.parametrize("name", MODELS)
    def test_the_same_fit_gives_the_same_facts(self, name):
        features, target = load_iris(return_X_y=True)
        facts, again = (RESULTS.model("m", MODELS[name]().fit(features, target)) for _ in range(2))

        assert facts == again
        assert 2 <= len(facts) <= 40
        assert all(rung(old, new) == "identical" for old, new in zip(facts, again, strict=True))

    @pytest.mark.parametrize("name", sorted(MODELS.keys() - {"projection"}))
    def test_another_fit_gives_others(self, name):
        features, target = load_iris(return_X_y=True)
        fitted = by_key(RESULTS.model("m", MODELS[name]().fit(features, target)))
        other = by_key(RESULTS.model("m", MODELS[name]().fit(features[::2] + 0.5, target[::2])))

        assert any(rung(fitted[key], other[key]) == "drift" for key in fitted.keys() & other.keys())

    def test_attributes_by_name(self, cancer_model):
        found = by_key(RESULTS.model("fitted", cancer_model))

        assert found["fitted.class"].value == "Pipeline"
        scaler, logistic = cancer_model[0], cancer_model[1]
        assert found["fitted.steps.standardscaler.mean_"].value == tuple(scaler.mean_.tolist())
        assert found["fitted.steps.logisticregression.coef_"].value == (tuple(logistic.coef_[0].tolist()),)

    def test_a_forest_has_as_many_facts_as_a_small_one(self):
        features, target = load_digits(return_X_y=True)
        small, large = (
            RESULTS.model("m", RandomForestClassifier(size, random_state=0).fit(features[:300], target[:300]))
            for size in (2, 20)
        )

        assert [fact.key for fact in small] == [fact.key for fact in large]
        assert by_key(large)["m.estimators_.length"].value == 20

    def test_one_changed_node_of_one_tree_is_seen(self):
        features, target = load_iris(return_X_y=True)
        forest, other = _fit_forest(features, target), _fit_forest(features, target)
        other.estimators_[13].tree_.threshold[0] += 1e-3
        before, now = RESULTS.model("m", forest), RESULTS.model("m", other)
        drifted = [old.key for old, new in zip(before, now, strict=True) if rung(old, new) == "drift"]

        assert drifted == ["m.estimators_.tree_.threshold"]

    def test_how_long_fitting_took_is_not_recorded(self):
        features, target = load_iris(return_X_y=True)
        search = GridSearchCV(Ridge(), {"alpha": [1.0, 2.0]}, cv=3).fit(features, target)

        assert not [fact.key for fact in RESULTS.model("m", search) if "_time" in fact.key]

    def test_what_is_skipped_is_told(self):
        features, target = load_iris(return_X_y=True)
        search = GridSearchCV(Ridge(), {"alpha": [1.0, 2.0]}, cv=3).fit(features, target)
        skipped = by_key(RESULTS.model("m", search))["m.class"].detail["skipped"]

        assert [text.partition(":")[0] for text in skipped] == ["scorer_"]

    def test_a_vocabulary_is_two_facts(self):
        vectorizer = CountVectorizer().fit([f"word{index}" for index in range(500)])
        keys = [fact.key for fact in RESULTS.model("m", vectorizer)]

        assert "m.vocabulary_.keys" in keys
        assert len(keys) < 6

    def test_a_booster_by_its_text(self):
        # Members as XGBoost's and LightGBM's wrappers have them.
        class Booster:
            def __init__(self, text):
                self.text = text

            def model_to_string(self):
                return self.text

        class Wrapper:
            def __init__(self, text):
                self.booster_ = Booster(text)

            def fit(self):
                return self

        before, same, now = (RESULTS.model("m", Wrapper(letter * 1000))[1] for letter in "aab")
        assert before.key == "m.booster"
        assert len(before.value) < 100
        assert rung(before, same) == "identical"
        assert rung(before, now) == "drift"

    def test_a_model_of_ones_own(self):
        class Threshold:
            def fit(self, values):
                self.cut_ = float(np.mean(values))
                return self

        assert by_key(RESULTS.model("m", Threshold().fit([1, 2])))["m.cut_"].value == 1.5

    @pytest.mark.parametrize(
        "model", [RandomForestClassifier(), make_pipeline(StandardScaler()), object(), Ridge]
    )
    def test_without_fitted_state_it_is_refused(self, model):
        with pytest.raises(RecordingError, match="model 'm' is") as caught:
            RESULTS.model("m", model)
        assert "fit" in caught.value.remedy


class TestExplain:
    @pytest.mark.parametrize(
        ("before", "now", "sentence"),
        [
            (
                metric(0.971830985915493),
                metric(0.9577464788732394, better="higher"),
                "0.971830985915493 -> 0.9577464788732394 (-0.0141, -1.45 %), "
                "beyond rounding: 1.4e+07 x the tolerance (rtol 1e-09), worse",
            ),
            (
                metric(0.956140350877193),
                metric(0.956141350877193, better="lower"),
                "0.956140350877193 -> 0.956141350877193 (+1e-06, +0.000105 %), "
                "beyond rounding: 1e+03 x the tolerance (rtol 1e-09), worse",
            ),
            (metric(3), metric(5), "3 -> 5 (+2)"),
            (metric(3), metric(5, better="higher"), "3 -> 5 (+2), better"),
            (
                metric(10**400),
                metric(10**400 + 1, better="lower"),
                f"{show(10**400)} -> {show(10**400 + 1)} (+1), worse",
            ),
            (
                metric(complex(1e308, 1e308)),
                metric(-complex(1e308, 1e308)),
                "(1e+308+1e+308j) -> (-1e+308-1e+308j)",
            ),
            (
                metric(1 + 2j),
                metric(1 + 2.5j),
                "(1+2j) -> (1+2.5j) (0.5 apart), beyond rounding: 2.2e+08 x the tolerance (rtol 1e-09)",
            ),
            (metric(True), metric(False), "True -> False"),
            (metric("a"), metric("b"), "'a' -> 'b'"),
            (metric(1), metric(1.0), "same value, int -> float"),
            (metric(1), metric("1"), "1 -> '1'; int -> str"),
            (metric(np.float32(0.1)), metric(0.1), "same value, float32 -> float64"),
            (metric(math.nan), metric(1.0), "nan -> 1.0"),
            (metric(1.0), metric(math.nan, better="lower"), "1.0 -> nan, worse"),
            (
                metric(0.0, **EXACT),
                metric(-0.0, **EXACT),
                "0.0 -> -0.0, bitwise equality was asked for",
            ),
            (metric([1.0, 2.0]), metric([1.0, 2.0, 3.0]), "shape (2,) -> (3,)"),
            (
                metric(1e-10),
                metric(3e-11),
                "1e-10 -> 3e-11 (-7e-11), beyond rounding: 70 x the tolerance (atol 1e-12), "
                "baseline is 1e-10: rtol cannot hold near zero; atol=7e-11 would",
            ),
            (
                array([[1, 2], [3, 4]]),
                array([[1, 2], [3, 5]]),
                "1 of 4 values differ, 4 -> 5 at [1, 1]",
            ),
            (
                array(["a", "b", "c"]),
                array(["a", "b", "b"]),
                "prediction churn: 1 of 3 labels (33 %), at 2: 'c' -> 'b'",
            ),
        ],
    )
    def test_sentences(self, before, now, sentence):
        assert told(before, now) == sentence

    def test_a_changed_dtype_of_a_large_array(self):
        assert (
            told(array(np.zeros(300)), array(np.zeros(300, dtype="f4"))) == "same value, float64 -> float32"
        )
        assert told(array(np.zeros(300)), array(np.zeros(300, dtype=int))).endswith("float64 -> int64")

    def test_the_atol_it_names_holds(self):
        before, now = metric(1e-10), metric(3.3e-11)
        bound = float(told(before, now).partition("atol=")[2].split()[0])

        assert rung(before, metric(3.3e-11, atol=bound)) == "rounding"

    def test_the_project_tolerance_is_named(self):
        drift = Drift("s", "results", "m", "changed", metric(1.0), metric(2.0))

        assert "2 x the tolerance (rtol 0.5)" in RESULTS.explain(drift, Tolerance(0.5))

    def test_accuracy_in_hits(self):
        truth = [0, 1] * 50
        before, now = ([1 - truth[at] if at < wrong else truth[at] for at in range(100)] for wrong in (3, 5))
        old = by_key(RESULTS.classification(truth, before))
        new = by_key(RESULTS.classification(truth, now))

        assert told(old["accuracy"], new["accuracy"]) == (
            "0.97 -> 0.95 (-0.02, -2.06 %): 2 of 100 more wrong (97 -> 95 correct), worse"
        )
        assert (
            told(old["confusion_matrix"], new["confusion_matrix"])
            == "4 of 4 cells changed: [0, 0] 48 -> 47, [0, 1] 2 -> 3, [1, 0] 1 -> 2, ..."
        )

    def test_confusion_matrix_by_class_names(self):
        truth = ["cat", "dog", "cat", "dog"]
        old = by_key(RESULTS.classification(truth, truth))["confusion_matrix"]
        new = by_key(RESULTS.classification(truth, ["cat", "cat", "cat", "dog"]))["confusion_matrix"]

        assert told(old, new) == "2 of 4 cells changed: [dog, cat] 0 -> 1, [dog, dog] 2 -> 1"

    def test_arrays_say_how_many_and_where(self):
        values = np.linspace(0, 1, 200)
        moved = values.copy()
        moved[12] += 0.013
        moved[13] -= 0.001
        sentence = told(array(values), array(moved))

        assert sentence.startswith(
            "2 of 200 values differ, largest +0.013 at [12], beyond rounding: 1.3e+07 x the tolerance"
        )

    def test_large_arrays_say_where(self):
        values = np.random.default_rng(0).normal(size=1600)
        moved = values.copy()
        moved[250] += 0.5

        assert "1 of 16 blocks moved, within values 200 to 299 of 1600" in told(array(values), array(moved))

    def test_prediction_churn(self):
        features, target = load_digits(return_X_y=True)
        predicted = _fit_forest(features[:900], target[:900]).predict(features[900:1440])
        changed = predicted.copy()
        changed[3:10] = (changed[3:10] + 1) % 10
        sentence = told(array(predicted), array(changed))

        assert sentence.startswith(
            "prediction churn: 7 of 540 labels (1.3 %), at 3, 4, 5, 6, 7, 8, 9: "
            f"{predicted[3]} -> {changed[3]}, "
        )
        assert len(sentence) < 160

    def test_churn_of_very_many_labels_by_counts(self):
        labels = np.repeat(["a", "b"], 5000)
        changed = labels.copy()
        changed[0] = "b"

        assert told(array(labels), array(changed)) == (
            "prediction churn: at least 1 of 10000 labels, in rows 0-63; "
            "labels changed: 'a' 5000 -> 4999, 'b' 5000 -> 5001"
        )
        assert told(array(labels), array(labels[::-1])) == (
            "prediction churn: at least 157 of 10000 labels, in rows 0-9999; "
            "labels changed, as many of each as before"
        )
        numbers = np.arange(5000)
        assert told(array(numbers), array(numbers + 1)).endswith(
            "the values changed, 5000 -> 5000 distinct ones"
        )

    def test_added_and_removed(self):
        fact = metric(0.5)

        assert (
            RESULTS.explain(Drift("s", "results", "m", "added", None, fact)) == "not in the baseline, now 0.5"
        )
        assert (
            RESULTS.explain(Drift("s", "results", "m", "removed", fact, None))
            == "was 0.5, no longer recorded"
        )

    @given(TestRung.values, TestRung.values, st.booleans())
    def test_says_something_of_any_two_values(self, before, now, strict):
        tolerance = Tolerance(0, 0) if strict else None
        old, new = (Fact("results", "m", value, tolerance=tolerance) for value in (before, now))
        assume(rung(old, new) == "drift")

        assert RESULTS.explain(Drift("s", "results", "m", "changed", old, new))
