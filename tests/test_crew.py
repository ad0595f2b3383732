"""Whose thread is it."""

from __future__ import annotations

import _thread
import gc
import threading

import pytest

from pytest_mlrepro.crew import Crew


@pytest.fixture
def start():
    """Starts threads that live until the end of the test."""
    end, started = threading.Event(), []

    def run():
        thread = threading.Thread(target=end.wait)
        thread.start()
        started.append(thread)
        return thread

    yield run
    end.set()
    for each in started:
        each.join()


def test_threads_that_start_while_the_turn_lasts(start):
    before = start()
    crew = Crew()
    assert crew.has(start())
    assert not crew.has(before)
    assert not crew.has(threading.current_thread())


def test_a_turn_within_another_has_its_own(start):
    outer = Crew()
    of_outer = start()
    inner = Crew()
    of_inner = start()
    outer.disown(inner.pause())
    assert not outer.has(of_inner)
    assert outer.has(of_outer)
    assert outer.has(start())


def test_a_turn_goes_on_with_its_own_and_no_other(start):
    crew = Crew()
    own = start()
    assert list(crew.pause()) == [own]
    between = start()
    crew.resume()
    assert crew.has(own)
    assert not crew.has(between)
    assert crew.has(start())


def test_a_thread_that_nobody_has_named_yet():
    end, said, crews = threading.Event(), [], []
    begun, done = threading.Event(), threading.Event()

    def foreign():
        begun.set()
        end.wait()
        said.extend(crew.has(threading.current_thread()) for crew in crews)
        done.set()

    crews.append(Crew())
    _thread.start_new_thread(foreign, ())
    begun.wait()
    crews.append(Crew())
    end.set()
    done.wait()
    assert said == [True, False]


def test_no_thread_is_kept_alive():
    thread = threading.Thread(target=int)
    thread.start()
    crew = Crew()
    crew.pause()
    thread.join()
    del thread
    gc.collect()
    assert len(crew._others) == len(threading.enumerate())
