"""Python objects: type and value count, order only where Python says so."""

import datetime as dt
import enum
import random
from collections import OrderedDict, namedtuple
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import fingerprint
from pytest_mlrepro.fingerprints.objects import encoded, zone_name

ATOMS = [
    None,
    False,
    True,
    0,
    1,
    -1,
    255,
    256,
    -(2**200),
    0.0,
    -0.0,
    1.0,
    float("nan"),
    float("inf"),
    0j,
    1 + 0j,
    "",
    "a",
    "1",
    "\ud800",
    "a\0",
    b"",
    b"a",
    range(3),
    Decimal("1.0"),
    Decimal("1.00"),
    Decimal("NaN"),
    Fraction(1, 3),
    UUID(int=1),
    dt.date(2026, 11, 24),
    dt.datetime(2026, 11, 24),
    dt.datetime(2026, 11, 24, tzinfo=dt.UTC),
    dt.datetime(2026, 11, 24, tzinfo=ZoneInfo("Europe/Berlin")),
    dt.time(1, 2),
    dt.timedelta(1),
    dt.timedelta(seconds=1),
    [],
    (),
    {},
    set(),
    [[]],
    [1, 2],
    [2, 1],
    (1, 2),
    {1, 2},
    {1: 2},
    {"a": [1]},
    {"a": (1,)},
]

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.integers(), inner)
    ),
    max_leaves=8,
)


def test_different_values_differ():
    assert len({fingerprint(atom).digest for atom in ATOMS}) == len(ATOMS)
    assert len({encoded([atom]) for atom in ATOMS}) == len(ATOMS)


def typed(value):
    """A form in which Python's equality tells types and signs apart."""
    if isinstance(value, list | tuple):
        return (type(value), [typed(item) for item in value])
    if isinstance(value, dict):
        return (dict, {(type(key), key): typed(item) for key, item in value.items()})
    return (type(value), repr(value))


@given(VALUES, VALUES)
def test_equal_exactly_where_python_says_so(one, other):
    assert (fingerprint(one) == fingerprint(other)) is (typed(one) == typed(other))


@example(["as", "b"], ["a", "sb"])
@given(st.lists(st.text(max_size=3), max_size=4), st.lists(st.text(max_size=3), max_size=4))
def test_no_two_splittings_share_an_encoding(one, other):
    assert (encoded(one) == encoded(other)) is (one == other)


@given(st.dictionaries(st.text(), st.integers(), max_size=8), st.randoms(use_true_random=False))
def test_order_of_dicts_and_sets_does_not_count(mapping, shuffler):
    items = list(mapping.items())
    shuffler.shuffle(items)
    assert fingerprint(dict(items)) == fingerprint(mapping)
    assert fingerprint(frozenset(items)) == fingerprint(set(mapping.items()))


def test_sets_need_no_order():
    assert fingerprint({1, "a", None, (2, 3)}) == fingerprint({(2, 3), None, "a", 1})


def test_subclasses_count_as_what_they_are_made_of():
    class Colour(enum.IntEnum):
        RED = 1

    pair = namedtuple("pair", "a b")
    assert fingerprint(Colour.RED) == fingerprint(1)
    assert fingerprint(pair(1, 2)) == fingerprint((1, 2))
    assert fingerprint(OrderedDict(a=1)) == fingerprint({"a": 1}) == fingerprint(MappingProxyType({"a": 1}))
    assert fingerprint(bytearray(b"a")) == fingerprint(b"a") == fingerprint(memoryview(b"a"))


def test_nan_is_one():
    assert fingerprint([float("nan")]) == fingerprint([-float("nan")])


def test_times_of_pandas_are_those_of_python():
    assert fingerprint(pd.Timestamp("2026-11-24")) == fingerprint(dt.datetime(2026, 11, 24))
    assert fingerprint(pd.Timedelta(days=1)) == fingerprint(dt.timedelta(1))
    assert fingerprint(pd.Timestamp("2026-11-24T00:00:00.000000001")) != fingerprint(
        dt.datetime(2026, 11, 24)
    )
    assert fingerprint(pd.NaT) == fingerprint(pd.NA) != fingerprint(None)


