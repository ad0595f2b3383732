"""Summaries: a few numbers about the values of a column, rounded, to tell a reader how a column changed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_mlrepro.fingerprints.columns import Block, Column
from pytest_mlrepro.fingerprints.layout import family
from pytest_mlrepro.fingerprints.texts import text_hashes
from pytest_mlrepro.model import Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_DISTINCT = 10_000


def is_number(dtype: str) -> bool:
    """Whether it is the canonical name of a type of numbers that numpy has everywhere."""
    return dtype.rstrip("0123456789") in ("bool", "int", "uint", "float")


class Tally(NamedTuple):
    """What a summary has counted, as plain values: it can be sent, and added to that of other rows.

    Each but the last has an entry for every column that the summary is of; ``distinct`` holds 64-bit hashes of the
    texts that occurred, None where there were more than are counted.
    """

    missing: tuple[int, ...]
    seen: tuple[int, ...]
    total: tuple[float, ...]
    low: tuple[float, ...] | None
    high: tuple[float, ...] | None
    distinct: frozenset[int] | None

    def merged(self, other: Tally) -> Tally:
        """The counts of the rows of both."""
        distinct = None
        if self.distinct is not None and other.distinct is not None:
            distinct = _countable(self.distinct | other.distinct)
        return Tally(
            _each(sum, self.missing, other.missing),
            _each(sum, self.seen, other.seen),
            _each(sum, self.total, other.total),
            _each(min, self.low, other.low) if self.low and other.low else self.low or other.low,
            _each(max, self.high, other.high) if self.high and other.high else self.high or other.high,
            distinct,
        )


def _each(join: Any, one: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(map(join, zip(one, other, strict=True)))


def _countable(distinct: frozenset[int]) -> frozenset[int] | None:
    return distinct if len(distinct) <= _MOST_DISTINCT else None


class Summary:
    """Collects what is said about one column, or about each column of a two-dimensional array.

    NaN counts as missing here, and neither it nor missing cells enter min, max and mean.
    """

    def __init__(self, column: Column, *, each: bool = False) -> None:
        import numpy as np

        self._family = family(column.dtype)
        self._stated = column.stated
        self._plain = column.plain
        self._count = column.width if each else 1
        self._missing = np.zeros(self._count, dtype=np.int64)
        self._seen = np.zeros(self._count, dtype=np.int64)
        self._total = np.zeros(self._count)
        self._low: Any = None
        self._high: Any = None
        # Hashes of 64 bits: among as many texts as are counted no two have the same.
        self._distinct: set[int] = set()

    def add(self, start: int, block: Block, digest: bytes) -> None:
        """Note a block."""
        import numpy as np

        if not block.cells.size:
            return
        absent = None if block.missing is None else self._apart(block.missing)
        if absent is not None:
            self._missing += _count(absent)
        if block.numbers is not None:
            self._add_numbers(self._apart(block.numbers), absent)
        elif self._family == "texts" and len(self._distinct) <= _MOST_DISTINCT:
            lengths = block.cells if block.missing is None else block.cells[~block.missing]
            hashes = text_hashes(lengths.reshape(-1), block.text, b"distinct")[0]
            hashes.sort()
            # Several times as fast as ``np.unique``.
            self._distinct.update(hashes[np.append(True, hashes[1:] != hashes[:-1])[: len(hashes)]].tolist())

    def _apart(self, values: NDArray[Any]) -> NDArray[Any]:
        """Shape (columns, cells)."""
        import numpy as np

        return np.ascontiguousarray(values.reshape(-1, self._count).T)

    def _add_numbers(self, values: NDArray[Any], absent: NDArray[Any] | None) -> None:
        import numpy as np

        counts: Any = values.shape[1]
        with np.errstate(all="ignore"):
            low, high = values.min(axis=1), values.max(axis=1)
            nulls = absent
            if values.dtype.kind == "f" and np.isnan(low).any():
                nans = np.isnan(values) if nulls is None else np.isnan(values) & ~nulls
                self._missing += _count(nans)
                absent = nans if nulls is None else nans | nulls
            if absent is None:
                self._total += values.sum(axis=1, dtype=np.float64)
            else:
                low, high = _extremes(values, absent, nulls)
                self._total += values.sum(axis=1, dtype=np.float64, where=~absent)
                counts = counts - _count(absent)
        self._seen += counts
        self._low = low if self._low is None else np.minimum(self._low, low)
        self._high = high if self._high is None else np.maximum(self._high, high)

    def tally(self) -> Tally:
        """What has been counted so far."""
        return Tally(
            tuple(self._missing.tolist()),
            tuple(self._seen.tolist()),
            tuple(self._total.tolist()),
            None if self._low is None else tuple(self._low.tolist()),
            None if self._high is None else tuple(self._high.tolist()),
            _countable(frozenset(self._distinct)),
        )

    def add_tally(self, tally: Tally) -> None:
        """Note what another summary counted; this one has counted nothing yet."""
        import numpy as np

        self._missing += np.array(tally.missing, dtype=np.int64)
        self._seen += np.array(tally.seen, dtype=np.int64)
        self._total += np.array(tally.total)
        self._low = None if tally.low is None else np.array(tally.low)
        self._high = None if tally.high is None else np.array(tally.high)
        many = range(_MOST_DISTINCT + 1)
        self._distinct = set(many if tally.distinct is None else tally.distinct)

    def rows(self) -> list[tuple[Value, ...]]:
        """The summary of each column: see ``layout.SUMMARIES``."""
        return [self._row(place) for place in range(self._count)]

    def _row(self, place: int) -> tuple[Value, ...]:
        missing, seen = int(self._missing[place]), int(self._seen[place])
        low = self._low[place].item() if seen else None
        high = self._high[place].item() if seen else None
        match self._family:
            case "numbers":
                return (missing, short(low), short(high), short(self._total[place] / seen) if seen else None)
            case "dates":
                return (missing, _date(low), _date(high))
            case "texts":
                return (missing, min(len(self._distinct), _MOST_DISTINCT))
        plain = (self._plain().digest()[:4].hex(),) if self._plain is not None else ()
        return (missing, *self._stated, *plain)


def short(number: float | None) -> Value:
    """A number with six significant digits."""
    if number is None or not math.isfinite(number):
        return number if number is None else float(number)
    rounded = float(f"{float(number):.6g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e6 else rounded


def _count(flags: NDArray[Any]) -> Any:
    """How many are set in each row."""
    import numpy as np

    # Along an axis numpy takes ten times as long.
    return np.count_nonzero(flags) if len(flags) == 1 else np.count_nonzero(flags, axis=1)


def _extremes(
    values: NDArray[Any], absent: NDArray[Any], nulls: NDArray[Any] | None
) -> tuple[NDArray[Any], NDArray[Any]]:
    """The least and the greatest of each row, the other way round where all are absent.

    Args:
        values: shape (columns, cells).
        absent: those that do not count, same shape.
        nulls: the ones among them that are not NaN; None where there are none.
    """
    import numpy as np

    # Reductions with ``where`` take more than ten times as long.
    if values.dtype.kind != "f":
        limits = np.iinfo(values.dtype)
        low = np.where(absent, values.dtype.type(limits.max), values).min(axis=1)
        return low, np.where(absent, values.dtype.type(limits.min), values).max(axis=1)
    if nulls is not None:
        values = np.where(absent, values.dtype.type(np.nan), values)
    low, high = np.fmin.reduce(values, axis=1), np.fmax.reduce(values, axis=1)
    none = np.isnan(low)
    low[none], high[none] = np.inf, -np.inf
    return low, high


def _date(seconds: int | None) -> str | None:
    import numpy as np

    if seconds is None:
        return None
    text = str(np.datetime64(seconds, "s"))
    return text.removesuffix("T00:00:00")
