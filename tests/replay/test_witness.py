from __future__ import annotations

import pytest

from pytest_mlrepro.errors import ReplayError
from pytest_mlrepro.guard import Site
from pytest_mlrepro.model import Fact, Run
from pytest_mlrepro.replay import Outcome, Witness
from pytest_mlrepro.replay.witness import Orders

WITNESS = Witness(
    {"t.py::test": Outcome("failed", "assert 1 == 2")},
    {"t.py::test": ("data.X", "results.f1")},
    ((Site("model.py", 3, "train", "default_rng()", "numpy"), ("t.py::test",)),),
    {"/data/x.csv": (3, 5)},
    ("model",),
    Run.of({"t.py::test": [Fact("results", "f1", 0.5)]}),
    {"libopenblas.so": {"num_threads": 2}},
)


def test_a_witness_comes_back_as_it_was_written(tmp_path):
    (tmp_path / "w").write_text(WITNESS.to_json())
    assert Witness.read(tmp_path / "w") == WITNESS


def test_orders_come_back_as_they_were_given():
    orders = Orders("/w", ("order",), "/home", ("/usr",))
    assert Orders.from_json(orders.to_json()) == orders


@pytest.mark.parametrize("content", [None, "", '{"outcomes": '])
def test_a_witness_that_was_not_written_to_its_end_is_said(tmp_path, content):
    path = tmp_path / "w"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ReplayError, match="ended before it could tell"):
        Witness.read(path)
