"""Hypothesis strategies for the nouns of the model."""

from __future__ import annotations

from hypothesis import strategies as st

from pytest_mlrepro.bands import Band, Calibration
from pytest_mlrepro.model import FACET_NAMES, SESSION, Fact, Run, Tolerance, by_address

TEXT = st.text(max_size=12)
KEYS = st.one_of(
    st.from_regex(r"[a-z_]{1,8}(\.[a-z0-9_]{1,8}){0,2}", fullmatch=True),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.complex_numbers(),
    TEXT,
    st.text(st.characters(categories=["Cs", "Ll"]), max_size=4),
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4).map(tuple), max_leaves=12)
BOUNDS = st.floats(0, 1e6, allow_nan=False)
TOLERANCES = st.builds(Tolerance, BOUNDS, BOUNDS)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
PLAIN_BANDS = st.builds(
    lambda ends, mean, sd, seeds: Band(min(ends), max(ends), mean, sd, seeds),
    st.tuples(FINITE, FINITE),
    FINITE,
    st.floats(0, allow_infinity=False),
    st.integers(1, 2**40),
)
RUNS_OF_A_BAND = st.lists(
    st.tuples(st.integers(0, 30) | st.integers(0, 2**62), FINITE),
    min_size=1,
    max_size=25,
    unique_by=lambda pair: pair[0],
)
MADE_BANDS = st.builds(
    lambda ends, mean, sd, runs, method, alpha, metrics: Band(
        min(ends),
        max(ends),
        mean,
        sd,
        len(runs),
        Calibration(
            method,
            alpha,
            metrics,
            tuple(seed for seed, _ in sorted(runs)),
            tuple(value for _, value in sorted(runs)),
        ),
    ),
    st.tuples(FINITE, FINITE),
    FINITE,
    st.floats(0, allow_infinity=False),
    RUNS_OF_A_BAND,
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12),
    st.floats(0, 1, exclude_min=True, exclude_max=True),
    st.integers(1, 2**40),
)
BANDS = PLAIN_BANDS | MADE_BANDS
FACTS = st.builds(
    Fact,
    st.sampled_from(FACET_NAMES),
    KEYS,
    VALUES,
    dtype=st.sampled_from(["", "float32", "int8"]),
    tolerance=st.none() | TOLERANCES,
    better=st.sampled_from([None, "higher", "lower"]),
    detail=st.dictionaries(KEYS, VALUES, max_size=3),
    band=st.none() | BANDS,
)
SUBJECTS = st.one_of(
    st.just(SESSION),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12).map(
        lambda name: f"tests/test_a.py::{name}"
    ),
)
SOME = st.lists(FACTS, min_size=1, max_size=5).map(by_address)
NAMES = st.from_regex(r"[a-z0-9][a-z0-9._+-]{0,8}", fullmatch=True)
ABSENT = st.lists(FACTS, min_size=1, max_size=3).map(
    lambda facts: dict.fromkeys(fact.address for fact in facts)
)
OWN = st.dictionaries(
    SUBJECTS,
    st.one_of(SOME, ABSENT, st.builds(lambda one, other: {**one, **other}, SOME, ABSENT)),
    max_size=2,
)
RUNS = st.builds(
    Run,
    st.dictionaries(SUBJECTS, SOME, max_size=4),
    environments=st.dictionaries(NAMES, OWN, max_size=2),
)
