"""Gathered: rows of an Arrow column in an order of their own, taken chunk by chunk."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING, Any

from pytest_mlrepro.fingerprints.columns import CELLS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_HELD = 1 << 25
_LONGEST = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class Order:
    """Which rows there are, and in which order.

    Attributes:
        numbers: those of the rows, a chunked array.
        columns: how many columns are read in this order, side by side.
    """

    numbers: Any
    columns: int = 1


class Gathered:
    """The rows of a column in an order.

    Chunks are small (1,000 rows each, as they are written), so those of several blocks of numbers are taken at once,
    and kept until others are asked for: at most 32 MiB in all columns together, or one block of each.
    """

    def __init__(self, values: Any, order: Order) -> None:
        import numpy as np

        self._values = values
        self._numbers = order.numbers
        self._starts = np.cumsum([0, *(len(chunk) for chunk in values.chunks)])
        self._window = _window(values.type, order.columns)
        self._held: tuple[int, Any] = (-1, None)
        self._lock = Lock()

    def __call__(self, start: int, stop: int) -> Any:
        """The rows from ``start`` up to ``stop``, which lie in one block, as a chunked array."""
        if not self._window:
            return self._read(start, stop)
        first = start - start % self._window
        with self._lock:
            if self._held[0] != first:
                self._held = (first, self._read(first, min(first + self._window, len(self._numbers))))
            return self._held[1].slice(start - first, stop - start)

    def _read(self, start: int, stop: int) -> Any:
        import numpy as np

        numbers = self._numbers.slice(start, stop - start).to_numpy().astype(np.int64)
        if not len(numbers):
            return self._values.slice(0, 0)
        if (np.diff(numbers) == 1).all():
            return self._values.slice(numbers[0], len(numbers))
        return self._taken(numbers)

    def _taken(self, numbers: NDArray[np.int64]) -> Any:
        import numpy as np

        pa = import_module("pyarrow")
        chunks = np.searchsorted(self._starts, numbers, side="right") - 1
        # Numbers of 16 bits are sorted much faster; of more chunks some are taken in several parts.
        by_chunk = np.argsort(chunks.astype(np.uint16), kind="stable")
        chunks = chunks[by_chunk]
        within = pa.array(numbers[by_chunk] - self._starts[chunks])
        ends = [*(np.flatnonzero(np.diff(chunks)) + 1).tolist(), len(numbers)]
        parts = [
            self._values.chunk(int(chunks[first])).take(within.slice(first, end - first))
            for first, end in zip([0, *ends], ends, strict=False)
        ]
        back = np.empty(len(numbers), dtype=np.int64)
        back[by_chunk] = np.arange(len(numbers))
        return pa.chunked_array([pa.concat_arrays(_wide(parts)).take(pa.array(back))])


def _window(kind: Any, columns: int) -> int:
    """Rows that are taken at once, a multiple of a block's; 0 for those that are asked for, where they may be long."""
    if not import_module("pyarrow").types.is_primitive(kind):
        return 0
    row = max(1, int(kind.bit_width) // 8)
    return CELLS * max(1, _HELD // columns // (CELLS * row))


def _wide(parts: list[Any]) -> list[Any]:
    """Texts and bytes with wide offsets where together they are longer than narrow ones can say."""
    pa = import_module("pyarrow")
    kind = {pa.string(): pa.large_string(), pa.binary(): pa.large_binary()}.get(parts[0].type)
    if kind is None or sum(part.nbytes for part in parts) <= _LONGEST:
        return parts
    return [part.cast(kind) for part in parts]
