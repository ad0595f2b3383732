"""Lockfiles on disk: whole or as before, whatever happens and whoever else writes."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import RUNS

from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.lockfile import (
    check_writable,
    dumps,
    files,
    load_lockfile,
    loads,
    update_lockfile,
    write_run,
)
from pytest_mlrepro.model import Fact, Run, Tolerance

EXAMPLES = sorted((Path(__file__).parents[2] / "fixtures" / "lockfiles").glob("*.lock"))
EXAMPLE = EXAMPLES[0]
TEST = "tests/test_model.py::test_f1"
POSIX = pytest.mark.skipif(os.name == "nt", reason="needs locks and permissions of POSIX")

ADDS = """
import sys
from pathlib import Path
from pytest_mlrepro.lockfile import update_lockfile
from pytest_mlrepro.model import Fact, Run
path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for number in range(count):
    fact = Fact("results", "x", number)
    subject = f"tests/test_{name}.py::test_{number}"
    update_lockfile(path, lambda run: Run({**run.subjects, subject: {fact.address: fact}}))
"""

KILLED = """
import itertools, json, os, random, signal, sys, time
from pathlib import Path
from pytest_mlrepro.lockfile import load_lockfile, update_lockfile
from pytest_mlrepro.model import Fact, Run

def replace_forever(path):
    for number in itertools.count(1):
        facts = [Fact("results", f"x{key}", number) for key in range(50)]
        update_lockfile(path, lambda run: Run.of({"tests/test_a.py::test_a": facts}))

path, kills, number = Path(sys.argv[1]), int(sys.argv[2]), getattr(signal, sys.argv[3])
chance, found, patience = random.Random(0), [], 1
for _ in range(kills):
    child = os.fork()
    if not child:
        try:
            replace_forever(path)
        finally:
            os._exit(0)
    time.sleep(patience * chance.uniform(0.002, 0.03))
    os.kill(child, number)
    os.waitpid(child, 0)
    values = [fact.value for _, fact in load_lockfile(path)]
    names = [each.name for each in path.parent.iterdir()]
    found.append([len(values), len(set(values)), max(values), len(names), oct(path.stat().st_mode & 0o777)])
    if not any(each[2] > 1 for each in found):
        # A machine that has much to do: nobody has got as far as writing.
        patience = min(2 * patience, 200)
print(json.dumps(found))
"""

FULL = """
import resource, sys
from pathlib import Path
from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.lockfile import update_lockfile
from pytest_mlrepro.model import Fact, Run

many = [Fact("results", f"x{number}", number) for number in range(5000)]
if sys.argv[2] == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    update_lockfile(Path(sys.argv[1]), lambda run: Run.of({"tests/test_a.py::test_a": many}), shown="mlrepro.lock")
except LockfileError as error:
    print(error)
"""

UNPRIVILEGED = """
import os, sys
# Now: whoever has no rights may not look into the environment's folder either.
import tomli
from pathlib import Path
from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.lockfile import check_writable, update_lockfile
from pytest_mlrepro.model import Fact, Run

run = Run.of({"tests/test_a.py::test_a": [Fact("results", "x", 2)]})
update_lockfile(Path(sys.argv[2]), lambda _: run)
if os.getuid() == 0:
    os.setresuid(65534, 65534, 65534)
for call in (check_writable, lambda path, shown: update_lockfile(path, lambda _: run, shown=shown)):
    try:
        call(Path(sys.argv[1]), shown="mlrepro.lock")
    except LockfileError as error:
        print(error)
