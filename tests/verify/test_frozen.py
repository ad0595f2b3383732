from __future__ import annotations

import pytest

from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.model import SESSION, Fact, Run
from pytest_mlrepro.verify.frozen import Frozen

# What uv has said, word for word.
ABSENT = (
    "uv could not make the environment\n  error: No solution found when resolving dependencies\n"
    "    cause: Because there is no version of numpy==1.26.99 and you require numpy==1.26.99, we can conclude that "
    "your requirements are unsatisfiable."
)
UNKNOWN = "Because nosuchthing was not found in the package registry and you require nosuchthing==1.0, we can conclude"
NO_WHEEL = "Because numpy==1.26.99 has no wheels with a matching Python ABI tag (e.g., `cp313`)"
NOT_BUILT = "error: Failed to build `numpy==1.26.99`"
NO_PYTHON = "error: No interpreter found for Python 3.11.99 in managed installations or search path"
AT_ODDS = (
    "Because scipy==1.12.0 depends on numpy>=1.22.4,<1.29.0 and you require numpy==2.0.1, we can conclude that your "
    "requirements and scipy==1.12.0 are incompatible."
)


def frozen(**facts):
    found = [Fact("libraries", name.replace("__", "."), value) for name, value in facts.items()]
    return Frozen.of(Run.of({SESSION: found}), "mlrepro.lock")


def test_the_environment_is_what_the_lockfile_says():
    found = frozen(numpy="1.26.4", runtime__python="CPython 3.11.7", blas__numpy="openblas")
    assert found.python == "3.11.7"
    assert found.packages == ("numpy==1.26.4",)


def test_the_plugin_is_brought_along_and_not_asked_for():
    run = Run.of({SESSION: [Fact("libraries", "pytest-mlrepro", "0.1"), Fact("libraries", "numpy", "2.0.0")]})
    assert Frozen.of(run, "mlrepro.lock").packages == ("numpy==2.0.0",)


def test_what_no_index_has_is_left_out_and_said():
    found = frozen(numpy="1.26.4", model="0.1 (editable)")
    assert found.packages == ("numpy==1.26.4",)
    assert any("model 0.1: installed in editable mode" in note for note in found.notes)


def test_a_lockfile_without_libraries_cannot_be_rebuilt():
    with pytest.raises(LockfileError, match="no libraries are recorded"):
        Frozen.of(Run(), "mlrepro.lock")


@pytest.mark.parametrize("said", [ABSENT, NO_WHEEL, NOT_BUILT])
def test_a_version_that_cannot_be_had_gives_way(said):
    found = Frozen(("joblib==1.4.0", "numpy==1.26.99"), "3.11.7").relaxed(said)
    assert found.packages == ("joblib==1.4.0", "numpy")
    assert found.notes == ("numpy==1.26.99 cannot be had: another version is taken",)


def test_a_local_version_gives_way_to_its_public_part_first():
    found = Frozen(("torch==2.5.1+cu124",), "").relaxed(
        "there is no version of torch==2.5.1+cu124 and you require"
    )
    assert found.packages == ("torch==2.5.1",)
    found = found.relaxed("there is no version of torch==2.5.1 and you require")
    assert found.packages == ("torch",)
    assert len(found.notes) == 2


def test_a_package_that_is_not_there_at_all_is_not_asked_for_again_and_again():
    found = Frozen(("nosuchthing==1.0",), "").relaxed(UNKNOWN)
    assert found.packages == ("nosuchthing",)
    assert found.relaxed(UNKNOWN) is None


def test_a_python_that_is_not_at_hand_gives_way_to_its_minor_version_and_then_to_this_one():
    found = Frozen((), "3.11.99").relaxed(NO_PYTHON)
    assert found.python == "3.11"
    found = found.relaxed("No interpreter found for Python 3.11 in managed installations")
    assert found.python == ""
    assert found.relaxed(NO_PYTHON) is None


@pytest.mark.parametrize(
    ("packages", "said"),
    [
        (("scipy==1.12.0", "numpy==2.0.1"), AT_ODDS),
        (("numpy==1.26.9",), ABSENT),
        (("py==1.26.99",), ABSENT),
        (("numpy==1.26.99",), "pytest ended with exit status 2"),
    ],
)
def test_what_nobody_is_blamed_for_stays(packages, said):
    assert Frozen(packages, "3.11.7").relaxed(said) is None


def test_variables_are_set_as_they_were_and_taken_out_where_they_were_not():
    test = [Fact("assumptions", "environ.REGION", "EU"), Fact("assumptions", "environ.GONE", None)]
    test += [Fact("assumptions", "environ.API_TOKEN", "digest:0011")]
    test += [Fact("assumptions", "environ.MODEL", ".../model.bin")]
    session = [Fact("libraries", "numpy", "2.0.0"), Fact("libraries", "env.OMP_NUM_THREADS", "2")]
    session += [
        Fact("libraries", "env.XLA_FLAGS", "--dump=<path>"),
        Fact("libraries", "env.LD_PRELOAD", "libx.so"),
    ]
    found = dict(Frozen.of(Run.of({"t.py::test": test, SESSION: session}), "mlrepro.lock").variables)
    assert found["OMP_NUM_THREADS"] == "2"
    assert found["REGION"] == "EU"
    assert found["GONE"] is None
    assert found["MKL_NUM_THREADS"] is None
    for name in ("API_TOKEN", "MODEL", "XLA_FLAGS", "LD_PRELOAD", "CUDA_VISIBLE_DEVICES"):
        assert name not in found
