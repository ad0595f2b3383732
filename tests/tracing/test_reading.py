"""A value is read without running the project's code, and what differs between runs is seen."""

from __future__ import annotations

import collections
import datetime as dt
import decimal
import enum
import random
import threading
import tracemalloc
from pathlib import Path
from types import MappingProxyType
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.tracing.kinds import Reader
from pytest_mlrepro.tracing.reading import Budget


def read(value):
    return Reader().read(value)


def key(value):
    seen = read(value)
    return seen.digest, seen.floats


class Touched(BaseException):
    """No handler of ours may catch it."""


def refuse(*_args, **_kwargs):
    raise Touched


def hostile():
    """An object that refuses whatever Python may ask it or its class; not at the top, where pytest would ask."""

    class Meta(type):
        __hash__ = None
        __eq__ = __getattribute__ = __instancecheck__ = __subclasscheck__ = refuse

    class Hostile(metaclass=Meta):
        __getattribute__ = __getattr__ = __eq__ = __hash__ = __len__ = __iter__ = __repr__ = __str__ = refuse
        __bool__ = __index__ = __float__ = __array__ = __reduce_ex__ = __getstate__ = refuse
        __class__ = property(refuse)
        __dict__ = property(refuse)

    return object.__new__(Hostile)


class HostileList(list):
    __iter__ = __len__ = __getitem__ = __eq__ = __repr__ = refuse


class HostileDict(dict):
    keys = values = items = __iter__ = __len__ = __getitem__ = refuse


class HostileText(str):
    __slots__ = ()
    __str__ = __len__ = encode = __format__ = refuse


class HostileInt(int):
    __index__ = __int__ = __pos__ = __repr__ = __str__ = refuse


class HostileFloat(float):
    __float__ = __pos__ = __repr__ = refuse


class HostileArray(np.ndarray):
    armed = False
    __len__ = __getitem__ = __array_ufunc__ = __array_function__ = refuse
    shape = dtype = property(refuse)

    def __array_finalize__(self, _):
        if HostileArray.armed:
            raise Touched


class Plain:
    def __init__(self, **attributes):
        vars(self).update(attributes)


class Slotted:
    __slots__ = ("first", "second")


class Number(enum.IntEnum):
    ONE = 1


def test_no_code_of_a_class_is_run():
    values = [
        hostile(),
        type(hostile()),
        HostileList([1]),
        HostileDict(a=1),
        HostileText("abc"),
        HostileInt(3),
        HostileFloat(0.5),
        Number.ONE,
    ]
    for value in values:
        assert Reader().read((value,)).digest
        assert Reader().read({"key": value}).form == "dict of 1"
    assert read(values[0]).form.endswith("Hostile (opaque)")


def test_an_array_of_a_class_of_the_project_is_read_as_an_array(monkeypatch):
    value = np.arange(3.0).view(HostileArray)
    monkeypatch.setattr(HostileArray, "armed", True)
    assert read(value).floats == read(np.arange(3.0)).floats
    assert read(value).form == "float64 array of shape 3"


def test_subclasses_are_what_they_hold():
    assert read(HostileInt(3)).form == "int 3"
    assert read(HostileList([1, 2])).form.endswith("HostileList (list) of 2")
    assert key(HostileText("a")) != key(HostileText("b"))
    assert key(HostileDict(a=1)) != key(HostileDict(a=2))


