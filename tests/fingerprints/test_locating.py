"""Locating: from the sketches of what was, and the data as it is, what changed in exact words."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_diabetes

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints.arrays import array_column
from pytest_mlrepro.fingerprints.cell_words import MISSING
from pytest_mlrepro.fingerprints.columns import Block, Column
from pytest_mlrepro.fingerprints.locating import located, sketched
from pytest_mlrepro.fingerprints.series import column
from pytest_mlrepro.fingerprints.showing import shown

CANCER = load_breast_cancer(as_frame=True).frame
DIABETES = load_diabetes(as_frame=True, scaled=False).frame
ROWS = 1000
RNG = np.random.default_rng(0)
MIXED = pd.DataFrame(
    {
        "age": RNG.normal(50, 10, ROWS).round(1),
        "sex": RNG.choice(["male", "female"], ROWS),
        "town": pd.Categorical(RNG.choice(["Bonn", "Kiel", "Ulm"], ROWS)),
        "seen": pd.date_range("2020-01-01", periods=ROWS, freq="37min"),
        "visits": RNG.integers(0, 9, ROWS),
    }
)


def columns_of(data):
    if isinstance(data, pd.DataFrame):
        return [column(name, values) for name, values in data.items()]
    return [array_column("", data)]


def told(before, after, private=()):
    private = frozenset(private)
    detail = sketched(columns_of(before), len(before), private)
    phrases = located(columns_of(after), len(after), detail, private)
    # The same if the new sketches are known.
    if phrases or len(before) == len(after):
        made = sketched(columns_of(after), len(after), private)
        assert located(columns_of(after), len(after), detail, private, made) == phrases
    return phrases


def changed(frame, *cells):
    frame = frame.copy()
    for row, name, value in cells:
        frame.loc[row, name] = value
    return frame


def test_one_cell():
    assert told(CANCER, changed(CANCER, (402, "mean area", 2900.0))) == [
        "column 'mean area' row 402: 525.2 -> 2900.0"
    ]
    assert told(DIABETES, changed(DIABETES, (0, "target", 152.0))) == [
        "column 'target' row 0: 151.0 -> 152.0"
    ]


def test_several_cells():
    after = changed(CANCER, (5, "mean texture", np.nan), (402, "mean area", 2900.0), (5, "target", 1))
    assert told(CANCER, after) == [
        "3 cells changed: 'mean texture' row 5: 15.7 -> nan, 'target' row 5: 0 -> 1, "
        "'mean area' row 402: 525.2 -> 2900.0"
    ]


def test_no_change():
    assert told(CANCER, CANCER) == []
    assert told(MIXED, MIXED.copy()) == []


def test_twelve_are_listed():
    after = CANCER.copy()
    after.iloc[100:115, 0] = 1.5
    (phrase,) = told(CANCER, after)
    assert phrase.startswith("15 cells changed: 'mean radius' row 100: 13.61 -> 1.5, 'mean radius' row 101: ")
    assert phrase.endswith("'mean radius' row 111: 12.63 -> 1.5 and 3 more")


def test_texts_categories_and_dates():
    row = int(np.flatnonzero(MIXED["sex"] == "female")[0])
    assert told(MIXED, changed(MIXED, (row, "sex", "male"))) == [
        f"column 'sex' row {row}: 'female' -> 'male'"
    ]
    # Nothing tells a text that no longer occurs.
    rare = changed(MIXED, (row, "sex", "unknown"))
    assert told(rare, MIXED) == [f"column 'sex' row {row}: ? -> 'female'"]
    assert told(MIXED, changed(MIXED, (row, "sex", None))) == [f"column 'sex' row {row}: 'female' -> missing"]
    row = int(np.flatnonzero(MIXED["town"] == "Kiel")[0])
    assert told(MIXED, changed(MIXED, (row, "town", "Ulm"))) == [f"column 'town' row {row}: 'Kiel' -> 'Ulm'"]
    assert told(MIXED, changed(MIXED, (row, "town", None))) == [f"column 'town' row {row}: 'Kiel' -> missing"]
    assert told(MIXED, changed(MIXED, (3, "seen", pd.Timestamp("2021-05-01 00:00:00.25")))) == [
        "column 'seen' row 3: 2020-01-01T01:51:00 -> 2021-05-01T00:00:00.25"
    ]
    assert told(MIXED, changed(MIXED, (0, "seen", pd.NaT))) == ["column 'seen' row 0: 2020-01-01 -> missing"]


def test_numbers_in_categories():
    before = pd.DataFrame({"x": MIXED["age"], "k": pd.Categorical(MIXED["visits"] * 10)})
    row = int(np.flatnonzero(before["k"] == 20)[0])
    assert told(before, changed(before, (row, "k", 70))) == [f"column 'k' row {row}: 20 -> 70"]


def test_long_texts_are_cut():
    texts = [f"{number}" + "é" * 100 for number in range(ROWS)]
    before = pd.DataFrame({"t": texts})
    (phrase,) = told(before, changed(before, (1, "t", texts[0])))
    assert phrase == f"column 't' row 1: ? -> '0{'é' * 54}...'"


def numbers(dtype, value):
    """A thousand different values, the sixth of them given."""
    values = (
        (np.arange(ROWS) * 37 % 251).astype("u1").astype(dtype)
        if dtype.endswith("int8")
        else np.arange(ROWS).astype(dtype)
    )
    values[5] = value
    return values


INSTANT = "datetime64[ns]"


@pytest.mark.parametrize(
    ("dtype", "old", "new", "phrase"),
    [
        ("float64", 0.1 + 0.2, np.nan, "0.30000000000000004 -> nan"),
        ("float64", -0.0, 0.0, "-0.0 -> 0.0"),
        ("float64", np.nan, 5e-324, "nan -> 5e-324"),
        ("float64", np.inf, -np.inf, "inf -> -inf"),
        ("float32", 44.4, 0.1, "44.4 -> 0.1"),
        ("float32", -0.0, np.nan, "-0.0 -> nan"),
        ("float32", 16777217, 1e30, "16777216.0 -> 1e+30"),
        ("float16", 0.1, np.nan, "0.1 -> nan"),
        ("int64", -(2**63), 2**63 - 1, "-9223372036854775808 -> 9223372036854775807"),
        ("int64", MISSING, 0, f"{MISSING} -> 0"),
        ("uint64", 2**64 - 1, MISSING, f"18446744073709551615 -> {MISSING}"),
        ("int32", -1, 7, "-1 -> 7"),
        ("int16", -300, 300, "-300 -> 300"),
        ("int8", -128, 127, "-128 -> 127"),
        ("uint8", 255, 0, "255 -> 0"),
        (">f8", 1.5, 2.5, "1.5 -> 2.5"),
        (">i4", 1, -2, "1 -> -2"),
        ("complex128", 1.5 - 2j, complex(np.nan, 0.0), "(1.5-2j) -> (nan+0j)"),
        ("complex64", 0.1 + 0.2j, 1j, "(0.1+0.2j) -> 1j"),
        (INSTANT, "1969-12-31T23:59:59.000000001", "NaT", "1969-12-31T23:59:59.000000001 -> missing"),
        ("datetime64[D]", "NaT", "2024-02-29", "missing -> 2024-02-29"),
        ("datetime64[us]", "2020-01-01T10:00", "2020-01-01T10:00:00.5", "2020-01-01T10:00:00 -> 2020-01-01T10:00:00.5"),
        ("timedelta64[ms]", 1500, -500, "1.5 s -> -0.5 s"),
        ("timedelta64[s]", 86_400, "NaT", "86400 s -> missing"),
        ("timedelta64[M]", 14, 2, "14 months -> 2 months"),
    ],
)  # fmt: skip
def test_old_values_are_exact(dtype, old, new, phrase):
    before, after = numbers(dtype, old), numbers(dtype, new)
    assert told(before, after) == [f"row 5: {phrase}"]
    was, now = phrase.split(" -> ")
    assert told(after, before) == [f"row 5: {now} -> {was}"]


@pytest.mark.parametrize(
    ("dtype", "words"),
    [
        ("bool", [2]),
        ("int8", [256]),
        ("uint32", [2**32]),
        ("float32", [2**32]),
        ("float32", [0x7FC00001]),
        ("float64", [0xFFF8 << 48]),
        ("complex64", [0, 2**32]),
        ("complex128", [0xFFF8 << 48, 0]),
        ("datetime64", [0, 10**18]),
        ("datetime64[UTC]", [0, 2**64 - 1]),
        ("datetime64", [MISSING, 1]),
        ("timedelta64", [0, 10**18]),
        ("timedelta64", [0, 2**64 - 3]),
        ("category", [2**31]),
        ("int64", [None]),
        ("datetime64", [0, None]),
    ],
)
def test_words_that_no_cell_has(dtype, words):
    assert shown(dtype, words, marked=False) is None


def test_bool():
    values = RNG.random(8000) < 0.5
    values[4711] = True
    after = values.copy()
    after[4711] = False
    assert told(values, after) == ["row 4711: True -> False"]


@pytest.mark.parametrize(
    ("values", "value", "phrase"),
    [
        (pd.array(np.arange(ROWS), dtype="Int64"), pd.NA, "5 -> missing"),
        (pd.array(np.arange(ROWS), dtype="Int64"), MISSING, f"5 -> {MISSING}"),
        (pd.array(np.arange(ROWS) / 2, dtype="Float32"), pd.NA, "2.5 -> missing"),
        (pd.date_range("2020", periods=ROWS, tz="Europe/Berlin"), pd.NaT, "2020-01-05T23:00:00Z -> missing"),
        (pd.period_range("2020-01", periods=ROWS, freq="M"), pd.Period("1999-12", "M"), "2020-06 -> 1999-12"),
        (pd.period_range("2020-01", periods=ROWS, freq="W"), pd.NaT, "period 2615 -> missing"),
        ([(number, "x") for number in range(ROWS)], "y", None),
        ([str(number).encode() for number in range(ROWS)], b"7", None),
    ],
)
def test_old_values_of_extension_types(values, value, phrase):
    before = pd.DataFrame({"x": values})
    after = changed(before, (5, "x", value))
    forth, back = told(before, after), told(after, before)
    if phrase is None:
        # A hash tells that there was a change, and not from what to what.
        assert forth == back == ["column 'x' row 5 changed"]
        return
    assert forth == [f"column 'x' row 5: {phrase}"]
    was, now = phrase.split(" -> ")
    assert back == [f"column 'x' row 5: {now} -> {was}"]


def test_the_word_of_what_is_missing_is_a_value_too():
    before = pd.DataFrame({"x": pd.array([MISSING] * 500 + list(range(500)), dtype="Int64")})
    before["y"] = before["x"].to_numpy()[::-1]
    after = changed(before, (5, "x", pd.NA), (6, "x", 3))
    assert told(before, after) == [
        f"2 cells changed: 'x' row 5: {MISSING} -> missing, 'x' row 6: {MISSING} -> 3"
    ]


def test_masked_arrays():
    before = np.ma.masked_array(np.arange(ROWS), mask=np.arange(ROWS) % 7 == 0)
    after = before.copy()
    after[7], after[8] = 70, np.ma.masked
    assert told(before, after) == ["2 cells changed: row 7: missing -> 70, row 8: 8 -> missing"]


def test_arrays_by_number():
    before = CANCER.to_numpy()
    after = before.copy()
    after[7, 2], after[8, 30] = -0.0, 5
    assert told(before, after) == [
        "2 cells changed: column 2 row 7: 90.2 -> -0.0, column 30 row 8: 0.0 -> 5.0"
    ]
    assert told(np.asfortranarray(before), after)[0].startswith("2 cells changed: column 2 row 7: 90.2")
    before = before.reshape(-1, 31, 1).repeat(2, axis=2)
    after = before.copy()
    after[100, 4, 1] = 3
    assert told(before, after) == ["column (4, 1) row 100: 0.09488 -> 3.0"]


def test_arrays_of_texts():
    before = np.array([[f"a{number}", f"b{number}"] for number in range(ROWS)], dtype=object)
    after = before.copy()
    after[9, 1] = "b8"
    assert told(before, after) == ["column 1 row 9: ? -> 'b8'"]


def test_fields_of_several_cells():
    records = np.zeros(ROWS, dtype=[("a", "f8", 3), ("b", "i4")])
    records["a"] = RNG.normal(size=(ROWS, 3))
    columns = [array_column(name, records[name]) for name in records.dtype.names]
    detail = sketched(columns, ROWS, ())
    after = records.copy()
    after["a"][17, 2] = 1
    old = float(records["a"][17, 2])
    columns = [array_column(name, after[name]) for name in after.dtype.names]
    assert located(columns, ROWS, detail) == [f"column 'a'[2] row 17: {old!r} -> 1.0"]


@pytest.mark.parametrize("width", [8, 9, 11, 13, 143, 300])
def test_widths_that_the_tables_of_the_sketch_divide(width):
    """A column's cells spread over the tables all the same."""
    before = RNG.normal(size=(200, width))
    after = before.copy()
    after[10:20, 3] = 0
    (phrase,) = told(before, after)
    assert phrase.startswith(f"10 cells changed: column 3 row 10: {before[10, 3].item()!r} -> 0.0, ")


