"""The stability table: which hashes of data agree where equal values lie in two representations.

The pairs are those of the tests (``tests/fingerprints/equal_pairs.py``); a hash that differs within a pair of equal
values raises a false alarm, one that agrees within a pair of different values misses a change::

    python benchmarks/stability.py

Compared are our fingerprint, ``joblib.hash``, MD5 of the pickle, the Hasher of Hugging Face datasets, and the row
hashes of pandas and polars, as far as they are installed. A dash stands where a hash is not made for the type.
"""

from __future__ import annotations

import hashlib
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1] / "tests" / "fingerprints"
sys.path.insert(0, str(TESTS))

from equal_pairs import DIFFERENT, PAIRS, Pair  # noqa: E402 - lies with the tests

NOT_MADE_FOR = "-"
FAILED = "error"


def ours(obj: object) -> str:
    """The digest of our fingerprint."""
    from pytest_mlrepro import fingerprint

    return str(fingerprint(obj))


def joblib(obj: object) -> str:
    """The hash that caches of joblib rest on."""
    return str(import_module("joblib").hash(obj))


def pickled(obj: object) -> str:
    """What a home-made cache does."""
    return hashlib.md5(pickle.dumps(obj), usedforsecurity=False).hexdigest()


def hugging_face(obj: object) -> str:
    """The hash that caches of Hugging Face datasets rest on."""
    return str(import_module("datasets.fingerprint").Hasher.hash(obj))


def row_hash(obj: Any) -> str:
    """The row hash of the library that the object is of."""
    import numpy as np
    import pandas as pd

    home = type(obj).__module__.partition(".")[0]
    if isinstance(obj, np.ndarray) and obj.ndim == 1:
        rows = pd.util.hash_array(obj)
    elif isinstance(obj, pd.DataFrame | pd.Series | pd.Index):
        rows = pd.util.hash_pandas_object(obj).to_numpy()
    elif home == "polars" and hasattr(obj, "hash_rows"):
        rows = obj.hash_rows().to_numpy()
    elif home == "polars" and hasattr(obj, "hash"):
        rows = obj.hash().to_numpy()
    else:
        return NOT_MADE_FOR
    return hashlib.md5(rows.tobytes(), usedforsecurity=False).hexdigest()


METHODS: Mapping[str, Callable[[object], str]] = {
    "ours": ours,
    "joblib.hash": joblib,
    "md5(pickle)": pickled,
    "HF Hasher": hugging_face,
    "row hash": row_hash,
}


def told(method: str, obj: object) -> str:
    """The hash of an object, or what stands for none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return METHODS[method](obj)
    except ImportError:
        return NOT_MADE_FOR
    except Exception:  # noqa: BLE001 - how others fail is part of the table
        return FAILED


def in_another_process(method: str, name: str, seed: str) -> str:
    """The hash of a pair's object as a process with another seed of string hashes gives it."""
    command = [sys.executable, __file__, method, name]
    done = subprocess.run(
        command,
        env={"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def outcome(method: str, name: str, pair: Pair) -> str:
    """``same``, ``DIFFERS``, ``error``, or a dash."""
    if pair.processes:
        hashes = [in_another_process(method, name, seed) for seed in ("1", "2")]
    else:
        hashes = [told(method, obj) for obj in pair.make()]
    for mark in (FAILED, NOT_MADE_FOR):
        if mark in hashes:
            return mark
    return "same" if hashes[0] == hashes[1] else "DIFFERS"


def table(pairs: Mapping[str, Pair], wrong: str) -> list[str]:
    """A line for each pair, and how many outcomes are wrong or errors."""
    rows = []
    for name, pair in pairs.items():
        try:
            rows.append((name, *(outcome(method, name, pair) for method in METHODS)))
        except ImportError as error:
            print(f"left out: {name}: {error}", file=sys.stderr)
    counts = []
    for place in range(1, len(METHODS) + 1):
        outcomes = [row[place] for row in rows]
        answered = len(rows) - outcomes.count(NOT_MADE_FOR)
        failed = outcomes.count(FAILED)
        counts.append(f"{outcomes.count(wrong)} of {answered}" + (f", {failed} error" if failed else ""))
    head = (f"{len(rows)} pairs", *METHODS)
    rows = [head, *rows, (f"{wrong}", *counts)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def main() -> None:
    """Print both tables; with a method and a pair, that hash alone."""
    if sys.argv[1:]:
        method, name = sys.argv[1:]
        print(told(method, PAIRS[name].make()[0]))
        return
    print("\n".join(["Equal values:", *table(PAIRS, "DIFFERS")]))
    print("\n".join(["", "Different values:", *table(DIFFERENT, "same")]))


if __name__ == "__main__":
    main()