ONE = object()
DIFFERENT = {
    "ints": (1, 2),
    "bools": (True, False),
    "int and bool": (1, True),
    "int and float": (1, 1.0),
    "floats": (1.0, 1.0000000000000002),
    "zeros": (0.0, -0.0),
    "nan and inf": (np.array([np.nan] * 9), np.array([np.inf] * 9)),
    "where nan is": (np.array([np.nan, 0.0] * 5), np.array([0.0, np.nan] * 5)),
    "signs of inf": (np.array([np.inf, -np.inf] * 5), np.array([-np.inf, np.inf] * 5)),
    "texts": ("a", "b"),
    "surrogates": ("\ud800", "\ud801"),
    "text and bytes": ("a", b"a"),
    "split texts": (["ab", "c"] * 9, ["a", "bc"] * 9),
    "order of a list": ([1, 2], [2, 1]),
    "list and tuple": ([1], (1,)),
    "nested": ([[1], 2], [[1, 2]]),
    "order of a dict": ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    "values of a dict": ({"a": 1.0}, {"a": 2.0}),
    "many ints": (list(range(100)), [*range(99), 1000]),
    "many floats": ([0.5] * 100, [0.5] * 99 + [0.25]),
    "attributes": (Plain(a=1), Plain(a=2)),
    "attribute names": (Plain(a=1), Plain(b=1)),
    "dtype": (np.zeros(3), np.zeros(3, dtype=np.float32)),
    "shape": (np.zeros((2, 3)), np.zeros((3, 2))),
    "int array": (np.arange(9), np.arange(9)[::-1]),
    "bool array": (np.ones(9, bool), np.zeros(9, bool)),
    "text array": (np.array(["a", "b"]), np.array(["a", "c"])),
    "object array": (np.array(["a", 1], dtype=object), np.array(["a", 2], dtype=object)),
    "dates": (np.array(["2000-01-01"], "M8[D]"), np.array(["2000-01-02"], "M8[D]")),
    "records": (np.array([(1, 2.0)], "i1,f8"), np.array([(2, 2.0)], "i1,f8")),
    "float records": (np.array([(1, 2.0)], "i1,f8"), np.array([(1, 3.0)], "i1,f8")),
    "complex": (np.array([1j]), np.array([1.0 + 0j])),
    "masks": (np.ma.array([1.0, 2.0], mask=[0, 1]), np.ma.array([1.0, 2.0], mask=[1, 0])),
    "random": (random.Random(1), random.Random(2)),
    "Generator": (np.random.default_rng(1), np.random.default_rng(2)),
    "RandomState": (np.random.RandomState(1), np.random.RandomState(2)),
    "datetime": (dt.datetime(2000, 1, 1), dt.datetime(2000, 1, 2)),
    "decimal": (decimal.Decimal("1.5"), decimal.Decimal("1.50")),
    "OrderedDict": (
        collections.OrderedDict(a=1, b=2),
        collections.OrderedDict(reversed(collections.OrderedDict(a=1, b=2).items())),
    ),
    "deque": (collections.deque([1, 2]), collections.deque([2, 1])),
    "huge ints": (10**5000, 10**5000 + 1),
    "ranges": (range(3), range(4)),
    "paths": (Path("a"), Path("b")),
    "functions": (len, max),
    "classes": (Plain, Slotted),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_different_values_differ(name):
    first, second = DIFFERENT[name]
    assert key(first) == key(first)
    assert key(first) != key(second)


def test_an_ordered_dict_counts_in_its_own_order():
    moved = collections.OrderedDict(a=1, b=2)
    moved.move_to_end("a")
    assert key(moved) == key(collections.OrderedDict(b=2, a=1))


EQUAL = {
    "layouts": (np.arange(12.0).reshape(3, 4), np.asfortranarray(np.arange(12.0).reshape(3, 4))),
    "strided": (np.arange(20.0)[::2], np.arange(20.0)[::2].copy()),
    "behind masks": (np.ma.array([1.0, 2.0], mask=[0, 1]), np.ma.array([1.0, 9.0], mask=[0, 1])),
    "objects": (Plain(a=[1]), Plain(a=[1])),
    "places of absolute paths": (Path("/tmp/a1/x.csv"), Path("/tmp/b2/x.csv")),
    "time zones": (dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(2000, 1, 1)),
}


@pytest.mark.parametrize("name", EQUAL)
def test_equal_values_agree(name):
    first, second = EQUAL[name]
    assert key(first) == key(second)


def test_a_layout_is_in_the_form_alone():
    array = np.arange(12.0).reshape(3, 4)
    assert read(array).form == "float64 array of shape 3 x 4"
    assert read(np.asfortranarray(array)).form == "float64 array of shape 3 x 4, Fortran order"
    assert read(np.zeros((4, 6))[::2, ::2]).form == "float64 array of shape 2 x 3, strided"


def test_a_set_counts_as_it_iterates_and_its_bag_does_not():
    # 8 and 16 fall into the same place of a small table, so that the first one in comes out first.
    first, second = {8, 16}, {16, 8}
    assert list(first) != list(second)
    one, other = read(first), read(second)
    assert one.digest != other.digest
    assert one.bag == other.bag != ""
    assert read([1, 2]).bag == read([2, 1]).bag != read([2, 2]).bag
    assert read(["a", "bc"]).bag != read(["ab", "c"]).bag
    assert read([1.5, 2]).bag == ""


def test_nothing_is_consumed_opened_or_called(tmp_path):
    path = tmp_path / "text"
    path.write_text("content")
    generator, fake = (n for n in range(3)), mock.MagicMock()
    with path.open() as file:
        forms = [read(each).form for each in (generator, iter([1]), file, fake, threading.Lock())]
        assert file.tell() == 0
    assert list(generator) == [0, 1, 2]
    assert fake.mock_calls == []
    assert all(form.endswith(" (opaque)") for form in forms), forms


def test_no_random_number_is_drawn():
    global_state, legacy = random.getstate(), np.random.get_state(legacy=False)
    rng, own = np.random.default_rng(3), random.Random(3)
    read([rng, own, np.random.RandomState(3), [random.random], np.random])
    assert rng.random() == np.random.default_rng(3).random()
    assert own.random() == random.Random(3).random()
    assert random.getstate() == global_state
    assert str(np.random.get_state(legacy=False)) == str(legacy)


def test_what_contains_itself_or_is_deep_ends():
    cycle = []
    cycle.append(cycle)
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert read(cycle).form == "list of 1"
    assert read(deep).form == "list of 1"
    while deep:  # taking it apart at once would overflow the stack of old Pythons
        deep = deep[0]


def test_a_giant_array_is_sampled_in_little_memory():
    giant = np.zeros(50_000_000)
    tracemalloc.start()
    before = read(giant)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 << 20
    giant[:1000] = 1.0
    assert read(giant).floats != before.floats


def test_a_budget_bounds_what_is_read_at_all():
    budget = Budget(nodes=10, bulk=100)
    reader = Reader(budget)
    many = [[place] for place in range(5000)]
    reader.read(many)
    assert budget.nodes < 0
    changed = [*many[:4000], [0], *many[4001:]]
    assert reader.read(many).digest == reader.read(changed).digest
    assert read(many).digest != read(changed).digest
    big = np.zeros(1 << 18)
    reader.read(np.zeros(20))
    assert budget.bulk < 0
    assert reader.read(big).sketch.count < len(big)


def test_slots_and_unset_ones():
    value = Slotted()
    value.second = 2.0
    assert read(value).sketch.marks == (2.0,)


def test_a_failing_library_stops_nothing(monkeypatch):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1.0]})
    monkeypatch.setattr(pd.DataFrame, "to_numpy", mock.Mock(side_effect=RuntimeError))
    assert read(frame).form == "DataFrame of shape 1 x 1 (unreadable: RuntimeError)"


