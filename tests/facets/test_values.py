"""Plain values of what a test hands over."""

import enum
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.linear_model import Ridge

from pytest_mlrepro.errors import RecordingError
from pytest_mlrepro.facets._protocol import same_value
from pytest_mlrepro.redaction import digest, is_digest, is_named, is_secret, portable, redacted
from pytest_mlrepro.values import to_value, type_name


class Level(enum.IntEnum):
    LOW = 1


@pytest.mark.parametrize(
    ("obj", "value", "dtype"),
    [
        (None, None, ""),
        (True, True, ""),
        (np.bool_(True), True, ""),
        (np.float64(0.1), 0.1, ""),
        (np.float32(0.1), 0.1, "float32"),
        (np.float16(0.1), 0.1, "float16"),
        (np.longdouble(1) / 4, 0.25, np.dtype(np.longdouble).name),
        (np.complex64(0.1 + 0.2j), 0.1 + 0.2j, "complex64"),
        (np.int64(3), 3, ""),
        (np.uint8(3), 3, "uint8"),
        (np.str_("a"), "a", ""),
        (Level.LOW, 1, ""),
        ([1, [2.5, "a"]], (1, (2.5, "a")), ""),
        ([np.float32(0.1), np.float32(0.2)], (0.1, 0.2), "float32"),
        ([np.float32(0.1), 0.2], (0.1, 0.2), ""),
        (np.array([[1, 2], [3, 4]]), ((1, 2), (3, 4)), ""),
        (np.array(0.5), 0.5, ""),
        (np.array(["a", None], dtype=object), ("a", None), ""),
        (np.array([0.1, 0.2], dtype=">f4"), (0.1, 0.2), "float32"),
        (np.ma.array([1.0, 2.0], mask=[False, True]), (1.0, None), ""),
        (pd.Series([0.1, 0.2], dtype="float32", index=[7, 3]), (0.1, 0.2), "float32"),
        (pd.Series(["a", "b"]), ("a", "b"), ""),
        ([], (), ""),
    ],
)
def test_plain_value_and_dtype(obj, value, dtype):
    found = to_value(obj)

    assert same_value(found[0], value)
    assert found[1] == dtype


@given(arrays.arrays(np.float32, st.integers(0, 20), elements=st.floats(width=32)))
def test_narrow_floats_come_back_as_they_were(array):
    value, _ = to_value(array)

    assert np.array_equal(np.array(value, dtype=np.float32), array, equal_nan=True)


@pytest.mark.parametrize(
    "obj", [object(), {"a": 1}, {1, 2}, b"a", np.array([b"a"]), (i for i in ()), np.datetime64(1, "D")]
)
def test_anything_else_is_said_by_its_type(obj):
    with pytest.raises(RecordingError, match="metric 'f1' is"):
        to_value(obj, what="metric 'f1'")


def test_an_endless_list_is_refused():
    items: list[object] = []
    items.append(items)

    with pytest.raises(RecordingError, match="deeper than 32"):
        to_value(items)


def test_types_are_named_without_private_modules():
    assert type_name(1) == "int"
    assert type_name(math.sqrt) == "math.sqrt"
    assert type_name(Ridge) == "sklearn.linear_model.Ridge"
    assert type_name(i for i in ()) == "generator"


SECRET = """
    password DB_PASSWORD PGPASSWORD api_key apiKey APIKEY AWS_SECRET_ACCESS_KEY client_secret HF_TOKEN hfToken token
    GITHUB_TOKEN MYSQL_PWD credentials GOOGLE_APPLICATION_CREDENTIALS private_key ssh-key WANDB_API_KEY API_TOKENS
"""
HARMLESS = """
    key keys monkey secretary tokenizer token_pattern pad_token max_tokens eos_token num_tokens n_tokens PWD OLDPWD
    author keyboard TZ primary_key class_weight
"""


def words(text):
    return text.split()


@pytest.mark.parametrize("name", words(SECRET))
def test_secret_names(name):
    assert is_secret(name)


@pytest.mark.parametrize("name", words(HARMLESS))
def test_harmless_names(name):
    assert not is_secret(name)


def test_secrets_are_salted_by_their_name():
    assert digest("token", "abc") == redacted("token", "abc")
    assert digest("token", "abc") != digest("password", "abc")
    assert "abc" not in digest("token", "abc")
    assert redacted("token", None) is None
    assert redacted("use_token", True) is True
    assert is_digest(redacted("DATABASE_URL", "postgres://me:pw@host/db"))
    assert redacted("url", "https://host/path:1@2") == "https://host/path:1@2"


@pytest.mark.parametrize("name", ["SENTRY_DSN", "sentry_dsn", "db.main_dsn", "LICENCE"])
def test_a_project_names_further_secrets(name):
    patterns = ("*_DSN", "Licence")
    assert not is_digest(redacted(name, "hush"))
    assert is_digest(redacted(name, "hush", patterns))
    assert is_named(name, patterns)
    assert not is_named("SENTRY_DSN_NAME", patterns)
    assert not is_named("dsn.main", patterns)


def test_paths_lose_the_folders_of_this_machine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert portable(str(tmp_path / "data" / "x.csv")) == "data/x.csv"
    assert portable(str(tmp_path.parent / "x.csv")) == ".../x.csv"
    assert portable(f"{tmp_path / 'a'}:/usr/bin") == "a:/usr/bin"
    assert portable("/no/such/place") == "/no/such/place"
    assert portable("/\n") == "/\n"
    assert portable("data/x.csv") == "data/x.csv"