def test_rows_deleted_and_inserted():
    assert told(CANCER, CANCER.drop(index=[10, 500])) == ["rows deleted after rows 9, 498"]
    assert told(CANCER, CANCER.drop(index=[0, 300])) == [
        "rows deleted before row 0",
        "rows deleted after row 298",
    ]
    assert told(CANCER, CANCER.drop(index=[7, 8, 9])) == ["rows deleted after row 6 (3)"]
    new = CANCER.iloc[:1] + 1
    assert told(CANCER, pd.concat([CANCER, new])) == ["rows inserted: 569"]
    assert told(CANCER, pd.concat([CANCER[:20], new, CANCER[20:], new])) == ["rows inserted: 20, 570"]
    assert told(CANCER, pd.concat([CANCER, CANCER[:300] + 1])) == ["rows inserted: 569-868"]
    both = pd.concat([CANCER[:100], CANCER[101:400], new, CANCER[400:]])
    assert told(CANCER, both) == ["rows inserted: 399", "rows deleted after row 99"]


def test_rows_of_texts_and_dates():
    assert told(MIXED, MIXED.drop(index=[10, 500])) == ["rows deleted after rows 9, 498"]


def test_a_row_that_was_replaced():
    after = CANCER.copy()
    after.loc[[5, 6, 300]] += 1
    assert told(CANCER, after) == ["rows replaced: 5-6, 300"]


