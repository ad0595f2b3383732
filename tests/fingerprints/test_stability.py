"""Stability: the table of representations. Equal values agree in all of them, other values in none."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from fingerprints.equal_pairs import DIFFERENT, PAIRS
from fingerprints.processes import told
from packaging.requirements import Requirement

from pytest_mlrepro import fingerprint

PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[1]);"
    "from fingerprints.equal_pairs import PAIRS; from pytest_mlrepro import fingerprint;"
    "print(fingerprint(PAIRS[sys.argv[2]].make()[0]))"
)


def need(pair):
    for text in pair.needs:
        requirement = Requirement(text)
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            pytest.skip(f"needs {text}")
        if not requirement.specifier.contains(found, prereleases=True):
            pytest.skip(f"needs {text}")


@pytest.mark.parametrize("name", PAIRS)
def test_two_representations_agree(name):
    pair = PAIRS[name]
    need(pair)
    if pair.processes:
        folder = Path(__file__).parents[1]
        elsewhere = {told("-c", PROGRAM, folder, name, PYTHONHASHSEED=seed) for seed in ("1", "2")}
        assert elsewhere == {str(fingerprint(pair.make()[0]))}
        return
    one, other = pair.make()
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize("name", [name for name in PAIRS if not PAIRS[name].processes])
def test_two_representations_agree_without_order(name):
    pair = PAIRS[name]
    need(pair)
    if name.startswith(("estimator", "Python")):
        pytest.skip("has no rows")
    one, other = pair.make()
    assert fingerprint(one, ordered=False) == fingerprint(other, ordered=False)


@pytest.mark.parametrize("name", DIFFERENT)
def test_two_values_differ(name):
    one, other = DIFFERENT[name].make()
    assert fingerprint(one) != fingerprint(other)
