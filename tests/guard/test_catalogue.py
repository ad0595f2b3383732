"""Every use of unpinned randomness is seen with its line; who uses it for its own ends is left alone."""

from __future__ import annotations

import inspect

import pytest
from guard.targets import BLIND, DETECTED, SILENT
from guard.workloads import SLOW, WORKLOADS


def watch(guard, function):
    guard.enter("test", 1)
    try:
        function()
    finally:
        sites = guard.leave()
    return sites


def line_of(function):
    lines, start = inspect.getsourcelines(function)
    return start + next(place for place, line in enumerate(lines) if line.rstrip().endswith("# here"))


@pytest.mark.parametrize("name", DETECTED)
def test_detected(guarded, name):
    function, call = DETECTED[name]
    (site,) = watch(guarded(), function)
    assert (site.file, site.line) == ("targets.py", line_of(function))
    assert call in ("", site.call)
    assert site.function.startswith(name)


@pytest.mark.parametrize("name", SILENT)
def test_pinned_and_silent(guarded, name):
    assert watch(guarded(), SILENT[name][0]) == ()


@pytest.mark.parametrize("name", BLIND)
def test_known_to_be_out_of_reach(guarded, name):
    assert watch(guarded(), BLIND[name][0]) == ()


@pytest.mark.parametrize("name", WORKLOADS)
def test_no_false_alarm(guarded, name):
    assert watch(guarded(), WORKLOADS[name]) == ()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("name", SLOW)
def test_no_false_alarm_of_what_takes_longer(guarded, name):
    assert watch(guarded(), SLOW[name]) == ()


@pytest.mark.parametrize(
    "name", [name for name in DETECTED if name not in ("clock_default_rng", "clock_seed_sequence")]
)
def test_pinned(guarded, name):
    (site,) = watch(guarded("pin"), DETECTED[name][0])
    assert site.pinned


@pytest.mark.parametrize("name", ["clock_default_rng", "clock_seed_sequence"])
def test_seen_but_not_pinned(guarded, name):
    (site,) = watch(guarded("pin"), DETECTED[name][0])
    assert not site.pinned


def test_the_table_is_whole():
    assert len(DETECTED) >= 32
    assert len({**DETECTED, **SILENT, **BLIND}) >= 45
    assert len({**WORKLOADS, **SLOW}) >= 22
