"""Known answers: digests that may never change under this algorithm's name, with any version of any library."""

import datetime as dt
from decimal import Decimal

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


def test_known_answers_of_files(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "a.csv").write_bytes(b"x\n1\n")
    (tmp_path / "b" / "c.bin").write_bytes(bytes(range(256)) * 300)
    assert str(fingerprint(tmp_path / "a.csv")) == "mlr1-blake3:b989a36835d20e1f7fe3523fde9d7b3b"
    assert str(fingerprint(tmp_path)) == "mlr1-blake3:79ff55d024c8c1a2dfc1b16b1d9e8cb3"
