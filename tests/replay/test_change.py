from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_mlrepro.replay import Change


def test_variables_are_laid_over_those_that_are_there():
    change = Change().setenv({"TZ": "UTC", "A": "1"}).setenv({"A": None})
    assert change.variables == (("A", None), ("TZ", "UTC"))


def test_the_change_on_top_wins():
    below = Change(seed=1, options=("-x",), perturbations=("order",), commit="a", python="3.12").setenv(
        {"TZ": "UTC"}
    )
    above = Change(options=("-x", "-v"), perturbations=("listing",), commit="b", packages=("numpy",)).setenv(
        {"TZ": "X"}
    )
    assert above.over(below) == Change(
        seed=1,
        variables=(("TZ", "X"),),
        options=("-x", "-v"),
        perturbations=("order", "listing"),
        packages=("numpy",),
        python="3.12",
        commit="b",
    )
    assert Change().over(below) == below
    assert below.over(Change()) == below
    assert Change(seed=0).over(below).seed == 0


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 0},
        {"variables": (("TZ", None),)},
        {"variables": (("TZ", ""),)},
        {"options": ("-x",)},
        {"perturbations": ("order",)},
        {"elsewhere": True},
        {"packages": ()},
        {"packages": ("numpy",)},
        {"python": "3.12"},
        {"commit": "a"},
        {"repeat": 1},
    ],
    ids=str,
)
def test_every_part_of_a_change_tells(other):
    assert replace(Change(), **other).digest != Change().digest


def test_the_order_of_packages_does_not_tell():
    assert Change(packages=("a", "b")).digest == Change(packages=("b", "a")).digest
