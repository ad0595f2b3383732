"""What is fingerprinted is looked at: no code of it is run, nothing is unpickled, and nobody is waited for."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import pickle
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import fingerprint

POSIX = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX only")
# What a class needs to be made and to be destroyed, and what pytest asks of it to show a failure.
_LEFT = frozenset(
    {"__new__", "__init__", "__init_subclass__", "__del__", "__getattribute__", "__class__", "__doc__"}
)


class CodeRan(BaseException):
    """Not to be caught by whoever catches errors."""


def hostile(base):
    """A subclass in which every method that could be overridden raises."""

    def run(*args, **kwargs):
        raise CodeRan

    names = {name for name in dir(base) if callable(getattr(base, name))} - _LEFT
    names |= {
        "__getattr__",
        "__int__",
        "__float__",
        "__complex__",
        "__bytes__",
        "__str__",
        "__array__",
        "__reduce__",
    }
    names |= {"__iter__", "__len__", "__bool__", "__index__", "keys", "items", "values"}
    return type("Hostile", (base,), dict.fromkeys(names, run))


@pytest.mark.parametrize(
    "value",
    [
        *("text", b"bytes", bytearray(b"bytes"), 3, -(2**70), 0.5, float("nan"), 2 - 1j, [1, [2]], (1, "a")),
        *(
            {"a": 1, "b": [2]},
            {1, 2},
            frozenset({3}),
            dt.date(2020, 1, 2),
            dt.datetime(2020, 1, 2, 3, 4, 5, 6),
        ),
        *(dt.time(1, 2, 3), Decimal("1.50")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_method_of_a_subclass_is_called(value):
    kind = hostile(type(value))
    made = kind(*_fields(value)) if isinstance(value, dt.date | dt.time) else kind(value)
    with pytest.raises(CodeRan):
        len(made) if hasattr(type(value), "__len__") else str(made)
    for options in ({}, {"ordered": False}) if isinstance(value, list | tuple) else ({},):
        assert fingerprint(made, **options) == fingerprint(value, **options)
    assert fingerprint([made]) == fingerprint([value])
    assert fingerprint({"a": made}) == fingerprint({"a": value})
    cells = np.empty(2, dtype=object)
    cells[0] = made
    plain = np.empty(2, dtype=object)
    plain[0] = value
    assert fingerprint(cells) == fingerprint(plain)


def _fields(value):
    if isinstance(value, dt.datetime):
        return value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond
    if isinstance(value, dt.date):
        return value.year, value.month, value.day
    return value.hour, value.minute, value.second


def test_a_fraction_is_its_two_numbers():
    kind = type("Fraction", (Fraction,), {"__str__": lambda _: "1/3"})
    assert fingerprint(kind(1, 2)) == fingerprint(Fraction(1, 2))


class Unknown:
    """Offers what many a library would try, and pickles to something that leaves a trace."""

    ran: ClassVar[list] = []

    def __reduce__(self):
        return self.ran.append, ("unpickled",)

    def __array__(self, *args, **kwargs):
        self.ran.append("array")
        return np.zeros(1)

    def __getattr__(self, name):
        self.ran.append(name)
        raise AttributeError(name)

    def __iter__(self):
        self.ran.append("iter")
        return iter(())

    def __len__(self):
        self.ran.append("len")
        return 0

    def __repr__(self):
        self.ran.append("repr")
        return "unknown"

    def __eq__(self, other):
        self.ran.append("eq")
        return True

    def __hash__(self):
        self.ran.append("hash")
        return 1


@pytest.mark.parametrize("around", ["itself", "list", "tuple", "value of a dict", "array", "column"])
def test_an_unknown_object_is_refused_untouched(around):
    Unknown.ran.clear()
    thing = Unknown()
    cells = np.empty(2, dtype=object)
    cells[:] = [thing, 1]
    made = {
        "itself": thing,
        "list": [thing],
        "tuple": (1, (thing,)),
        "value of a dict": {"a": thing},
        "array": cells,
        "column": pd.Series(cells),
    }[around]
    Unknown.ran.clear()
    with pytest.raises(FingerprintError, match="no fingerprint"):
        fingerprint(made)
    # Old releases of pandas ask every object whether it is one of theirs.
    assert set(Unknown.ran) <= ({"_typ"} if around == "column" else set())


class Rebuilt:
    """An attribute of an estimator that says how it would be rebuilt; nobody is to do so."""

    ran: ClassVar[list] = []

    def __init__(self, state):
        self.state = state

    @classmethod
    def rebuild(cls, state):
        cls.ran.append(state)
        return cls(state)

    def __reduce__(self):
        return Rebuilt.rebuild, (self.state,)


def test_an_estimator_is_taken_apart_and_not_rebuilt():
    Rebuilt.ran.clear()
    one, other = StandardScaler(), StandardScaler()
    one.part_, other.part_ = Rebuilt(1), Rebuilt(2)
    assert fingerprint(one) != fingerprint(other)
    assert Rebuilt.ran == []


@pytest.mark.parametrize(
    "name", ["a.pkl", "a.pickle", "a.joblib", "a.pt", "a.npy", "a.npz", "a.csv", "a.parquet"]
)
def test_a_pickle_is_bytes(tmp_path, name):
    Unknown.ran.clear()
    (tmp_path / name).write_bytes(pickle.dumps(Unknown()))
    fingerprint(tmp_path / name)
    fingerprint(tmp_path)
    for path in (tmp_path / name, tmp_path):
        with contextlib.suppress(FingerprintError):
            fingerprint(path, by_value=True)
    assert Unknown.ran == []


def test_an_array_of_pickled_objects_is_refused(tmp_path):
    Unknown.ran.clear()
    cells = np.empty(1, dtype=object)
    cells[0] = Unknown()
    np.save(tmp_path / "a.npy", cells, allow_pickle=True)
    np.savez(tmp_path / "a.npz", a=cells)
    Unknown.ran.clear()
    for name in ("a.npy", "a.npz"):
        with pytest.raises(FingerprintError, match="cannot be read by value"):
            fingerprint(tmp_path / name, by_value=True)
    assert Unknown.ran == []


@POSIX
@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.feather", "a.npy", "a.npz", "a.png", "a.txt"])
@pytest.mark.parametrize("kind", ["fifo", "device", "link to a device"])
@pytest.mark.parametrize("by_value", [False, True])
def test_a_pipe_or_device_is_not_waited_for(tmp_path, name, kind, by_value):
    if by_value and name == "a.txt":
        pytest.skip("a text has no values")
    folder = tmp_path / "data"
    folder.mkdir()
    if kind == "fifo":
        os.mkfifo(folder / name)
    else:
        (folder / name).symlink_to("/dev/zero")
    with pytest.raises(FingerprintError, match="is neither a file nor a folder"):
        fingerprint(folder / name, by_value=by_value)
    if kind == "fifo":
        with pytest.raises(FingerprintError, match="is neither a file nor a folder"):
            fingerprint(folder, by_value=by_value)
    else:
        # A link that leads out of a folder counts as where it leads.
        assert fingerprint(folder, by_value=by_value).detail["files"] == 1


@POSIX
@pytest.mark.parametrize("by_value", [False, True])
def test_links_out_of_a_folder_are_not_followed(tmp_path, by_value):
    folder, outside = tmp_path / "data", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (folder / "a.csv").write_text("a\n1\n")
    (outside / "b.csv").write_text("b\n1\n")
    (folder / "file.csv").symlink_to(outside / "b.csv")
    (folder / "folder").symlink_to(outside)
    before = fingerprint(folder, by_value=by_value)
    (outside / "b.csv").write_text("b\n2\n")
    (outside / "c.csv").write_text("c\n1\n")
    assert fingerprint(folder, by_value=by_value) == before
    (outside / "b.csv").unlink()
    assert fingerprint(folder, by_value=by_value) == before
    # Asked for by itself, what a link leads to is read.
    assert fingerprint(folder / "folder") == fingerprint(outside)