def test_other_order():
    assert told(CANCER, CANCER.sample(frac=1, random_state=0)) == ["same rows, in another order"]
    swapped = CANCER.iloc[[1, 0, *range(2, len(CANCER))]]
    assert told(CANCER, swapped) == ["same rows, in another order"]


def test_too_much_is_not_told():
    assert told(CANCER, CANCER.assign(target=1 - CANCER["target"])) == []
    assert told(CANCER, CANCER[:300]) == []
    assert told(CANCER, CANCER.sample(n=500, random_state=0)) == []
    assert told(CANCER, CANCER * 2) == []


def test_few_rows_have_no_row_sketch():
    wide = CANCER[:300]
    assert sketched(columns_of(wide), 300, ())["sketch"][2] == ""
    assert told(wide, wide[::-1]) == []
    assert told(wide, wide[1:]) == []
    assert told(wide, changed(wide, (3, "target", 1)))[0] == "column 'target' row 3: 0 -> 1"


def test_few_rows_with_others_at_the_end_say_nothing():
    few = CANCER.iloc[:300, :3]
    assert told(few, CANCER.iloc[:301, :3]) == []
    assert told(few, CANCER.iloc[:299, :3]) == []


def test_another_schema_says_nothing():
    detail = sketched(columns_of(CANCER), len(CANCER), ())
    for after in (
        CANCER.astype({"target": "int32"}),
        CANCER.drop(columns="target"),
        CANCER.assign(more=1),
    ):
        assert located(columns_of(after), len(after), detail) == []
        assert sketched(columns_of(after), len(after), ())["sketch"][0] != detail["sketch"][0]
    renamed = changed(CANCER, (0, "target", 1)).rename(columns={"target": "y"})
    assert located(columns_of(renamed), len(renamed), detail) == ["column 'y' row 0: 0 -> 1"]


