"""Pitfalls: what fingerprints of data are known to stumble over, and no other test here goes through.

In the order in which they are listed where they were collected: representation, floats, dates, texts, categories,
Arrow, pandas, polars, processes. The table of pairs (``equal_pairs.py``) holds those that are two representations of
one value.
"""

import copy
import datetime as dt
import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from fingerprints.cases import blocks_of
from fingerprints.processes import told

from pytest_mlrepro import fingerprint
from pytest_mlrepro.errors import FingerprintError


def agree(*objects):
    """Whether all have one fingerprint, in order and free of it."""
    return all(len({fingerprint(obj, ordered=ordered) for obj in objects}) == 1 for ordered in (True, False))


def differ(*objects):
    """Whether each has a fingerprint of its own."""
    return len({fingerprint(obj) for obj in objects}) == len(objects)


# Representation


def test_length_one_with_any_strides():
    lone = np.array([[1.5]])
    odd = np.lib.stride_tricks.as_strided(np.array([1.5, 2.5]), shape=(1, 1), strides=(4_096, -8))
    assert agree(lone, odd, lone.T, np.asfortranarray(lone))
    assert differ(lone, lone.reshape(1), lone.reshape(()))


def test_broadcast_along_one_axis():
    row = np.arange(3.0)
    down, across = np.broadcast_to(row, (200, 3)), np.broadcast_to(row[:, None], (3, 200))
    assert 0 in down.strides
    assert 0 in across.strides
    assert agree(down, down.copy())
    assert agree(across, across.copy())
    with blocks_of(16):
        assert agree(across, across.copy())


def test_negative_strides_in_every_axis():
    values = np.arange(210.0).reshape(7, 5, 6)
    turned = values[::-1, ::-1, ::-1].copy()[::-1, ::-1, ::-1]
    assert all(stride < 0 for stride in turned.strides)
    assert agree(values, turned)


def test_subarray_of_a_record():
    kind = np.dtype([("pad", "i1"), ("m", "f4", (2, 3)), ("n", "i8")])
    records = np.zeros(5, dtype=kind)
    records["m"] = np.arange(30).reshape(5, 2, 3)
    assert not records["m"].flags.c_contiguous
    assert agree(records["m"], np.arange(30, dtype="f4").reshape(5, 2, 3))
    assert agree(records[["m", "n"]], np.rec.fromarrays([records["m"], records["n"]], dtype=kind[["m", "n"]]))
    assert differ(records["m"], records["m"].reshape(5, 6))


def test_unaligned_memory():
    values = np.arange(9.0)
    moved = np.frombuffer(b"\0" + values.tobytes(), dtype="f8", offset=1)
    assert not moved.flags.aligned
    assert agree(values, moved)


def test_types_of_one_width_by_two_names():
    wide = [np.dtype(code) for code in "lqp" if np.dtype(code).itemsize == 8]
    assert len({kind.char for kind in wide}) > 1
    assert agree(*(np.arange(9).astype(kind) for kind in wide))
    assert agree(np.arange(3, dtype="i4"), np.arange(3, dtype=np.intc))


def test_marks_of_missing_values_among_objects():
    marks = [None, float("nan"), pd.NaT, np.datetime64("NaT", "s")]
    mixed = [pd.Series([1, "a", mark], dtype=object) for mark in (None, float("nan"), pd.NaT, pd.NA)]
    assert agree(*mixed)
    arrays = []
    for mark in marks:
        array = np.empty(2, dtype=object)
        array[:] = [1, mark]
        arrays.append(array)
    assert differ(*arrays)


def test_arrays_and_tables_among_objects():
    made = []
    for cell in (np.arange(3), np.arange(4), [0, 1, 2], pd.DataFrame({"a": [1, 2]}), pd.Series([1, 2])):
        array = np.empty(3, dtype=object)
        array[0], array[1] = cell, "text"
        made.append(array)
    assert differ(*made)
    assert agree(made[0], copy.deepcopy(made[0]), np.asfortranarray(made[0]))


def test_mask_without_masked_cells():
    values = np.arange(9.0).reshape(3, 3)
    assert agree(
        values,
        np.ma.array(values),
        np.ma.array(values, mask=False),
        np.ma.array(values, mask=np.zeros((3, 3))),
    )
    assert agree(np.ma.array(values, fill_value=1), np.ma.array(values, fill_value=2))