def test_frames_count_by_value_and_order():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"], "c": [1, 2]})
    assert read(frame).form == "DataFrame of shape 2 x 3"
    assert key(frame) == key(frame.copy())
    others = [
        frame.assign(a=[1.0, 3.0]),
        frame.assign(b=["x", "z"]),
        frame.assign(c=[1, 3]),
        frame.rename(columns={"a": "d"}),
        frame.iloc[::-1],
        frame[["b", "a", "c"]],
    ]
    assert len({key(frame), *map(key, others)}) == 7
    assert read(frame[["a"]]).sketch.count == 2
    assert key(frame["a"]) != key(frame["a"].rename("z"))
    assert key(pd.Series([object(), 1])) != key(pd.Series([object(), 2]))


def test_polars_and_arrow():
    pl = pytest.importorskip("polars")
    pa = pytest.importorskip("pyarrow")
    frame = pl.DataFrame({"a": [1.0, 2.0], "b": ["x", None]})
    assert read(frame).sketch.count == 2
    assert key(frame) != key(frame.with_columns(b=pl.lit("x")))
    assert read(frame.lazy()).form.endswith("LazyFrame (opaque)")
    assert key(pa.table({"a": [1, 2]})) != key(pa.table({"a": [1, 3]}))


def test_torch_and_its_modules():
    torch = pytest.importorskip("torch")
    tensor = torch.arange(3.0, requires_grad=True)
    assert read(tensor).sketch.marks == (0.0, 1.0, 2.0)
    assert key(tensor) != key(tensor * 2)
    assert key(torch.ones(3, dtype=torch.bfloat16)) != key(torch.ones(3))
    layer = torch.nn.Linear(2, 1)
    seen = read(layer)
    with torch.no_grad():
        layer.weight += 1
    assert read(layer).floats != seen.floats
    assert read(layer).digest == seen.digest


