"""The cache of file digests: the same fingerprint with it as without, no file read twice, nothing stale believed."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from types import SimpleNamespace

import pytest

from pytest_mlrepro.capture import Recorder
from pytest_mlrepro.codegraph import CodeGraph
from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.facets.data import Data, Reading
from pytest_mlrepro.fingerprints import FileCache, cache, files, fingerprint, folders, reading, records
from pytest_mlrepro.fingerprints.cache import MOST, MOST_FOLDERS, STILL, Content, Listing, identity
from pytest_mlrepro.fingerprints.digests import Algorithm, algorithm
from pytest_mlrepro.recording import Recording

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="links and times of status are POSIX")
SECOND = 1_000_000_000
WRITTEN = 1_700_000_000 * SECOND + 123_456_789
CONTENT = Content(b"r" * 32)
HASHING = algorithm()
HASHING_2 = Algorithm("other", lambda: blake2b(digest_size=16))
LISTING = Listing(
    b"s" * 32, b"r" * 32, {"kind": "folder", "entries": (("a.csv", "0123abcd"), ("\udcff", ""))}
)


@pytest.fixture
def later(monkeypatch):
    """A minute from now: what the test wrote has been still for long."""
    monkeypatch.setattr(reading, "time", SimpleNamespace(time_ns=lambda: time.time_ns() + 60 * SECOND))


@pytest.fixture
def reads(monkeypatch):
    """The names of the files that were read."""
    seen = []
    read = reading.Reader.read

    def listed(reader, file, name, kind):
        seen.append(name)
        return read(reader, file, name, kind)

    monkeypatch.setattr(reading.Reader, "read", listed)
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


def note(known, content=CONTENT, kind=0, began=WRITTEN + STILL + 1, **told):
    return known.note(status(**told), kind, content, began, HASHING)


def find(known, kind=0, hashing=HASHING, **told):
    return known.find(identity(status(**told)), kind, hashing)


def fill(home, *inodes):
    with FileCache(home) as known:
        for inode in inodes:
            note(known, inode=inode)


def known_of(home, *inodes):
    found = FileCache(home)
    return [inode for inode in inodes if find(found, inode=inode)]


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
        note(known, began=WRITTEN + STILL, **times)
        assert find(known, **times) is None
        note(known, began=WRITTEN + STILL + 1, **times)
        assert find(known, **times) == CONTENT


def test_a_time_in_the_future_is_not_believed(home):
    known = FileCache(home)
    note(known, modified=WRITTEN + 9 * SECOND)
    assert find(known, modified=WRITTEN + 9 * SECOND) is None


def test_times_in_whole_seconds_are_not_believed(home):
    whole = WRITTEN // SECOND * SECOND
    known = FileCache(home)
    note(known, changed=whole)
    assert find(known, changed=whole) is None


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
    assert find(FileCache(home)) == CONTENT
    assert find(FileCache(home), **other) is None
    assert find(FileCache(home), 1) is None


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
        note(known, content, 2)
        assert find(known, 2) == content
    assert find(FileCache(home), 2) == content


@pytest.mark.parametrize("odd", [{"inode": 1 << 64}, {"modified": -(1 << 63) - 1}])
def test_a_status_that_does_not_fit_is_left_out(home, odd):
    with FileCache(home) as known:
        note(known, **odd)
        assert find(known, **odd) is None
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
    for name in ("_FILES", "_FOLDERS"):
        monkeypatch.setattr(cache, name, getattr(cache, name)._replace(pack=lambda _: b"short"))
    fill(home, 1)
    with FileCache(home) as known:
        known.note_folder(status(), LISTING, HASHING)
    assert known_of(home, 1) == []
    assert FileCache(home).find_folder(status(), HASHING) is None


def test_another_release_starts_anew(home, monkeypatch):
    fill(home, 1)
    monkeypatch.setattr(records, "_HEAD", records._HEAD[:-1] + b"0\n")
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
        assert find(known)
        shutil.rmtree(home)
        note(known, inode=2)
    assert known_of(home, 1, 2) == [1, 2]


@pytest.mark.parametrize("place", ["cache", "cache/files.bin"])
def test_a_cache_that_cannot_be_written_is_none(folder, tmp_path, later, place):
    if place == "cache":
        (tmp_path / place).write_bytes(b"a file")
    else:
        (tmp_path / place).mkdir(parents=True)
    assert taken(folder, tmp_path / "cache") == taken(folder)
    assert not [*tmp_path.rglob("*.tmp")]


@POSIX
def test_a_signal_in_the_moment_of_writing_waits_for_its_end(home, monkeypatch):
    seen, pack = [], records._digest

    def disturbed(body):
        if [*home.glob("*.tmp")]:
            signal.raise_signal(signal.SIGTERM)
        return pack(body)

    known = FileCache(home)
    note(known)
    monkeypatch.setattr(records, "_digest", disturbed)
    before = signal.signal(signal.SIGTERM, lambda *_: seen.append([*home.glob("*.tmp")]))
    try:
        known.save()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert seen == [[]]


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
        assert find(known, inode=inode) is None
        note(known, inode=inode)
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
        assert find(known, inode=1)
        note(known, inode=4)
    assert known_of(home, 1, 2, 3, 4) == [1, 3, 4]
    assert MOST * cache._FILE.size < 40 << 20


def test_a_file_that_changes_while_it_is_read_is_not_kept(folder, home, later, monkeypatch):
    class Meddled(reading.FileIO):
        def readinto(self, buffer):
            os.utime(folder / "a.csv", (1, 1))
            return super().readinto(buffer)

    with monkeypatch.context() as patch:
        patch.setattr(reading, "FileIO", Meddled)
        with pytest.raises(FingerprintError, match="changed while it was read"):
            taken(folder / "a.csv", home)
    assert not home.exists()


def test_a_file_gone_from_the_folder_is_no_longer_counted(folder, home, later):
    taken(folder, home)
    (folder / "b.bin").unlink()
    assert taken(folder, home) == taken(folder)
    with pytest.raises(FingerprintError, match=r"'b.bin' cannot be read"):
        taken(folder / "b.bin", home)


def known_folder(home, hashing=HASHING, **told):
    return FileCache(home).find_folder(status(**told), hashing)


def test_a_listing_comes_back_from_the_disk(home):
    with FileCache(home) as known:
        known.note_folder(status(), LISTING, HASHING)
        known.note_folder(status(inode=2), LISTING._replace(stamp=b""), HASHING)
        assert known.find_folder(status(), HASHING) == LISTING
    assert known_folder(home, size=7, modified=1, changed=1) == LISTING
    assert known_folder(home, inode=2) == LISTING._replace(stamp=b"")
    assert known_folder(home, inode=3) is None
    assert known_folder(home, device=3) is None
    assert known_folder(home, HASHING_2) is None


@pytest.mark.parametrize("odd", [{"inode": 1 << 64}, {"modified": -(1 << 63) - 1}])
def test_a_folder_that_does_not_fit_is_left_out(home, odd):
    with FileCache(home) as known:
        known.note_folder(status(**odd), LISTING, HASHING)
        known.note_folder(status(), LISTING._replace(detail={"x": "x" * (1 << 14)}), HASHING)
        assert known.find_folder(status(**odd), HASHING) is None
    assert not home.exists()


def test_only_the_folders_used_last_are_kept(home, monkeypatch):
    monkeypatch.setattr(cache, "MOST_FOLDERS", 2)
    for inode in (1, 2, 3):
        with FileCache(home) as known:
            known.note_folder(status(inode=inode), LISTING, HASHING)
            known.find_folder(status(inode=1), HASHING)
    assert [inode for inode in (1, 2, 3) if known_folder(home, inode=inode)] == [1, 3]
    assert MOST_FOLDERS > 2


def test_any_byte_of_a_folder_altered_and_any_end_cut_off_is_noticed(home):
    with FileCache(home) as known:
        known.note_folder(status(), LISTING, HASHING)
    stored = home / "folders.bin"
    whole = stored.read_bytes()
    assert known_folder(home) == LISTING
    for place in range(len(whole)):
        stored.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert known_folder(home) is None, place
        stored.write_bytes(whole[:place])
        assert known_folder(home) is None, place
    stored.write_bytes(whole + b"\0")
    assert known_folder(home) is None


def test_no_hash_is_taken_for_another(folder, home, later, reads):
    for name in (".", "a.csv"):
        for turn in range(2):
            for hashing in (HASHING, HASHING_2):
                with FileCache(home) as known:
                    reads.clear()
                    found = files.path(folder / name, hashing=hashing, cache=known)
                    assert bool(reads) == (turn == 0)
                assert found == files.path(folder / name, hashing=hashing)
                assert found.digest.startswith(hashing.label)


def test_a_folder_that_is_known_is_not_even_looked_up_by_file(folder, home, later, monkeypatch):
    expected = taken(folder, home)
    (home / "files.bin").unlink()
    monkeypatch.setattr(folders.Reader, "find", None)
    monkeypatch.setattr(folders.Reader, "read", None)
    assert taken(folder, home) == expected


def test_a_large_folder_comes_back_as_it_was(folder, home, later):
    for number in range(200):
        (folder / f"image_{number:06}.png").write_bytes(bytes([number]))
    expected = taken(folder)
    assert [taken(folder, home) for _ in range(3)] == [expected] * 3


def rewrite_unseen(folder):
    before = (folder / "a.csv").stat()
    (folder / "a.csv").write_bytes(b"x\n1\n3")
    os.utime(folder / "a.csv", ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES = {
    "content": lambda folder: (folder / "deep" / "c.bin").write_bytes(b"\0\2"),
    "content of the same size and time": rewrite_unseen,
    "name": lambda folder: (folder / "a.csv").rename(folder / "z.csv"),
    "name of a folder": lambda folder: (folder / "deep").rename(folder / "keep"),
    "place": lambda folder: (folder / "deep" / "c.bin").rename(folder / "c.bin"),
    "two files changed places": lambda folder: [
        (folder / old).rename(folder / new)
        for old, new in (("a.csv", "x"), ("b.bin", "a.csv"), ("x", "b.bin"))
    ],
    "one more": lambda folder: (folder / "deep" / "d.bin").write_bytes(b""),
    "one less": lambda folder: (folder / "empty.txt").unlink(),
    "target of a link": lambda folder: [
        (folder / "out").unlink(),
        (folder / "out").symlink_to("../other"),
    ],
    "content of a link": lambda folder: [
        (folder / "in").unlink(),
        (folder / "in").symlink_to("deep/c.bin"),
    ],
    "a link that leads out now": lambda folder: [
        (folder / "in").unlink(),
        (folder / "in").symlink_to("../a.csv"),
    ],
}


@POSIX
@pytest.mark.parametrize("change", CHANGES)
def test_every_change_of_a_known_folder_is_seen(folder, home, later, change):
    (folder / "in").symlink_to("a.csv")
    (folder / "out").symlink_to("../elsewhere")
    before = taken(folder, home)
    assert taken(folder, home) == before
    CHANGES[change](folder)
    for _ in range(2):
        after = taken(folder, home)
        assert after == taken(folder) != before
    assert after[0] != before[0]


def test_a_folder_with_a_file_just_written_is_not_believed(folder, home, monkeypatch, reads):
    """The others are, and so is the folder as soon as that one has been still."""
    clock = SimpleNamespace(time_ns=lambda: max(path.stat().st_ctime_ns for path in folder.rglob("*.*")))
    monkeypatch.setattr(reading, "time", clock)
    expected = taken(folder)
    taken(folder, home)
    assert known_names(folder, home) == []
    clock.time_ns = lambda: time.time_ns() + 60 * SECOND
    taken(folder, home)
    assert len(known_names(folder, home)) == 4
    (folder / "a.csv").write_bytes(b"x\n1\n5")
    clock.time_ns = time.time_ns
    for _ in range(2):
        reads.clear()
        assert taken(folder, home) == taken(folder) != expected
        assert reads[0] == "a.csv"
        assert len(reads) == 5


def known_names(folder, home):
    """The files that need not be read."""
    known, names = FileCache(home), ("a.csv", "b.bin", "deep/c.bin", "empty.txt")
    return [name for name in names if known.find(identity((folder / name).stat()), 0, HASHING)]


def test_a_folder_of_files_whose_status_does_not_fit_is_read(folder, home, later, monkeypatch, reads):
    expected = taken(folder, home)
    monkeypatch.setattr(folders, "_status", lambda entry, **_: status(inode=1 << 64))
    reads.clear()
    assert taken(folder, home) == expected
    assert len(reads) == 4


def test_what_was_told_in_full_serves_for_less(folder, home, later, reads):
    with FileCache(home) as known:
        whole = fingerprint(folder / "a.csv", cache=known)
        reads.clear()
        less = files.path(folder / "a.csv", detail=False, cache=known)
        assert fingerprint(folder / "a.csv", cache=known).detail == whole.detail
    assert reads == []
    assert less == whole
    assert dict(less.detail) == {"kind": "file", "size": 5}


def test_what_was_told_in_short_does_not_serve_for_more(folder, home, later):
    with FileCache(home) as known:
        files.path(folder / "a.csv", detail=False, cache=known)
        assert fingerprint(folder / "a.csv", cache=known).detail["lines"] == 3


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