# Floats


@pytest.mark.parametrize(("kind", "quiet"), [("f2", 0x7E00), ("f4", 0x7FC00000), ("f8", 0x7FF8000000000000)])
def test_signalling_nan(kind, quiet):
    bits = f"u{np.dtype(kind).itemsize}"
    signalling = (quiet << 1 & np.iinfo(bits).max) >> 1 & ~(quiet & -quiet) | 1
    made = [np.array([0, pattern, 0], dtype=bits).view(kind) for pattern in (quiet, signalling, quiet | 5)]
    assert all(np.isnan(values[1]) for values in made)
    assert agree(*made)


def test_nan_in_either_part_of_complex_numbers():
    nan = float("nan")
    made = [np.array([complex(*parts)]) for parts in ((nan, 0), (0, nan), (nan, nan), (nan, -0.0), (nan, 1))]
    assert differ(*made)


@pytest.mark.parametrize(
    "values", [[np.inf, -np.inf], [np.inf, np.inf, -np.inf, np.nan], [1e308, 1e308, -1e308]]
)
def test_statistics_of_infinities_and_overflows_warn_of_nothing(values):
    frame = pd.DataFrame({"a": values})
    for obj in (np.array(values), frame, np.array(values, dtype="f4" if max(values) == np.inf else "f8")):
        assert fingerprint(obj) == fingerprint(copy.deepcopy(obj))
        fingerprint(obj, ordered=False)
    assert differ(np.array(values), np.array(values[::-1]))


def test_block_of_nan_alone():
    with blocks_of(64):
        values = np.arange(200.0)
        values[64:128] = np.nan
        negative = values.copy()
        negative[64:128] = -np.nan
        assert agree(values, negative)
        other = values.copy()
        other[127] = 0
        assert differ(values, other)
        assert agree(np.full(200, np.nan), np.full(200, -np.nan))
        assert differ(np.full(200, np.nan), np.full(201, np.nan))


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", "g", "c16"])
def test_denormals_are_not_zero(kind):
    real = np.zeros(1, dtype=kind).real.dtype
    least = np.nextafter(np.zeros((), dtype=real), np.ones((), dtype=real))
    made = [np.array([value], dtype=kind) for value in (0, least, -least, least * 2, np.finfo(real).tiny)]
    assert differ(*made)


# Dates


def test_dates_beyond_nanoseconds():
    far = np.array(["3000-01-01", "0001-01-01", "9999-12-31", "NaT"], dtype="M8[D]")
    assert agree(far, far.astype("M8[s]"), far.astype("M8[us]"))
    seconds = pd.Series(far.astype("M8[s]"))
    assert agree(seconds, seconds.astype("M8[us]"))
    assert differ(seconds, pd.Series(far.astype("M8[s]") + np.timedelta64(1, "s")))
    frame = pd.DataFrame({"when": seconds})
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"when": pa.array(far.astype("M8[us]"))})
    assert agree(frame, table)
    pl = pytest.importorskip("polars")
    assert agree(
        frame,
        pl.DataFrame({"when": pl.Series(far.astype("M8[us]").astype("i8"))}).select(
            pl.when(pl.col("when") > -(2**62)).then("when").cast(pl.Datetime("us")).alias("when")
        ),
    )


def test_last_instants_of_64_bits():
    ends = [np.array([count], dtype="i8") for count in (2**63 - 1, 2**63 - 2, -(2**63) + 1, -(2**63))]
    for unit in ("ns", "us", "s"):
        assert differ(*(count.view(f"M8[{unit}]") for count in ends))
        assert differ(*(count.view(f"m8[{unit}]") for count in ends))


def test_names_of_utc():
    day = pd.Series(pd.to_datetime(["2026-11-24", None]))
    zones = ["UTC", "utc", dt.UTC, dt.timezone(dt.timedelta(0)), ZoneInfo("UTC"), "+00:00"]
    try:
        import pytz
    except ImportError:
        pass
    else:
        zones += [pytz.UTC, pytz.FixedOffset(0)]
    zoned = [day.dt.tz_localize(zone) for zone in zones]
    assert agree(*zoned)
    pa = pytest.importorskip("pyarrow")
    counts = pa.array([1795478400 * 10**6, None], pa.int64())
    assert agree(zoned[0], *(counts.cast(pa.timestamp("us", zone)) for zone in ("UTC", "+00:00", "-00:00")))
    pl = pytest.importorskip("polars")
    assert agree(zoned[0], pl.Series([1795478400 * 10**6, None]).cast(pl.Datetime("us", "UTC")))


