"""What fingerprints of files and folders cost, as ratios to reading them and to asking for their status.

    python benchmarks/files.py                      # a file of 2 GiB, a folder of 20,000 files of 10 kB
    python benchmarks/files.py --size 256 --files 2000 --rounds 5 --where /var/tmp

All candidates take turns in every round; the figures are medians of the process's CPU time over the rounds, with the
page cache warm. Times of files count for the cache: it believes those that have been still for two seconds.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pytest_mlrepro.fingerprints import FileCache, files
from pytest_mlrepro.fingerprints.digests import Algorithm, algorithm

CHUNK = 1 << 20
Candidates = Mapping[str, Callable[[], object]]


def main() -> None:
    """Measure and print the two tables."""
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
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.where) as home:
        file, folder, caches = Path(home, "file.bin"), Path(home, "folder"), Path(home, "caches")
        _write_file(file, options.size)
        _write_folder(folder, options.files, options.bytes)
        time.sleep(2.5)
        found = _measured(_of_file(file), options.rounds)
        _print(f"a file of {options.size} MiB", found, {"read()": "read, 1 MiB at a time"})
        found = _measured(_of_folder(folder, caches), options.rounds)
        bounds = {
            "stat walk": "list, and the status of each",
            "os.read": "list, os.open, os.read, os.close",
            "open().read()": "list, open(), read()",
        }
        _print(f"a folder of {options.files:,} files of {options.bytes:,} bytes", found, bounds)


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


def _of_file(file: Path) -> Candidates:
    def read() -> None:
        buffer = bytearray(CHUNK)
        with file.open("rb", buffering=0) as source:
            while source.readinto(buffer):
                pass

    candidates: dict[str, Callable[[], object]] = {"read, 1 MiB at a time": read}
    for hashing in _hashes():
        for detail in (False, True):
            name = f"{hashing.name}{', with its parts' if detail else ''}"
            candidates[name] = lambda hashing=hashing, detail=detail: files.path(
                file, hashing=hashing, detail=detail
            )
    return candidates


def _of_folder(folder: Path, caches: Path) -> Candidates:
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
        "list, and the status of each": statuses,
        "list, os.open, os.read, os.close": os_read,
        "list, open(), read()": open_read,
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
    return candidates


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


def _measured(candidates: Candidates, rounds: int) -> dict[str, float]:
    """Median seconds of CPU time, without those of a first round."""
    taken: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds + 1):
        for name, candidate in candidates.items():
            before = time.process_time()
            candidate()
            taken[name].append(time.process_time() - before)
    return {name: statistics.median(times[1:]) for name, times in taken.items()}


def _print(title: str, found: Mapping[str, float], bounds: Mapping[str, str]) -> None:
    """A table in Markdown."""
    print(f"\n| {title} | ms |{''.join(f' x {bound} |' for bound in bounds)}")
    print("|---|---|" + "---|" * len(bounds))
    for name, seconds in found.items():
        ratios = "".join(f" {seconds / found[bound]:.2f} |" for bound in bounds.values())
        print(f"| {name} | {seconds * 1e3:.1f} |{ratios}")


if __name__ == "__main__":
    main()
