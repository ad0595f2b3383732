"""How fast fingerprints of data in memory are, against reading it, hashing its bytes and what others offer.

    python benchmarks/fingerprints.py [--scale 0.2] [--rounds 7] [--cores 1] [--only NAME] [--json PATH] [--no-memory]

See README.md of this folder for what the rows mean.
"""

from __future__ import annotations

import argparse
import gc
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from _inputs import INPUTS, Subject
from _memory import HEAD, memory_row
from _rounds import Candidate, Target, markdown, measure, save, targets_table, times_table

from pytest_mlrepro import fingerprint

READ, HASH, XXH3 = "read", "blake3", "xxh3"
CHECK, DIGEST, FULL = "ours, check", "ours, digest", "ours, full"
MOVED = "ours, check of another layout"
FAST, FAST_MOVED = "ours, check, xxh3", "ours, check of another layout, xxh3"
JOBLIB, HF, PANDAS, POLARS = "joblib.hash", "HF Hasher", "pandas hash", "polars hash_rows"

TIMES = ("input", "candidate", "CPU", "wall", "GB/s", "x read", "x blake3", "x ours, check")
TARGETS = ("input", "candidate", "target", "measured", "verdict")

_CONTIGUOUS = (
    Target(CHECK, HASH, 1.15),
    Target(DIGEST, HASH, 2),
    Target(FULL, DIGEST, 1.5),
    Target(CHECK, JOBLIB, 7, faster=True),
    Target(FAST, READ, 1.2),
    Target(FAST, JOBLIB, 20, faster=True),
)
_FORTRAN = (
    Target(CHECK, HASH, 1.15),
    Target(MOVED, READ, 6),
    Target(DIGEST, READ, 6),
    Target(FULL, DIGEST, 1.5),
    Target(FAST, READ, 1.2),
    Target(FAST_MOVED, READ, 6),
)
_STRIDED = (
    Target(CHECK, HASH, 3),
    Target(DIGEST, HASH, 3),
    Target(FULL, DIGEST, 1.5),
    Target(FAST, READ, 3),
)
_TABLE = (
    Target(CHECK, HASH, 1.5),
    Target(CHECK, JOBLIB, 10, faster=True),
    Target(CHECK, HF, 10, faster=True),
    Target(FAST, JOBLIB, 10, faster=True),
    Target(FAST, HF, 10, faster=True),
)
_SMALL = (Target(FULL, JOBLIB, 1, faster=True),)

