"""Arrays: equal values agree however they lie in memory; every other value differs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.datasets import load_digits, load_iris

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import arrays, columns, fingerprint

IRIS = load_iris().data

NUMBERS = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(),
    hnp.floating_dtypes(),
    hnp.complex_number_dtypes(),
    hnp.datetime64_dtypes(max_period="s", min_period="ns"),
    hnp.timedelta64_dtypes(max_period="s", min_period="ns"),
)


def strided(array):
    """The same values with gaps between them."""
    if not array.ndim:
        return array
    wide = np.zeros(tuple(2 * length for length in array.shape), dtype=array.dtype)
    view = wide[tuple(slice(None, None, 2) for _ in array.shape)]
    view[...] = array
    return view


def reversed_view(array):
    """The same values with negative strides."""
    return array[::-1].copy()[::-1] if array.ndim else array


def column_major(array):
    return np.array(array, order="F")


def swapped(array):
    return array.astype(array.dtype.newbyteorder())


def read_only(array):
    copy = array.copy()
    copy.flags.writeable = False
    return copy


REPRESENTATIONS = [np.copy, column_major, strided, reversed_view, swapped, read_only]


@settings(max_examples=150, deadline=None)
@given(hnp.arrays(NUMBERS, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=9)))
def test_equal_values_agree(array):
    expected = fingerprint(array)
    for change in REPRESENTATIONS:
        assert fingerprint(change(array)) == expected, change.__name__


@settings(max_examples=150, deadline=None)
@given(
    hnp.arrays(NUMBERS, hnp.array_shapes(max_dims=3, max_side=7)),
    st.data(),
)
def test_one_other_cell_differs(array, data):
    place = data.draw(st.integers(0, array.size - 1))
    other = data.draw(hnp.from_dtype(array.dtype))
    changed = array.copy()
    changed.reshape(-1)[place] = other
    was, now = array.reshape(-1)[place], changed.reshape(-1)[place]
    same = repr(was) == repr(now) or (
        was.dtype.kind != "c" and bool(was == now) and not (was == 0 and np.signbit(was) != np.signbit(now))
        if was.dtype.kind not in "mM"
        else bool(was == now)
    )
    assert (fingerprint(changed) == fingerprint(array)) is same


@pytest.mark.parametrize("change", REPRESENTATIONS)
@pytest.mark.parametrize("shape", [(150_000,), (70_000, 3), (9, 20_000), (300, 7, 33), (3, 70_000)])
def test_representations_of_many_blocks_agree(shape, change):
    array = np.random.default_rng(0).normal(size=shape)
    array[shape[0] // 2] = np.nan
    assert fingerprint(change(array)) == fingerprint(array)


def test_wide_arrays_in_column_order_agree():
    array = np.random.default_rng(0).integers(0, 99, size=(200, 20_000), dtype="i1")
    assert fingerprint(column_major(array)) == fingerprint(array)


def test_first_and_last_cell_of_blocks_count():
    array = np.arange(140_000.0)
    seen = {fingerprint(array)}
    for place in (0, 65_535, 65_536, 131_071, 131_072, 139_999):
        changed = array.copy()
        changed[place] += 1
        seen.add(fingerprint(changed))
    assert len(seen) == 7


@pytest.mark.parametrize(
    "kind", ["f2", "f4", "f8", "g", "c8", "c16", "G", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"]
)
def test_dtypes_differ(kind):
    digests = {
        fingerprint(np.zeros(3, dtype=kind)).digest
        for kind in ("f2", "f4", "f8", "c8", "c16", "?", "S1", "U1")
    }
    digests |= {
        fingerprint(np.zeros(3, dtype=f"{sign}{size}")).digest for sign in "iu" for size in (1, 2, 4, 8)
    }
    assert len(digests) == 16
    assert fingerprint(np.zeros(3, dtype=kind)) == fingerprint(
        np.zeros(3, dtype=np.dtype(kind).newbyteorder())
    )


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", "g", "c8", "c16"])
def test_nan_is_one_and_zeros_are_two(kind):
    array = np.array([1, np.nan, 2], dtype=kind)
    negative = array.copy()
    negative[1] = -np.nan
    assert fingerprint(negative) == fingerprint(array)
    assert fingerprint(np.array([0.0], dtype=kind)) != fingerprint(np.array([-0.0], dtype=kind))
    assert fingerprint(np.array([np.inf], dtype=kind)) != fingerprint(np.array([-np.inf], dtype=kind))


def test_nan_payloads_are_one():
    bits = np.array(
        [0x7FF8000000000000, 0x7FF8000000000001, 0xFFF8000000000000, 0xFFFFFFFFFFFFFFFF], dtype="u8"
    )
    assert len({fingerprint(bits[[place]].view("f8")) for place in range(4)}) == 1


def test_extended_floats_keep_all_their_bits():
    third = np.longdouble(1) / 3
    if np.longdouble(np.float64(third)) == third:
        pytest.skip("long doubles are doubles here")
    assert fingerprint(np.array([third])) != fingerprint(np.array([np.longdouble(np.float64(third))]))


def test_shapes_differ():
    values = np.arange(12.0)
    shapes = [(12,), (12, 1), (1, 12), (3, 4), (4, 3), (2, 6), (2, 3, 2), (2, 2, 3), (1, 3, 4)]
    assert len({fingerprint(values.reshape(shape)) for shape in shapes}) == len(shapes)
    empty = [(0,), (0, 3), (3, 0), (0, 0)]
    assert len({fingerprint(np.zeros(shape)) for shape in empty}) == len(empty)


def test_scalar_is_an_array_without_dimensions():
    assert fingerprint(np.float32(1.5)) == fingerprint(np.array(1.5, dtype="f4"))
    assert fingerprint(np.float32(1.5)) != fingerprint(np.float64(1.5))
    assert fingerprint(np.array(1.5)) != fingerprint(np.array([1.5]))
    assert fingerprint(np.datetime64("2026-01-01")) == fingerprint(np.datetime64("2026-01-01T00:00:00.000"))


def test_memory_map_is_an_array(tmp_path):
    np.save(tmp_path / "iris.npy", IRIS)
    mapped = np.load(tmp_path / "iris.npy", mmap_mode="r")
    assert fingerprint(mapped) == fingerprint(IRIS)


def test_matrix_and_broadcast_are_arrays():
    plain = np.ones((4, 3))
    assert fingerprint(np.broadcast_to(np.float64(1), (4, 3))) == fingerprint(plain)


def test_masked_cells_hide_what_is_behind_them():
    one = np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0])
    other = np.ma.array([1.0, 9.0, 3.0], mask=[0, 1, 0])
    assert fingerprint(one) == fingerprint(other)
    assert fingerprint(np.ma.array([1.0, 2.0])) == fingerprint(np.array([1.0, 2.0]))
    for different in ([1.0, 0.0, 3.0], [1.0, np.nan, 3.0], np.ma.array([1.0, 2.0, 3.0], mask=[1, 0, 0])):
        assert fingerprint(np.ma.asarray(different)) != fingerprint(one)


def test_masked_texts_and_several_dimensions():
    mask = np.eye(3, dtype=bool)
    texts = np.array([["a", "b", "c"]] * 3)
    other = texts.copy()
    other[mask] = "zz"[:1]
    assert fingerprint(np.ma.array(texts, mask=mask)) == fingerprint(np.ma.array(other, mask=mask))
    assert fingerprint(np.ma.array(texts, mask=mask)) != fingerprint(texts)
    big = np.ma.array(np.zeros((5_000, 40)), mask=False)
    big[4_321, 17] = np.ma.masked
    assert fingerprint(big) != fingerprint(np.zeros((5_000, 40)))


def test_dates_of_any_unit_agree():
    days = np.array(["2026-11-24", "NaT", "1969-12-31"], dtype="M8[D]")
    for unit in ("h", "s", "ms", "us", "ns", "25s"):
        assert fingerprint(days.astype(f"M8[{unit}]")) == fingerprint(days) or unit == "25s"
    assert fingerprint(days) != fingerprint(days - days[0])
    assert fingerprint(days) != fingerprint(
        np.array(["2026-11-24", "1970-01-01", "1969-12-31"], dtype="M8[D]")
    )
    tick = days.astype("M8[ns]")
    tick[0] += np.timedelta64(1, "ns")
    assert fingerprint(tick) != fingerprint(days)


# The unit that numpy calls generic has been on its way out since 2.5.
@pytest.mark.filterwarnings("ignore:The 'generic' unit:DeprecationWarning")
def test_durations_without_a_length_differ_from_those_with_one():
    counts = [np.array([12], dtype=f"m8[{unit}]") for unit in ("M", "s", "D")] + [np.array([12], dtype="m8")]
    assert len({fingerprint(count) for count in counts}) == 4
    assert fingerprint(np.array([1], dtype="m8[Y]")) == fingerprint(counts[0])


def test_date_beyond_seconds_is_an_error():
    with pytest.raises(FingerprintError, match="beyond what 64 bits of seconds"):
        fingerprint(np.array([2**62], dtype="M8[D]"))
    with pytest.raises(FingerprintError, match="beyond what 64 bits of months"):
        fingerprint(np.array([2**62], dtype="m8[Y]"))


def test_texts_of_any_width_or_storage_agree():
    narrow = np.array(["a", "", "bcd", "ü"])
    assert fingerprint(narrow.astype("U20")) == fingerprint(narrow)
    assert fingerprint(narrow.astype(object)) == fingerprint(narrow)
    assert fingerprint(np.array([b"a", b"bc"])) == fingerprint(np.array([b"a", b"bc"], dtype="S9"))
    assert fingerprint(np.array([b"a"])) != fingerprint(np.array(["a"]))
    assert fingerprint(np.array(["ab", "c"])) != fingerprint(np.array(["a", "bc"]))


@pytest.mark.skipif(not hasattr(np, "dtypes") or not hasattr(np.dtypes, "StringDType"), reason="numpy 2 only")
def test_variable_width_strings():
    plain = np.array(["a", "", "bcd"])
    assert fingerprint(plain.astype(np.dtypes.StringDType())) == fingerprint(plain)
    optional = np.array(["a", None, "bcd"], dtype=np.dtypes.StringDType(na_object=None))
    assert fingerprint(optional) == fingerprint(np.array(["a", None, "bcd"], dtype=object))
    assert fingerprint(optional) != fingerprint(plain)


def test_objects_keep_their_types():
    values = [1, 1.0, True, "1", b"1", None, float("nan"), (1,), [1]]
    arrays = []
    for value in values:
        array = np.empty(1, dtype=object)
        array[0] = value
        arrays.append(array)
    assert len({fingerprint(array) for array in arrays}) == len(values)


def test_object_without_a_stable_form_is_named():
    with pytest.raises(FingerprintError, match=r"the array holds a value of type .*Thing") as caught:
        fingerprint(np.array([Thing(), None], dtype=object))
    assert "register" in caught.value.remedy


class Thing:
    pass


def test_array_within_itself_is_an_error():
    loop = np.empty(1, dtype=object)
    loop[0] = loop
    with pytest.raises(FingerprintError, match="contains itself"):
        fingerprint(loop)


def records(values=(1, 2.0, "x"), aligned=False):
    kind = np.dtype([("a", "i1"), ("b", "f8", (2,)), ("c", [("d", "U3"), ("e", "i4")])], align=aligned)
    a, b, c = values
    return np.array([(a, (b, 3.0), (c, 7)), (5, (6.0, 7.0), ("y", 9))], dtype=kind)


def test_structured_arrays_by_field():
    expected = fingerprint(records())
    assert fingerprint(records(aligned=True)) == expected
    assert fingerprint(records().view(np.recarray)) == expected
    assert fingerprint(strided(records())) == expected
    others = [records((0, 2.0, "x")), records((1, 2.5, "x")), records((1, 2.0, "z")), records()[::-1]]
    assert len({expected, *map(fingerprint, others)}) == 5
    renamed = records()
    renamed.dtype.names = ("a", "bb", "c")
    assert fingerprint(renamed) != expected


def test_padding_does_not_count():
    kind = np.dtype([("a", "i1"), ("b", "f8")], align=True)
    one, other = np.zeros(2, dtype=kind), np.frombuffer(b"\xff" * 2 * kind.itemsize, dtype=kind).copy()
    other["a"], other["b"] = 0, 0
    assert fingerprint(one) == fingerprint(other)


def test_raw_bytes_count():
    assert fingerprint(np.array([b"ab"], dtype="V2")) != fingerprint(np.array([b"ac"], dtype="V2"))


def test_detail_of_a_matrix_fits_its_budget():
    detail = fingerprint(IRIS).detail
    assert (detail["kind"], detail["dtype"], detail["shape"]) == ("array", "float64", (150, 4))
    digests, numbers = zip(*((row[0], row[1:]) for row in detail["columns"]), strict=True)
    assert numbers[0] == (0, 4.3, 7.9, 5.84333)
    assert len(set(digests)) == 4
    assert all(len(digest) == 8 for digest in digests)
    assert len(detail["blocks"]) == 10 * 4
    assert len(repr(dict(detail))) < 400


def test_detail_of_wide_and_deep_arrays_fits_its_budget():
    wide = fingerprint(np.random.default_rng(0).normal(size=(50, 5_000))).detail
    deep = fingerprint(load_digits().images).detail
    assert len(repr(dict(wide))) < 2_048
    assert deep["summary"] == (0, 0, 16, 4.88416)
    assert "columns" not in deep


def test_summary_counts_nan_and_masked_as_missing():
    values = np.ma.array([[1.0, np.nan], [3.0, 4.0], [np.inf, 6.0]], mask=[[0, 0], [1, 0], [0, 0]])
    rows = [row[1:] for row in fingerprint(values).detail["columns"]]
    assert rows == [(1, 1, np.inf, np.inf), (1, 4, 6, 5)]
    assert fingerprint(np.full(3, np.nan)).detail["summary"] == (3, None, None, None)
    # In blocks that hold nothing else, too: before and after such that hold numbers.
    gap = np.full(65_536, np.nan)
    for parts in ([gap, [2.0, -1.0]], [[2.0, -1.0], gap], [gap, gap, np.tile([2.0, -1.0], 32_768), gap]):
        values = np.concatenate(parts)
        missing = np.count_nonzero(np.isnan(values))
        assert fingerprint(values).detail["summary"] == (missing, -1, 2, 0.5)
    assert fingerprint(np.array([True, False, True, True])).detail["summary"] == (0, 0, 1, 0.75)
    days = np.array(["2026-01-02", "2026-01-01", "NaT"], dtype="M8[D]")
    assert fingerprint(days).detail["summary"] == (1, "2026-01-01", "2026-01-02")


def test_array_is_left_as_it_was():
    array = np.array([1.0, -np.nan, 3.0])
    before = array.tobytes()
    fingerprint(array)
    fingerprint(array, ordered=False)
    assert array.tobytes() == before


@pytest.mark.parametrize("shape", [(2, 100), (3, 7, 5), (2, 3, 4, 5), (1, 64, 2), (2, 1, 33)])
@pytest.mark.parametrize("kind", ["f8", "i2", "c16", ">f4"])
def test_rows_that_are_read_in_pieces(shape, kind, monkeypatch):
    values = np.arange(np.prod(shape)).reshape(shape).astype(kind)
    if kind != "i2":
        values[0, 0] = np.nan
    turned = np.asfortranarray(values)
    expected = fingerprint(values)
    monkeypatch.setattr(columns, "CELLS", 16)
    small = [fingerprint(each, detail=False) for each in (values, turned)]
    monkeypatch.setattr(columns, "PIECE", 8)
    monkeypatch.setattr(arrays, "PIECE", 8)
    pieces = [fingerprint(each, detail=False) for each in (values, turned)]
    assert len({each.digest for each in (*small, *pieces)}) == 1
    monkeypatch.undo()
    assert fingerprint(turned, detail=False) == expected


def test_any_byte_that_is_true_is_one_value():
    odd = np.array([0, 1, 255, 2], dtype="u1").view(bool)
    plain = np.array([False, True, True, True])
    known = fingerprint(plain)
    assert fingerprint(odd) == known
    assert fingerprint(odd, known=known) is known
    assert fingerprint(plain, known=fingerprint(odd)) == known
    assert fingerprint(odd.reshape(2, 2), ordered=False) == fingerprint(plain.reshape(2, 2), ordered=False)