"""


def add(value, key="x", subject=TEST):
    fact = Fact("results", key, value)
    return lambda run: Run({**run.subjects, subject: {**run.facts(subject), fact.address: fact}})


def python(code, *arguments):
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE)


@pytest.fixture
def path(tmp_path):
    """A lockfile that holds one fact."""
    path = tmp_path / "mlrepro.lock"
    update_lockfile(path, add(1))
    return path


# What is read and written


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_example_of_a_format_is_read_and_written_alike(path):
    assert dumps(load_lockfile(path)) == path.read_text()


def test_every_format_has_an_example():
    assert [path.stem for path in EXAMPLES] == ["1.0", "1.1", "1.2"]


def test_the_example_holds_what_it_says():
    run = load_lockfile(EXAMPLE)
    facts = run.facts("tests/test_model.py::test_tumours[forest-0.25]")
    f1 = facts["results.test.f1"]
    assert (f1.value, f1.better, f1.tolerance) == (0.9655172413793104, "higher", Tolerance(1e-6, 0.0))
    assert facts["results.test.confusion_matrix"].value == ((39, 3), (1, 71))
    assert facts["results.probability"].dtype == "float32"
    assert facts["results.impedance"].value == complex(0.0, 1.0)
    assert facts["settings.forest.max_depth"].value is None
    assert facts["settings.forest.salt"].value == 2**64
    assert facts["settings.forest.bootstrap"].value is True
    assert facts["assumptions.note"].value == 'a "quoted"\tword, Größe in µm\nand a second line'
    assert facts["assumptions.file"].value == "caf\udce9.csv"
    assert facts["results.bounds"].value[:2] == (float("-inf"), float("inf"))
    assert str(facts["results.bounds"].value[2:]) == "(nan, -0.0)"
    assert facts["data.train"].detail["shape"] == (426, 30)
    assert {fact.facet for _, fact in run} == {
        "source", "assumptions", "settings", "randomization", "data", "results", "libraries"
    }  # fmt: skip


@pytest.mark.parametrize(("depth", "fine"), [(64, True), (66, False), (200, False)])
def test_depth_does_not_depend_on_who_reads(depth, fine):
    text = f'lock-version = "1.0"\n["a::b".results]\nx = {"[" * depth}{"]" * depth}\n'
    if fine:
        assert loads(dumps(loads(text))) == loads(text)
    else:
        with pytest.raises(LockfileError, match="nested too deeply to be a lockfile"):
            loads(text)


def test_windows_line_ends_are_read():
    text = EXAMPLE.read_text().replace("\n", "\r\n")
    assert dumps(loads(text)) == EXAMPLE.read_text()


def test_an_update_says_whether_it_changed_anything(tmp_path):
    path = tmp_path / "mlrepro.lock"
    assert update_lockfile(path, add(1))
    before = path.stat()
    assert not update_lockfile(path, add(1))
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert update_lockfile(path, add(2))
    assert load_lockfile(path).facts(TEST)["results.x"].value == 2


def test_it_is_utf_8_with_plain_line_ends_everywhere(path):
    update_lockfile(path, add("µ\r\n", key="ß"))
    assert b"\r" not in path.read_bytes()
    assert 'ß" = "µ\\r\\n"'.encode() in path.read_bytes()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.unlink(), "there is no such file\nmake one: pytest --mlrepro-update"),
        (lambda path: path.write_bytes(b"\xff"), "not UTF-8 text (byte 0)"),
        (lambda path: (path.unlink(), path.mkdir()), "cannot be read: Is a directory"),
        (lambda path: (path.unlink(), path.symlink_to(path)), "cannot be read: Too many levels"),
    ],
    ids=["none", "bytes", "folder", "loop"],
)
@POSIX
def test_what_cannot_be_read_is_told(path, make, said):
    make(path)
    with pytest.raises(LockfileError) as caught:
        load_lockfile(path, shown="mlrepro.lock")
    assert str(caught.value).startswith(f"mlrepro.lock: {said}")


def test_an_update_of_a_broken_file_leaves_it(path):
    path.write_text("<<<<<<< HEAD\n")
    with pytest.raises(LockfileError, match="line 1: a merge left conflict markers"):
        update_lockfile(path, add(2))
    assert path.read_text() == "<<<<<<< HEAD\n"


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_damaged_file_is_read_or_told(data):
    """Cut, doubled or replaced parts never end in anything but a clear answer."""
    text = EXAMPLE.read_text()
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 30)))
        junk = st.text(max_size=6) | st.sampled_from(
            ["[", "]]", "{", "}", '"', " = ", "type", "\n", "nan", "1e999"]
        )
        text = text[:start] + data.draw(junk | st.just(text[start:end] * 2)) + text[end:]
    try:
        found = loads(text)
    except LockfileError as error:
        found = error.where
    assert isinstance(found, Run) or found.startswith("lockfile")


# Replacing


def names(folder):
    return sorted(each.name for each in folder.iterdir())


@POSIX
def test_permissions_stay(path):
    path.chmod(0o640)
    update_lockfile(path, add(2))
    assert path.stat().st_mode & 0o777 == 0o640


@POSIX
def test_a_link_stays_one_and_its_target_is_replaced(tmp_path, path):
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.lock"
    link.symlink_to(path)
    update_lockfile(link, add(2))
    assert link.is_symlink()
    assert load_lockfile(path).facts(TEST)["results.x"].value == 2
    assert names(link.parent) == ["link.lock"]


@POSIX
def test_a_link_to_nothing_yet_is_followed(tmp_path):
    link = tmp_path / "link.lock"
    link.symlink_to(tmp_path / "real.lock")
    update_lockfile(link, add(1))
    assert link.is_symlink()
    assert (tmp_path / "real.lock").is_file()


@POSIX
def test_a_link_to_itself_is_told_and_stays(tmp_path):
    link = tmp_path / "mlrepro.lock"
    link.symlink_to(link)
    with pytest.raises(LockfileError, match="Too many levels"):
        update_lockfile(link, add(1))
    check_writable(link)
    assert link.is_symlink()


@POSIX
def test_a_read_only_file_is_left_alone(path):
    before = path.read_bytes()
    path.chmod(0o444)
    with pytest.raises(LockfileError, match="cannot be written: the file is read-only"):
        update_lockfile(path, add(2))
    with pytest.raises(LockfileError, match="cannot be written: the file is read-only\n"):
        check_writable(path)
    assert path.read_bytes() == before
    assert names(path.parent) == ["mlrepro.lock"]


def test_a_missing_folder_is_told(tmp_path):
    path = tmp_path / "nowhere" / "mlrepro.lock"
    with pytest.raises(LockfileError, match="its folder does not exist"):
        check_writable(path)
    with pytest.raises(LockfileError, match="cannot be written"):
        update_lockfile(path, add(1))
    assert names(tmp_path) == []


def test_a_folder_in_its_place_is_told(tmp_path):
    with pytest.raises(LockfileError, match="it is a folder"):
        check_writable(tmp_path)


def test_what_is_writable_passes(tmp_path, path):
    check_writable(path)
    check_writable(tmp_path / "new.lock")
    assert names(tmp_path) == ["mlrepro.lock"]


@pytest.mark.parametrize(
    "write", [lambda path: update_lockfile(path, add(2)), lambda path: write_run(path, Run())]
)
def test_a_full_disk_leaves_the_file_as_it_was(monkeypatch, path, write):
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LockfileError, match="cannot be written: No space left on device"):
        write(path)
    assert path.read_bytes() == before
    assert names(path.parent) == ["mlrepro.lock"]


def test_a_change_that_fails_leaves_the_file_as_it_was(path):
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError):
        update_lockfile(path, lambda run: 1 / 0)
    assert path.read_bytes() == before


def test_an_interrupted_update_leaves_no_temporary(monkeypatch, path):
    def interrupted(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        update_lockfile(path, add(2))
    assert names(path.parent) == ["mlrepro.lock"]


def test_temporaries_of_killed_updates_are_cleared_and_those_of_others_kept(tmp_path):
    path = tmp_path / "odd[1].lock"
    others = [".odd1.lock.3.tmp", ".other.lock.3.tmp", "odd[1].lock.tmp"]
    for name in (".odd[1].lock.3.tmp", *others):
        (tmp_path / name).write_text("half")
    update_lockfile(path, add(1))
    assert names(tmp_path) == sorted(["odd[1].lock", *others])


def test_two_that_write_at_once_where_there_are_no_locks_leave_a_whole_file(monkeypatch, path):
    sync, texts = os.fsync, []

    def meanwhile(descriptor):
        monkeypatch.setattr(os, "fsync", sync)
        monkeypatch.setattr(files, "only_writer", lambda folder: contextlib.nullcontext())
        with contextlib.suppress(LockfileError):
            update_lockfile(path, add(3))
        texts.append(path.read_text())
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", meanwhile)
    with contextlib.suppress(LockfileError):
        update_lockfile(path, add(2))
    assert {load_lockfile(path).facts(TEST)["results.x"].value} <= {2, 3}
    assert loads(texts[0]).facts(TEST)["results.x"].value == 3
    assert names(path.parent) == ["mlrepro.lock"]


@settings(max_examples=10, deadline=None)
@given(run=RUNS)
def test_a_recorded_run_comes_back(tmp_path_factory, run):
    path = tmp_path_factory.mktemp("runs") / "new" / "run.lock"
    write_run(path, run)
    write_run(path, run)
    assert path.read_bytes().decode() == dumps(run)
    assert names(path.parent) == ["run.lock"]


# Others at the same time


@POSIX
def test_two_updates_at_once_both_land(path):
    children = [python(ADDS, path, name, 20) for name in "ab"]
    assert [child.wait(timeout=60) for child in children] == [0, 0]
    for child in children:
        child.stdout.close()
    expected = {f"tests/test_{name}.py::test_{number}" for name in "ab" for number in range(20)}
    assert set(load_lockfile(path).subjects) == expected | {TEST}
    assert names(path.parent) == ["mlrepro.lock"]


@POSIX
@pytest.mark.parametrize(
    ("kills", "number"),
    [
        (20, "SIGKILL"),
        (20, "SIGTERM"),
        pytest.param(400, "SIGKILL", marks=pytest.mark.slow),
        pytest.param(200, "SIGTERM", marks=pytest.mark.slow),
        pytest.param(200, "SIGINT", marks=pytest.mark.slow),
        pytest.param(200, "SIGHUP", marks=pytest.mark.slow),
    ],
)
def test_a_killed_update_leaves_the_old_file_or_the_new_one(path, kills, number):
    update_lockfile(path, lambda run: Run.of({TEST: [Fact("results", f"x{key}", 0) for key in range(50)]}))
    path.chmod(0o640)
    with python(KILLED, path, kills, number) as child:
        found = json.loads(child.stdout.read())
    assert len(found) == kills
    assert all((count, different) == (50, 1) for count, different, *_ in found), found
    assert {mode for *_, mode in found} == {"0o640"}
    assert any(value > 1 for _, _, value, _, _ in found), "nobody got as far as writing"
    left = {files for *_, files, _ in found}
    if number == "SIGKILL":
        # At most one temporary at a time: the next update clears the last one's.
        assert left <= {1, 2}, found
    else:
        assert left == {1}, found
    update_lockfile(path, add("after"))
    assert names(path.parent) == ["mlrepro.lock"]


@POSIX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_in_the_moment_of_writing_waits_for_its_end(monkeypatch, path, number):
    heard, sync = [], os.fsync

    def disturbed(descriptor):
        signal.raise_signal(number)
        heard.append("written")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", disturbed)
    before = signal.signal(
        number, lambda *_: heard.append(load_lockfile(path).facts(TEST)["results.x"].value)
    )
    try:
        update_lockfile(path, add(2))
    finally:
        signal.signal(number, before)
    assert heard == ["written", 2]
    assert names(path.parent) == ["mlrepro.lock"]


@POSIX
def test_a_signal_that_is_ignored_stays_ignored(path):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        update_lockfile(path, add(2))
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_thread_may_update_too(path):
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(update_lockfile, path, add(2)).result()


# What is no file, no space, no permission


@POSIX
def test_a_pipe_in_its_place_is_told_and_stays(tmp_path):
    path = tmp_path / "mlrepro.lock"
    os.mkfifo(path)
    for write in (check_writable, lambda path: write_run(path, Run())):
        with pytest.raises(LockfileError, match="cannot be written: it is no regular file"):
            write(path)
    assert path.is_fifo()
    assert names(tmp_path) == ["mlrepro.lock"]


def said_in_a_child(code, *arguments):
    with python(code, *arguments) as child:
        return child.stdout.read().decode()


@POSIX
def test_a_file_that_may_not_grow_is_as_it_was(path):
    before = path.read_bytes()
    said = said_in_a_child(FULL, path, "limit")
    assert said.startswith("mlrepro.lock: cannot be written: File too large; nothing was accepted\n")
    assert path.read_bytes() == before
    assert names(path.parent) == ["mlrepro.lock"]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can mount")
def test_a_disk_that_is_full_leaves_the_file_as_it_was(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        path = disk / "mlrepro.lock"
        update_lockfile(path, add(1))
        before = path.read_bytes()
        said = said_in_a_child(FULL, path, "disk")
        assert said.startswith(
            "mlrepro.lock: cannot be written: No space left on device; nothing was accepted\n"
        )
        assert "the space left on the disk" in said
        assert path.read_bytes() == before
        assert names(disk) == ["mlrepro.lock"]
    finally:
        subprocess.run(["umount", disk], check=True)


@POSIX
def test_a_folder_that_is_read_only_is_told_and_left_alone():
    # Outside of pytest's folders, into which nobody else may look.
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        home.chmod(0o755)
        closed, other = home / "closed", home / "other"
        closed.mkdir()
        other.mkdir()
        path = closed / "mlrepro.lock"
        update_lockfile(path, add(1))
        before = path.read_bytes()
        closed.chmod(0o555)
        said = said_in_a_child(UNPRIVILEGED, path, other / "mlrepro.lock").splitlines()
        closed.chmod(0o755)
        assert said[0] == "mlrepro.lock: cannot be written: its folder is not writable"
        assert said[2] == "mlrepro.lock: cannot be written: Permission denied; nothing was accepted"
        assert path.read_bytes() == before
        assert names(closed) == ["mlrepro.lock"]


def test_a_folder_that_cannot_be_written_is_told_before_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: not (mode == os.W_OK and path == tmp_path))
    with pytest.raises(LockfileError, match="cannot be written: its folder is not writable"):
        check_writable(tmp_path / "mlrepro.lock")
