"""Arrays, frames, tensors and generators of libraries; none is imported here, whoever returned one has done that."""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Mapping
from pathlib import PurePath
from types import MappingProxyType
from typing import Any

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints.digests import blake3
from pytest_mlrepro.tracing.objects import attributes, is_a, module_of, name_of, opaque, title
from pytest_mlrepro.tracing.reading import Handler, Reading

_BLOCKS = 64


def handler(kind: type) -> Handler | None:
    """How to read objects of a type of a library; None where it is of none, or only descends from one."""
    numpy = sys.modules.get("numpy")
    # While numpy is being imported it has no arrays yet.
    if (
        numpy is not None
        and hasattr(numpy, "ma")
        and (is_a(kind, numpy.ndarray) or is_a(kind, numpy.generic))
    ):
        return _masked if is_a(kind, numpy.ma.MaskedArray) else _array
    found = _BY_MODULE.get(module_of(kind).partition(".")[0])
    return found.get(name_of(kind), found.get("*")) if found is not None else None


def _array(reading: Reading, obj: Any, depth: int) -> None:
    import numpy as np

    scalar = is_a(type(obj), np.generic)
    # A view of the base class: a class of the project may have methods of its own.
    values = np.asarray(obj) if scalar else np.ndarray.view(obj, np.ndarray)
    shape = " x ".join(map(str, values.shape)) or "()"
    cells = "structured" if values.dtype.names is not None else values.dtype
    form = f"{cells} array of shape {shape}" if not scalar else f"numpy {cells}"
    reading.add("a", f"{title(type(obj))} {form}")
    if not depth:
        turned = values.ndim > 1 and not values.flags.c_contiguous
        order = ", Fortran order" if values.flags.f_contiguous else ", strided"
        value = f" {values}" if scalar and values.dtype.kind in "iub" else ""
        reading.form = f"{form}{value}{order if turned else ''}"
    _values(reading, values, depth)


def _values(reading: Reading, values: Any, depth: int) -> None:
    kind = values.dtype.kind
    if kind == "O":
        reading.visit(values.ravel().tolist(), depth + 1)
    elif values.dtype.names is not None:
        # Between fields may lie bytes that mean nothing.
        for name in values.dtype.names:
            reading.add(".", name)
            _values(reading, values[name], depth)
    elif kind in "fc":
        if values.dtype.char in "gG":
            # Between the long floats of some processors lie bytes that mean nothing.
            values = values.astype("f8" if kind == "f" else "c16")
        data, leaf = _hashed(reading, values)
        reading.add_floats(data, leaf.view(leaf.real.dtype) if kind == "c" else leaf)
    else:
        reading.add("v", _hashed(reading, values)[0].hex())


def _hashed(reading: Reading, values: Any) -> tuple[bytes, Any]:
    """The digest of the values in C order, of a sample of large ones, and what was hashed in one dimension."""
    import numpy as np

    if not reading.budget.whole(values.nbytes):
        values = _sample(values, reading.budget.sample())
    flat = np.ascontiguousarray(values).reshape(-1)
    data = flat.tobytes() if flat.nbytes <= 64 else blake3()(flat.view(np.uint8)).digest()
    return data, flat


