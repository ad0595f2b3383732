"""The cache of file digests: the same fingerprint with it as without, no file read twice, nothing stale believed."""

from __future__ import annotations

import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from pytest_mlrepro.capture import Recorder
from pytest_mlrepro.codegraph import CodeGraph
from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.facets.data import Data, Reading
from pytest_mlrepro.fingerprints import FileCache, cache, files, fingerprint
from pytest_mlrepro.fingerprints.cache import MOST, STILL, Content
from pytest_mlrepro.recording import Recording

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="links and times of status are POSIX")
SECOND = 1_000_000_000
WRITTEN = 1_700_000_000 * SECOND + 123_456_789
CONTENT = Content(b"r" * 32)


@pytest.fixture
def later(monkeypatch):
    """A minute from now: what the test wrote has been still for long."""
    monkeypatch.setattr(files, "time", SimpleNamespace(time_ns=lambda: time.time_ns() + 60 * SECOND))


@pytest.fixture
def reads(monkeypatch):
    """The names of the files that were read."""
    seen = []
    read = files._file

    def listed(file, name, kind):
        seen.append(name)
        return read(file, name, kind)

    monkeypatch.setattr(files, "_file", listed)
    return seen


@pytest.fixture
def folder(tmp_path):
    """A folder of data: text, more than one block, nothing at all, and one file below."""
    root = tmp_path / "data"
    (root / "deep").mkdir(parents=True)
    (root / "a.csv").write_bytes(b"x\n1\n2")
    (root / "b.bin").write_bytes(os.urandom(3_000_000))
    (root / "empty.txt").write_bytes(b"")
    (root / "deep" / "c.bin").write_bytes(b"\0\1")
    return root


@pytest.fixture
def home(tmp_path):
    return tmp_path / "cache"


def status(size=5, modified=WRITTEN, changed=WRITTEN, inode=1, device=2):
    return SimpleNamespace(
        st_dev=device, st_ino=inode, st_size=size, st_mtime_ns=modified, st_ctime_ns=changed
    )


def taken(path, home=None):
    """The whole fingerprint, with a cache of its own as another process would have it."""
    if home is None:
        found = fingerprint(path)
    else:
        with FileCache(home) as known:
            found = fingerprint(path, cache=known)
    return found.digest, dict(found.detail)


def fill(home, *inodes, kind=0):
    with FileCache(home) as known:
        for inode in inodes:
            known.note(status(inode=inode), kind, CONTENT, WRITTEN + STILL + 1)


def known_of(home, *inodes):
    found = FileCache(home)
    return [inode for inode in inodes if found.find(status(inode=inode), 0)]


@pytest.mark.parametrize("name", [".", "a.csv", "b.bin", "empty.txt", "deep/c.bin"])
def test_same_fingerprint_and_no_file_is_read_twice(folder, home, later, reads, name):
    expected = taken(folder / name)
    assert reads
    reads.clear()
    assert taken(folder / name, home) == expected
    assert reads
    reads.clear()
    assert taken(folder / name, home) == expected
    assert reads == []


def test_only_what_changed_is_read_again(folder, home, later, reads):
    taken(folder, home)
    reads.clear()
    (folder / "deep" / "c.bin").write_bytes(b"\0\2")
    (folder / "new.bin").write_bytes(b"3")
    assert taken(folder, home) == taken(folder)
    assert reads[:2] == ["deep/c.bin", "new.bin"]


@POSIX
def test_a_change_that_hides_is_seen(folder, home, later):
    file = folder / "a.csv"
    before, known = file.stat(), taken(file, home)
    file.write_bytes(b"x\n1\n3")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    assert taken(file, home) != known


@POSIX
def test_a_file_put_in_anothers_place_is_seen(folder, home, later):
    known = taken(folder / "a.csv", home)
    (folder / "next").write_bytes(b"x\n1\n3")
    shutil.copystat(folder / "a.csv", folder / "next")
    (folder / "next").replace(folder / "a.csv")
    assert taken(folder / "a.csv", home) != known


@POSIX
def test_one_file_by_two_names_has_the_detail_of_each(folder, home, later):
    os.link(folder / "a.csv", folder / "a.bin")
    for _ in range(2):
        assert taken(folder / "a.csv", home)[1]["lines"] == 3
        assert "lines" not in taken(folder / "a.bin", home)[1]


@POSIX
def test_links_inside_are_known_links_outside_are_not_followed(folder, home, later, reads):
    (folder / "in.csv").symlink_to("a.csv")
    (folder / "out.csv").symlink_to("../nowhere.csv")
    expected = taken(folder)
    taken(folder, home)
    reads.clear()
    assert taken(folder, home) == expected
    assert reads == []