def test_one_instant_in_two_zones_differs():
    day = pd.Series(pd.to_datetime(["2026-11-24"])).dt.tz_localize("UTC")
    # These two have one offset at that time, and another in summer.
    assert differ(*(day.dt.tz_convert(zone) for zone in ("UTC", "Europe/Berlin", "Europe/Paris", "+01:00")))


def test_repeated_hour_of_a_clock_put_back():
    twice = pd.Series(pd.to_datetime(["2026-10-25T00:30", "2026-10-25T01:30"])).dt.tz_localize("UTC")
    berlin = twice.dt.tz_convert("Europe/Berlin")
    assert str(berlin.dt.tz_localize(None)[0]) == str(berlin.dt.tz_localize(None)[1])
    assert differ(berlin[:1], berlin[1:].reset_index(drop=True))
    folds = [dt.datetime(2026, 10, 25, 2, 30, fold=fold, tzinfo=ZoneInfo("Europe/Berlin")) for fold in (0, 1)]
    assert differ(*folds)


def test_day_is_not_its_midnight():
    day, midnight = dt.date(2026, 11, 24), dt.datetime(2026, 11, 24)
    assert differ(day, midnight)
    assert differ(pd.Series([day]), pd.Series([midnight]))
    pa = pytest.importorskip("pyarrow")
    assert differ(pa.array([day]), pa.array([midnight]))


# Texts


def test_empty_missing_and_the_names_of_missing():
    assert differ(
        *(pd.Series(["a", last], dtype=object) for last in ("", None, "nan", "None", "NaN", "\0", " "))
    )


def test_normal_forms_of_unicode_differ():
    assert differ(pd.Series(["\u00e9"]), pd.Series(["e\u0301"]))
    assert differ("\u00e9", "e\u0301")


def test_nul_within_and_at_the_end():
    ends = ["a", "a\0", "a\0b", "\0a"]
    assert differ(*(pd.Series([text], dtype=object) for text in ends))
    assert differ(*(np.array([text], dtype=object) for text in ends))
    # numpy's texts of fixed width have lost it.
    assert agree(np.array(["a\0"]), np.array(["a"]))


def test_lone_surrogates():
    texts = ["\ud800", "\udfff", "\ud800\udfff", "\U000103ff", "a\ud800"]
    assert differ(*(pd.Series([text], dtype=object) for text in texts))
    assert agree(np.array(texts), np.array(texts, dtype=object))


def test_borders_between_texts_count():
    assert differ(
        *(np.array(texts, dtype=object) for texts in (["ab", "c"], ["a", "bc"], ["abc", ""], ["", "abc"]))
    )


def test_texts_beyond_two_gibibytes_of_offsets():
    pa = pytest.importorskip("pyarrow")
    start = 2**31 + 5
    # Never touched but at its end, so that it takes no memory.
    data = np.zeros(start + 16, dtype="u1")
    data[start : start + 5] = np.frombuffer(b"ab\xc3\xbcc", dtype="u1")
    offsets = np.array([start, start + 2, start + 4, start + 4, start + 5], dtype="i8")
    far = pa.Array.from_buffers(pa.large_string(), 4, [None, pa.py_buffer(offsets), pa.py_buffer(data)])
    assert agree(far, pa.array(["ab", "ü", "", "c"]))


def test_behind_nulls_of_texts_and_truths():
    pa = pytest.importorskip("pyarrow")
    texts = pa.array(["a", "hidden", "b"])
    bitmap = pa.py_buffer(b"\x05")
    hidden = pa.Array.from_buffers(pa.string(), 3, [bitmap, *texts.buffers()[1:]])
    assert hidden.to_pylist() == ["a", None, "b"]
    assert agree(hidden, pa.array(["a", None, "b"]))
    truths = [
        pa.Array.from_buffers(pa.bool_(), 3, [bitmap, pa.py_buffer(bits)]) for bits in (b"\x05", b"\xff")
    ]
    assert agree(*truths, pa.array([True, None, True]))


# Categories


