"""Row sketches: inserted and deleted rows are found exactly, or nothing is said."""

import base64

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlrepro.fingerprints.row_edits import Edits, edits
from pytest_mlrepro.fingerprints.row_sketch import RowSketch, RowSums

RNG = np.random.default_rng(4)
BASE = RNG.integers(0, 2**64, 1000, dtype=np.uint64)


def _edits(inserted=(), deleted=()):
    return Edits(inserted, deleted)


def sketch(hashes, step=50_000):
    sums = RowSums()
    for start in range(0, len(hashes), step):
        sums.add(hashes[start : start + step])
    return sums.sketch()


def found(old, new):
    return edits(sketch(old), sketch(new), lambda start, stop: new[start:stop])


def is_true(done, old, new):
    """Whether the edits turn the one into the other: what is kept stands where it stood."""
    inserted = set(done.inserted)
    kept = []
    for row in range(-1, len(new)):
        if row >= 0 and row not in inserted:
            kept.append(int(new[row]))
        kept += [None] * done.deleted.count(row)
    return len(kept) == len(old) and all(
        word is None or word == int(was) for word, was in zip(kept, old, strict=True)
    )


def edited(rng, old, deleted, inserted):
    kept = np.delete(old, rng.choice(len(old), deleted, replace=False))
    places = rng.integers(0, len(kept) + 1, inserted)
    return np.insert(kept, places, rng.integers(0, 2**64, inserted, dtype=np.uint64))


@given(st.lists(st.integers(0, 2**64 - 1), max_size=40))
def test_text(hashes):
    one = sketch(np.array(hashes, dtype=np.uint64))
    text = one.text()
    assert len(text) == 1684
    assert not set(text) & set("\"'\\\n")
    assert RowSketch.from_text(text) == one


@pytest.mark.parametrize("text", ["", "0" * 1683, "0" * 1685, '"' * 1684, "é" * 1684, None, 5, b"0" * 1684])
def test_broken_text_holds_no_sketch(text):
    assert RowSketch.from_text(text) is None


@pytest.mark.parametrize("step", [1, 7, 999, 1000])
def test_blocks_do_not_count(step):
    assert sketch(BASE, step) == sketch(BASE)


def test_single_rows():
    assert found(BASE, np.delete(BASE, [10, 500])) == _edits(deleted=(9, 498))
    assert found(BASE, np.delete(BASE, [0, 999])) == _edits(deleted=(-1, 997))
    assert found(BASE, np.delete(BASE, [5, 6, 7])) == _edits(deleted=(4, 4, 4))
    assert found(BASE, np.insert(BASE, [0, 300, 1000], [1, 2, 3])) == _edits(inserted=(0, 301, 1002))
    assert found(BASE, np.insert(BASE, [8, 8], [1, 2])) == _edits(inserted=(8, 9))


def test_both_at_once():
    new = np.insert(np.delete(BASE, [100, 600]), [50, 997], np.array([1, 2], dtype=np.uint64))
    assert found(BASE, new) == _edits(inserted=(50, 998), deleted=(100, 599))


def test_a_row_that_was_replaced():
    new = BASE.copy()
    new[402] = 5
    assert found(BASE, new) == _edits(inserted=(402,), deleted=(401,))


def test_a_row_that_was_moved():
    new = np.insert(np.delete(BASE, 20), 700, BASE[20])
    assert sketch(new).has_rows_of(sketch(BASE))
    assert found(BASE, new) == _edits(inserted=(700,), deleted=(19,))
    back = np.insert(np.delete(BASE, 700), 20, BASE[700])
    assert found(BASE, back) == _edits(inserted=(20,), deleted=(700,))


def test_other_order():
    for new in (BASE[::-1], np.roll(BASE, 1), RNG.permutation(BASE)):
        assert sketch(new).has_rows_of(sketch(BASE))
        assert sketch(new) != sketch(BASE)
    twice, thrice = np.array([1, 1, 2], dtype=np.uint64), np.array([1, 2, 2], dtype=np.uint64)
    assert not sketch(twice).has_rows_of(sketch(thrice))
    assert not sketch(BASE).has_rows_of(sketch(BASE[1:]))


def test_order_that_the_pairs_do_not_tell():
    """Both have the same pairs of neighbours: x-A, A-x, x-B and B-x."""
    one, other = (np.array(rows, dtype=np.uint64) for rows in ([9, 1, 9, 2, 9], [9, 2, 9, 1, 9]))
    assert sketch(one).tables == sketch(other).tables
    assert sketch(one) != sketch(other)
    assert found(one, other) is None


