"""The receipt of the seeds: what is recorded, what a drift leads to, and how it is told."""

from __future__ import annotations

import ast
import importlib.util
import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pytest_mlrepro
from pytest_mlrepro.facets.randomization import Randomization, _torch_precision
from pytest_mlrepro.model import Drift, Fact, Tolerance

FACET = Randomization()
SEEDS = st.integers(0, 2**32 - 1)
REPORT = """
import os, sys
import numpy, sklearn.linear_model
before, modules = dict(os.environ), set(sys.modules)
from pytest_mlrepro.facets.randomization import Randomization
facts = {fact.key: (fact.value, dict(fact.detail)) for fact in Randomization().session(("numpy", "random"))}
left = {name for name in set(sys.modules) - modules if name.partition(".")[0] == "threadpoolctl"}
print({"facts": facts, "changed": dict(os.environ) != before, "left": sorted(left)})
"""


def report(code=REPORT, flags=(), **environment):
    """The facts of a new process."""
    variables = {
        name: value for name, value in os.environ.items() if not name.endswith(("_NUM_THREADS", "HASHSEED"))
    }
    variables |= {"PYTHONPATH": str(Path(pytest_mlrepro.__file__).parents[1]), **environment}
    done = subprocess.run(
        [sys.executable, *flags, "-c", code],
        env=variables,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return ast.literal_eval(done.stdout)


def values(facts):
    return {fact.key: fact.value for fact in facts}


def drift(key, was, becomes, **details):
    def fact(side, value):
        return None if value is None else Fact("randomization", key, value, detail=details.get(side, {}))

    kind = "added" if was is None else "removed" if becomes is None else "changed"
    return Drift("session", "randomization", key, kind, fact("before", was), fact("now", becomes))


@given(SEEDS, st.integers(), st.lists(SEEDS, max_size=3))
def test_receipt_of_a_test(seed, base, pins):
    facts = FACET.capture(seed, base=base, pins=pins)
    assert values(facts) == {"seed": seed} | ({"pins": tuple(pins)} if pins else {})
    assert facts[0].detail == {"base": base}
    assert {fact.facet for fact in facts} == {"randomization"}
    assert facts == FACET.capture(seed, base=base, pins=pins)


def test_a_seed_matches_only_itself():
    (one,), (other,) = FACET.capture(1, base=0), FACET.capture(2, base=0)
    assert FACET.rung(one, one, Tolerance()) == "identical"
    assert FACET.rung(one, other, Tolerance(rtol=1.0)) == "drift"


def test_receipt_of_this_process():
    state, environment = np.random.get_state()[1].tolist(), dict(os.environ)
    facts = values(FACET.session(["random", "numpy"]))
    assert facts["generators.numpy"] == "MT19937"
    assert facts["generators.random"] == "MT19937"
    assert facts["hash_seed"] == "unset" or isinstance(facts["hash_seed"], int)
    assert np.random.get_state()[1].tolist() == state
    assert dict(os.environ) == environment
    assert facts == values(FACET.session(("numpy", "random")))


@pytest.mark.skipif(not hasattr(np.random, "set_bit_generator"), reason="numpy before 1.24 has only one")
def test_another_generator_behind_numpys_global_state_is_named():
    twister = np.random.get_bit_generator()
    np.random.set_bit_generator(np.random.PCG64(1))
    try:
        assert values(FACET.session(["numpy"]))["generators.numpy"] == "PCG64"
    finally:
        np.random.set_bit_generator(twister)


def test_thread_counts_as_they_are_and_an_unchanged_environment():
    told = report(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="2")
    facts = told["facts"]
    assert facts["threads.openblas"] == (1, {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "2"})
    assert facts["threads.openmp"] == (2, {"OMP_NUM_THREADS": "2"})
    assert not told["changed"]


def test_threadpoolctl_is_imported_without_a_trace():
    # numpy alone does not import it; its import sets an environment variable.
    told = report(REPORT.replace(", sklearn.linear_model", ""), OPENBLAS_NUM_THREADS="1")
    assert told["facts"]["threads.openblas"][0] == 1
    assert not told["changed"]
    assert told["left"] == []


def test_copies_of_a_library_that_disagree_are_both_told():
    threadpoolctl = pytest.importorskip("threadpoolctl")
    pytest.importorskip("scipy.linalg")
    copies = threadpoolctl.ThreadpoolController().select(internal_api="openblas")
    if len(copies) < 2:
        pytest.skip("numpy and scipy share one OpenBLAS here")
    first = copies.info()[0]["filepath"]
    with copies.limit(limits=1):
        assert values(FACET.session([]))["threads.openblas"] == 1
        with copies.select(filepath=first).limit(limits=2):
            assert values(FACET.session([]))["threads.openblas"] == (1, 2)
    assert sys.modules["threadpoolctl"] is threadpoolctl


def test_a_pool_that_scipy_registers_for_its_reader_of_files_is_not_told():
    pytest.importorskip("scipy.io._fast_matrix_market._fmm_core")
    np.linalg.svd(np.eye(3))
    assert "threads.openblas" in values(FACET.session([]))
    assert "threads.scipy_mmio" not in values(FACET.session([]))


@pytest.mark.parametrize(
    ("code", "environment", "flags", "expected"),
    [
        ("", {}, (), "unset"),
        ("", {"PYTHONHASHSEED": "random"}, (), "unset"),
        ("", {"PYTHONHASHSEED": "0"}, (), 0),
        ("", {"PYTHONHASHSEED": "0123"}, (), 123),
        # Set when it is too late, or to no effect.
        ("os.environ['PYTHONHASHSEED'] = '0'", {}, (), "unset"),
        ("os.environ['PYTHONHASHSEED'] = '5'", {"PYTHONHASHSEED": "0"}, (), 0),
        ("sys.path.insert(0, os.environ['PYTHONPATH'])", {"PYTHONHASHSEED": "7"}, ("-E",), "unset"),
    ],
)
def test_hash_seed_that_is_in_effect(code, environment, flags, expected):
    program = f"""
import os, sys
{code}
from pytest_mlrepro.facets.randomization import Randomization
print(repr(Randomization().session(())[0].value))
"""
    assert report(program, flags, **environment) == expected


def test_only_pinned_libraries_are_looked_at(monkeypatch):
    for name in ("torch", "jax", "tensorflow"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    keys = set(values(FACET.session(["random"])))
    assert not {key for key in keys if "torch" in key or "jax" in key or "tensorflow" in key}


def test_libraries_that_a_test_has_taken_out_again_are_passed_over(monkeypatch):
    gone = ("numpy.random", "torch", "jax", "tensorflow")
    for name in gone:
        monkeypatch.delitem(sys.modules, name, raising=False)
    keys = set(values(FACET.session(["numpy", *gone[1:]])))
    assert not {key for key in keys if key.partition(".")[0] in gone or key.startswith("threads.torch")}


def test_a_generator_that_does_not_say_is_told_as_such():
    assert values(FACET.session(["mine"]))["generators.mine"] == "unnamed"


@pytest.mark.slow
def test_torch_switches_are_read_back():
    torch = pytest.importorskip("torch")
    facts = values(FACET.session(["torch"]))
    assert facts["torch.deterministic"] is False
    assert facts["threads.torch"] == torch.get_num_threads()
    assert facts["threads.torch_interop"] == torch.get_num_interop_threads()
    assert facts["generators.torch"] == "mt19937"
    assert "torch.cublas_workspace" not in facts
    torch.backends.cudnn.deterministic = True
    try:
        for warn_only, expected in ((False, True), (True, "only warns")):
            torch.use_deterministic_algorithms(mode=True, warn_only=warn_only)
            facts = values(FACET.session(["torch"]))
            assert facts["torch.deterministic"] == expected
            assert facts["torch.cudnn_deterministic"] is True
    finally:
        torch.use_deterministic_algorithms(mode=False)
        torch.backends.cudnn.deterministic = False
    assert not torch.cuda.is_initialized()


PRECISION = """
import torch
from pytest_mlrepro.facets.randomization import Randomization
{setting}
print(dict((fact.key, fact.value) for fact in Randomization().session(["torch"]) if "precision" in fact.key))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("", "cuda.matmul none, cudnn.conv tf32"),
        ("torch.set_float32_matmul_precision('high')", "cuda.matmul tf32, cudnn.conv tf32"),
        # From here on torch refuses to tell its older switches.
        ("torch.backends.cuda.matmul.fp32_precision = 'tf32'", "cuda.matmul tf32, cudnn.conv tf32"),
        ("torch.backends.fp32_precision = 'ieee'", "cuda.matmul ieee, cudnn.conv ieee"),
        ("torch.backends.cudnn.conv.fp32_precision = 'ieee'", "cuda.matmul none, cudnn.conv ieee"),
    ],
)
def test_torch_precision_by_either_kind_of_switch(setting, expected):
    torch = pytest.importorskip("torch")
    if not hasattr(torch.backends.cuda.matmul, "fp32_precision"):
        pytest.skip("torch before 2.9 has only the older switches")
    told = report(PRECISION.format(setting=setting))
    assert told["torch.float32_precision"].startswith(expected)


def test_torch_precision_of_old_versions():
    matmul, cudnn = types.SimpleNamespace(), types.SimpleNamespace(allow_tf32=True)
    torch = types.SimpleNamespace(
        backends=types.SimpleNamespace(cuda=types.SimpleNamespace(matmul=matmul), cudnn=cudnn),
        get_float32_matmul_precision=lambda: "highest",
    )
    assert dict(_torch_precision(torch)) == {
        "float32_matmul_precision": "highest",
        "cudnn_allow_tf32": True,
    }


@pytest.mark.slow
def test_the_default_type_of_torch():
    torch = pytest.importorskip("torch")
    assert values(FACET.session(["torch"]))["torch.default_dtype"] == "float32"
    torch.set_default_dtype(torch.float64)
    try:
        assert values(FACET.session(["torch"]))["torch.default_dtype"] == "float64"
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.slow
def test_the_libraries_that_torch_prefers_only_once_cuda_runs(monkeypatch):
    torch = pytest.importorskip("torch")
    asked = []
    monkeypatch.setattr(
        torch.backends.cuda, "preferred_blas_library", lambda: asked.append(1) or "_BlasBackend.Cublaslt"
    )
    assert "torch.preferred_blas" not in values(FACET.session(["torch"]))
    assert not asked
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    facts = values(FACET.session(["torch"]))
    assert facts["torch.preferred_blas"] == "cublaslt"
    assert facts["torch.preferred_linalg"] == "default"


@pytest.mark.slow
def test_cublas_workspace_only_once_cuda_runs(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    assert values(FACET.session(["torch"]))["torch.cublas_workspace"] == "unset"
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    assert values(FACET.session(["torch"]))["torch.cublas_workspace"] == ":4096:8"


@pytest.mark.slow
def test_jax_switches_are_read_back():
    jax = pytest.importorskip("jax")
    facts = values(FACET.session(["jax"]))
    assert facts["jax.enable_x64"] is False
    assert facts["jax.threefry_partitionable"] is bool(jax.config.jax_threefry_partitionable)
    assert facts["generators.jax"].startswith("threefry")
    jax.config.update("jax_enable_x64", val=True)
    try:
        assert values(FACET.session(["jax"]))["jax.enable_x64"] is True
    finally:
        jax.config.update("jax_enable_x64", val=False)


def test_tensorflow_switches_are_read_back(monkeypatch):
    library = types.ModuleType("tensorflow")
    library.config = types.SimpleNamespace(
        experimental=types.SimpleNamespace(tensor_float_32_execution_enabled=lambda: True)
    )
    monkeypatch.setitem(sys.modules, "tensorflow", library)
    assert values(FACET.session(["tensorflow"]))["tensorflow.tensor_float_32"] is True
    inner = types.SimpleNamespace(is_op_determinism_enabled=lambda: True)
    monkeypatch.setitem(sys.modules, "tensorflow.python.framework.config", inner)
    assert values(FACET.session(["tensorflow"]))["tensorflow.op_determinism"] is True


KERAS = """
import keras
from pytest_mlrepro.facets.randomization import Randomization
def told():
    facts = Randomization().session([keras.config.backend()])
    return {fact.key: fact.value for fact in facts if fact.key.startswith("keras.")}
first = told()
# Told, not settled: what is chosen afterwards still counts.
keras.config.set_floatx("float64")
print(first, told())
keras.config.set_dtype_policy("mixed_bfloat16")
print(told())
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "tensorflow", "torch"])
def test_keras_tells_the_library_below_it_and_its_precision(backend):
    for name in ("keras", backend):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"needs {name}")
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "KERAS_BACKEND": backend}
    done = subprocess.run(
        [sys.executable, "-c", KERAS], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"{{'keras.backend': '{backend}', 'keras.dtype_policy': 'float32'}} "
        f"{{'keras.backend': '{backend}', 'keras.dtype_policy': 'float64'}}",
        f"{{'keras.backend': '{backend}', 'keras.dtype_policy': 'mixed_bfloat16'}}",
    ]