@pytest.mark.parametrize(
    "sketch",
    [
        None,
        5,
        "",
        (),
        ("a", "b"),
        ("a", "b", "c"),
        ("a", "b", ""),
        (1, 2, 3),
        ("00000000", "0" * 820, "0" * 1684),
    ],
)
def test_a_damaged_detail_says_nothing(sketch):
    after = changed(CANCER, (0, "target", 1))
    assert located(columns_of(after), len(after), {"sketch": sketch}) == []
    schema, cells, rows = sketched(columns_of(CANCER), len(CANCER), ())["sketch"]
    for damaged in ((schema, cells[:-1], rows), (schema, cells, rows[:-1]), (schema[::-1], cells, rows)):
        assert located(columns_of(after), len(after), {"sketch": damaged}) == []
    assert located(columns_of(after), len(after), {}) == []


def test_size():
    (schema, cells, rows) = sketched(columns_of(MIXED), ROWS, ())["sketch"]
    assert (len(schema), len(cells), len(rows)) == (8, 820, 1684)


class TestPrivate:
    def test_nothing_of_a_private_column_is_stored(self):
        other = MIXED.assign(age=MIXED["age"] * 2, sex="x")
        private = frozenset({"age", "sex"})
        details = [sketched(columns_of(frame), ROWS, private) for frame in (MIXED, other)]
        assert details[0] == details[1]
        assert details[0] != sketched(columns_of(MIXED), ROWS, frozenset({"age"}))

    def test_its_changes_are_not_located(self):
        after = changed(MIXED, (3, "age", 1.0), (4, "visits", 99))
        assert told(MIXED, after, {"age"}) == [f"column 'visits' row 4: {MIXED['visits'][4]} -> 99"]
        assert told(MIXED, changed(MIXED, (3, "age", 1.0)), {"age"}) == []

    def test_arrays_by_number(self):
        before = DIABETES.to_numpy()
        other = before.copy()
        other[:, [0, 4]] = 7
        private = frozenset({0, 4})
        assert sketched(columns_of(before), len(before), private) == sketched(
            columns_of(other), len(other), private
        )
        other[9, 5] = 3
        assert told(before, other, private) == [f"column 5 row 9: {before[9, 5].item()!r} -> 3.0"]
        texts = before.astype(str).astype(object)
        changed_texts = texts.copy()
        changed_texts[:, 0], changed_texts[9, 5] = "x", texts[8, 5]
        assert told(texts, changed_texts, {0})[0].startswith("column 5 row 9: ")

    def test_other_private_columns_say_nothing(self):
        detail = sketched(columns_of(CANCER), len(CANCER), frozenset({"mean area"}))
        after = changed(CANCER, (0, "target", 1))
        assert located(columns_of(after), len(after), detail, frozenset({"mean radius"})) == []
        schemas = {
            sketched(columns_of(CANCER), len(CANCER), private)["sketch"][0]
            for private in ({"mean area"}, {"mean radius"}, ())
        }
        assert len(schemas) == 3
        array = CANCER.to_numpy()
        detail = sketched(columns_of(array), len(array), frozenset({0}))
        assert located(columns_of(array), len(array), detail, frozenset({1})) == []

    def test_all_columns(self):
        with pytest.raises(FingerprintError, match="nothing to locate") as error:
            sketched(columns_of(MIXED), ROWS, frozenset(MIXED.columns))
        assert "fewer private columns" in error.value.remedy
        assert located(columns_of(MIXED), ROWS, {}, frozenset(MIXED.columns)) == []