def test_a_file_just_written_is_not_believed(folder, home, reads):
    file = folder / "a.csv"
    file.write_bytes(b"x\n1\n4")
    taken(file, home)
    assert not home.exists()
    taken(file, home)
    assert reads == ["a.csv", "a.csv"]


@pytest.mark.parametrize("which", ["modified", "changed"])
def test_how_long_a_file_must_have_been_still(home, which):
    times = {"modified": WRITTEN - 9 * SECOND, "changed": WRITTEN - 9 * SECOND, which: WRITTEN}
    with FileCache(home) as known:
        known.note(status(**times), 0, CONTENT, WRITTEN + STILL)
        assert known.find(status(**times), 0) is None
        known.note(status(**times), 0, CONTENT, WRITTEN + STILL + 1)
        assert known.find(status(**times), 0) == CONTENT


def test_a_time_in_the_future_is_not_believed(home):
    known = FileCache(home)
    known.note(status(modified=WRITTEN + 9 * SECOND), 0, CONTENT, WRITTEN + STILL + 1)
    assert known.find(status(modified=WRITTEN + 9 * SECOND), 0) is None


def test_times_in_whole_seconds_are_not_believed(home):
    whole = WRITTEN // SECOND * SECOND
    known = FileCache(home)
    known.note(status(changed=whole), 0, CONTENT, WRITTEN + STILL + 1)
    assert known.find(status(changed=whole), 0) is None


@pytest.mark.parametrize(
    "other",
    [
        {"size": 6},
        {"modified": WRITTEN + 1},
        {"changed": WRITTEN - 1},
        {"inode": 3},
        {"device": 3},
    ],
)
def test_every_part_of_the_status_counts(home, other):
    fill(home, 1)
    assert FileCache(home).find(status(), 0) == CONTENT
    assert FileCache(home).find(status(**other), 0) is None
    assert FileCache(home).find(status(), 1) is None


@pytest.mark.parametrize(
    "content",
    [
        CONTENT,
        Content(b"\0" * 32, 0, ""),
        Content(b"x" * 32, 7, "00ff"),
        Content(b"x" * 32, None, "0a0b" * 16),
    ],
)
def test_content_comes_back_from_the_disk(home, content):
    with FileCache(home) as known:
        known.note(status(), 2, content, WRITTEN + STILL + 1)
        assert known.find(status(), 2) == content
    assert FileCache(home).find(status(), 2) == content


@pytest.mark.parametrize("odd", [{"inode": 1 << 64}, {"modified": -(1 << 63) - 1}])
def test_a_status_that_does_not_fit_is_left_out(home, odd):
    with FileCache(home) as known:
        known.note(status(**odd), 0, CONTENT, WRITTEN + STILL + 1)
        assert known.find(status(**odd), 0) is None
    assert not home.exists()


def test_any_byte_altered_and_any_end_cut_off_is_noticed(home):
    fill(home, 1, 2)
    stored = home / "files.bin"
    whole = stored.read_bytes()
    assert known_of(home, 1, 2) == [1, 2]
    for place in range(len(whole)):
        stored.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert known_of(home, 1, 2) == [], place
        stored.write_bytes(whole[:place])
        assert known_of(home, 1, 2) == [], place
    for more in (b"\0", whole):
        stored.write_bytes(whole + more)
        assert known_of(home, 1, 2) == []


def test_a_body_of_another_length_is_no_error(home, monkeypatch):
    monkeypatch.setattr(cache, "_packed", lambda _: cache._HEAD + cache._digest(b"short") + b"short")
    fill(home, 1)
    assert known_of(home, 1) == []


def test_another_release_starts_anew(home, monkeypatch):
    fill(home, 1)
    monkeypatch.setattr(cache, "_HEAD", cache._HEAD[:-1] + b"0\n")
    assert known_of(home, 1) == []


@pytest.mark.parametrize("damage", [b"", b"broken", b"\0" * 500])
def test_a_damaged_cache_is_written_anew(folder, home, later, reads, damage):
    expected = taken(folder, home)
    (home / "files.bin").write_bytes(damage)
    assert taken(folder, home) == expected
    reads.clear()
    assert taken(folder, home) == expected
    assert reads == []


def test_a_cache_deleted_meanwhile_is_written_anew(home):
    fill(home, 1)
    with FileCache(home) as known:
        assert known.find(status(), 0)
        shutil.rmtree(home)
        known.note(status(inode=2), 0, CONTENT, WRITTEN + STILL + 1)
    assert known_of(home, 1, 2) == [1, 2]


