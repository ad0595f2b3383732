"""CSV and TSV by value: what counts is the table, and the same rules hold whatever is installed."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlrepro import fingerprint
from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import delimited

pd = pytest.importorskip("pandas")


def table(text, delimiter=","):
    return delimited.table(lambda: io.StringIO(text, newline=""), delimiter)


def column(*cells):
    """The type and the values of a column with these cells, given as they are written."""
    values = table("\n".join(["x,n", *(f"{cell},1" for cell in cells)]))["x"]
    read = [None if pd.isna(value) else value for value in values.tolist()]
    # Texts are of another type in pandas 3.
    return {"object": "text", "str": "text"}.get(str(values.dtype), str(values.dtype).lower()), read


@pytest.mark.parametrize(
    ("cells", "dtype", "values"),
    [
        (["1", "-2", "+3", "007"], "int64", [1, -2, 3, 7]),
        (["1", "", "NA"], "int64", [1, None, None]),
        ([" 1", "2\t"], "int64", [1, 2]),
        (["-9223372036854775808", "9223372036854775807"], "int64", [-(1 << 63), (1 << 63) - 1]),
        (["18446744073709551615", "0"], "uint64", [(1 << 64) - 1, 0]),
        (["18446744073709551615", ""], "uint64", [(1 << 64) - 1, None]),
        (["18446744073709551615", "-1"], "text", ["18446744073709551615", "-1"]),
        (["18446744073709551616", "1"], "text", ["18446744073709551616", "1"]),
        (["9" * 5_000, "1"], "text", ["9" * 5_000, "1"]),
        (["18446744073709551616", "1.5"], "float64", [18446744073709551616.0, 1.5]),
        (["1", "1.0"], "float64", [1.0, 1.0]),
        (["1.", ".5", "1e3", "-1E-3", "inf", "-Infinity"], "float64", None),
        (["0.1", "NaN"], "float64", [0.1, None]),
        (["-0.0"], "float64", [-0.0]),
        (["True", "false", "TRUE"], "bool", [True, False, True]),
        (["True", ""], "boolean", [True, None]),
        (["True", "1"], "text", ["True", "1"]),
        (["1", "True"], "text", ["1", "True"]),
        (["True", "yes"], "text", ["True", "yes"]),
        (["1", "x"], "text", ["1", "x"]),
        (["x", "", "y"], "text", ["x", None, "y"]),
        (["", "NULL"], "text", [None, None]),
        (["1_000", "2"], "text", ["1_000", "2"]),
        (["0x10", "2"], "text", ["0x10", "2"]),
        (["1+2j"], "text", ["1+2j"]),
        (["\u0661"], "text", ["\u0661"]),
        (["2020-01-01"], "text", ["2020-01-01"]),
        (['"1\n2"', "3"], "text", ["1\n2", "3"]),
        (["x\0y"], "text", ["x\0y"]),
    ],
)
def test_the_type_of_a_column(cells, dtype, values):
    found, read = column(*cells)
    assert found == dtype
    if values is not None:
        assert read == values
        assert list(map(repr, read)) == list(map(repr, values))


@pytest.mark.parametrize(
    "later", ["x", "1.5", "18446744073709551615", "-1", "99999999999999999999", "", "True"]
)
@pytest.mark.parametrize("first", ["1", "x", "1.5", "", "True", "18446744073709551615"])
def test_what_comes_late_counts_as_well(first, later):
    """Types are those of all rows, not of the first that were read."""
    both = column(first, later)
    apart = column(first, *[""] * (1 << 14), later)
    assert apart[1][0] == both[1][0]
    assert apart[1][-1] == both[1][-1]
    assert apart[0].startswith(both[0][:4])


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,x y\n2,z\n",
        "a,b\r\n1,x y\r\n2,z\r\n",
        "a,b\r1,x y\r2,z\r",
        '"a","b"\n"1","x y"\n"2","z"',
        "\n\na,b\n\n1,x y\n2,z\n\n\n",
        "a,b\n+1,x y\n 2 ,z\n",
    ],
)
def test_how_it_is_written_does_not_count(text):
    expected = fingerprint(pd.DataFrame({"a": [1, 2], "b": ["x y", "z"]}))
    assert fingerprint(table(text)) == expected
    assert fingerprint(table(text.replace(",", "\t"), "\t")) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,x\n2,z\n",
        "a,b\n1,x y\n2,z\n3,z\n",
        "a,c\n1,x y\n2,z\n",
        "b,a\nx y,1\nz,2\n",
        "a,b\n2,z\n1,x y\n",
        "a,b\n1,x y\n2,\n",
        "a,b\n1.0,x y\n2.0,z\n",
        "a,b\n1, x y\n2,z\n",
    ],
)
def test_what_is_written_counts(text):
    assert fingerprint(table(text)) != fingerprint(table("a,b\n1,x y\n2,z\n"))


def test_names_as_they_are():
    assert list(table("a,a,,1\n1,2,3,4\n").columns) == ["a", "a", "", "1"]
    empty = table("a,b\n")
    assert (list(empty.columns), len(empty)) == (["a", "b"], 0)
    assert fingerprint(empty) != fingerprint(table("a,c\n"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no table in it"),
        ("\n\n", "there is no table in it"),
        ("a,b\n1,2\n3\n", "line 3 has 1 cell, the first row has 2"),
        ("a,b\n1,2,3\n", "line 2 has 3 cells, the first row has 2"),
        ('a,b\n1,"2\n', "line 2 cannot be read: unexpected end of data"),
        ('a,b\n1,"2"3\n', "line 2 cannot be read: ',' expected after '\"'"),
    ],
)
def test_what_is_no_table_is_an_error(text, said):
    with pytest.raises(FingerprintError) as caught:
        table(text)
    assert caught.value.what == said
    assert caught.value.remedy


def test_a_cell_of_any_size_and_the_process_left_as_it_was():
    limit = csv.field_size_limit()
    text = "x" * 200_000
    assert table(f"a\n{text}\n")["a"].tolist() == [text]
    assert csv.field_size_limit() == limit
    with pytest.raises(FingerprintError):
        table("a,b\n1\n")
    assert csv.field_size_limit() == limit


CELLS = {
    "whole": st.integers(-(1 << 63), (1 << 63) - 1),
    "number": st.floats(allow_nan=False, width=64),
    "truth": st.booleans(),
    "text": st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1).filter(
        lambda cell: cell not in delimited.MISSING and not cell.strip().replace("_", "").isnumeric()
    ),
}


@st.composite
def frames(draw):
    rows = draw(st.integers(1, 8))
    kinds = draw(st.lists(st.sampled_from(sorted(CELLS)), min_size=1, max_size=4))
    cells = {f"c{place}": [draw(CELLS[kind]) for _ in range(rows)] for place, kind in enumerate(kinds)}
    for place, kind in enumerate(kinds):
        if kind == "text":
            cells[f"c{place}"][0] = "text"
        if kind == "number":
            cells[f"c{place}"][0] = 0.5
    return pd.DataFrame(cells)


@settings(deadline=None, max_examples=150)
@given(frames(), st.sampled_from(["\n", "\r\n"]), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_a_frame_written_and_read_is_the_frame(frame, end, quoting):
    text = frame.to_csv(index=False, lineterminator=end, quoting=quoting)
    assert fingerprint(table(text)) == fingerprint(frame)


def test_gaps_are_as_pandas_reads_them_into_its_nullable_types():
    text = "i,f,b,s\n1,0.5,True,x\n,,,\nNA,nan,None,null\n4,1e-3,false,y\n"
    frame = pd.read_csv(io.StringIO(text), dtype_backend="numpy_nullable")
    assert fingerprint(table(text)) == fingerprint(frame)
