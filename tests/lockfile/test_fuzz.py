"""Texts that are nearly lockfiles: each is read, or refused with the documented error. ``fuzz.py`` tries millions."""

from __future__ import annotations

import random

import pytest
from lockfile.mutations import corpus, mutated
from lockfile.using import nearest, read, use

from pytest_mlrepro.lockfile import loads

TEXTS = corpus()
RUNS = [loads(text) for text in TEXTS]


@pytest.mark.parametrize("start", range(0, 10_000, 1_000))
def test_a_text_is_read_or_refused(start):
    outcomes = set()
    for seed in range(start, start + 1_000):
        run = read(mutated(random.Random(seed), TEXTS))
        outcomes.add(run is None)
        if run is not None and seed % 25 == 0:
            use(run, nearest(run, RUNS))
    assert outcomes == {True, False}


def test_the_texts_are_lockfiles_to_begin_with():
    assert len(TEXTS) >= 6
    for run in RUNS:
        use(run, run)
    assert any(run.traces for run in RUNS)
    assert any(run.environments for run in RUNS)