def test_categories_of_every_type():
    labels = [[2, 1], [2.5, float("inf")], [True, False], ["b", "a"], list(pd.to_datetime(["2026", "2025"]))]
    made = [pd.Series(pd.Categorical([None, one[0], one[1]], categories=one)) for one in labels]
    assert differ(*made)
    for one, label in zip(made, labels, strict=True):
        assert differ(one, one.cat.reorder_categories(label[::-1]), one.cat.as_ordered())


def test_widths_of_codes():
    names = [f"c{number}" for number in range(40_000)]
    for count in (127, 128, 129, 32_767, 32_769):
        values = pd.Series(pd.Categorical(names[:count], categories=names[:count]))
        assert agree(values, pd.Series(pd.Categorical.from_codes(np.arange(count), names[:count])))
        other = values.copy()
        other.iloc[count - 1] = names[0]
        assert differ(values, other)


# Arrow


@pytest.mark.parametrize("kind", ["bool_", "int8", "float64", "string", "date32", "binary"])
def test_offsets_that_are_no_multiple_of_eight(kind):
    pa = pytest.importorskip("pyarrow")
    cells = {
        "bool_": lambda n: n % 3 == 0,
        "string": str,
        "binary": lambda n: str(n).encode(),
        "date32": lambda n: dt.date(2026, 1, 1) + dt.timedelta(n),
    }
    values = [None if n % 5 == 0 else cells.get(kind, lambda n: n)(n) for n in range(60)]
    whole = pa.array(values, getattr(pa, kind)())
    for offset in range(18):
        assert agree(whole.slice(offset, 31), pa.array(values[offset : offset + 31], whole.type))


@pytest.mark.parametrize("kind", ["bool_", "int64", "string", "list", "dictionary"])
def test_chunks_around_the_borders_of_blocks(kind):
    pa = pytest.importorskip("pyarrow")
    numbers = [None if n % 7 == 0 else n % 11 for n in range(200)]
    whole = {
        "bool_": lambda: pa.array([None if n is None else n > 5 for n in numbers]),
        "int64": lambda: pa.array(numbers),
        "string": lambda: pa.array([None if n is None else str(n) for n in numbers]),
        "list": lambda: pa.array([None if n is None else [n] for n in numbers]),
        "dictionary": lambda: pa.array([None if n is None else str(n) for n in numbers]).dictionary_encode(),
    }[kind]()
    with blocks_of(64):
        expected = fingerprint(whole)
        for cut in (63, 64, 65, 127, 128, 129):
            for other in ([whole[:cut], whole[cut:]], [whole[:0], whole[:cut], whole[cut:], whole[:0]]):
                assert fingerprint(pa.chunked_array(other, whole.type)) == expected


def test_count_of_nulls_that_nobody_has_counted():
    pa = pytest.importorskip("pyarrow")
    data = pa.py_buffer(np.arange(16).tobytes())
    for bitmap, missing in ((b"\xff\xff", ()), (b"\xfe\x7f", (0, 15))):
        uncounted = pa.Array.from_buffers(pa.int64(), 16, [pa.py_buffer(bitmap), data], null_count=-1)
        plain = pa.array([None if n in missing else n for n in range(16)])
        assert agree(uncounted, plain)
        again = pa.Array.from_buffers(pa.int64(), 16, [pa.py_buffer(bitmap), data], null_count=-1)
        assert agree(again[1:15], plain[1:15])


def nested_types(pa):
    fields = [("a", pa.int64()), ("b", pa.string())]
    return {
        "list": (pa.list_(pa.int64()), [[1, None], [], None, [2]]),
        "large list": (pa.large_list(pa.int64()), [[1, None], [], None, [2]]),
        "fixed list": (pa.list_(pa.int64(), 2), [[1, None], [3, 4], None, [5, 6]]),
        "list of lists": (pa.list_(pa.list_(pa.string())), [[["a"], None], [], None, [[]]]),
        "struct": (pa.struct(fields), [{"a": 1, "b": None}, {"a": None, "b": ""}, None, {"a": 0, "b": "x"}]),
        "map": (pa.map_(pa.string(), pa.int64()), [[("a", 1), ("b", None)], [], None, [("b", 2)]]),
        "decimal": (pa.decimal128(5, 2), [Decimal("1.10"), Decimal("-0.01"), None, Decimal("0.00")]),
        "wide decimal": (pa.decimal256(50, 2), [Decimal("1.10"), Decimal(10) ** 40, None, Decimal("0.00")]),
        "fixed bytes": (pa.binary(2), [b"ab", b"\0\0", None, b"c\xff"]),
        "time": (pa.time32("s"), [dt.time(1), dt.time(2), None, dt.time(3)]),
        "null": (pa.null(), [None, None, None, None]),
    }