def test_keras_is_looked_at_with_the_library_below_it(monkeypatch):
    keras = types.ModuleType("keras")
    keras.config = types.SimpleNamespace(backend=lambda: "jax", floatx=lambda: "float32")
    monkeypatch.setitem(sys.modules, "keras", keras)
    monkeypatch.delitem(sys.modules, "keras.src.backend.common.global_state", raising=False)
    monkeypatch.delitem(sys.modules, "jax", raising=False)
    assert "keras.backend" not in values(FACET.session(["random"]))
    facts = values(FACET.session(["jax"]))
    assert (facts["keras.backend"], facts["keras.dtype_policy"]) == ("jax", "float32")
    # Keras 2 has no libraries below it to choose from.
    monkeypatch.setitem(sys.modules, "keras", types.ModuleType("keras"))
    assert "keras.backend" not in values(FACET.session(["jax"]))


@pytest.mark.parametrize(
    ("key", "before", "now", "policy"),
    [
        ("seed", 1, 2, "fail"),
        ("seed", None, 2, "fail"),
        ("pins", (1,), (2,), "fail"),
        ("pins", (1,), None, "fail"),
        ("generators.numpy", "MT19937", "PCG64", "note"),
        ("generators.torch", None, "mt19937", "note"),
        ("threads.openblas", 1, 2, "note"),
        ("threads.openmp", 4, None, "note"),
        ("hash_seed", 0, "unset", "fail"),
        ("hash_seed", "unset", 0, "fail"),
        ("hash_seed", 1, 2, "fail"),
        ("hash_seed", None, 0, "fail"),
        ("hash_seed", None, "unset", "note"),
        ("torch.deterministic", True, False, "fail"),
        ("torch.deterministic", None, False, "note"),
        ("torch.deterministic", True, None, "note"),
        ("jax.enable_x64", False, True, "fail"),
        ("jax.enable_x64", None, True, "note"),
        ("tensorflow.op_determinism", True, None, "note"),
        ("keras.backend", "jax", "torch", "fail"),
        ("keras.backend", None, "torch", "note"),
    ],
)
def test_what_a_drift_leads_to(key, before, now, policy):
    assert FACET.default_policy(drift(key, before, now)) == policy


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (
            drift("seed", 123, 456, before={"base": 0}, now={"base": 1}),
            "base seed 0 -> 1 (seed 123 -> 456)",
        ),
        (
            drift("seed", 1, 2, before={"base": 0}, now={"base": 0}),
            "seed 1 -> 2 (the test's name is the same, the base seed too: derived differently)",
        ),
        (drift("seed", None, 2), "not in the baseline, now 2"),
        (drift("pins", (1,), (1, 2)), "seeds given to mlrepro.pin(): [1] -> [1, 2]"),
        (drift("pins", None, (2,)), "seeds given to mlrepro.pin(): none -> [2]"),
        (drift("hash_seed", 0, "unset"), "PYTHONHASHSEED 0 -> unset"),
        (drift("hash_seed", None, 0), "PYTHONHASHSEED not recorded -> 0"),
        (
            drift("generators.numpy", "MT19937", "PCG64"),
            "the generator of numpy is another: MT19937 -> PCG64",
        ),
        (
            drift("generators.torch", None, "mt19937"),
            "the generator of torch is pinned too now, algorithm mt19937",
        ),
        (
            drift("generators.torch", "mt19937", None),
            "the generator of torch is no longer in use, its algorithm was mt19937",
        ),
        (drift("threads.openblas", 2, 1), "openblas threads 2 -> 1"),
        (drift("threads.openblas", None, (1, 2)), "openblas threads none -> [1, 2]"),
        (
            drift("threads.openmp", 2, 1, now={"OMP_NUM_THREADS": "1"}),
            "openmp threads 2 -> 1 (OMP_NUM_THREADS unset -> 1)",
        ),
        (
            drift("threads.openmp", 2, 1, before={"OMP_NUM_THREADS": "2"}, now={"OMP_NUM_THREADS": "2"}),
            "openmp threads 2 -> 1",
        ),
        (drift("torch.deterministic", True, False), "True -> False"),
    ],
)
def test_how_a_drift_is_told(found, sentence):
    assert FACET.explain(found) == sentence


@given(st.lists(SEEDS, min_size=30, max_size=60))
def test_sentences_stay_short(pins):
    assert len(FACET.explain(drift("pins", tuple(pins), tuple(reversed(pins))))) <= 160