def _sample(values: Any, size: int) -> Any:
    """Blocks of a large array, evenly spread; of one that is not contiguous some of its rows."""
    import numpy as np

    if not (values.flags.c_contiguous or values.flags.f_contiguous):
        rows = max(1, len(values) * size // values.nbytes)
        return values[np.linspace(0, len(values) - 1, min(rows, len(values))).astype(int)]
    flat = values.reshape(-1) if values.flags.c_contiguous else values.T.reshape(-1)
    block = max(1, size // _BLOCKS // flat.itemsize)
    starts = np.linspace(0, len(flat) - block, _BLOCKS).astype(int)
    return np.concatenate([flat[start : start + block] for start in starts])


def _masked(reading: Reading, obj: Any, depth: int) -> None:
    import numpy as np

    reading.name(f"masked {obj.dtype} array of shape {' x '.join(map(str, obj.shape))}", depth)
    reading.add("masked")
    mask = np.ma.getmaskarray(obj)
    _array(reading, mask, depth + 1)
    _array(reading, np.where(mask, np.zeros((), dtype=obj.dtype), np.ma.getdata(obj)), depth + 1)


def _random(reading: Reading, obj: Any, depth: int) -> None:
    reading.name("random.Random", depth)
    reading.add("random")
    reading.visit(random.Random.getstate(obj), depth + 1)


def _numpy_random(reading: Reading, obj: Any, depth: int) -> None:
    name = type(obj).__name__
    reading.name(f"numpy {name}", depth)
    reading.add("random", name)
    if name == "RandomState":
        state = obj.get_state(legacy=False)
    else:
        state = (obj.bit_generator if name == "Generator" else obj).state
    reading.visit(state, depth + 1)


def _frame(reading: Reading, obj: Any, depth: int) -> None:
    reading.name(f"{type(obj).__name__} of shape {' x '.join(map(str, obj.shape))}", depth)
    reading.add("frame", title(type(obj)))
    reading.visit(obj.columns, depth + 1)
    if hasattr(obj, "index"):
        reading.visit(obj.index, depth + 1)
    types = obj.dtypes.tolist() if hasattr(obj, "iloc") else []
    if types and types[0] == "float64" and types.count(types[0]) == len(types):
        _array(reading, obj.to_numpy(), depth + 1)
        return
    for column in [each for _, each in obj.items()] if types else obj.get_columns():
        reading.visit(column, depth + 1)


def _series(reading: Reading, obj: Any, depth: int) -> None:
    """A column or index of pandas or polars."""
    name = type(obj).__name__
    reading.name(f"{obj.dtype} {name} of {len(obj)}", depth)
    reading.add("series", f"{title(type(obj))} {obj.dtype} {len(obj)}")
    if not depth:
        reading.visit(obj.name, depth + 1)
        if name == "Series" and hasattr(obj, "index"):
            reading.visit(obj.index, depth + 1)
    if _NUMBERS.fullmatch(str(obj.dtype)) and not (hasattr(obj, "null_count") and obj.null_count()):
        _array(reading, obj.to_numpy(), depth + 1)
    elif str(obj.dtype) == "object":
        reading.visit(obj.tolist(), depth + 1)
    else:
        _fingerprinted(reading, obj, depth)


_NUMBERS = re.compile(r"bool|u?int\d+|float\d+|Boolean|U?Int\d+|Float\d+")
"""Types of pandas and polars whose columns numpy can hold, where none is missing."""


def _range_index(reading: Reading, obj: Any, depth: int) -> None:
    reading.name(f"RangeIndex of {len(obj)}", depth)
    reading.add("index", f"{obj.start} {obj.stop} {obj.step} {obj.name!r}")


def _fingerprinted(reading: Reading, obj: Any, depth: int) -> None:
    from pytest_mlrepro.fingerprints import fingerprint

    if not reading.form:
        size = f" of shape {' x '.join(map(str, obj.shape))}" if hasattr(obj, "shape") else ""
        reading.name(f"{title(type(obj))}{size}", depth)
    try:
        reading.add("p", fingerprint(obj, detail=False).digest)
    except FingerprintError:
        reading.add("p", title(type(obj)))


def _sparse(reading: Reading, obj: Any, depth: int) -> None:
    """A sparse matrix as it is stored: ``indices`` in another order is another layout of the same sums."""
    shape = " x ".join(map(str, obj.shape))
    attributes(reading, obj, depth)
    reading.name(f"{obj.format} matrix of shape {shape}", depth)


def _tensor(reading: Reading, obj: Any, depth: int) -> None:
    kind = str(obj.dtype).removeprefix("torch.")
    reading.name(f"{kind} tensor of shape {' x '.join(map(str, obj.shape))}", depth)
    reading.add("t", f"{kind} {obj.device.type}")
    dense = str(obj.layout) == "torch.strided" and not obj.is_quantized and obj.device.type != "meta"
    if not dense:
        opaque(reading, obj, depth)
        return
    values = obj.detach().resolve_conj().resolve_neg()
    # numpy knows no bfloat16; a float32 holds all of them.
    values = (values.float() if kind == "bfloat16" else values).cpu()
    try:
        _array(reading, values.numpy(), depth + 1)
    except TypeError:
        opaque(reading, obj, depth)


def _jax_array(reading: Reading, obj: Any, depth: int) -> None:
    import numpy as np

    reading.name(f"jax {obj.dtype} array of shape {' x '.join(map(str, obj.shape))}", depth)
    _array(reading, np.asarray(obj), depth + 1)


def _tree(reading: Reading, obj: Any, depth: int) -> None:
    reading.name("sklearn Tree", depth)
    reading.add("tree")
    reading.visit(obj.__getstate__(), depth + 1)


def _path(reading: Reading, obj: PurePath, depth: int) -> None:
    # A temporary folder is another one in every run.
    reading.add("path", obj.name if obj.is_absolute() else obj.as_posix())
    reading.name("path", depth)


_FINGERPRINTED: Mapping[str, Handler] = MappingProxyType(
    dict.fromkeys(
        ("Table", "RecordBatch", "ChunkedArray", "Int64Array", "DoubleArray", "StringArray"), _fingerprinted
    )
    | {"*": opaque}
)
_SPARSE = MappingProxyType(
    {f"{layout}_{kind}": _sparse for layout in ("csr", "csc", "coo", "bsr") for kind in ("matrix", "array")}
)
_INDEXES = ("Index", "DatetimeIndex", "CategoricalIndex", "MultiIndex", "TimedeltaIndex")

_BY_MODULE: Mapping[str, Mapping[str, Handler]] = MappingProxyType(
    {
        "random": MappingProxyType({"Random": _random}),
        "numpy": MappingProxyType(
            dict.fromkeys(
                ("Generator", "RandomState", "PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"),
                _numpy_random,
            )
        ),
        "pandas": MappingProxyType(
            {"DataFrame": _frame, "Series": _series, "RangeIndex": _range_index, "*": opaque}
            | dict.fromkeys(_INDEXES, _fingerprinted)
        ),
        "polars": MappingProxyType({"DataFrame": _frame, "Series": _series, "*": opaque}),
        "pyarrow": _FINGERPRINTED,
        "scipy": _SPARSE,
        "torch": MappingProxyType({"Tensor": _tensor, "Parameter": _tensor}),
        "jaxlib": MappingProxyType({"ArrayImpl": _jax_array}),
        "sklearn": MappingProxyType({"Tree": _tree}),
        "dask": MappingProxyType({"*": opaque}),
        "pyspark": MappingProxyType({"*": opaque}),
        "ray": MappingProxyType({"*": opaque}),
        "unittest": MappingProxyType({"*": opaque}),
        "ctypes": MappingProxyType({"*": opaque}),
        "io": MappingProxyType({"*": opaque}),
        "_io": MappingProxyType({"*": opaque}),
        "tempfile": MappingProxyType({"*": opaque}),
        "threading": MappingProxyType({"*": opaque}),
        "pathlib": MappingProxyType(
            dict.fromkeys(("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath"), _path)
        ),
    }
)
"""By the top-level module and the name of a type; the star is for its other types."""
