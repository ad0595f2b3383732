"""Files and folders: bytes and names, nothing else."""

import os
import socket
import sys
import tempfile
import threading
import unicodedata
from pathlib import Path

import pytest

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import FileCache, files, fingerprint, folders, reading
from pytest_mlrepro.fingerprints.digests import algorithm, node
from pytest_mlrepro.fingerprints.parallel import in_order
from pytest_mlrepro.fingerprints.ranges import span_of

NOBODY = 65_534
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "data"
    for name, text in {"a.csv": "x\n1\n", "b.csv": "x\n2\n", "deep/er/c.bin": "\0" * 100}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, newline="")
    return root


def test_bytes_count_name_and_time_do_not(tmp_path):
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    one.write_bytes(b"x\n1\n")
    other.write_bytes(b"x\n1\n")
    os.utime(other, (1, 1))
    assert fingerprint(one) == fingerprint(other)
    other.write_bytes(b"x\n2\n")
    assert fingerprint(one) != fingerprint(other)
    assert fingerprint(one) != fingerprint(one.read_bytes())
    assert fingerprint(str(one)) == fingerprint(str(one)) != fingerprint(one)


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 65_536, 1 << 20, (1 << 20) + 1, 3_000_000])
def test_every_byte_counts(tmp_path, size):
    file = tmp_path / "data.bin"
    data = bytearray(os.urandom(size))
    file.write_bytes(data)
    seen = {fingerprint(file)}
    for place in {0, size // 2, size - 1} & set(range(size)):
        data[place] ^= 1
        file.write_bytes(data)
        seen.add(fingerprint(file))
        data[place] ^= 1
    file.write_bytes(data + b"\0")
    seen.add(fingerprint(file))
    assert len(seen) == 2 + len({0, size // 2, size - 1} & set(range(size)))


def test_detail_of_a_file(tmp_path):
    file = tmp_path / "data.csv"
    file.write_bytes(b"x\n1\n2")
    assert fingerprint(file).detail["lines"] == 3
    assert fingerprint(file).detail["size"] == 5
    (tmp_path / "empty.csv").write_bytes(b"")
    assert dict(fingerprint(tmp_path / "empty.csv").detail) == {"kind": "file", "size": 0, "lines": 0}
    (tmp_path / "data.bin").write_bytes(b"x\n1\n2")
    assert "lines" not in fingerprint(tmp_path / "data.bin").detail


def test_folder_counts_names_and_contents(folder, tmp_path):
    expected = fingerprint(folder)
    moved = folder.rename(tmp_path / "elsewhere")
    for file in moved.rglob("*"):
        os.utime(file, (1, 1))
    (moved / "empty").mkdir()
    assert fingerprint(moved) == expected
    (moved / "a.csv").rename(moved / "z.csv")
    assert fingerprint(moved) != expected
    (moved / "z.csv").rename(moved / "a.csv")
    assert fingerprint(moved) == expected
    (moved / "a.csv").write_bytes(b"x\n3\n")
    assert fingerprint(moved) != expected
    assert dict(expected.detail)["files"] == 3
    assert [name for name, _ in expected.detail["entries"]] == ["a.csv", "b.csv", "deep/er/c.bin"]


def test_order_of_the_listing_does_not_count(folder, monkeypatch):
    expected = fingerprint(folder)
    scandir = os.scandir

    class Backwards:
        def __init__(self, path):
            self.entries = scandir(path)

        def __enter__(self):
            return iter(list(self.entries)[::-1])

        def __exit__(self, *_):
            self.entries.close()

    monkeypatch.setattr(folders.os, "scandir", Backwards)
    assert fingerprint(folder) == expected


def test_border_of_names_counts(tmp_path):
    for place, (folder, file) in enumerate([("ab", "c"), ("a", "bc")]):
        (tmp_path / str(place) / folder).mkdir(parents=True)
        (tmp_path / str(place) / folder / file).write_bytes(b"")
    assert fingerprint(tmp_path / "0") != fingerprint(tmp_path / "1")


@POSIX
def test_links_inside_count_as_content_links_outside_by_target(folder, tmp_path):
    outside = tmp_path / "outside.csv"
    outside.write_bytes(b"1")
    (folder / "inside.csv").symlink_to("a.csv")
    (folder / "out.csv").symlink_to("../outside.csv")
    expected = fingerprint(folder)
    outside.write_bytes(b"2")
    assert fingerprint(folder) == expected
    (folder / "out.csv").unlink()
    (folder / "out.csv").symlink_to("../elsewhere.csv")
    assert fingerprint(folder) != expected
    (folder / "inside.csv").unlink()
    (folder / "out.csv").unlink()
    (folder / "inside.csv").write_bytes((folder / "a.csv").read_bytes())
    (folder / "out.csv").symlink_to("../outside.csv")
    assert fingerprint(folder) == expected


@POSIX
def test_links_are_in_the_order_of_names(folder):
    (folder / "aa.csv").symlink_to("nowhere")
    names = [name for name, _ in fingerprint(folder).detail["entries"]]
    assert names == ["a.csv", "aa.csv", "b.csv", "deep/er/c.bin"]


@POSIX
def test_links_in_a_circle(folder):
    (folder / "one").symlink_to("two")
    (folder / "two").symlink_to("one")
    (folder / "deep" / "up").symlink_to("..")
    assert fingerprint(folder) == fingerprint(folder)


@POSIX
def test_link_as_the_path_itself_is_followed(folder, tmp_path):
    (tmp_path / "latest").symlink_to(folder)
    (tmp_path / "first.csv").symlink_to(folder / "a.csv")
    assert fingerprint(tmp_path / "latest") == fingerprint(folder)
    assert fingerprint(tmp_path / "first.csv") == fingerprint(folder / "a.csv")


@POSIX
def test_names_that_are_no_text(tmp_path):
    name = os.fsdecode(b"\xff.csv")
    try:
        (tmp_path / name).write_bytes(b"1")
    except OSError:
        pytest.skip("this file system takes no such names")
    assert fingerprint(tmp_path).detail["entries"][0][0] == name


def test_missing_file_is_an_error(tmp_path):
    with pytest.raises(FingerprintError, match=r"'none.csv' cannot be read: No such file") as caught:
        fingerprint(tmp_path / "none.csv")
    assert caught.value.remedy


@pytest.fixture
def unprivileged():
    """A folder of someone who may not read everything, as this process is while the test runs."""
    if not hasattr(os, "seteuid") or os.geteuid():
        with tempfile.TemporaryDirectory() as home:
            yield Path(home)
        return
    with tempfile.TemporaryDirectory() as home:
        os.chown(home, NOBODY, -1)
        os.seteuid(NOBODY)
        try:
            if not os.access(home, os.R_OK, effective_ids=True):
                pytest.skip("folders for temporary files are for one user only")
            yield Path(home)
        finally:
            os.seteuid(0)


@POSIX
def test_what_may_not_be_read_is_an_error(unprivileged):
    (unprivileged / "deep").mkdir()
    file, below = unprivileged / "a.csv", unprivileged / "deep"
    file.write_bytes(b"1")
    file.chmod(0)
    for path in (file, unprivileged):
        with pytest.raises(FingerprintError, match=r"'a.csv' cannot be read: Permission denied"):
            fingerprint(path)
    file.chmod(0o600)
    (below / "b.csv").write_bytes(b"1")
    for mode in (0, 0o400, 0o100):
        below.chmod(mode)
        named = "deep/b.csv" if mode == 0o400 else "deep"
        for known in (None, FileCache(unprivileged / "cache")):
            with pytest.raises(FingerprintError, match=rf"'{named}' cannot be read: Permission denied"):
                fingerprint(unprivileged, cache=known)
    below.chmod(0)
    with pytest.raises(FingerprintError, match=r"'b.csv' cannot be read: Permission denied"):
        fingerprint(below / "b.csv")
    below.chmod(0o700)


def test_a_folder_that_vanishes_is_an_error(folder, monkeypatch):
    scandir = os.scandir

    def vanishing(path):
        if isinstance(path, str) and path.endswith("er"):
            Path(path).rename(folder / "gone")
        return scandir(path)

    monkeypatch.setattr(folders.os, "scandir", vanishing)
    with pytest.raises(FingerprintError, match=r"'deep/er' cannot be read: No such file"):
        fingerprint(folder)


@pytest.mark.parametrize("name", ["nul\0.csv", "half \ud800.csv"])
def test_a_name_that_no_file_can_have_is_an_error(tmp_path, name):
    with pytest.raises(FingerprintError, match=r"is no name of a file: .*(null|encode)"):
        fingerprint(tmp_path / name)


@POSIX
def test_a_path_in_a_circle_is_an_error(tmp_path):
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    with pytest.raises(FingerprintError, match="'one' cannot be read: Too many levels of symbolic links"):
        fingerprint(tmp_path / "one")


def test_names_that_differ_in_case_only_are_two(tmp_path):
    (tmp_path / "A.csv").write_bytes(b"1")
    (tmp_path / "a.csv").write_bytes(b"2")
    if len(list(tmp_path.iterdir())) < 2:
        pytest.skip("to this file system they are one")
    one = fingerprint(tmp_path)
    assert [name for name, _ in one.detail["entries"]] == ["A.csv", "a.csv"]
    (tmp_path / "A.csv").write_bytes(b"2")
    (tmp_path / "a.csv").write_bytes(b"1")
    assert fingerprint(tmp_path) != one


def test_case_counts(tmp_path):
    found = set()
    for place, name in enumerate(("data.csv", "Data.csv", "data.CSV")):
        (tmp_path / str(place)).mkdir()
        (tmp_path / str(place) / name).write_bytes(b"1")
        found.add(fingerprint(tmp_path / str(place)))
    assert len(found) == 3


def test_normal_forms_of_a_name_are_two(tmp_path):
    for form in ("NFC", "NFD"):
        (tmp_path / form).mkdir()
        (tmp_path / form / unicodedata.normalize(form, "caf\u00e9.csv")).write_bytes(b"1")
    if len({path.name for path in tmp_path.rglob("*.csv")}) < 2:
        pytest.skip("to this file system they are one")
    assert fingerprint(tmp_path / "NFC") != fingerprint(tmp_path / "NFD")


def test_empty_folders_are_one(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "other" / "deep" / "er").mkdir(parents=True)
    empty = fingerprint(tmp_path / "one")
    assert empty == fingerprint(tmp_path / "other")
    assert dict(empty.detail) == {"kind": "folder", "files": 0, "size": 0, "entries": ()}
    (tmp_path / "one" / "a").write_bytes(b"")
    assert fingerprint(tmp_path / "one") != empty


@POSIX
def test_a_folder_deeper_than_a_path_can_be_long(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = Path("x" * 250)
    for _ in range(20):
        name.mkdir()
        os.chdir(name)
    with pytest.raises(FingerprintError, match="cannot be read: File name too long") as caught:
        fingerprint(tmp_path)
    assert len(caught.value.what) < 200
    for _ in range(20):
        os.chdir("..")
        name.rmdir()


@POSIX
def test_fifo_and_device_are_errors(folder):
    os.mkfifo(folder / "pipe")
    for path in (folder, folder / "pipe"):
        with pytest.raises(FingerprintError, match="'pipe' is neither a file nor a folder"):
            fingerprint(path)
    with pytest.raises(FingerprintError, match="'null' is neither"):
        fingerprint(Path("/dev/null"))


@POSIX
def test_socket_is_an_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("talk")
        for path in (tmp_path, tmp_path / "talk"):
            with pytest.raises(FingerprintError, match="'talk' is neither a file nor a folder"):
                fingerprint(path)


def test_file_that_vanishes_is_an_error(folder, monkeypatch):
    walk = folders.walk

    def vanishing(root, **options):
        found = walk(root, **options)
        (root / "deep" / "er" / "c.bin").unlink()
        return found

    monkeypatch.setattr(folders, "walk", vanishing)
    with pytest.raises(FingerprintError, match=r"'deep/er/c.bin' cannot be read: No such file"):
        fingerprint(folder)


@pytest.mark.parametrize("size", [1_000, 3_000_000])
@pytest.mark.parametrize("change", ["grow", "shrink", "rewrite"])
def test_file_that_changes_while_it_is_read_is_an_error(tmp_path, monkeypatch, change, size):
    file = tmp_path / "data.bin"
    file.write_bytes(b"x" * size)

    class Meddled(reading.FileIO):
        def readinto(self, buffer):
            if change == "grow":
                with file.open("ab") as more:
                    more.write(b"y")
            elif change == "shrink":
                os.truncate(file, 10)
            else:
                os.utime(file, (1, 1))
            return super().readinto(buffer)

    monkeypatch.setattr(reading, "FileIO", Meddled)
    for path in (file, tmp_path):
        os.utime(file)
        with pytest.raises(FingerprintError, match=r"'data.bin' changed while it was read"):
            fingerprint(path)


@pytest.mark.parametrize("size", [0, 1, 9, 65_535, 65_536, 65_537, 200_000])
@pytest.mark.parametrize("name", ["blake3", "xxh3"])
def test_a_file_in_a_folder_is_the_file_itself(tmp_path, size, name):
    """Whether it has been still for long, and so is read at once, or was just written."""
    pytest.importorskip("xxhash" if name == "xxh3" else name)
    data = os.urandom(size)
    (tmp_path / "data.bin").write_bytes(data)
    hashing = algorithm(name)
    whole = node("file", size, hashing.leaf([data]))
    assert reading.root_of(size, hashing.leaf([data])) == whole
    root = node("folder", "data.bin", whole)
    for began in (0, 1 << 62):
        taken = reading.Reader(hashing, began=began)
        assert folders.folder_fingerprint(tmp_path, taken) == hashing.seal(root, {})
    assert files.path(tmp_path / "data.bin", hashing=hashing) == hashing.seal(whole, {})
    assert files.path(tmp_path, hashing=hashing).digest.startswith(f"mlr1-{name}:")


def test_a_file_that_grows_before_its_status_is_taken_is_read_again(tmp_path, monkeypatch):
    file = tmp_path / "data.bin"
    file.write_bytes(b"1")
    read = os.read

    def growing(descriptor, size):
        data = read(descriptor, size)
        with file.open("ab") as more:
            more.write(b"2")
        return data

    with monkeypatch.context() as patch:
        patch.setattr(reading.os, "read", growing)
        taken = folders.folder_fingerprint(tmp_path, reading.Reader(algorithm(), began=1 << 62))
    assert taken == fingerprint(tmp_path)
    assert file.read_bytes().startswith(b"12")


@pytest.mark.parametrize("name", ["blake3", "xxh3"])
@pytest.mark.parametrize("size", [1, 2, 16, 17, 1_000, 65_536, (1 << 20) + 1, 3_000_000])
def test_blocks_are_digests_of_parts(tmp_path, size, name):
    pytest.importorskip("xxhash" if name == "xxh3" else name)
    data = os.urandom(size)
    (tmp_path / "data.bin").write_bytes(data)
    span = span_of(size)
    hashing = algorithm(name)
    parts = [hashing.leaf([data[start : start + span]])[:2].hex() for start in range(0, size, span)]
    detail = files.path(tmp_path / "data.bin", hashing=hashing).detail
    assert detail.get("blocks", "") == ("".join(parts) if len(parts) > 1 else "")


def test_lines_over_the_border_of_two_readings(tmp_path):
    file = tmp_path / "data.txt"
    for tail, more in ((b"\n", 0), (b"x", 1), (b"\nx", 1), (b"x\n", 1)):
        file.write_bytes(b"\n" * ((1 << 20) - 1) + tail)
        assert fingerprint(file).detail["lines"] == (1 << 20) - 1 + (tail[:1] == b"\n") + more


def test_without_detail_the_digest_is_the_same(folder):
    told = files.path(folder / "a.csv")
    untold = files.path(folder / "a.csv", detail=False)
    assert untold == told
    assert dict(untold.detail) == {"kind": "file", "size": 4}
    assert "lines" in told.detail


def test_progress_tells_every_byte(folder):
    (folder / "large.bin").write_bytes(bytes(3_000_000))
    for path in (folder, folder / "large.bin", folder / "a.csv"):
        told = []
        files.path(path, advance=told.append)
        assert sum(told) == fingerprint(path).detail["size"]
    assert len(told) < 3


def test_order_free_has_no_meaning_for_bytes(folder):
    with pytest.raises(FingerprintError, match="ordered=False has no meaning"):
        fingerprint(folder / "a.csv", ordered=False)


def test_detail_of_a_large_folder_fits_its_budget(tmp_path):
    for number in range(300):
        (tmp_path / f"image_{number:06}.png").write_bytes(bytes([number % 251]))
    detail = fingerprint(tmp_path).detail
    assert detail["files"] == 300
    assert len(repr(dict(detail))) < 2_048


@POSIX
def test_a_pipe_that_takes_the_place_of_a_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    # Past the question what kind of file it is, which somebody may make untrue.
    with pytest.raises(FingerprintError, match="'pipe' is neither a file nor a folder"):
        reading.Reader(algorithm()).read(tmp_path / "pipe", "pipe", reading.WHOLE)


def test_work_that_nobody_waits_for_is_not_begun():
    begun, enough = [], threading.Event()

    def work(number):
        begun.append(number)
        if number:
            enough.wait(60)
        return number

    results = in_order(work, range(100), threads=2)
    assert next(results) == 0
    threading.Timer(0.1, enough.set).start()
    results.close()
    assert len(begun) <= 3