@pytest.mark.parametrize("place", [0, 1, 417, 999, 1000])
@pytest.mark.parametrize("count", [1, 40, 100_000])
def test_one_run_of_any_length(place, count):
    new = np.insert(BASE, place, RNG.integers(0, 2**64, count, dtype=np.uint64))
    assert found(BASE, new) == _edits(inserted=tuple(range(place, place + count)))


def test_runs_across_blocks():
    old = RNG.integers(0, 2**64, 200_000, dtype=np.uint64)
    for place in (65_535, 65_536, 131_072, 200_000):
        new = np.insert(old, place, RNG.integers(0, 2**64, 70_000, dtype=np.uint64))
        assert found(old, new) == _edits(inserted=tuple(range(place, place + 70_000)))
        assert found(old, np.delete(old, place - 1)) == _edits(deleted=(place - 2,))
        assert found(old, np.insert(old, place, 5)) == _edits(inserted=(place,))


def test_few_rows():
    none, one = np.zeros(0, dtype=np.uint64), np.array([3], dtype=np.uint64)
    assert found(none, one) == _edits(inserted=(0,))
    assert found(one, none) == _edits(deleted=(-1,))
    assert found(none, BASE) == _edits(inserted=tuple(range(1000)))


def test_too_much_is_not_told():
    rng = np.random.default_rng(2)
    assert found(BASE, BASE[500:]) is None
    assert found(BASE, edited(rng, BASE, 25, 25)) is None
    assert found(BASE, rng.permutation(BASE)) is None


@pytest.mark.parametrize(("deleted", "inserted"), [(3, 2), (0, 5), (5, 0), (5, 5), (0, 11), (11, 0)])
def test_a_dozen_is_found_in_98_of_100_cases(deleted, inserted):
    rng = np.random.default_rng(deleted)
    trials = []
    for _ in range(200):
        old = rng.integers(0, 2**64, 2000, dtype=np.uint64)
        new = edited(rng, old, deleted, inserted)
        done = found(old, new)
        assert done is None or is_true(done, old, new)
        trials.append(done is not None and len(done.deleted) == deleted and len(done.inserted) == inserted)
    assert sum(trials) >= 0.98 * len(trials)


@given(st.integers(0, 2**32), st.sampled_from([2, 3, 10, 2**64 - 1]), st.integers(0, 8), st.integers(0, 8))
@settings(max_examples=200)
def test_what_is_found_is_true_with_equal_rows_too(seed, kinds, deleted, inserted):
    rng = np.random.default_rng(seed)
    old = rng.integers(0, kinds, int(rng.integers(10, 300)), dtype=np.uint64)
    new = edited(rng, old, deleted, 0)
    new = np.insert(
        new, rng.integers(0, len(new) + 1, inserted), rng.integers(0, kinds, inserted, dtype=np.uint64)
    )
    done = found(old, new)
    assert done is None or is_true(done, old, new)


def test_one_of_equal_rows():
    """Rows that occur often: one more of them is found by the ordered sum, wherever it stands in its run."""
    labels = np.random.default_rng(6).integers(0, 2, 5000).astype(np.uint64)
    for place in (0, 777, 5000):
        new = np.insert(labels, place, 1 - labels[min(place, 4999)])
        done = found(labels, new)
        assert done is not None
        assert is_true(done, labels, new)


def test_a_row_that_comes_more_than_once():
    new = np.concatenate([BASE, BASE[[7, 7, 7, 7]]])
    assert found(BASE, new) == _edits(inserted=(1000, 1001, 1002, 1003))
    assert found(new, BASE) == _edits(deleted=(999, 999, 999, 999))


def test_a_damaged_text_gives_no_wrong_answer():
    new = np.insert(np.delete(BASE, 100), 600, 5)
    right = found(BASE, new)
    text = sketch(BASE).text()
    alphabet = base64.b85encode(bytes(range(256))).decode()
    rng = np.random.default_rng(3)
    for place in range(0, len(text), 7):
        damaged = RowSketch.from_text(text[:place] + alphabet[int(rng.integers(100))] + text[place + 1 :])
        if damaged is not None:
            assert edits(damaged, sketch(new), lambda start, stop: new[start:stop]) in (right, None)
