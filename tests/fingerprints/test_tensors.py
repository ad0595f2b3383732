"""Tensors: the fingerprint of numpy's array of the same values and type, whatever holds them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from sklearn.datasets import load_digits

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import fingerprint

torch = pytest.importorskip("torch")

DIGITS = load_digits().images
DTYPES = ["bool", "u1", "i1", "i2", "i4", "i8", "f2", "f4", "f8", "c8", "c16"]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(DTYPES).flatmap(
        lambda dtype: arrays(dtype, array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
    ),
    st.booleans(),
)
def test_same_values_as_numpy(array, ordered):
    tensor = torch.from_numpy(array.copy())
    expected = fingerprint(array, ordered=ordered)
    assert fingerprint(tensor, ordered=ordered) == expected
    assert fingerprint(tensor, ordered=ordered).detail == expected.detail


def test_views_strides_and_the_graph_do_not_count():
    tensor = torch.from_numpy(DIGITS)
    expected = fingerprint(DIGITS)
    padded = torch.zeros(len(DIGITS) + 2, 8, 9, dtype=torch.float64)
    padded[1:-1, :, :8] = tensor
    assert fingerprint(padded[1:-1, :, :8]) == expected
    assert fingerprint(tensor.permute(2, 1, 0).contiguous().permute(2, 1, 0)) == expected
    assert fingerprint(tensor.clone().requires_grad_()) == expected
    assert fingerprint(torch.nn.Parameter(tensor)) == expected
    assert fingerprint(tensor.clone().requires_grad_() * 1) == expected
    assert fingerprint(torch.zeros(1).expand(3)) == fingerprint(np.zeros(3, dtype="f4"))


def test_lazy_conjugates_and_signs():
    values = np.array([1 + 2j, -3j])
    tensor = torch.from_numpy(values)
    assert fingerprint(tensor.conj()) == fingerprint(values.conj())
    assert fingerprint(tensor.conj().imag) == fingerprint(values.conj().imag)


def test_another_value_type_or_shape_differs():
    tensor = torch.from_numpy(DIGITS)
    changed = tensor.clone()
    changed[3, 4, 5] += 1e-9
    others = [changed, tensor.float(), tensor.reshape(-1, 64), tensor[1:], tensor.flip(0)]
    assert len({fingerprint(other) for other in [tensor, *others]}) == 6


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_floats_that_numpy_does_not_have(name):
    if not hasattr(torch, name):
        pytest.skip(f"this torch has no {name}")
    values = torch.tensor([[1.5, -0.0], [float("nan"), 0.25], [4, 0]]).to(getattr(torch, name))
    result = fingerprint(values)
    assert result.detail["dtype"] == name
    assert fingerprint(values.T.contiguous().T) == result
    width = torch.int16 if name == "bfloat16" else torch.int8
    otherwise = values.clone()
    otherwise.view(width)[1, 0] = -1
    assert torch.isnan(otherwise.float())[1, 0]
    assert fingerprint(otherwise) == result
    signless = values.clone()
    signless[0, 1] = 0.0
    assert fingerprint(signless) != result
    assert fingerprint(values.float()) != result
    assert fingerprint(values[[2, 0, 1]], ordered=False) == fingerprint(values, ordered=False)
    assert fingerprint(values[0, 0]).detail["shape"] == ()


def test_in_containers():
    weights = {"weight": torch.ones(2, 2), "bias": [torch.zeros(2)]}
    same = {"bias": [torch.zeros(4)[::2]], "weight": torch.ones(4).reshape(2, 2).T}
    assert fingerprint(weights) == fingerprint(same)
    assert fingerprint(weights) != fingerprint({**weights, "bias": [torch.ones(2)]})


@pytest.mark.filterwarnings("ignore:ComplexHalf support")
def test_what_has_no_values_is_refused():
    with pytest.raises(FingerprintError, match="meta device"):
        fingerprint(torch.zeros(2, device="meta"))
    with pytest.raises(FingerprintError, match=r"sparse_coo.*\n.*to_dense"):
        fingerprint(torch.eye(2).to_sparse())
    with pytest.raises(FingerprintError, match="does not go into an array"):
        fingerprint(torch.zeros(2, dtype=torch.complex32))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_device_does_not_count():
    tensor = torch.from_numpy(DIGITS)
    assert fingerprint(tensor.cuda()) == fingerprint(DIGITS)
    assert fingerprint(tensor.bfloat16().cuda()) == fingerprint(tensor.bfloat16())


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["bool", "int32", "float32", "complex64"])
def test_jax(dtype):
    jnp = pytest.importorskip("jax.numpy")
    values = DIGITS[:9].astype(dtype)
    assert fingerprint(jnp.asarray(values)) == fingerprint(values)
    assert fingerprint(jnp.asarray(values).T) == fingerprint(values.T)


@pytest.mark.slow
def test_jax_bfloat16_is_that_of_torch():
    jnp = pytest.importorskip("jax.numpy")
    values = np.array([[1.5, np.nan], [-0.0, 3]], dtype="f4")
    narrow = jnp.asarray(values).astype(jnp.bfloat16)
    assert fingerprint(narrow) == fingerprint(torch.from_numpy(values).bfloat16())
    assert fingerprint(narrow[0, 0]) == fingerprint(torch.from_numpy(values).bfloat16()[0, 0])


@pytest.mark.slow
def test_jax_without_values():
    jax = pytest.importorskip("jax")
    with pytest.raises(FingerprintError, match="does not go into numpy's"):
        fingerprint(jax.random.key(0))
    with pytest.raises(FingerprintError, match="Tracer have no fingerprint"):
        jax.jit(lambda values: fingerprint(values) and values)(np.zeros(2))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_tensorflow():
    tf = pytest.importorskip("tensorflow")
    values = DIGITS[:9].astype("f4")
    assert fingerprint(tf.constant(values)) == fingerprint(values)
    assert fingerprint(tf.Variable(values)) == fingerprint(values)
    assert fingerprint(tf.constant(["a", "b"])) == fingerprint(np.array([b"a", b"b"], dtype=object))
    narrow = tf.cast(tf.constant(values), tf.bfloat16)
    assert fingerprint(narrow) == fingerprint(torch.from_numpy(values).bfloat16())
