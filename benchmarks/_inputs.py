"""The inputs of the benchmark of fingerprints: what holds data in daily work, of one size and made from a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

GIB = 1 << 30
ROWS = 5_000_000
CHUNKS = 39


@dataclass(frozen=True, slots=True)
class Subject:
    """An input, made.

    Attributes:
        value: what is fingerprinted.
        raw: the same values as plain bytes in the host's memory, each array contiguous; for texts as Arrow has them.
        elsewhere: the same values as a baseline would have recorded them that was made from another layout; None
            where there is no other.
        calls: how many fingerprints make one sample.
        ordered: whether the order of the rows counts.
    """

    value: Any
    raw: tuple[NDArray[Any], ...]
    elsewhere: Any = None
    calls: int = 1
    ordered: bool = True

    @property
    def size(self) -> int:
        """Bytes of the values."""
        return sum(part.nbytes for part in self.raw)


def _random(cells: int, dtype: str = "float64") -> NDArray[Any]:
    import numpy as np

    generator = np.random.default_rng(0)
    if np.dtype(dtype).kind == "f":
        return generator.random(cells, dtype=dtype)
    return generator.integers(0, 1 << 30, cells, dtype=dtype)


def contiguous(scale: float, dtype: str = "float64") -> Subject:
    """One dimension, C order, nothing to convert."""
    import numpy as np

    values = _random(int(GIB * scale) // np.dtype(dtype).itemsize, dtype)
    return Subject(values, (values,))


def nans(scale: float) -> Subject:
    """As ``contiguous``, a twentieth of the cells NaN."""
    values = _random(int(GIB * scale) // 8)
    values[::20] = float("nan")
    return Subject(values, (values,))


def big_endian(scale: float) -> Subject:
    """The other order of bytes."""
    values = _random(int(GIB * scale) // 8)
    return Subject(values.astype(">f8"), (values,), elsewhere=values)


def fortran(scale: float, columns: int = 0) -> Subject:
    """Two dimensions in Fortran order: square, or so many columns (what ``DataFrame.to_numpy`` gives)."""
    import numpy as np

    cells = GIB * scale / 8
    width = columns or max(2, int(cells**0.5))
    values = _random(int(cells / width) * width).reshape(width, -1).T
    return Subject(values, (values.T,), elsewhere=np.ascontiguousarray(values))


def strided(scale: float, axis: int) -> Subject:
    """Every second column or row of an array in C order; the bytes are those of the cells that count."""
    import numpy as np

    cells = GIB * scale / 8
    width = max(2, int((2 * cells) ** 0.5)) // 2 * 2
    whole = _random(int(2 * cells / width) * width).reshape(-1, width)
    values = whole[:, ::2] if axis else whole[::2]
    copy = np.ascontiguousarray(values)
    return Subject(values, (copy,), elsewhere=copy)


def small(scale: float, cells: int, calls: int) -> Subject:
    """A few cells; the scale leaves them as they are and shortens the series of calls."""
    values = _random(cells)
    return Subject(values, (values,), calls=max(1, int(calls * min(1.0, 4 * scale))))


def table(rows: int) -> pd.DataFrame:
    """A frame of 20 columns of mixed types, about 150 bytes a row; texts are pandas' ``str``, stored by Arrow."""
    import numpy as np
    import pandas as pd

    generator = np.random.default_rng(1)
    data: dict[str, Any] = {f"x{place}": generator.normal(size=rows) for place in range(6)}
    for place in range(2):
        data[f"gap{place}"] = np.where(generator.random(rows) < 0.05, np.nan, generator.normal(size=rows))
    for place in range(3):
        data[f"n{place}"] = generator.integers(0, 1_000_000, rows)
    data["small"] = generator.integers(0, 100, rows, dtype=np.int32)
    data["tiny"] = generator.integers(0, 100, rows, dtype=np.int8)
    data["flag"] = generator.random(rows) < 0.3
    data["when"] = np.datetime64("2020-01-01", "us") + np.sort(generator.integers(0, 10**14, rows))
    data["seen"] = np.datetime64("2024-01-01", "us") + generator.integers(0, 10**13, rows)
    data["kind"] = pd.Categorical.from_codes(generator.integers(0, 8, rows), [f"kind {i}" for i in range(8)])
    data["id"] = _texts(generator.permutation(rows), "user-{:08d}")
    data["city"] = _texts(generator.integers(0, 1000, rows), "city {}")
    note = _texts(generator.integers(0, 100_000, rows), "note {} café")
    data["note"] = note.mask(pd.Series(generator.random(rows) < 0.05))
    return pd.DataFrame(data)