def test_arrays_and_tables_within_containers():
    frame = pd.DataFrame({"a": [1, 2]})
    one = {"X": np.arange(4).reshape(2, 2), "y": [frame]}
    other = {"y": [frame.copy()], "X": np.asfortranarray(one["X"])}
    assert fingerprint(one) == fingerprint(other)
    other["y"][0].iloc[0, 0] = 7
    assert fingerprint(one) != fingerprint(other)


def test_items_in_any_order():
    items = [1, "a", 1, None, (2,)]
    shuffled = random.Random(3).sample(items, len(items))
    assert shuffled != items
    assert fingerprint(shuffled, ordered=False) == fingerprint(items, ordered=False)
    assert fingerprint(shuffled) != fingerprint(items)
    assert fingerprint(items[:-1], ordered=False) != fingerprint(items, ordered=False)
    assert fingerprint([1, 1, "a"], ordered=False) != fingerprint([1, "a", "a"], ordered=False)


def test_zone_names_do_not_depend_on_their_library():
    pytz = pytest.importorskip("pytz")
    assert zone_name(pytz.UTC) == zone_name(ZoneInfo("UTC")) == zone_name(dt.UTC) == "UTC"
    assert (
        zone_name(pytz.timezone("Europe/Berlin")) == zone_name(ZoneInfo("Europe/Berlin")) == "Europe/Berlin"
    )
    assert (
        zone_name(pytz.FixedOffset(-90)) == zone_name(dt.timezone(-dt.timedelta(minutes=90))) == "UTC-1:30:00"
    )


def test_zones_of_dateutil():
    tz = pytest.importorskip("dateutil.tz")
    assert zone_name(tz.tzutc()) == "UTC"
    assert zone_name(tz.gettz("Europe/Berlin")) == "Europe/Berlin"


def test_zone_without_a_name_is_an_error():
    class Nowhere(dt.tzinfo):
        def utcoffset(self, when):
            return None

    with pytest.raises(FingerprintError, match="has no name"):
        fingerprint(dt.datetime(2026, 1, 1, tzinfo=Nowhere()))


@pytest.mark.parametrize("make", [lambda loop: loop, lambda loop: (loop,), lambda loop: {"a": loop}])
def test_cycle_is_an_error(make):
    loop = []
    loop.append(make(loop))
    with pytest.raises(FingerprintError, match="contains itself"):
        fingerprint(loop)


def test_same_list_twice_is_no_cycle():
    inner = [1]
    assert fingerprint([inner, inner]) == fingerprint([[1], [1]])


def test_a_dict_of_tables_is_not_free_of_the_order_of_their_rows():
    # Its keys' order never counts: silence would be taken for a promise about the rows.
    with pytest.raises(FingerprintError, match="ordered=False has no meaning for a dict"):
        fingerprint({"X": np.arange(5)}, ordered=False)


def test_nested_deeply_is_an_error():
    deep = []
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(FingerprintError, match="nested deeper"):
        fingerprint(deep)


@pytest.mark.parametrize("obj", [object(), len, int, Exception("x"), (n for n in "ab"), [object()]])
def test_unknown_type_says_how_to_register(obj):
    with pytest.raises(FingerprintError, match="have no fingerprint") as caught:
        fingerprint(obj)
    assert "@pytest_mlrepro.fingerprint.register(TYPE)" in caught.value.remedy


def test_details_of_objects():
    assert dict(fingerprint(3).detail) == {"kind": "int", "value": 3}
    assert dict(fingerprint("secret").detail) == {"kind": "str", "length": 6}
    assert dict(fingerprint(None).detail) == {"kind": "None"}
    assert [name for name, _ in fingerprint({"b": 1, "a": 2}).detail["keys"]] == ["a", "b"]
    assert len(fingerprint(list(range(1_000))).detail["blocks"]) == 16 * 4
