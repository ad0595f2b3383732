"""What fingerprints of files and folders cost, as ratios to reading them, to asking for their status, and to DVC.

    python benchmarks/files.py                      # a file of 2 GiB, a folder of 20,000 files of 10 kB
    python benchmarks/files.py --size 256 --files 2000 --rounds 5 --where /var/tmp

All candidates take turns in every round; the figures are medians of the process's CPU time over the rounds, with the
page cache warm. Times of files count for the cache: it believes those that have been still for two seconds.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from _rounds import Candidate, Target, markdown, measure, save, targets_table, times_table

from pytest_mlrepro.fingerprints import FileCache, files
from pytest_mlrepro.fingerprints.digests import Algorithm, algorithm

CHUNK = 1 << 20
READ = "read, 1 MiB at a time"
STATUSES = "list, and the status of each"
OPEN_READ = "list, open(), read()"
OS_READ = "list, os.open, os.read, os.close"
DVC_FILE, DVC_COLD, DVC_WARM = "DVC, md5", "DVC, cold", "DVC, warm"

WANTED: Mapping[str, Sequence[Target]] = {
    "a file": (
        Target("xxh3", READ, 1.2),
        Target("blake3", DVC_FILE, 9, faster=True),
        Target("xxh3", DVC_FILE, 9, faster=True),
    ),
    "a folder": (
        Target("xxh3, cold, no cache", OPEN_READ, 1.2),
        Target("xxh3, cold, no cache", DVC_COLD, 5.5, faster=True),
        Target("blake3, warm", STATUSES, 1.25),
        Target("blake3, warm", DVC_WARM, 2.7, faster=True),
    ),
}
_TIMES = ("what", "candidate", "CPU", "wall", "GB/s")
_TARGETS = ("what", "candidate", "wanted", "measured", "")

Runs = Mapping[str, Callable[[], object]]


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--size", type=int, default=2048, metavar="MIB", help="of the file (default: %(default)s)"
    )
    parser.add_argument("--files", type=int, default=20_000, help="in the folder (default: %(default)s)")
    parser.add_argument("--bytes", type=int, default=10_000, help="of each of them (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="(default: %(default)s)")
    parser.add_argument(
        "--where", metavar="FOLDER", help="on which file system (default: that of temporary files)"
    )
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the tables there too")
    options = parser.parse_args()
    times: list[list[str]] = []
    targets: list[list[str]] = []
    with tempfile.TemporaryDirectory(dir=options.where) as home:
        file, folder = Path(home, "file.bin"), Path(home, "folder")
        _write_file(file, options.size)
        _write_folder(folder, options.files, options.bytes)
        time.sleep(2.5)
        subjects: Mapping[str, tuple[str, Runs, int, Sequence[str]]] = {
            "a file": (f"{options.size} MiB", _of_file(file), options.size << 20, (READ,)),
            "a folder": (
                f"{options.files:,} files of {options.bytes:,} bytes",
                _of_folder(folder, Path(home, "caches")),
                options.files * options.bytes,
                (STATUSES, OPEN_READ),
            ),
        }
        tables: dict[str, tuple[Sequence[str], list[list[str]]]] = {}
        for what, (told, runs, size, bounds) in subjects.items():
            timings = measure([Candidate(name, run) for name, run in runs.items()], options.rounds)
            absent = {} if any(name.startswith("DVC") for name in runs) else {"DVC": "not installed"}
            times = times_table(what, [*runs, *absent], timings, absent, size=size, references=bounds)
            tables[f"{what}, {told}"] = (*_TIMES, *(f"x {bound}" for bound in bounds)), times
            targets += targets_table(what, WANTED[what], timings)
    tables["targets"] = _TARGETS, targets
    for title, (head, rows) in tables.items():
        print(f"\n## {title}\n\n{markdown(head, rows)}")
    if options.json:
        save(options.json, "files", tables)


def _write_file(file: Path, mebibytes: int) -> None:
    chunk = os.urandom(CHUNK)
    with file.open("wb") as target:
        for number in range(mebibytes):
            target.write(number.to_bytes(8, "little") + chunk[8:])


def _write_folder(folder: Path, count: int, size: int) -> None:
    data = os.urandom(size + 4096)
    for number in range(count):
        below = folder / f"class_{number // 100:04}"
        if number % 100 == 0:
            below.mkdir(parents=True)
        start = number % 4096
        (below / f"image_{number:06}.png").write_bytes(data[start : start + size])


def _hashes() -> list[Algorithm]:
    return [algorithm("blake3"), algorithm("xxh3")]


def _of_file(file: Path) -> Runs:
    def read() -> None:
        buffer = bytearray(CHUNK)
        with file.open("rb", buffering=0) as source:
            while source.readinto(buffer):
                pass

    candidates: dict[str, Callable[[], object]] = {READ: read}
    for hashing in _hashes():
        for detail in (False, True):
            name = f"{hashing.name}{', with its parts' if detail else ''}"
            candidates[name] = lambda hashing=hashing, detail=detail: files.path(
                file, hashing=hashing, detail=detail
            )
    if dvc := _dvc():
        candidates[DVC_FILE] = lambda: dvc.hash.file_md5(str(file))
    return candidates


def _of_folder(folder: Path, caches: Path) -> Runs:
    def statuses() -> None:
        for entry in _entries(folder):
            entry.stat(follow_symlinks=False)

    def os_read() -> None:
        for entry in _entries(folder):
            descriptor = os.open(entry.path, os.O_RDONLY)
            os.read(descriptor, 1 << 16)
            os.close(descriptor)

    def open_read() -> None:
        for entry in _entries(folder):
            with open(entry.path, "rb") as source:  # noqa: PTH123 - a Path each would be measured too
                source.read()

    candidates: dict[str, Callable[[], object]] = {
        STATUSES: statuses,
        OS_READ: os_read,
        OPEN_READ: open_read,
    }
    for hashing in _hashes():
        home = caches / hashing.name
        candidates[f"{hashing.name}, cold, no cache"] = lambda hashing=hashing: files.path(
            folder, hashing=hashing
        )
        candidates[f"{hashing.name}, cold, cache written"] = lambda hashing=hashing, home=home: _cold(
            folder, hashing, home
        )
        candidates[f"{hashing.name}, warm"] = lambda hashing=hashing, home=home: _cached(
            folder, hashing, home
        )
    if dvc := _dvc():
        candidates[DVC_COLD] = lambda: dvc.build(folder, caches / "no state")
        candidates[DVC_WARM] = lambda: dvc.build(folder, caches / "state", remembers=True)
    return candidates


class _Dvc:
    """What DVC itself calls for a file, and for a folder."""

    def __init__(self) -> None:
        parts = ("hash", "build", "state", "db.local")
        self.hash, self._build, self._state, self._store = (
            import_module(f"dvc_data.hashfile.{part}") for part in parts
        )
        self._system = import_module("dvc_objects.fs.local").LocalFileSystem()

    def build(self, folder: Path, home: Path, *, remembers: bool = False) -> object:
        """Every file's hash and that of the list; with what it remembers of files from the time before, or without."""
        home.mkdir(parents=True, exist_ok=True)
        state: Any = self._state.State(root_dir=str(folder), tmp_dir=str(home)) if remembers else None
        known = {} if state is None else {"state": state}
        store = self._store.LocalHashFileDB(self._system, str(home / "store"), **known)
        built = self._build.build(store, str(folder), self._system, "md5", dry_run=True)
        if state is not None:
            state.close()
        return built


def _dvc() -> _Dvc | None:
    """None where it is not installed."""
    try:
        return _Dvc()
    except ImportError:
        return None


def _entries(folder: Path | str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as found:
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                yield from _entries(entry.path)
            else:
                yield entry


def _cached(folder: Path, hashing: Algorithm, home: Path) -> None:
    """As another process does it: the cache is loaded and saved."""
    with FileCache(home) as known:
        files.path(folder, hashing=hashing, cache=known)


def _cold(folder: Path, hashing: Algorithm, home: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    _cached(folder, hashing, home)


if __name__ == "__main__":
    main()