def _texts(numbers: NDArray[np.integer[Any]], form: str) -> pd.Series[Any]:
    import pandas as pd

    return pd.Series([form.format(number) for number in numbers.tolist()], dtype="str")


def _arrow(frame: pd.DataFrame) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_pandas(frame, preserve_index=False)


def _buffers(frame: pd.DataFrame) -> tuple[NDArray[Any], ...]:
    """The memory of the frame's values as Arrow lays it out."""
    import numpy as np

    chunks = [column.chunk(0) for column in _arrow(frame).combine_chunks().columns if column.num_chunks]
    buffers = [buffer for chunk in chunks for buffer in chunk.buffers() if buffer is not None]
    return tuple(np.frombuffer(buffer, dtype=np.uint8) for buffer in buffers)


def frame(scale: float, *, ordered: bool = True) -> Subject:
    """pandas, texts in Arrow's memory."""
    value = table(int(ROWS * scale))
    return Subject(value, _buffers(value), ordered=ordered)


def object_frame(scale: float) -> Subject:
    """pandas, texts as Python objects."""
    value = table(int(ROWS * scale))
    return Subject(value.astype(dict.fromkeys(("id", "city", "note"), object)), _buffers(value))


def arrow(scale: float, chunks: int) -> Subject:
    """pyarrow, in chunks that each have memory of their own."""
    import pyarrow as pa

    value = table(int(ROWS * scale))
    step = -(-len(value) // chunks)
    parts = [_arrow(value.iloc[start : start + step]) for start in range(0, len(value), step)]
    return Subject(pa.concat_tables(parts), _buffers(value))


def polars(scale: float) -> Subject:
    """polars, texts as its string views."""
    import polars as pl

    value = table(int(ROWS * scale))
    return Subject(pl.from_pandas(value), _buffers(value))


def sparse(scale: float) -> Subject:
    """scipy, compressed rows in canonical form: 40 cells of each 10,000, 40 million in all at scale 1."""
    import numpy as np
    from scipy.sparse import csr_array

    rows, each, width = max(1, int(1_000_000 * scale)), 40, 10_000
    steps = np.random.default_rng(2).integers(1, width // each, (rows, each), dtype=np.int32)
    places = np.cumsum(steps, axis=1, dtype=np.int32).reshape(-1)
    values = _random(rows * each)
    starts = np.arange(0, rows * each + 1, each, dtype=np.int32)
    return Subject(csr_array((values, places, starts), shape=(rows, width)), (values, places, starts))


def tensor(scale: float, *, transposed: bool = False) -> Subject:
    """torch, 32-bit floats on the CPU, as they are or as a transposed view."""
    import torch

    cells = GIB * scale / 4
    width = max(2, int(cells**0.5))
    values = _random(int(cells / width) * width, "float32").reshape(-1, width)
    if not transposed:
        return Subject(torch.from_numpy(values), (values,))
    view = torch.from_numpy(values).T
    return Subject(view, (values,), elsewhere=view.contiguous())


def unordered(scale: float) -> Subject:
    """10 columns of 64-bit floats whose rows may come in any order."""
    value = _random(int(ROWS * scale) * 10).reshape(-1, 10)
    return Subject(value, (value,), ordered=False)


INPUTS: Mapping[str, Callable[[float], Subject]] = MappingProxyType(
    {
        "float64": contiguous,
        "float64, NaNs": nans,
        "float32": lambda scale: contiguous(scale, "float32"),
        "int32": lambda scale: contiguous(scale, "int32"),
        "big-endian": big_endian,
        "Fortran, square": fortran,
        "Fortran, tall": lambda scale: fortran(scale, columns=20),
        "column stride 2": lambda scale: strided(scale, axis=1),
        "row stride 2": lambda scale: strided(scale, axis=0),
        "torch": tensor,
        "torch, transposed": lambda scale: tensor(scale, transposed=True),
        "sparse": sparse,
        "pandas, str": frame,
        "pandas, objects": object_frame,
        "arrow, 1 chunk": lambda scale: arrow(scale, 1),
        "arrow, 39 chunks": lambda scale: arrow(scale, CHUNKS),
        "polars": polars,
        "any order, array": unordered,
        "any order, pandas": lambda scale: frame(scale, ordered=False),
        "10 floats": lambda scale: small(scale, 10, 2000),
        "1000 floats": lambda scale: small(scale, 1000, 1000),
        "100k floats": lambda scale: small(scale, 100_000, 100),
    }
)
"""Name -> what makes it at a scale."""
