import sys
import threading

import pytest

from pytest_mlrepro.environment import asking
from pytest_mlrepro.environment.asking import Answer, ask


def python(code):
    return [sys.executable, "-c", code]


def test_what_a_program_prints():
    assert ask(python("print('x')")) == Answer("x\n")


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (["/no/such/program"], "cannot be run"),
        (python("raise SystemExit(3)"), "failed with status 3"),
    ],
)
def test_why_it_did_not_answer(command, problem):
    assert ask(command) == Answer(problem=problem)


def test_one_that_cannot_even_be_killed_is_left_alone(monkeypatch):
    # A process that waits inside a hanging driver does not end when it is killed.
    popen, released = asking.subprocess.Popen, threading.Event()

    class Unkillable(popen):
        def kill(self):
            pass

        def wait(self, timeout=None):
            if timeout is None:
                released.wait()
                super().kill()
            return super().wait(timeout)

    monkeypatch.setattr(asking.subprocess, "Popen", Unkillable)
    assert ask(python("import time; time.sleep(600)"), 0.2) == Answer(problem="did not answer within 0.2 s")
    before = [each for each in threading.enumerate() if each.daemon and "_bury" in each.name]
    assert before
    released.set()
    for each in before:
        each.join()


def test_what_is_not_text_is_no_error():
    assert ask(python("import sys; sys.stdout.buffer.write(b'\\xff')")).text == "\ufffd"