class TestTooSmall:
    def test_few_values(self):
        with pytest.raises(FingerprintError, match="at least 820 values, there are 810") as error:
            sketched(columns_of(RNG.normal(size=(81, 10))), 81, ())
        assert "leave out locate=True" in error.value.remedy
        sketched(columns_of(RNG.normal(size=(82, 10))), 82, ())

    def test_private_columns_do_not_count(self):
        with pytest.raises(FingerprintError, match="at least 820 values"):
            sketched(columns_of(RNG.normal(size=(82, 10))), 82, frozenset({3}))

    def test_little_information(self):
        """A sketch of these would tell all of them."""
        labels = RNG.random(5000) < 0.4
        with pytest.raises(
            FingerprintError, match=r"more varied values: these hold about \d+ bits, their sketch 5248"
        ):
            sketched(columns_of(labels), 5000, ())
        with pytest.raises(FingerprintError, match="about 0 bits"):
            sketched(columns_of(np.zeros((5000, 100))), 5000, ())
        sketched(columns_of(RNG.random(6000) < 0.5), 6000, ())

    def test_sorted_values_are_judged_as_any(self):
        sketched(columns_of(np.sort(RNG.integers(0, 2, 100_000))), 100_000, ())

    def test_empty(self):
        for data in (np.zeros((0, 3)), np.zeros((5, 0)), np.zeros(0), pd.DataFrame()):
            with pytest.raises(FingerprintError, match="locate=True"):
                sketched(columns_of(data), len(data), ())

    def test_rows_of_millions_of_cells(self):
        with pytest.raises(FingerprintError, match="rows of up to 1,048,576 cells"):
            sketched(columns_of(np.zeros((2, 1_048_577), dtype="i1")), 2, ())


