"""What the tests of the guard share."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from pytest_mlrepro.guard import Guard


@pytest.fixture
def guarded():
    """Makes guards whose project is this folder; the global generators stay as they were."""
    guards = []
    states = random.getstate(), np.random.get_state()

    def make(mode="warn", **options):
        guards.append(Guard(Path(__file__).parent, mode, **options))
        return guards[-1]

    yield make
    for guard in reversed(guards):
        guard.close()
    random.setstate(states[0])
    np.random.set_state(states[1])
