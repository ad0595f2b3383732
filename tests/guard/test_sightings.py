"""Sites of a whole run, from many tests and processes."""

from __future__ import annotations

import pytest

from pytest_mlrepro.guard import Sightings, Site

RNG = Site("a.py", 3, "make", "default_rng()", "numpy", count=2)
UUID = Site("a.py", 1, "name", "uuid.uuid4()", "uuid")


def test_each_site_once_with_its_tests():
    seen = Sightings()
    seen.add("one", [RNG, UUID])
    seen.add("two", [RNG])
    seen.add("three", [])
    assert [(site.line, site.count) for site in seen.sites()] == [(1, 1), (3, 4)]
    assert seen.subjects(RNG) == {"one", "two"}
    assert [site.line for site in seen.of("two", "three")] == [3]
    assert list(seen.lines()) == [
        "unpinned randomness: a.py:1 uuid.uuid4(), in 1 test; make it from a pinned generator: "
        "uuid.UUID(bytes=random.randbytes(16), version=4)",
        "unpinned randomness: a.py:3 default_rng() via numpy, in 2 tests; pass a seed: default_rng(mlrepro.seed)",
    ]


def test_processes_come_together():
    one, two = Sightings(), Sightings()
    one.add("one", [RNG])
    two.add("one", [RNG])
    two.add("two", [RNG, UUID])
    total = Sightings()
    assert not total
    for each in (one, two):
        total.update_from_json(each.to_json())
    assert [(site.line, site.count) for site in total.sites()] == [(1, 1), (3, 6)]
    assert total.subjects(RNG) == {"one", "two"}


def test_a_long_list_is_cut():
    seen = Sightings()
    seen.add("one", [Site("a.py", line, "f", "default_rng()", "numpy") for line in range(1, 26)])
    lines = list(seen.lines())
    assert len(lines) == 21
    assert lines[-1] == "and 5 more sites of unpinned randomness"


@pytest.mark.parametrize(
    ("site", "remedy"),
    [
        (Site("a.py", 1, "f", "RandomState()", "numpy"), "pass a seed: RandomState(mlrepro.seed)"),
        (
            Site("a.py", 1, "f", "random.seed(<clock>)", "random"),
            "seed it with mlrepro.seed, not with the clock: random.seed(mlrepro.seed)",
        ),
        (
            Site("a.py", 1, "f", "default_rng()", "scipy", direct=False),
            "give scipy a seed or a generator there: mlrepro.seed or mlrepro.rng",
        ),
        (
            Site("a.py", 1, "f", "random.seed()", "random"),
            "leave it out, the generator is pinned already; or give it mlrepro.seed",
        ),
        (
            Site("a.py", 1, "f", "draw()", "numba"),
            "seed it within the compiled function: np.random.seed(seed)",
        ),
        (
            Site("a.py", 1, "f", "secrets.token_hex()", "secrets"),
            "draw from a pinned generator: random.randbytes(n) or mlrepro.rng",
        ),
    ],
)
def test_remedies(site, remedy):
    assert site.remedy == remedy
    assert Site.of(site.plain()) == site
