"""Spark's frames: the fingerprint of the same rows in pandas and Arrow. A local Spark takes seconds to start."""

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

import pytest_mlrepro
from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import fingerprint

pytestmark = [
    pytest.mark.slow,
    # Spark says so of every pandas that is newer than itself.
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.filterwarnings("ignore:distutils Version classes:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

sql = pytest.importorskip("pyspark.sql")
pa = pytest.importorskip("pyarrow")

ROOT = str(Path(pytest_mlrepro.__file__).parents[1])


@pytest.fixture(scope="module")
def spark():
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYSPARK_PYTHON", sys.executable)
        patched.setenv("PYTHONPATH", ROOT)
        found = (
            sql.SparkSession.builder.master("local[2]")
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.sql.shuffle.partitions", 2)
            .config("spark.sql.session.timeZone", "America/New_York")
            .getOrCreate()
        )
        yield found
        found.stop()


def unordered(obj):
    return fingerprint(obj, ordered=False)


def same(one, other):
    return one.digest == other.digest and one.detail == other.detail


def arrow_of(frame):
    """The frame as a table, which Spark gives from version 4 on."""
    if not hasattr(frame, "toArrow"):
        pytest.skip("this version of Spark has no toArrow")
    return frame.toArrow()


def days(numbers):
    return (pd.Timestamp("2020-01-01") + pd.to_timedelta(numbers, unit="D")).dt.date


COLUMNS = {
    "long": ("id", lambda n: n),
    "int": ("cast(id as int)", lambda n: n.astype("int32")),
    "double": ("id / 7.0d", lambda n: n / 7),
    "float": ("cast(id as float)", lambda n: n.astype("float32")),
    "flag": ("id % 2 = 0", lambda n: n % 2 == 0),
    "text": ("concat('é', cast(id as string))", lambda n: "é" + n.astype("string")),
    "instant": ("timestamp_seconds(id)", lambda n: pd.to_datetime(n, unit="s", utc=True)),
    "time": (
        "cast('2020-01-01 12:00:00' as timestamp_ntz) + make_interval(0, 0, 0, 0, 0, 0, id)",
        lambda n: pd.Timestamp("2020-01-01 12:00:00") + pd.to_timedelta(n, unit="s"),
    ),
    "day": ("date_add(date'2020-01-01', cast(id as int))", days),
    "price": ("cast(id as decimal(12, 2))", lambda n: n.map(lambda number: Decimal(f"{number}.00"))),
    "gap": ("if(id % 3 = 0, null, id)", lambda n: n.astype("Int64").mask(n % 3 == 0)),
    "nan": (
        "if(id % 3 = 0, double('nan'), double(id))",
        lambda n: n.astype("float64").mask(n % 3 == 0, float("nan")),
    ),
    "late": (
        "if(id > 15, date'2020-01-01', null)",
        lambda n: pd.Series([days(n)[0] if number > 15 else None for number in n], dtype=object),
    ),
    "never": ("cast(null as date)", lambda n: pd.Series([None] * len(n), dtype=object)),
}


def test_a_frame_has_the_fingerprint_of_pandas(spark):
    found = spark.range(20).selectExpr(*(f"{made} as {name}" for name, (made, _) in COLUMNS.items()))
    numbers = pd.Series(range(20), dtype="int64")
    whole = pd.DataFrame({name: make(numbers) for name, (_, make) in COLUMNS.items()})
    for partitions in (1, 3, 30):
        assert same(unordered(found.repartition(partitions)), unordered(whole))
    for name in ("long", "text", "instant", "never"):
        changed = found.withColumn(name, spark_null(found, name)).repartition(3)
        assert (unordered(changed).digest == unordered(whole).digest) == (name == "never")


def spark_null(found, name):
    from pyspark.sql import functions

    return functions.when(found["long"] != 17, found[name])


def test_nested_values_are_those_of_arrow(spark):
    found = spark.range(9).selectExpr(
        "array(id, null) as items",
        "map('k', id) as named",
        "named_struct('x', id) as parts",
        "encode('é', 'utf-8') as raw",
    )
    assert same(unordered(found.repartition(4)), unordered(arrow_of(found)))


def test_a_frame_without_rows(spark):
    found = spark.range(5).selectExpr("id", "cast(id as string) as text", "current_date() as day")
    assert same(unordered(found.where("id < 0")), unordered(arrow_of(found).slice(0, 0)))


def test_the_zone_of_the_session_does_not_count(spark):
    found = spark.range(5).selectExpr("timestamp_seconds(id) as t")
    before = unordered(found)
    spark.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    try:
        assert unordered(found) == before
    finally:
        spark.conf.set("spark.sql.session.timeZone", "America/New_York")


def test_errors_say_what_to_do(spark):
    with pytest.raises(FingerprintError, match="Spark DataFrame has its rows in partitions"):
        fingerprint(spark.range(5))
    with pytest.raises(FingerprintError, match=r"Spark DataFrame"):
        unordered(spark.sql("select interval '1-2' year to month as x"))


WITHOUT = """
from pyspark.sql import SparkSession
from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import fingerprint

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
try:
    fingerprint(spark.range(5), ordered=False)
except FingerprintError as error:
    print("said:", error.what, "/", error.remedy)
spark.stop()
"""


def child(path, text, python=sys.executable):
    path.write_text(text)
    env = {**os.environ, "PYTHONPATH": ROOT, "PYTHONWARNINGS": "ignore", "PYSPARK_PYTHON": str(python)}
    done = subprocess.run(
        [sys.executable, path], env=env, capture_output=True, text=True, timeout=580, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_executors_without_the_package_are_named(tmp_path):
    # A Python like ours in which the package cannot be imported.
    python = tmp_path / "python"
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "sitecustomize.py").write_text(
        "import sys\nsys.modules['pytest_mlrepro'] = None\n"
    )
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{tmp_path}/hidden:$PYTHONPATH" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    said = child(tmp_path / "without.py", WITHOUT, python)
    assert "said: the processes in which Spark computes cannot import pytest_mlrepro" in said


LARGE = """
import resource
import numpy as np
import pandas as pd
from pyspark.sql import SparkSession
from pytest_mlrepro.fingerprints import fingerprint

ROWS = 10_000_000


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def rows(spark, count):
    return spark.range(count, numPartitions=20).selectExpr(
        "id", "(id % 1000) / 7.0d as share", "cast(id % 251 as smallint) as code", "cast(id % 5000 as string) as text"
    )


spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.ui.enabled", "false")
    .config("spark.ui.showConsoleProgress", "false")
    .getOrCreate()
)
fingerprint(rows(spark, 1000), ordered=False)
before = peak()
found = fingerprint(rows(spark, ROWS), ordered=False)
growth = peak() - before
spark.stop()
n = np.arange(ROWS)
whole = pd.DataFrame(
    {
        "id": n,
        "share": (n % 1000) / 7,
        "code": (n % 251).astype("i2"),
        "text": pd.array(n % 5000, "Int64").astype("string"),
    }
)
whole = fingerprint(whole, ordered=False)
print(found.digest == whole.digest, found.detail == whole.detail, round(growth))
"""


def test_ten_million_rows_leave_the_driver_as_it_was(tmp_path):
    equal, told, growth = child(tmp_path / "large.py", LARGE).split()[-3:]
    assert (equal, told) == ("True", "True")
    # The data are about 250 MiB.
    assert int(growth) < 32
