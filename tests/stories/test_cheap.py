"""What a run that does not use the plugin pays for it."""

from __future__ import annotations

import pytest

CONFTEST = """
import sys


def pytest_unconfigure():
    ours = sorted(name for name in sys.modules if name.split(".")[0] == "pytest_mlrepro")
    heavy = sorted({"numpy", "sklearn", "scipy", "pandas", "blake3", "threadpoolctl", "tomli"} & set(sys.modules))
    print("LOADED", *ours)
    print("HEAVY", *heavy)
"""


@pytest.fixture
def idle(empty):
    return empty.write({"conftest.py": CONFTEST, "test_idle.py": "def test_idle():\n    pass\n"})


@pytest.mark.parametrize("options", [(), ("--collect-only",), ("-n", "1")])
def test_off_and_unused_only_the_door_is_loaded(idle, options):
    output = idle.pytest(*options).ok().output
    assert "LOADED pytest_mlrepro pytest_mlrepro._version pytest_mlrepro.plugin\nHEAVY\n" in output


def test_on_but_unused_nothing_heavy_is_loaded(idle):
    output = idle.write({"mlrepro.lock": 'lock-version = "1.0"\n'}).check().ok().output
    assert "\nHEAVY tomli\n" in output


def test_off_but_used_nothing_heavy_is_loaded(idle):
    used = idle.write({"test_used.py": "def test_used(mlrepro):\n    mlrepro.metric('a', 1)\n"})
    assert "\nHEAVY\n" in used.pytest().ok().output


def test_tests_that_do_not_use_it_are_not_touched(idle):
    test = """
import random

STATE = random.getstate()


def test_untouched(request):
    assert random.getstate() == STATE
"""
    idle.write({"test_state.py": test, "mlrepro.lock": 'lock-version = "1.0"\n'}).check().ok()
