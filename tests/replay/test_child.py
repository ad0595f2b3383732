from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from pytest_mlrepro.errors import ReplayError
from pytest_mlrepro.replay.child import Children, lasting, variables

GRANDCHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open("pid", "w").write(str(child.pid))
time.sleep(60)
"""


def python(code):
    return [sys.executable, "-c", code]


def wait_for(condition):
    for _ in range(400):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it has not come about in 20 seconds")


def is_gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # Who has ended and was not asked for is there by name only.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_the_status_and_the_last_lines_come_back(tmp_path):
    code = "import sys; print('\\n'.join(map(str, range(100)))); print('err', file=sys.stderr); sys.exit(3)"
    status, output = Children(60).run(python(code), tmp_path, variables({}, {}))
    assert status == 3
    assert output.splitlines()[-1] in ("err", "99")
    assert "99" in output
    assert len(output.splitlines()) == 12


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="tells who runs from /proc")
def test_one_that_takes_too_long_ends_with_all_that_it_started(tmp_path):
    with pytest.raises(ReplayError, match="not finished in 2 seconds") as caught:
        Children(2).run(python(GRANDCHILD), tmp_path, variables({}, {}))
    assert "--timeout" in caught.value.remedy
    pid = int((tmp_path / "pid").read_text())
    wait_for(lambda: is_gone(pid))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="tells who runs from /proc")
def test_stopping_ends_what_runs_and_begins_no_more(tmp_path):
    children = Children(60)
    caught = []

    def run():
        try:
            children.run(python(GRANDCHILD), tmp_path, variables({}, {}))
        except ReplayError as error:
            caught.append(error.what)

    thread = threading.Thread(target=run)
    thread.start()
    wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    children.stop()
    thread.join(20)
    assert caught == ["stopped"]
    wait_for(lambda: is_gone(int((tmp_path / "pid").read_text())))
    with pytest.raises(ReplayError, match="stopped"):
        children.run(python("open('begun', 'w')"), tmp_path, variables({}, {}))
    assert not (tmp_path / "begun").exists()


def test_a_program_that_is_not_there_is_said(tmp_path):
    with pytest.raises(ReplayError, match="cannot be started: No such file"):
        Children(60).run([str(tmp_path / "python")], tmp_path, {})


def test_variables_are_set_and_taken_out(monkeypatch):
    monkeypatch.setenv("KEPT", "1")
    monkeypatch.setenv("GONE", "1")
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    found = variables({"GONE": None, "TZ": "UTC"}, {"X": "y"})
    assert found["KEPT"] == "1"
    assert found["TZ"] == "UTC"
    assert found["X"] == "y"
    assert "GONE" not in found
    assert "PYTEST_XDIST_WORKER" not in found
    assert found["OMP_WAIT_POLICY"] == "active"
    assert found["KMP_BLOCKTIME"] == "0"
    assert found["PYTHONDONTWRITEBYTECODE"] == "1"


def test_what_changes_from_shell_to_shell_is_not_depended_on():
    assert lasting({"PWD": "/x", "SSH_TTY": "1", "OMP_NUM_THREADS": "1"}) == {"OMP_NUM_THREADS": "1"}
