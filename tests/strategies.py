"""Hypothesis strategies for the nouns of the model."""

from __future__ import annotations

from hypothesis import strategies as st

from pytest_mlrepro.model import FACET_NAMES, SESSION, Band, Fact, Run, Tolerance, by_address

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
BANDS = st.builds(
    lambda ends, mean, sd, seeds: Band(min(ends), max(ends), mean, sd, seeds),
    st.tuples(FINITE, FINITE),
    FINITE,
    st.floats(0, allow_infinity=False),
    st.integers(1, 2**40),
)
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
