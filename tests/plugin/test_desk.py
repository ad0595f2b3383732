"""What the desk keeps of this process, and what has to travel."""

from __future__ import annotations

import os
import sys

import pytest

from pytest_mlrepro.contribution import Contribution
from pytest_mlrepro.model import Fact, by_address
from pytest_mlrepro.plugin.desk import Desk

CONTRIBUTION = Contribution("t.py::test", by_address([Fact("results", "f1", 0.5)]))


@pytest.fixture
def desk():
    return Desk(None, None, None, None)


def test_a_contribution_of_this_process_is_found_again_by_its_key(desk):
    key = desk.hold(CONTRIBUTION)
    assert len(key) < 20
    desk._take([key])
    assert desk.ledger.contributions["t.py::test"] is CONTRIBUTION


@pytest.mark.skipif(sys.platform == "win32", reason="processes are not forked there")
def test_one_of_a_forked_process_travels_as_text(desk):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, desk.hold(CONTRIBUTION).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    desk._take([text])
    assert desk.ledger.contributions["t.py::test"] == CONTRIBUTION
