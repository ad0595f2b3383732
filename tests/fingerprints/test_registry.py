"""The registry: adapters by type, ours and those of users, loaded when they are needed."""

import subprocess
import sys

import numpy as np
import pytest

import pytest_mlrepro
from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import Fingerprint, fingerprint
from pytest_mlrepro.fingerprints.registry import _Fingerprinting


@pytest.fixture
def fresh():
    return _Fingerprinting()


class Corpus:
    def __init__(self, texts):
        self.texts = texts


class Smaller(Corpus):
    pass


def test_registered_type_and_its_subclasses(fresh):
    @fresh.register(Corpus)
    def adapt(corpus):
        return fresh(corpus.texts)

    assert fresh(Corpus(["a"])) == fresh(Smaller(["a"])) == fingerprint(["a"])
    assert fresh(Corpus(["a"])) != fresh(Corpus(["b"]))


def test_adapter_that_knows_no_order(fresh):
    fresh.register(Corpus)(lambda corpus: fresh(corpus.texts))
    with pytest.raises(FingerprintError, match="Corpus knows no ordered=False"):
        fresh(Corpus(["a"]), ordered=False)


def test_adapter_that_knows_order(fresh):
    @fresh.register(Corpus)
    def adapt(corpus, *, ordered=True):
        return fresh(corpus.texts, ordered=ordered)

    assert fresh(Corpus(["a", "b"]), ordered=False) == fresh(Corpus(["b", "a"]), ordered=False)


def test_users_adapter_wins_over_ours(fresh):
    fresh.register(np.ndarray)(lambda array: Fingerprint("theirs", {"kind": "array"}))
    assert fresh(np.zeros(3)).digest == "theirs"
    assert fresh(np.ma.zeros(3)).digest == "theirs"


def test_equality_is_that_of_digests():
    one, other = Fingerprint("a", {"kind": "x"}), Fingerprint("a", {"kind": "y"})
    assert one == other
    assert hash(one) == hash(other)
    assert one != Fingerprint("b", {"kind": "x"})
    assert str(one) == "a"


def test_form_of_a_digest():
    name, _, digits = fingerprint(1).digest.partition(":")
    assert name == "mlr1-blake3"
    assert len(digits) == 32
    assert set(digits) <= set("0123456789abcdef")


def test_public_name():
    assert pytest_mlrepro.fingerprint is fingerprint


def test_nothing_heavy_is_imported_before_it_is_needed():
    program = (
        "import sys; from pytest_mlrepro import fingerprint; heavy = {'numpy', 'pandas', 'scipy', 'blake3'};"
        "assert not heavy & set(sys.modules); fingerprint({'a': [1, 2.0]});"
        "assert heavy & set(sys.modules) == {'blake3'}; import numpy; fingerprint(numpy.zeros(3));"
        "assert not {'pandas', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_another_process_agrees():
    program = (
        "from pytest_mlrepro import fingerprint; print(fingerprint({'b', 'a', ('c', frozenset({'d', 'e'}))}))"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert digests == {str(fingerprint({("c", frozenset({"e", "d"})), "a", "b"}))}
