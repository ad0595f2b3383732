"""``mlrepro review``: by key on a terminal, by line elsewhere, never half-written."""

from __future__ import annotations

import io
import os
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_cli_accept import MOVED, NEW, OTHER, TEST, project, run_of, values, values_before  # noqa: F401

from pytest_mlrepro.cli import main
from pytest_mlrepro.lockfile import write_run
from pytest_mlrepro.model import SESSION

ASKED = "[a]ccept, [r]eject, [s]kip, s[u]spects, [q]uit? "


@pytest.fixture
def review(project, capsys, monkeypatch):  # noqa: F811
    """Answers line by line: the exit status and what it printed."""

    def run(answers, *arguments):
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{each}\n" for each in answers)))
        status = main(["review", "run.lock", *arguments])
        return status, *capsys.readouterr()

    return run


def test_everything_accepted(review):
    status, out, err = review("aaaa")
    assert (status, err) == (0, "")
    questions = [line for line in out.splitlines() if line.startswith("[") and "/" in line[:4]]
    assert questions == [f"[1/4] {SESSION}", f"[2/4] {TEST}", f"[3/4] {TEST}", f"[4/4] {NEW}"]
    assert out.index("results.f1") < out.index("settings.depth")
    assert "4 accepted, 0 rejected, 0 left for another time\n" in out
    assert out.endswith("updated mlrepro.lock: review and commit it\n")
    assert values() == values("run.lock")


def test_some_rejected_and_skipped(review):
    status, out, _ = review("sars")
    assert status == 1
    assert "1 accepted, 1 rejected, 2 left for another time\n" in out
    assert values() == {**values_before(), (TEST, "results.f1"): 0.75}


def test_quitting_writes_what_was_accepted(review):
    status, out, _ = review("aq")
    assert status == 0
    assert "1 accepted, 0 rejected, 3 left for another time\n" in out
    assert values() == {**values_before(), (SESSION, "libraries.numpy"): "2.5"}


@pytest.mark.parametrize("answers", ["r", "rrrr", "aaaa"])
def test_names_of_files_move_no_cursor(project, review, answers):  # noqa: F811
    Path("mlrepro.lock").rename(name := "a\x1b[2J\n::error::.lock")
    given = answers[:1] * (0 if answers == "r" else 4)
    if answers == "r":
        Path("run.lock").write_text(Path(name).read_text())
    _, out, err = review(given, "--lockfile", name)
    assert "\x1b" not in out + err
    assert not any(each.startswith("::") for each in out.splitlines())
    assert r"a\x1b[2J\n::error::.lock" in out


def test_nothing_accepted(review):
    assert review("q")[1].endswith(
        "0 accepted, 0 rejected, 4 left for another time\nmlrepro.lock is as it was: nothing was accepted\n"
    )
    assert values() == values_before()


def test_suspects_and_help(review):
    _, out, _ = review(["u", "?", "", "A", "q"], TEST)
    told = out.split(ASKED)
    assert "  settings.depth: 3 -> 4\n" in told[1]
    assert "libraries.numpy: numpy 2.4 -> 2.5 (session)\n" in told[1]
    assert "  q  skip all that is left, and write what was accepted\n" in told[2]
    assert told[2].partition("\n")[2] == told[3].partition("\n")[2]
    assert "  none: " in review(["u", "q"], "settings")[1]


def test_only_what_is_named(review):
    status, out, _ = review("a", "results", TEST)
    assert status == 0
    assert "[1/1]" in out
    assert values() == {**values_before(), (TEST, "results.f1"): 0.75}


def test_nothing_to_review(review):
    review("aaaa")
    assert review("") == (0, "nothing in run.lock differs from mlrepro.lock\n", "")
    assert review("", OTHER)[0] == 0


def test_answers_that_end_too_early_write_nothing(review):
    status, _, err = review("aa")
    assert status == 4
    assert err == (
        "mlrepro: standard input: the answers end after 2 of 4; nothing was accepted\n"
        "run it on a terminal, or give a line an answer; q ends early\n"
    )
    assert values() == values_before()


def test_a_test_that_did_not_run_is_no_question(review, project):  # noqa: F811
    write_run(project / "run.lock", run_of({TEST: MOVED[TEST]}, "laptop"))
    _, out, _ = review("aa")
    assert "[2/2]" in out
    assert OTHER not in out


# On a terminal


class Terminal:
    """The command on a pseudo-terminal."""

    def __init__(self, folder) -> None:
        import pty

        self.ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "pytest_mlrepro.cli", "review", "run.lock"]
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509 - no thread runs here
        )
        os.close(theirs)
        self.seen = ""

    def until(self, text: str) -> None:
        """Read until a text comes that was not there before."""
        start, limit = len(self.seen), time.monotonic() + 60
        while text not in self.seen[start:]:
            assert select.select([self.ours], [], [], max(0, limit - time.monotonic()))[0], self.seen
            try:
                self.seen += os.read(self.ours, 4096).decode().replace("\r\n", "\n")
            except OSError:
                # The other side has gone.
                assert text in self.seen[start:], self.seen

    def press(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    def end(self) -> int:
        status = self.process.wait(60)
        os.close(self.ours)
        return status


def _take_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.fixture
def terminal(project):  # noqa: F811
    pytest.importorskip("termios")
    return Terminal(project)


def test_single_keys_without_enter(terminal):
    for key in "saur":
        terminal.until(ASKED)
        assert values() == values_before()
        terminal.press(key)
    terminal.until(ASKED)
    terminal.press("a")
    terminal.until("review and commit it\n")
    assert terminal.end() == 1
    assert "2 accepted, 1 rejected, 1 left for another time\n" in terminal.seen
    new = {key: value for key, value in values("run.lock").items() if key[0] == NEW}
    assert values() == {**values_before(), **new, (TEST, "results.f1"): 0.75}


def test_ctrl_c_writes_nothing_and_says_so(terminal):
    terminal.until(ASKED)
    terminal.press("a")
    terminal.until(ASKED)
    terminal.press("\x03")
    terminal.until("interrupted: mlrepro.lock is as it was, nothing was accepted\n")
    assert terminal.end() == 2
    assert values() == values_before()


def test_ctrl_d_writes_nothing(terminal):
    terminal.until(ASKED)
    terminal.press("a")
    terminal.until(ASKED)
    terminal.press("\x04")
    terminal.until("the answers end after 1 of 4; nothing was accepted\n")
    assert terminal.end() == 4
    assert values() == values_before()