@pytest.mark.parametrize(
    "name",
    [
        "list",
        "large list",
        "fixed list",
        "list of lists",
        "struct",
        "map",
        "decimal",
        "wide decimal",
        "fixed bytes",
        "time",
        "null",
    ],
)
def test_nested_and_rare_types_in_slices_and_chunks(name):
    pa = pytest.importorskip("pyarrow")
    kind, values = nested_types(pa)[name]
    whole = pa.array(values, kind)
    twice = pa.concat_arrays([whole, whole])
    assert agree(whole, twice[4:], pa.chunked_array([whole[:1], whole[1:3], whole[3:]]))
    if name != "null":
        assert differ(whole, twice[3:7], whole[:3], pa.array([*values[:3], None], kind), twice)


def test_widths_of_what_is_nested_do_not_count():
    pa = pytest.importorskip("pyarrow")
    assert agree(pa.array([[1, 2]], pa.list_(pa.int64())), pa.array([[1, 2]], pa.list_(pa.int8())))


def test_extension_types_are_refused():
    pa = pytest.importorskip("pyarrow")

    class Metres(pa.ExtensionType):
        def __init__(self):
            super().__init__(pa.float64(), "metres")

        def __arrow_ext_serialize__(self):
            return b""

        @classmethod
        def __arrow_ext_deserialize__(cls, storage, serialized):
            return cls()

    lengths = pa.ExtensionArray.from_storage(Metres(), pa.array([1.0]))
    with pytest.raises(FingerprintError, match="extension type"):
        fingerprint(lengths)
    assert agree(lengths.storage, pa.array([1.0]))


# pandas


def test_levels_that_no_row_has():
    index = pd.MultiIndex.from_product([["a", "b", "c"], [1, 2]], names=["x", "y"])
    frame = pd.DataFrame({"v": range(6)}, index=index)
    part = frame.loc[["b"]]
    assert len(part.index.levels[0]) == 3
    fresh = pd.DataFrame(
        {"v": [2, 3]}, index=pd.MultiIndex.from_tuples([("b", 1), ("b", 2)], names=["x", "y"])
    )
    assert agree(part, fresh, part.set_axis(part.index.remove_unused_levels()))
    assert differ(part, part.swaplevel(), part.rename_axis(["x", "z"]), part.reset_index())