@pytest.mark.parametrize("place", ["cache", "cache/files.bin"])
def test_a_cache_that_cannot_be_written_is_none(folder, tmp_path, later, place):
    if place == "cache":
        (tmp_path / place).write_bytes(b"a file")
    else:
        (tmp_path / place).mkdir(parents=True)
    assert taken(folder, tmp_path / "cache") == taken(folder)
    assert not [*tmp_path.rglob("*.tmp")]


def test_nothing_learned_nothing_written(folder, home, later):
    FileCache(home).save()
    assert not home.exists()
    taken(folder, home)
    before = (home / "files.bin").stat()
    taken(folder, home)
    after = (home / "files.bin").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_two_that_save_keep_what_both_learned(home):
    one, other = FileCache(home), FileCache(home)
    for inode, known in ((1, one), (2, other)):
        assert known.find(status(inode=inode), 0) is None
        known.note(status(inode=inode), 0, CONTENT, WRITTEN + STILL + 1)
    one.save()
    other.save()
    assert known_of(home, 1, 2) == [1, 2]


def test_many_that_write_and_read_at_once_never_see_half_a_file(home):
    fill(home, 1)

    def work(number):
        for turn in range(20):
            fill(home, 1, 100 * number + turn)
            assert known_of(home, 1) == [1]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(1, 9)))
    assert [path.name for path in home.iterdir()] == ["files.bin"]
    if sys.platform != "win32":
        every = [100 * number + turn for number in range(1, 9) for turn in range(20)]
        assert known_of(home, *every) == every


def test_a_neighbours_file_that_vanishes_is_no_hindrance(home, monkeypatch):
    home.mkdir()
    monkeypatch.setattr(cache.Path, "glob", lambda folder, _: [folder / "files.gone.tmp"])
    fill(home, 1)
    assert known_of(home, 1) == [1]


def test_what_a_killed_process_left_is_removed_in_time(home):
    home.mkdir()
    for name, age in (("files.old.tmp", 7_200), ("files.new.tmp", 60)):
        (home / name).write_bytes(b"")
        os.utime(home / name, (time.time() - age,) * 2)
    fill(home, 1)
    assert sorted(path.name for path in home.iterdir()) == ["files.bin", "files.new.tmp"]


def test_only_the_files_used_last_are_kept(home, monkeypatch):
    monkeypatch.setattr(cache, "MOST", 3)
    fill(home, 1, 2, 3)
    with FileCache(home) as known:
        assert known.find(status(inode=1), 0)
        known.note(status(inode=4), 0, CONTENT, WRITTEN + STILL + 1)
    assert known_of(home, 1, 2, 3, 4) == [1, 3, 4]
    assert MOST * cache._RECORD.size < 32 << 20


def test_a_file_that_changes_while_it_is_read_is_not_kept(folder, home, later, monkeypatch):
    read = files._read

    def meddle(handle, *args, **options):
        os.utime(folder / "a.csv", (1, 1))
        return read(handle, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(files, "_read", meddle)
        with pytest.raises(FingerprintError, match="changed while it was read"):
            taken(folder / "a.csv", home)
    assert not home.exists()


def test_a_file_gone_from_the_folder_is_no_longer_counted(folder, home, later):
    taken(folder, home)
    (folder / "b.bin").unlink()
    assert taken(folder, home) == taken(folder)
    with pytest.raises(FingerprintError, match=r"'b.bin' cannot be read"):
        taken(folder / "b.bin", home)


def test_the_data_facet_hands_it_on(folder, home, later, reads):
    with FileCache(home) as known:
        first = Data().capture("train", folder, reading=Reading(known))
    reads.clear()
    assert (
        Data().capture("train", folder, reading=Reading(FileCache(home)))
        == first
        == Data().capture("train", folder)
    )
    assert reads[:1] == ["a.csv"]  # without a cache
    assert len(reads) == 4


def test_the_recorder_hands_it_on(folder, home, later, reads, tmp_path):
    known = FileCache(home)
    for _ in range(2):
        recording = Recording("tests/test_a.py::test_a", 1)
        Recorder(lambda: recording, print, CodeGraph(tmp_path), Reading(known)).data("train", folder)  # noqa: B023
        assert len(reads) == 4


def test_other_data_has_no_use_for_it(home):
    with FileCache(home) as known:
        assert fingerprint([1, 2], cache=known) == fingerprint([1, 2])
        assert fingerprint([1, 2], ordered=False, cache=known) == fingerprint([2, 1], ordered=False)
    assert not home.exists()
