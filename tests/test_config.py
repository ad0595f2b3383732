"""The project's settings: what they default to, what they take, and how a mistake is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.config import Config, load_config, parse_config, parse_policy, parse_seed
from pytest_mlrepro.errors import ConfigError
from pytest_mlrepro.model import Tolerance

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6))
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=6), inner, max_size=2),
)


def project(tmp_path, text):
    (tmp_path / "pyproject.toml").write_text(text)
    return tmp_path


def settings(tmp_path, text):
    return load_config(project(tmp_path, f"[tool.mlrepro]\n{text}\n"))


def test_without_a_file_all_is_default(tmp_path):
    assert load_config(tmp_path) == Config(tmp_path)
    assert load_config(tmp_path).lockfile_path == tmp_path / "mlrepro.lock"


@pytest.mark.parametrize("text", ["", "[project]\nname = 'mlrepro-user'\n", "[tool.mlrepro]\n"])
def test_a_file_that_says_nothing_of_it_is_default(tmp_path, text):
    assert load_config(project(tmp_path, text)) == Config(tmp_path)


def test_everything_that_can_be_set(tmp_path):
    found = settings(
        tmp_path,
        "lockfile = 'locks/ml.lock'\nseed = 7\nrtol = 0.01\natol = 0\nguard = 'pin'\ndigest = 'xxh3'\n"
        "secrets = ['*_DSN']\n"
        "[tool.mlrepro.policy]\nsource = 'fail'\n'results.*.loss' = 'ignore'\n"
        "[tool.mlrepro.versions]\n'scikit-*' = 'compatible'\npandas = 'any'\n"
        "[tool.mlrepro.stress]\norder = 'off'\nthreads = 'bitwise'\n",
    )
    assert found == Config(
        tmp_path,
        lockfile="locks/ml.lock",
        seed=7,
        tolerance=Tolerance(0.01, 0.0),
        guard="pin",
        digest="xxh3",
        secrets=("*_DSN",),
        policy={"source": "fail", "results.*.loss": "ignore"},
        versions={"scikit-*": "compatible", "pandas": "any"},
        stress={"order": "off", "threads": "bitwise"},
    )
    assert found.lockfile_path == tmp_path / "locks" / "ml.lock"


def test_a_hash_that_is_not_known_names_the_nearest(tmp_path):
    with pytest.raises(ConfigError, match="unknown value of digest 'xxh4'") as caught:
        settings(tmp_path, "digest = 'xxh4'")
    assert "did you mean 'xxh3'? known: blake3, xxh3" in caught.value.remedy
    with pytest.raises(ConfigError, match="unknown value of digest 3"):
        settings(tmp_path, "digest = 3")


def test_nobody_has_set_the_guard(tmp_path):
    assert settings(tmp_path, "seed = 1").guard is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lockfle = 'a'", "unknown setting 'lockfle'\ndid you mean 'lockfile'?"),
        ("zzz = 1", "unknown setting 'zzz'\nknown: lockfile, seed"),
        ("seed = '1'", "seed must be of type int, got '1'\nfor instance: seed = 0"),
        ("seed = true", "seed must be of type int, got True"),
        ("seed = -1", "the base seed must be an integer from 0 to 4294967295, got -1"),
        ("seed = 4294967296", "got 4294967296"),
        ("lockfile = 3", "lockfile must be of type str, got 3"),
        (
            "secrets = '*_DSN'",
            "secrets must be an array of names or patterns of names, got '*_DSN'\nfor instance",
        ),
        ("secrets = ['']", "secrets must be an array of names or patterns of names, got ['']"),
        ("secrets = [3]", "secrets must be an array of names or patterns of names, got [3]"),
        (
            "junit_properties = 'yes'",
            "junit_properties must be true or false, got 'yes'\nfor instance: junit_properties = true",
        ),
        ("guard = 'on'", "unknown value of guard 'on'"),
        ("guard = ['off']", "unknown value of guard ['off']"),
        ("environment = 3", "environment must be of type str, got 3"),
        ("environment = ''", "'' is no name of an environment"),
        ("environment = 'a b'", "'a b' is no name of an environment"),
        ("unknown_environment = 'fial'", "unknown value of unknown_environment 'fial'\ndid you mean 'fail'?"),
        ("unknown_environment = true", "unknown value of unknown_environment True"),
        ("rtol = -1.0", "rtol must be a finite number >= 0, got -1.0"),
        ("rtol = nan", "rtol must be a finite number >= 0, got nan"),
        ("rtol = -inf", "rtol must be a finite number >= 0, got -inf"),
        ("atol = inf", "atol must be a finite number >= 0, got inf"),
        ("atol = true", "atol must be a finite number >= 0, got True"),
        ("rtol = [1e-3]", "rtol must be a finite number >= 0, got [0.001]"),
        ("atol = '1e-3'", "atol must be a finite number >= 0, got '1e-3'"),
        (f"rtol = 1{'0' * 400}", "rtol must be a number that a float can hold"),
        ("policy = 'fail'", "expected a table, got 'fail'"),
        ("versions = 'any'", "expected a table, got 'any'"),
        (
            "versions = { numpy = 'compatble' }",
            "unknown rule for the version of 'numpy' 'compatble'\ndid you mean 'compatible'?",
        ),
        ("versions = { numpy = 1 }", "unknown rule for the version of 'numpy' 1"),
        (
            "versions = { 'libraries.numpy' = 'any' }",
            "expected the name of a distribution or a pattern of names, got 'libraries.numpy'\n"
            "for instance: numpy = 'any'",
        ),
        ("versions = { '' = 'any' }", "for instance: pandas = 'any'"),
        ("policy = { results = 'fial' }", "unknown policy for 'results' 'fial'\ndid you mean 'fail'?"),
        ("policy = { results = ['fail'] }", "unknown policy for 'results' ['fail']"),
        ("policy = { 'resluts.f1' = 'fail' }", "unknown facet 'resluts'\ndid you mean 'results'?"),
        ("policy = { '' = 'fail' }", "unknown facet ''"),
        ("policy = { results = { f1 = 'fail' } }", "unknown policy for 'results' {'f1': 'fail'}"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_remedy(tmp_path, text, said):
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, text)
    assert said in str(caught.value)
    assert "pyproject.toml, [tool.mlrepro" in caught.value.where
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.mlrepro\n", "not valid TOML"),
        (f"[tool.mlrepro]\nseed = 1{'0' * 5000}", "not valid TOML: Exceeds the limit"),
        ("tool = 3 # mlrepro", "expected a table, got 3"),
        ("[tool]\nmlrepro = 'yes'", "expected a table, got 'yes'"),
    ],
)
def test_a_broken_file_is_told(tmp_path, text, said):
    with pytest.raises(ConfigError, match=r"pyproject\.toml") as caught:
        load_config(project(tmp_path, text))
    assert said in caught.value.what


def test_a_file_that_is_not_text_is_told(tmp_path):
    (tmp_path / "pyproject.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)


def test_a_broken_file_that_never_names_us_is_left_to_others(tmp_path):
    assert load_config(project(tmp_path, "[project\n")) == Config(tmp_path)


@pytest.mark.parametrize("pattern", ["results", "results.f1", "*.f1", "[dr]*", "l?braries.numpy"])
def test_patterns_that_can_match(pattern):
    assert parse_policy({pattern: "warn"}, "here") == {pattern: "warn"}


def test_rules_cannot_be_changed_afterwards():
    rules = parse_policy({"results": "warn"}, "here")
    with pytest.raises(TypeError):
        rules["results"] = "fail"


@given(st.integers(0, 2**32 - 1))
def test_every_seed_of_32_bits_is_taken(seed):
    assert parse_seed(seed, "here") == seed


@given(
    st.dictionaries(
        st.sampled_from(["lockfile", "seed", "rtol", "atol", "guard", "policy", "versions", "x"]), JUNK
    )
    | JUNK
)
def test_whatever_stands_there_it_is_a_configuration_or_told(table):
    try:
        found = parse_config(table, Path("project"), "pyproject.toml")
    except ConfigError as error:
        found = error.where
    assert isinstance(found, Config) or found.startswith("pyproject.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tread = 'off'", "unknown change 'tread'\ndid you mean 'threads'? known: process, hash, "),
        (
            "order = 'rouding'",
            "unknown demand for 'order' 'rouding'\ndid you mean 'rounding'? known: bitwise, ",
        ),
        ("order = false", "unknown demand for 'order' False\nknown: bitwise, rounding, off"),
        ("order = ['off']", "unknown demand for 'order' ['off']\n"),
    ],
)
def test_what_results_hold_under_is_checked(tmp_path, text, message):
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, f"[tool.mlrepro.stress]\n{text}")
    assert str(caught.value).startswith(f"{tmp_path / 'pyproject.toml'}, [tool.mlrepro.stress]: {message}")


def test_a_table_is_expected_of_what_results_hold_under(tmp_path):
    with pytest.raises(ConfigError, match="expected a table, got 'all'"):
        settings(tmp_path, "stress = 'all'")
