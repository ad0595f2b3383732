"""What the tests of seeding share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import pytest_mlrepro
from pytest_mlrepro.seeding import Seeding

ROOT = Path(pytest_mlrepro.__file__).parents[1]


@pytest.fixture
def seeding():
    """One that leaves the process as it was."""
    seeding = Seeding()
    before = seeding.save()
    yield seeding
    seeding.restore(before)


@pytest.fixture
def fresh_process():
    """Runs code in a new Python and gives what it printed."""

    def run(code, **environment):
        variables = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment}
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=variables,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run