@given(st.data())
@settings(max_examples=60)
def test_what_is_told_of_cells_is_true(data):
    frame = MIXED[["age", "visits", "sex"]]
    after = frame.copy()
    values = {
        "age": st.floats(),
        "visits": st.integers(-(2**63), 2**63 - 1),
        "sex": st.sampled_from(["male", "female"]),
    }
    for _ in range(data.draw(st.integers(1, 2))):
        name = data.draw(st.sampled_from(list(frame)))
        after.loc[data.draw(st.integers(0, ROWS - 1)), name] = data.draw(values[name])
    pairs = {name: list(zip(frame[name].tolist(), after[name].tolist(), strict=True)) for name in frame}
    lines = [
        f"'{name}' row {row}: {pairs[name][row][0]!r} -> {pairs[name][row][1]!r}"
        for row in range(ROWS)
        for name in frame
        if repr(pairs[name][row][0]) != repr(pairs[name][row][1])
    ]
    match len(lines):
        case 0:
            assert told(frame, after) == []
        case 1:
            assert told(frame, after) == [f"column {lines[0]}"]
        case count:
            assert told(frame, after) == [f"{count} cells changed: {', '.join(lines)}"]


@given(st.integers(0, 2**32), st.integers(0, 40), st.integers(0, 40))
@settings(max_examples=60)
def test_nothing_false_is_told_of_many_changes(seed, cells, rows):
    """Whatever is told names rows and cells that did change."""
    rng = np.random.default_rng(seed)
    before = rng.integers(0, 5, (400, 6))
    after = np.delete(before, rng.choice(400, rows, replace=False), axis=0)
    for _ in range(cells):
        after[rng.integers(len(after)), rng.integers(6)] = rng.integers(5)
    phrases = told(before, after)
    if rows:
        assert not any("cell" in phrase or "column" in phrase for phrase in phrases)
        assert len(phrases) <= 3
    elif phrases and "row" in phrases[0][:3]:
        assert phrases[0].startswith("rows replaced: ")
    elif phrases:
        assert f"{(before != after).sum()} cells changed" in phrases[0] or phrases[0].startswith("column")


def test_memory_stays_within_a_few_blocks():
    """32 MB of values, made as they are read."""

    def values(change):
        def read(start, stop):
            cells = np.arange(start, stop, dtype="<f8") * 0.1
            if start <= change < stop:
                cells[change - start] = 7.0
            return Block(cells)

        return [Column("x", "float64", 4_000_000, read)]

    tracemalloc.start()
    try:
        detail = sketched(values(-1), 4_000_000, ())
        phrases = located(values(3_999_999), 4_000_000, detail)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert phrases == ["column 'x' row 3999999: 399999.9 -> 7.0"]
    assert peak < 12 << 20