def test_fitted_models_are_read_attribute_by_attribute():
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LinearRegression

    X = np.random.RandomState(0).rand(60, 3)
    y = X[:, 0] > 0.5
    assert key(LinearRegression().fit(X, y)) != key(LinearRegression().fit(X, ~y))
    forest = RandomForestClassifier(3, random_state=0)
    seen = key(forest.fit(X, y))
    assert key(RandomForestClassifier(3, random_state=0).fit(X, y)) == seen
    assert key(RandomForestClassifier(3, random_state=1).fit(X, y)) != seen


def test_sparse_matrices():
    sp = pytest.importorskip("scipy.sparse")
    assert read(sp.eye(4).tocsr()).form == "csr matrix of shape 4 x 4"
    assert key(sp.eye(4).tocsr()) != key((sp.eye(4) * 2).tocsr())


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.binary(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=12)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=20,
)


@given(VALUES, VALUES)
def test_values_agree_where_their_text_does(first, second):
    # Python's repr tells all of these apart, nan from nan excepted; so does a reader.
    assert (key(first) == key(second)) == (repr(first) == repr(second))


def test_a_mapping_that_is_only_a_view_is_opaque():
    assert read(MappingProxyType({"a": 1})).form == "mappingproxy (opaque)"


@pytest.mark.parametrize("name", ["nan and inf", "where nan is", "signs of inf"])
def test_what_is_not_finite_is_more_than_a_size(name):
    # The sums count it as 0, so that without this a change of sign would look like rounding.
    first, second = (read(each) for each in DIFFERENT[name])
    assert first.digest != second.digest


def test_long_floats_are_read_as_doubles():
    one = np.array([0.1, 2.0], dtype=np.longdouble)
    other = one.copy()
    # What lies between two of them means nothing.
    if one.itemsize > 10:
        other.view(np.uint8).reshape(2, -1)[:, 10:] = 7
    assert key(one) == key(other)
    assert key(one.astype(np.clongdouble)) == key(other.astype(np.clongdouble))
    assert key(one) != key(one + 1)


def test_a_giant_array_that_is_not_contiguous_is_sampled_in_little_memory():
    giant = np.broadcast_to(np.arange(8.0), (10_000_000, 8))
    tracemalloc.start()
    seen = read(giant)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 << 20
    assert seen.form == "float64 array of shape 10000000 x 8, strided"
    assert seen.floats != read(np.broadcast_to(np.arange(1.0, 9.0), giant.shape)).floats


def test_complex_numbers_and_their_signs():
    assert key(1 + 2j) == key(1 + 2j) != key(1 - 2j)
    assert read(1 + 2j).sketch == read((1.0, 2.0)).sketch
    assert read(1j).form == "complex"


def test_tensors_without_plain_values_are_opaque():
    torch = pytest.importorskip("torch")
    sparse = torch.eye(2).to_sparse()
    assert read(sparse).form == "torch.Tensor (opaque)"
    assert key(sparse) == key(torch.eye(2).mul(3).to_sparse())
    assert key(torch.ones(2, dtype=torch.bfloat16)) != key(torch.zeros(2, dtype=torch.bfloat16))


def test_what_has_no_fingerprint_is_known_by_its_kind():
    pytest.importorskip("pandas")
    import pandas as pd

    frame = pd.DataFrame({"a": [object()]})
    assert read(frame).form == read(pd.DataFrame({"a": [object()]})).form
