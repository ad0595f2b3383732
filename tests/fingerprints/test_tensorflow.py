"""Tensorflow's data sets: their first items, which do not differ when they are read again."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import difference, fingerprint

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

DIGITS = load_digits()


@pytest.fixture(scope="module")
def tf():
    return pytest.importorskip("tensorflow")


def digits(tf, images=DIGITS.images):
    return tf.data.Dataset.from_tensor_slices({"image": images, "label": DIGITS.target})


def test_items(tf):
    one = fingerprint(digits(tf), sample=20)
    assert one == fingerprint(digits(tf).prefetch(2), sample=20)
    assert one != fingerprint(digits(tf), sample=21)
    images = DIGITS.images.copy()
    images[7] += 1
    assert difference(one.detail, fingerprint(digits(tf, images), sample=20).detail) == (
        "item 7 changed, of 20 sampled"
    )
    batches = fingerprint(digits(tf).batch(16), sample=3)
    assert batches.detail["length"] == 113
    assert batches != fingerprint(digits(tf).batch(15), sample=3)


def test_items_of_unknown_length(tf):
    some = digits(tf).filter(lambda item: item["label"] == 3)
    assert "length" not in fingerprint(some, sample=3).detail
    assert fingerprint(digits(tf).repeat(), sample=3).detail["items"] == 3


def test_shuffled(tf):
    with pytest.raises(FingerprintError, match="another one, or missing"):
        fingerprint(digits(tf).shuffle(100), sample=20)
    shuffled = digits(tf).shuffle(100, seed=1, reshuffle_each_iteration=False)
    assert fingerprint(shuffled, sample=20) == fingerprint(shuffled, sample=20)
    assert fingerprint(shuffled, sample=20) != fingerprint(digits(tf), sample=20)


def test_sample_is_asked_for(tf):
    with pytest.raises(FingerprintError, match="which of them count"):
        fingerprint(digits(tf))


def test_equal_to_arrays(tf):
    stored = digits(tf)
    arrays = [{"image": image, "label": label} for image, label in zip(*DIGITS_PARTS, strict=True)]
    expected = [fingerprint(item) for item in arrays[:3]]
    assert [fingerprint(item) for item in stored.take(3)] == expected


DIGITS_PARTS = (DIGITS.images, DIGITS.target.astype(np.int64))