WANTED: dict[str, tuple[Target, ...]] = {
    "float64": (*_CONTIGUOUS, Target(CHECK, HF, 7, faster=True)),
    "float64, NaNs": _CONTIGUOUS[:3],
    "float32": _CONTIGUOUS,
    "int32": _CONTIGUOUS,
    "big-endian": (Target(CHECK, HASH, 2), Target(DIGEST, HASH, 2), Target(FULL, DIGEST, 1.5)),
    "Fortran, square": _FORTRAN,
    "Fortran, tall": _FORTRAN,
    "column stride 2": _STRIDED,
    "row stride 2": _STRIDED,
    "torch": _CONTIGUOUS,
    "torch, transposed": _FORTRAN,
    "sparse": (Target(CHECK, HASH, 2), Target(FULL, DIGEST, 1.5), Target(CHECK, JOBLIB, 7, faster=True)),
    "pandas, str": (*_TABLE, Target(CHECK, PANDAS, 40, faster=True), Target(FULL, DIGEST, 1.5)),
    "pandas, objects": (*_TABLE[1:], Target(CHECK, PANDAS, 15, faster=True)),
    "arrow, 1 chunk": _TABLE,
    "arrow, 39 chunks": _TABLE,
    "polars": _TABLE,
    "any order, array": (Target(CHECK, PANDAS, 6, faster=True),),
    "any order, pandas": (Target(CHECK, PANDAS, 6, faster=True),),
    "10 floats": _SMALL,
    "1000 floats": _SMALL,
    "100k floats": _SMALL,
}


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and save where asked."""
    options = _options(arguments)
    chosen = [name for name in INPUTS if not options.only or any(part in name for part in options.only)]
    if not chosen:
        print(f"no input is called so; known: {', '.join(INPUTS)}", file=sys.stderr)
        return 2
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    times: list[list[str]] = []
    targets: list[list[str]] = []
    for name in chosen:
        print(f"{name} ...", file=sys.stderr, flush=True)
        rows = _measured(name, options.scale, options.rounds)
        times += rows[0]
        targets += rows[1]
        gc.collect()
    tables = {"times": (TIMES, times), "targets": (TARGETS, targets)}
    if not options.no_memory:
        tables["memory"] = (HEAD, [memory_row(name, options.scale) for name in chosen])
    for title, (head, rows) in tables.items():
        print(f"\n## {title.capitalize()}\n\n{markdown(head, rows)}")
    if not _takes("known"):
        print(f"\n{CHECK} is {FULL}: this version of fingerprint() takes no known=.")
    if not _takes("detail"):
        print(f"\n{DIGEST} is {FULL}: this version of fingerprint() takes no detail=.")
    if options.json:
        save(options.json, "fingerprints", tables)
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--scale", type=float, default=0.2, help="1: 1 GiB, 5 million rows; default %(default)s"
    )
    parser.add_argument("--rounds", type=int, default=7, help="default %(default)s")
    parser.add_argument(
        "--cores",
        type=int,
        default=1,
        help="to run on: with several, ours uses threads, whose times add up (default %(default)s)",
    )
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="inputs with this in their name; repeatable"
    )
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the tables there too")
    parser.add_argument("--no-memory", action="store_true", help="leave out the table of memory")
    return parser.parse_args(arguments)


def _measured(name: str, scale: float, rounds: int) -> tuple[list[list[str]], list[list[str]]]:
    """The rows of one input: times, and targets."""
    try:
        subject = INPUTS[name](scale)
        size = subject.size
        candidates, absent = _candidates(name, subject)
    except ImportError as error:
        size, candidates = 0, []
        absent = dict.fromkeys((READ, HASH, XXH3, CHECK, FULL, FAST), f"({error})")
    order = [*(candidate.name for candidate in candidates), *absent]
    timings = measure(candidates, rounds)
    compared = (READ, HASH, CHECK)
    times = times_table(name, order, timings, absent, size=size, references=compared)
    return times, targets_table(name, WANTED[name], timings)


def _takes(keyword: str) -> bool:
    return keyword in inspect.signature(fingerprint).parameters


def _ours(value: Any, *, ordered: bool, **keywords: Any) -> Callable[[], object]:
    options = {name: chosen for name, chosen in keywords.items() if _takes(name)}
    return lambda: fingerprint(value, ordered=ordered, **options)


def _candidates(name: str, subject: Subject) -> tuple[list[Candidate], dict[str, str]]:
    """The candidates that can run here, and why the others cannot."""
    found: list[Candidate] = []
    absent: dict[str, str] = {}
    for label, make in (*_bounds(subject), *_our_own(subject), *_rivals(name, subject)):
        try:
            run = make()
        except (ImportError, _NotThereError) as error:
            absent[label] = f"({error})"
            continue
        found.append(Candidate(label, run, subject.calls))
    return found, absent


class _NotThereError(Exception):
    """A candidate that this version of ours does not have."""


_Makers = Iterator[tuple[str, Callable[[], Callable[[], object]]]]


def _bounds(subject: Subject) -> _Makers:
    """Reading the bytes once, and hashing them with nothing else to do."""
    import numpy as np

    def words(part: Any) -> Any:
        raw = part.reshape(-1).view(np.uint8)
        return raw[: len(raw) // 8 * 8].view(np.uint64)

    parts = [words(part) for part in subject.raw]
    buffers = [part.reshape(-1).view(np.uint8).data for part in subject.raw]

    def blake() -> Callable[[], object]:
        from blake3 import blake3

        return lambda: [blake3(buffer).digest() for buffer in buffers]

    def xxh() -> Callable[[], object]:
        from xxhash import xxh3_128_digest

        return lambda: [xxh3_128_digest(buffer) for buffer in buffers]

    yield READ, lambda: lambda: [np.bitwise_xor.reduce(part) for part in parts]
    yield HASH, blake
    yield XXH3, xxh


def _our_own(subject: Subject) -> _Makers:
    value, ordered = subject.value, subject.ordered

    def check(accepted: Any, **keywords: Any) -> Callable[[], Callable[[], object]]:
        def make() -> Callable[[], object]:
            if keywords and not _takes("digest"):
                raise _NotThereError("this version takes no digest=")
            # Where there is no check, the work that stands in for it needs no baseline.
            known = _ours(accepted, ordered=ordered, **keywords)() if _takes("known") else None
            return _ours(value, ordered=ordered, known=known, **keywords)

        return make

    yield CHECK, check(value)
    yield DIGEST, lambda: _ours(value, ordered=ordered, detail=False)
    yield FULL, lambda: _ours(value, ordered=ordered)
    yield FAST, check(value, digest="xxh3")
    if subject.elsewhere is not None:
        yield MOVED, check(subject.elsewhere)
        yield FAST_MOVED, check(subject.elsewhere, digest="xxh3")


def _rivals(name: str, subject: Subject) -> _Makers:
    value = subject.value

    def joblib() -> Callable[[], object]:
        import joblib

        return lambda: joblib.hash(value)

    def hasher() -> Callable[[], object]:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        from datasets.fingerprint import Hasher

        return lambda: Hasher.hash(value)

    def pandas() -> Callable[[], object]:
        import pandas as pd

        table = value if isinstance(value, pd.DataFrame) else pd.DataFrame(value)
        return lambda: pd.util.hash_pandas_object(table, index=False).sum()

    if subject.ordered:
        yield JOBLIB, joblib
        yield HF, hasher
    if "pandas" in name or not subject.ordered:
        yield PANDAS, pandas
    if name == "polars":
        yield POLARS, lambda: lambda: value.hash_rows().sum()


if __name__ == "__main__":
    sys.exit(main())