def test_columns_in_levels():
    frame = pd.DataFrame([[1, 2], [3, 4]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")]))
    flat = pd.DataFrame([[1, 2], [3, 4]])
    flat.columns = pd.Index([("a", "x"), ("a", "y")], tupleize_cols=False)
    assert agree(frame, frame.copy())
    assert differ(frame, frame.swaplevel(axis=1), frame[frame.columns[::-1]])
    assert differ(frame, flat)


def test_doubled_names():
    frame = pd.DataFrame([[1, 2.5, "a"], [3, 4.5, "b"]], columns=["v", "v", "w"])
    assert agree(frame, pd.concat([frame.iloc[:, [0]], frame.iloc[:, 1:]], axis=1))
    assert differ(frame, frame.iloc[:, [1, 0, 2]], frame.set_axis(["v", "w", "v"], axis=1))


def test_names_that_are_no_texts():
    values = np.arange(6).reshape(2, 3)
    assert agree(pd.DataFrame(values), pd.DataFrame(values, columns=range(3)))
    assert differ(
        *(pd.DataFrame(values, columns=names) for names in ([0, 1, 2], ["0", "1", "2"], [0.0, 1.0, 2.0]))
    )
    dates = pd.DataFrame(values, columns=pd.to_datetime(["2026", "2027", "2028"]))
    assert agree(dates, dates.copy())


def test_notes_and_flags_do_not_count():
    frame = pd.DataFrame({"a": [1, 2]})
    noted = frame.copy()
    noted.attrs["source"] = object()
    assert agree(frame, noted, frame.set_flags(allows_duplicate_labels=False))


def test_views_before_and_after_a_write():
    frame = pd.DataFrame({"a": np.arange(6.0), "b": np.arange(6.0) * 2})
    part = frame[["a"]].iloc[2:5].reset_index(drop=True)
    kept = part.copy()
    expected = fingerprint(part)
    frame.loc[3, "a"] = 99.0
    assert (fingerprint(part) == expected) is part.equals(kept)
    assert fingerprint(kept) == expected
    kept.loc[0, "a"] = -1.0
    assert differ(part, kept)


def test_freq_of_dates_does_not_count():
    days = pd.date_range("2026-01-01", periods=3)
    assert days.freq is not None
    plain = pd.DatetimeIndex(days, freq=None)
    assert agree(days, plain)
    assert agree(pd.DataFrame({"v": range(3)}, index=days), pd.DataFrame({"v": range(3)}, index=plain))


# polars


def test_enum_and_categorical():
    pl = pytest.importorskip("polars")
    texts = ["b", None, "a", "b"]
    enum = pl.Series(texts, dtype=pl.Enum(["a", "b"]))
    category = pl.Series(texts, dtype=pl.Categorical)
    assert differ(enum, category, pl.Series(texts))
    assert agree(category, pd.Series(texts, dtype="category"))
    assert agree(enum, pd.Series(texts, dtype=pd.CategoricalDtype(["a", "b"], ordered=True)))


def test_flags_of_sortedness_do_not_count():
    pl = pytest.importorskip("polars")
    values = pl.Series([1, 2, 3])
    assert agree(values, values.set_sorted(), values.sort())


# Processes


def mixed_frame():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "number": rng.normal(size=2_000),
            "text": pd.Series(rng.choice(["sea", "land", "air", "fire"], 2_000), dtype=object),
            "category": pd.Categorical(rng.choice(["x", "y", "z"], 2_000)),
            "set": [frozenset({"a", "b", f"c{number % 7}"}) for number in range(2_000)],
        }
    )


def test_many_threads_at_once():
    frame, array = mixed_frame(), np.asfortranarray(np.random.default_rng(0).normal(size=(3_000, 40)))
    expected = (fingerprint(frame), fingerprint(frame, ordered=False), fingerprint(array))
    for threads in (1, 2, 8):
        with ThreadPoolExecutor(threads) as pool:
            results = list(
                pool.map(
                    lambda _: (fingerprint(frame), fingerprint(frame, ordered=False), fingerprint(array)),
                    range(8),
                )
            )
        assert set(results) == {expected}


PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[1]);"
    "from importlib.util import module_from_spec, spec_from_file_location as located;"
    "spec = located('pitfalls', sys.argv[2]); pitfalls = module_from_spec(spec); spec.loader.exec_module(pitfalls);"
    "from pytest_mlrepro import fingerprint;"
    "print(*(fingerprint(pitfalls.mixed_frame(), ordered=ordered) for ordered in (True, False)))"
)


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONHASHSEED": "1"}, {"PYTHONHASHSEED": "2", "OMP_NUM_THREADS": "4", "POLARS_MAX_THREADS": "1"}],
)
def test_frame_in_another_process(environment):
    here = [str(fingerprint(mixed_frame(), ordered=ordered)) for ordered in (True, False)]
    elsewhere = told("-c", PROGRAM, Path(__file__).parents[1], __file__, **environment)
    assert elsewhere.split() == here


def told_by_a_child(queue):
    queue.put([str(fingerprint(mixed_frame(), ordered=ordered)) for ordered in (True, False)])


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:Using fork:RuntimeWarning")
def test_fork_after_work_in_threads():
    frame = mixed_frame()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: fingerprint(frame), range(4)))
    here = [str(fingerprint(frame, ordered=ordered)) for ordered in (True, False)]
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=told_by_a_child, args=(queue,))
    child.start()
    assert queue.get(timeout=60) == here
    child.join(timeout=60)
    assert child.exitcode == 0


# What is stored


def test_statistics_do_not_decide():
    one, other = np.array([1.0, 4.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0, 3.0])
    assert fingerprint(one).detail["summary"] == fingerprint(other).detail["summary"]
    assert differ(one, other)
    near = np.array([1.0, 4.0, 2.0, 3.0 + 1e-12])
    assert fingerprint(one).detail["summary"] == fingerprint(near).detail["summary"]
    assert differ(one, near)
