"""Ray's data sets: the fingerprint of the same rows in Arrow and pandas. A local Ray takes seconds to start."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pytest_mlrepro
from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import fingerprint

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
]

ray = pytest.importorskip("ray")
data = pytest.importorskip("ray.data")
pa = pytest.importorskip("pyarrow")


@pytest.fixture(scope="module", autouse=True)
def _ray():
    root = str(Path(pytest_mlrepro.__file__).parents[1])
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=200 * 2**20,
        runtime_env={"env_vars": {"PYTHONPATH": root}},
    )
    yield
    ray.shutdown()


def unordered(obj):
    return fingerprint(obj, ordered=False)


def same(one, other):
    return one.digest == other.digest and one.detail == other.detail


def table(rows=1000):
    half = rows // 2
    return pa.table(
        {
            "number": np.arange(rows),
            "share": np.arange(rows) / 7,
            "text": [f"text {number % 17}" for number in range(rows)],
            "time": pa.array(np.arange(rows), pa.timestamp("s", tz="UTC")),
            "late": pa.array([None] * half + [dt.date(2020, 1, 1)] * (rows - half)),
        }
    )


@pytest.mark.parametrize("blocks", [1, 7])
def test_a_data_set_has_the_fingerprint_of_the_table(blocks):
    found = data.from_arrow(table()).repartition(blocks)
    assert same(unordered(found), unordered(table()))
    assert same(unordered(found.random_shuffle(seed=1)), unordered(table()))
    changed = found.map_batches(one_more, batch_format="pyarrow")
    assert unordered(changed).digest != unordered(table()).digest


def one_more(batch):
    numbers = [number + (number == 333) for number in batch.column("number").to_pylist()]
    return batch.set_column(0, "number", pa.array(numbers))


def test_frames_and_columns_that_tasks_make():
    df = pd.DataFrame({"x": np.arange(100), "y": ["a", "b"] * 50})
    assert same(unordered(data.from_pandas([df[:30], df[30:]])), unordered(df))
    halves = data.range(1000).map_batches(lambda batch: {"x": batch["id"] / 2})
    assert same(unordered(halves), unordered(pd.DataFrame({"x": np.arange(1000) / 2})))


def test_errors_say_what_to_do():
    with pytest.raises(FingerprintError, match="Ray Dataset has its rows in partitions"):
        fingerprint(data.range(5))
    with pytest.raises(FingerprintError, match="is of the extension type"):
        unordered(data.from_numpy(np.ones((4, 2, 2))))
    with pytest.raises(FingerprintError, match="Ray Dataset is empty"):
        unordered(data.from_items([]))
