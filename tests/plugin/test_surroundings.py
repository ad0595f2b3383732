"""The libraries of a subject, as a mapping."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_mlrepro.plugin.surroundings import Libraries, Surroundings
from pytest_mlrepro.recording import Recording
from pytest_mlrepro.seeding import Seeding


@pytest.fixture
def libraries(tmp_path):

    (tmp_path / "test_a.py").write_text("import numpy\n")
    recording = Recording("test_a.py::test_a", 1, files=frozenset({tmp_path / "test_a.py"}))
    return Libraries(Surroundings(tmp_path, Seeding()), lambda: recording), recording


def test_those_in_use_are_listed_and_one_that_is_looked_up_is_frozen(libraries):
    found, recording = libraries
    assert "numpy" in list(found)
    assert len(found) == len(list(found))
    assert found["numpy"] == np.__version__
    assert "pluggy" not in list(found)
    assert found["pluggy"]
    assert recording.named == {"numpy", "pluggy"}
    assert "pluggy" in list(found)


def test_one_that_is_not_installed_is_not_there(libraries):
    found, recording = libraries
    with pytest.raises(KeyError, match="no-such-library"):
        found["no-such-library"]
    assert "no-such-library" not in found
    assert recording.named == set()
