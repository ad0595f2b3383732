"""Known answers: digests that may never change under this algorithm's name, with any version of any library."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_digits

from pytest_mlrepro.fingerprints import fingerprint


def cancer():
    return load_breast_cancer(as_frame=True).frame


def people():
    return pd.DataFrame(
        {
            "name": ["Ada", None, "Émile", ""],
            "age": pd.array([36, None, 41, 0], dtype="Int64"),
            "born": pd.to_datetime(
                ["1815-12-10", None, "1840-04-02", "2026-11-24T12:34:56.789"], format="ISO8601"
            ),
            "seen": pd.to_datetime(["2026-11-24"] * 4).tz_localize("Europe/Berlin"),
            "grade": pd.Categorical(["b", "a", None, "b"], categories=["a", "b", "c"], ordered=True),
            "score": [1.5, float("nan"), -0.0, float("inf")],
            "extra": [1, "one", Decimal("1.10"), None],
        },
        index=pd.Index(["p", "q", "r", "s"], name="id"),
    )


def records():
    return np.array([(1, 2.5, "x"), (3, np.nan, "yz")], dtype=[("a", "i2"), ("b", "f4"), ("c", "U3")])


def nested_records():
    inner = np.dtype([("x", "f4", (2,)), ("name", "U2")])
    kind = np.dtype([("id", "u1"), ("place", inner), ("raw", "S3"), ("day", "M8[D]")], align=True)
    return np.array(
        [(1, ((0.5, -0.0), "a"), b"abc", "2026-11-24"), (2, ((np.nan, 2), "ü"), b"", "NaT")], dtype=kind
    )


def zoned():
    days = pd.Series(pd.to_datetime(["2026-11-24T12:34:56.789", None, "1969-07-20"], format="ISO8601"))
    return pd.DataFrame(
        {
            "utc": days.dt.tz_localize("UTC"),
            "Tokyo": days.dt.tz_localize("Asia/Tokyo"),
            "offset": days.dt.tz_localize(dt.timezone(dt.timedelta(hours=-3, minutes=-30))),
        }
    )


def nullable():
    return pd.DataFrame(
        {
            **{kind: pd.array([0, None, 100], dtype=kind) for kind in NULLABLE},
            "boolean": pd.array([True, None, False], dtype="boolean"),
            "Float32": pd.array([0.1, None, -0.0], dtype="Float32"),
            "Float64": pd.array([0.1, None, float("inf")], dtype="Float64"),
        }
    )


def shelf():
    """Values of every simple type that pandas, Arrow and polars have, None where missing."""
    noon = dt.datetime(2026, 11, 24, 12, 34, 56, 789_012)
    return {
        "bool": [True, None, False],
        **{f"int{bits}": [-(2 ** (bits - 1)), None, 2 ** (bits - 1) - 1] for bits in (8, 16, 32, 64)},
        **{f"uint{bits}": [0, None, 2**bits - 1] for bits in (8, 16, 32, 64)},
        "float32": [0.5, None, -0.0],
        "float64": [0.1, None, float("nan")],
        "text": ["a", None, "\U00010348\0"],
        "empty": ["", "", None],
        "bytes": [b"\0a", None, b""],
        "date": [dt.date(2026, 11, 24), None, dt.date(1815, 12, 10)],
        "clock": [dt.time(1, 2, 3, 4), None, dt.time(0)],
        "instant": [noon, None, dt.datetime(1900, 1, 1)],
        "zoned": [noon.replace(tzinfo=dt.UTC), None, dt.datetime(1970, 1, 1, tzinfo=dt.UTC)],
        "lapse": [dt.timedelta(days=-1, microseconds=7), None, dt.timedelta(hours=3)],
        "price": [Decimal("1.10"), None, Decimal("-0.05")],
        "grade": ["b", None, "a"],
        "list": [[1, None], None, []],
    }


def shelf_of_pandas():
    made = {}
    for name, cells in shelf().items():
        if name == "grade":
            made[name] = pd.Series(pd.Categorical(cells, categories=["b", "a"], ordered=True))
        elif name == "float64":
            # pandas' own nullable floats hold no NaN beside missing ones.
            pa = pytest.importorskip("pyarrow")
            made[name] = pd.Series(pd.arrays.ArrowExtensionArray(pa.array(cells)))
        elif name.startswith(("int", "uint")):
            made[name] = pd.Series(pd.array(cells, dtype=name.replace("i", "I").replace("u", "U")))
        elif name in OF_PANDAS:
            made[name] = pd.Series(cells, dtype=OF_PANDAS[name])
        else:
            made[name] = pd.Series(cells, dtype=object)
    return pd.DataFrame(made)


OF_PANDAS = {
    "bool": "boolean",
    "float32": "Float32",
    "instant": "M8[us]",
    "zoned": "datetime64[us, UTC]",
    "lapse": "m8[us]",
}


def shelf_of_arrow():
    pa = pytest.importorskip("pyarrow")
    kinds = {
        "bool": pa.bool_(),
        "text": pa.string(),
        "empty": pa.string(),
        "bytes": pa.binary(),
        "date": pa.date32(),
        "clock": pa.time64("us"),
        "instant": pa.timestamp("us"),
        "zoned": pa.timestamp("us", "UTC"),
        "lapse": pa.duration("us"),
        "price": pa.decimal128(9, 2),
        "list": pa.list_(pa.int64()),
    }
    made = {}
    for name, cells in shelf().items():
        if name == "grade":
            indices = pa.array([0, None, 1], pa.int32())
            made[name] = pa.DictionaryArray.from_arrays(indices, pa.array(["b", "a"]), ordered=True)
        else:
            made[name] = pa.array(cells, kinds[name] if name in kinds else getattr(pa, name)())
    return pa.table(made)


def shelf_of_polars():
    pl = pytest.importorskip("polars")
    kinds = {
        "bool": pl.Boolean,
        "text": pl.String,
        "empty": pl.String,
        "bytes": pl.Binary,
        "date": pl.Date,
        "clock": pl.Time,
        "instant": pl.Datetime("us"),
        "zoned": pl.Datetime("us", "UTC"),
        "lapse": pl.Duration("us"),
        "price": pl.Decimal(9, 2),
        "grade": pl.Enum(["b", "a"]),
        "list": pl.List(pl.Int64),
    }
    made = {}
    for name, cells in shelf().items():
        kind = kinds.get(name) or getattr(pl, name.title().replace("Ui", "UI"))
        made[name] = pl.Series(cells, dtype=kind)
    return pl.DataFrame(made)


def houses_of(library):
    """The same file as each reader has it."""
    if library == "pandas":
        return pd.read_csv(HOUSES)
    if library == "polars":
        return pytest.importorskip("polars").read_csv(HOUSES)
    return pytest.importorskip("pyarrow.csv").read_csv(HOUSES)


HOUSES = Path(__file__).parents[2] / "fixtures" / "projects" / "houses" / "data" / "train.csv"
NULLABLE = [f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)]
TEXTS = ["Ada", None, "", "Émile", "e\u0301", "a\0b", "\U00010348"]


def needing(library, make):
    """A maker that is skipped where a library is not there."""

    def made():
        pytest.importorskip(library)
        return make()

    return made


ANSWERS = {
    "scalars": lambda: [None, True, 1, -(2**70), 0.1, float("nan"), 1j, "ü", b"\0", dt.date(2026, 11, 24)],
    "nested": lambda: {"a": [1, (2.0, {"x", "y"})], "b": {"c": None}},
    "floats": lambda: np.asarray(cancer()["mean radius"]),
    "matrix": lambda: load_digits().data,
    "images": lambda: load_digits().images.astype("u1"),
    "many": lambda: np.arange(200_000, dtype="i4").reshape(50_000, 4) % 977,
    "half": lambda: np.array([0.1, np.nan, -np.inf], dtype="f2"),
    "complex": lambda: np.array([[1 + 2j, np.nan], [0, -1j]]),
    "dates": lambda: np.array(["2026-11-24", "NaT"], dtype="M8[D]"),
    "texts": lambda: np.array([["a", "bc"], ["", "ü"]]),
    "objects": lambda: np.array([1, "a", None, (1, 2.0)], dtype=object),
    "masked": lambda: np.ma.array([1, 2, 3], mask=[0, 1, 0], dtype="i8"),
    "records": records,
    "table": cancer,
    "people": people,
    "series": lambda: people()["born"],
    "levels": lambda: pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["x", None]),
    "bins": lambda: pd.cut(pd.Series([0.5, 1.5, None]), [0, 1, 2]),
    "months": lambda: pd.Series(pd.period_range("2026-01", periods=3, freq="M")),
    "sparse": lambda: sparse.csr_matrix(load_digits().data),
    "single": lambda: np.array([0.1, np.nan, -0.0, np.inf], dtype="f4"),
    "double": lambda: np.array([5e-324, np.nan, -0.0, -np.inf]),
    "truths": lambda: np.array([[True, False], [False, False]]),
    "bytes": lambda: np.array([b"a", b"", b"b\0c"]),
    "void": lambda: np.array([b"ab\0", b"\xff\0c"], dtype="V3"),
    "lapses": lambda: np.array([90, -1, "NaT"], dtype="m8[s]"),
    "months without length": lambda: np.array([12, "NaT"], dtype="m8[M]"),
    "far dates": lambda: np.array(["0001-01-01", "9999-12-31T23:59:59"], dtype="M8[s]"),
    "attoseconds": lambda: np.array([1, -1], dtype="m8[as]"),
    "nested records": nested_records,
    "0-d": lambda: np.array(1.5),
    "empty": lambda: np.zeros((0, 3), dtype="c8"),
    "strings": lambda: pd.Series(TEXTS, dtype="string[python]", name="text"),
    "strings of Arrow": needing("pyarrow", lambda: pd.Series(TEXTS, dtype="string[pyarrow]", name="text")),
    "strings as objects": lambda: pd.Series(TEXTS, dtype=object, name="text"),
    "lone surrogates": lambda: pd.Series(["\ud800", "a\udfff", None], dtype=object),
    "nothing": lambda: pd.Series([None, None], dtype=object),
    "zoned": zoned,
    "nullable": nullable,
    "durations": lambda: pd.Series(pd.to_timedelta([1.5, None, -3], unit="s")),
    "levels of categories": lambda: pd.Series(pd.Categorical([3, None, 1], categories=[3, 1, 2])),
    "dense": lambda: pd.Series([0.0, 1.0, 0.0]).astype(pd.SparseDtype("float64", 0.0)),
    "doubled names": lambda: pd.DataFrame([[1, 2.5], [3, 4.5]], columns=["v", "v"]),
    "numbered columns": lambda: pd.DataFrame(np.arange(6.0).reshape(2, 3)),
    "columns in levels": lambda: pd.DataFrame(
        [[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")], names=["one", None])
    ),
    "objects in cells": lambda: pd.Series([[1], {"a": {2}}, dt.date(2026, 1, 1), np.arange(3.0)]),
    "shelf of pandas": shelf_of_pandas,
    "shelf of Arrow": shelf_of_arrow,
    "shelf of polars": shelf_of_polars,
    "houses of pandas": lambda: houses_of("pandas"),
    "houses of polars": lambda: houses_of("polars"),
    "houses of Arrow": lambda: houses_of("pyarrow"),
    "tensor": lambda: pytest.importorskip("torch").arange(12, dtype=pytest.importorskip("torch").float32),
    "narrow tensor": lambda: (
        pytest.importorskip("torch")
        .tensor([1.5, -0.0, float("nan")])
        .to(pytest.importorskip("torch").bfloat16)
    ),
    "sets": lambda: {"a", ("b", 1), frozenset({1.5, None}), b"c"},
    "numbers": lambda: [0, -1, 2**64, 1e308, -0.0, 1 + 2j, Decimal("1.10"), Fraction(1, 3), True],
    "times": lambda: (
        dt.datetime(2026, 11, 24, 1, 2, 3, 4),
        dt.datetime(2026, 11, 24, tzinfo=dt.UTC),
        dt.time(1, 2),
        dt.timedelta(-1, 2, 3),
        pd.Timestamp("2026-11-24T00:00:00.000000001"),
        pd.Timedelta(1, "ns"),
        pd.NaT,
    ),
    "others": lambda: [range(2, 9, 3), UUID(int=7), bytearray(b"x"), {"k": [np.arange(2), None]}, np.int8(3)],
}
DIGESTS = {
    "scalars": "805c54a399158303d4f9e5702646650f",
    "nested": "20f5174bd8b065981e4f421344ec4a7f",
    "floats": "cbf962c5579e4ee9ee08f6e4e4d65d0f",
    "matrix": "edf5a2d5d4133ee9dac0a0debe6c541f",
    "images": "4083b9c0a6d07712a8c24bcd8c96df9e",
    "many": "2695eedf509d4a1d65ce001ad4d8e3a5",
    "half": "27cfb762febd8d1c3dc6d4e111b19828",
    "complex": "a7f6682876354dd8c30e8d103ef9399c",
    "dates": "fd80dd245520bca534ebd14e17251a8c",
    "texts": "325019fe8aa300722604e85a455c4699",
    "objects": "70b4dd504f4dc85889bb932d1cb8402d",
    "masked": "e1233439a3e64be43b7118c0f3a6df71",
    "records": "ad18dc9af84ac189a1f30b3573e84015",
    "table": "e5e342bcfb6ec3911ab0f6c7b42f5236",
    "people": "e3534b0eb121fa026c73acdc28b955db",
    "series": "9882c60d4f5f49cf0f472049b550c50e",
    "levels": "6c650bdb332d5aa1e793992b682b5a92",
    "bins": "1a949597e9f3ef71b1f2e42b66ac4dad",
    "months": "14519260001d733c13da1da9f3979e46",
    "sparse": "eb044e9522b764d41cf2e114db550445",
    "single": "02a3082e35db1f194901d14c4b9d0121",
    "double": "908a014a1ce5bd0a97ed67df8462a0d2",
    "truths": "ef0b5272cc63e01573e01250f83f0031",
    "bytes": "84a7f2867673935c9fe02c3cf8a05217",
    "void": "c0b760729daaf9455d0ee815f673faf5",
    "lapses": "7b5ebcb4c4b30a34c2612337183ab1c0",
    "months without length": "c7e3a744912bdaca9b6a47b70b59baa4",
    "far dates": "87859a85a7be9a57da5dda8a9dff82cd",
    "attoseconds": "81dc42fff0f1128497a629e4343cfda0",
    "nested records": "93b1adde5fd6bf2e87772fa33068ee7e",
    "0-d": "687d7ad65100c0d2b29b6f7462d04be0",
    "empty": "a0825dee1e2565f584c0af085d25790d",
    "strings": "b9a04c2df8c3cc2567cfe2a04790cc43",
    "strings of Arrow": "b9a04c2df8c3cc2567cfe2a04790cc43",
    "strings as objects": "b9a04c2df8c3cc2567cfe2a04790cc43",
    "lone surrogates": "c0e69f3d3a60dc0967e6b46fd054d550",
    "nothing": "a8d14daa5c6d462561dcc29bf2703ad9",
    "zoned": "6c79658f8d0606a4ddcb4fdc0253068e",
    "nullable": "a332dec30018f24cb78c3820731d6e4c",
    "durations": "8f5f60f434de5ca895f90e33215b011f",
    "levels of categories": "1ecd8789e1dcd32d8ab4e7a0891c0610",
    "dense": "eb2c5928764a7bef5afcb3e2d2033428",
    "doubled names": "f8e47eb206e0dae745ca7f1571f0b250",
    "numbered columns": "7019fa8ebf8b71723353ad3d606a937a",
    "columns in levels": "9c1b016e59b2cc9236855b9419bff798",
    "objects in cells": "ea9e7cbd9a3da8635ebd7db78f7b62be",
    "shelf of pandas": "a67cb5a3b368461bce558062ea13ca62",
    "shelf of Arrow": "a67cb5a3b368461bce558062ea13ca62",
    "shelf of polars": "a67cb5a3b368461bce558062ea13ca62",
    "houses of pandas": "064c44b80f8c144a6f74dd990abc0277",
    "houses of polars": "064c44b80f8c144a6f74dd990abc0277",
    "houses of Arrow": "064c44b80f8c144a6f74dd990abc0277",
    "tensor": "0901840762a2e87f1d90a79b9d59d18b",
    "narrow tensor": "74b3477a2836cf55372ee91cd3db1e74",
    "sets": "fa385f7a76953d4f18b5bb53d49abe2e",
    "numbers": "78537bf2b45d824ff2400bbfe5917c96",
    "times": "3250bdc652c1e205b9789923785758a3",
    "others": "65d12e1641f6bde02bb3a92a9fcf0cae",
}
FREE_OF_ORDER = {
    "scalars": "b646d42bdc0e45f3cbbe751c5529a2cf",
    "matrix": "08fe7077ffadb4e741841c851769ee20",
    "images": "9e43b1e7be7cefc4eac81f20569f0933",
    "texts": "2585fcc2e7a8833c54eba8049a5d1315",
    "objects": "0c2efe7ac62ebbe1ec3382d5e505612a",
    "masked": "32e817ed823a6836a279b3bd9e6dfbea",
    "records": "c9c65b12cd2098349e109ad86195de28",
    "table": "eb0413727178f720d3f22399df28cdb0",
    "people": "796e240715eaa341a2ee963c6c6786c9",
    "sparse": "53c122b6198fe90267ee4494f4cbb4f1",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_known_answer(name):
    assert str(fingerprint(ANSWERS[name]())) == f"mlr1-blake3:{DIGESTS[name]}"


@pytest.mark.parametrize("name", FREE_OF_ORDER)
def test_known_answer_free_of_order(name):
    assert str(fingerprint(ANSWERS[name](), ordered=False)) == f"mlr1-blake3:{FREE_OF_ORDER[name]}"


def test_extended_floats_of_80_bits():
    if np.finfo("g").nmant != 63:
        pytest.skip("long doubles have another width here")
    values = np.array([1, -2, 0, np.inf, np.nan], dtype="g") / 3
    values[2] = -values[2]
    assert str(fingerprint(values)) == "mlr1-blake3:09e7f1c7b8981633ca42606b55792ecd"
    assert (
        str(fingerprint(np.array([[1 + 2j]], dtype="G") / 3))
        == "mlr1-blake3:1129e089dcd049c4848333d7e2d2e55f"
    )


@pytest.mark.parametrize(
    "names",
    [
        ("shelf of pandas", "shelf of Arrow", "shelf of polars"),
        ("houses of pandas", "houses of Arrow", "houses of polars"),
        ("strings", "strings of Arrow", "strings as objects"),
    ],
)
def test_one_answer_whatever_holds_the_values(names):
    assert len({DIGESTS[name] for name in names}) == 1


def test_known_answers_of_files(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "a.csv").write_bytes(b"x\n1\n")
    (tmp_path / "b" / "c.bin").write_bytes(bytes(range(256)) * 300)
    assert str(fingerprint(tmp_path / "a.csv")) == "mlr1-blake3:b989a36835d20e1f7fe3523fde9d7b3b"
    assert str(fingerprint(tmp_path)) == "mlr1-blake3:79ff55d024c8c1a2dfc1b16b1d9e8cb3"
