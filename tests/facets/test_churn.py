"""Which labels changed: counted and named while they are kept, else found by blocks of rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pytest_mlrepro.facets._blocks import BLOCK_DIGESTS, block_digests
from pytest_mlrepro.facets._churn import ranges
from pytest_mlrepro.facets.results import Results
from pytest_mlrepro.lockfile import dumps, loads
from pytest_mlrepro.model import Drift, Run, Tolerance

RESULTS = Results()
TEST = "tests/test_a.py::test_a"
NAMES = np.array(["ant", "bee", "cat", "dog", "eel"])


def array(values, name="a", **options):
    (fact,) = RESULTS.array(name, values, **options)
    return fact


def kept(fact):
    return loads(dumps(Run.of({TEST: [fact]}))).facts(TEST)[fact.address]


def told(before, now):
    assert RESULTS.rung(before, now, Tolerance()) == "drift"
    return RESULTS.explain(Drift(TEST, "results", before.key, "changed", kept(before), now))


def labels(size, classes=5, seed=0):
    return np.random.default_rng(seed).integers(0, classes, size)


def changed(values, *places, classes=5):
    moved = values.copy()
    moved[list(places)] = (moved[list(places)] + 1) % classes
    return moved


@pytest.mark.parametrize("size", [100, 540, 4096])
def test_share_and_indices(size):
    before = labels(size)
    now = changed(before, 3, 17, 44)
    steps = ", ".join(f"{before[at]} -> {now[at]}" for at in (3, 17, 44))
    assert told(array(before), array(now)) == (
        f"prediction churn: 3 of {size} labels ({300 / size:.2g} %), at 3, 17, 44: {steps}"
    )


def test_of_many_the_first_are_named():
    before = labels(540)
    sentence = told(array(before), array(changed(before, *range(0, 540, 3))))
    assert sentence.startswith(
        "prediction churn: 180 of 540 labels (33 %), at 0, 3, 6, 9, 12, 15, 18, 21, ...: "
    )
    assert len(sentence) < 160


@pytest.mark.parametrize("values", [NAMES[labels(300)], labels(300) > 2, NAMES[labels(300)].astype(object)])
def test_labels_of_any_kind(values):
    now = values.copy()
    now[[5, 250]] = next(value for value in np.unique(values) if value != now[5]), now[250]
    assert told(array(values), array(now)).startswith("prediction churn: 1 of 300 labels (0.33 %), at 5: ")


def test_tables_of_labels_by_row_and_column():
    before = labels(600).reshape(200, 3)
    now = before.copy()
    now[17, 2] = 9
    assert ", at [17, 2]: " in told(array(before), array(now))


def test_numbers_are_no_labels():
    before = np.arange(30)
    assert told(array(before), array(before + (before == 3))).startswith(
        "1 of 30 values changed (3.3 %), at 3: 3 -> 4"
    )


def test_what_a_model_has_learnt_is_no_prediction():
    before = labels(50)
    assert told(array(before, "kmeans.labels_"), array(changed(before, 1), "kmeans.labels_")).startswith(
        "1 of 50 labels changed (2 %), at 1: "
    )


class TestMany:
    @pytest.mark.parametrize(
        "values", [labels(54_000), NAMES[labels(54_000)], NAMES[labels(54_000)].astype(object)]
    )
    def test_are_told_by_rows_and_counts(self, values):
        now = values.copy()
        for at in (3, 30_000, 30_001):
            now[at] = values[0] if values[at] != values[0] else values[values != values[0]][0]
        sentence = told(array(values), array(now))
        assert sentence.startswith(
            "prediction churn: at least 3 of 54000 labels, in rows 0-105, 29998-30103; "
        )
        assert "labels changed: " in sentence

    def test_at_least_what_the_counts_demand(self):
        before = labels(10_000)
        now = before.copy()
        now[np.flatnonzero(before == 0)[:40]] = 1
        assert told(array(before), array(now)).startswith(
            "prediction churn: at least 40 of 10000 labels, in rows "
        )

    def test_of_very_many_classes(self):
        before = labels(50_000, classes=1000)
        assert told(array(before), array(changed(before, 40_000, classes=1000))).startswith(
            "prediction churn: at least 1 of 50000 labels, in rows 39984-40081; "
        )

    def test_a_new_label_changes_its_own_block_only(self):
        before = NAMES[labels(6400)]
        now = before.astype(object)
        now[100] = "aardvark"
        assert ", in rows 64-127; " in told(array(before), array(now.astype(str)))

    def test_a_lockfile_from_before_blocks_tells_the_counts(self):
        before = array(labels(10_000))
        old = replace(
            before, detail={key: value for key, value in before.detail.items() if key != BLOCK_DIGESTS}
        )
        assert told(old, array(changed(labels(10_000), 3))).startswith("labels changed: ")

    def test_take_little_room(self):
        assert len(array(labels(1_000_000)).detail[BLOCK_DIGESTS]) <= 2048
        assert BLOCK_DIGESTS not in array(labels(4096)).detail
        assert BLOCK_DIGESTS not in array(np.zeros(10_000)).detail

    @given(
        arrays.arrays(
            np.int16, st.tuples(st.integers(1, 300), st.integers(1, 5)), elements=st.integers(0, 3)
        ),
        st.data(),
    )
    def test_a_changed_row_changes_its_block_alone(self, values, data):
        row = data.draw(st.integers(0, len(values) - 1))
        now = values.copy()
        now[row, 0] += 1
        before, after = block_digests(values), block_digests(now)
        rows = -(-64 // values.shape[1])
        differ = [at // 4 for at in range(0, len(before), 4) if before[at : at + 4] != after[at : at + 4]]
        assert differ == [row // rows]


def test_neighbouring_blocks_are_one_range():
    assert ranges([(0, 63), (64, 127), (256, 319)]) == "0-127, 256-319"
    assert ranges([(5, 5), (7, 7)]) == "5, 7"


class TestConfusion:
    @staticmethod
    def matrix(truth, predicted):
        return RESULTS.classification(truth, predicted)[4]

    def test_cell_by_cell_with_the_names_of_the_labels(self):
        truth = NAMES[labels(500)]
        predicted = truth.copy()
        predicted[np.flatnonzero(truth == "cat")[0]] = "dog"
        assert told(self.matrix(truth, truth), self.matrix(truth, predicted)).endswith("[cat, dog] 0 -> 1")

    def test_of_very_many_labels_by_the_rows_that_changed(self):
        truth = labels(7000, classes=70)
        predicted = truth.copy()
        predicted[np.flatnonzero(truth == 23)[0]] = 24
        assert told(self.matrix(truth, truth), self.matrix(truth, predicted)) == (
            "its cells changed, in the rows of 23"
        )
