"""Row edits: what was done to the rows of one sketch to get those of another, proved by the ordered sum of the old."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from pytest_mlrepro.fingerprints.row_sketch import (
    BASE,
    Pair,
    RowSketch,
    keys,
    pair_keys,
    peeled,
    weighed,
    weighed_word,
)
from pytest_mlrepro.fingerprints.scrambling import MASK

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Hashes = Callable[[int, int], "NDArray[np.uint64]"]
"""Gives the hashes of the rows from one up to another, as they are now."""

_ROWS = 65_536
_MOST_PLANS = 4
_MOST_STEPS = 10_000


@dataclass(frozen=True, slots=True)
class Edits:
    """What was done to rows.

    Attributes:
        inserted: the numbers of the new rows, ascending.
        deleted: for each row that is gone the number of the new row before it, ascending; -1 where it was the first.
    """

    inserted: tuple[int, ...]
    deleted: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    """New rows from ``start`` up to ``stop`` that are old too, in this order, and the hashes deleted after them."""

    start: int
    stop: int
    deleted: list[int] = field(default_factory=list)


def edits(old: RowSketch, new: RowSketch, hashes: Hashes) -> Edits | None:
    """Which rows were inserted and which deleted.

    About a dozen single rows are found, wherever they are, or fewer and longer runs of up to 30 rows in all; and
    one run of inserted rows, however long. Of equal rows side by side one cannot say which is the new one: it names
    one of them.

    Args:
        old: the sketch of what was.
        new: that of what is.
        hashes: read more than once.

    Returns:
        What turns the old rows into the new ones; None where it cannot be told.
    """
    pairs = peeled(old, new)
    if pairs is not None:
        breaks = _breaks(pairs, new.rows, hashes)
        if breaks is not None and (found := _proved(old, new, breaks, pairs, hashes)) is not None:
            return found
    return _one_run(old, new, hashes) if new.rows > old.rows else None


def _breaks(pairs: dict[Pair, int], rows: int, hashes: Hashes) -> dict[int, Pair] | None:
    """The places of the pairs that are new, by the number of their second row.

    None where one is new and old, as there are equal rows: then its place is not certain.
    """
    import numpy as np

    added = [pair for pair, times in pairs.items() if times > 0]
    by_key = dict(zip(keys(added).tolist(), added, strict=True))
    wanted = np.array(list(by_key), dtype=np.uint64)
    found: dict[int, Pair] = {}
    before = None
    for start in range(0, max(rows, 1), _ROWS):
        stop = min(start + _ROWS, rows)
        part = hashes(start, stop)
        own = pair_keys(before, part, last=stop == rows)
        for place in np.flatnonzero(np.isin(own, wanted)).tolist():
            found[start + place] = by_key[int(own[place])]
            if len(found) > sum(pairs[pair] for pair in added):
                return None
        before = int(part[-1]) if len(part) else before
    return found


def _proved(
    old: RowSketch, new: RowSketch, breaks: dict[int, Pair], pairs: dict[Pair, int], hashes: Hashes
) -> Edits | None:
    """The first of the plans that gives the old rows."""
    gone = {pair: -times for pair, times in pairs.items() if times < 0}
    borders = sorted({0, new.rows, *breaks})
    sums: dict[int, int] = {}
    for plan in islice(_plans(breaks, new.rows, gone), _MOST_PLANS):
        sums = sums or _sums(borders, hashes)
        if _ordered(plan, sums) == old.ordered:
            return _edits(plan, new.rows)
    return None


def _plans(breaks: dict[int, Pair], rows: int, gone: dict[Pair, int]) -> Iterator[list[_Run]]:
    """Ways through the kept runs of new rows and the old pairs between them that use up all of these.

    The breaks cut the new rows, with what stands before the first and after the last, into runs whose pairs are old.
    From the last row of a run an old pair leads to the first row of a later one, or to a row that is gone.
    """
    borders = sorted(breaks)
    starts, stops = [0, *borders], [*borders, rows]
    tails = [breaks[border][0] for border in borders]
    heads = [breaks[border][1] for border in borders]
    last = len(borders)
    steps = 0

    def walk(at: int, row: int, left: Counter[Pair], plan: list[_Run]) -> Iterator[list[_Run]]:
        nonlocal steps
        steps += 1
        if steps > _MOST_STEPS:
            return
        if at == last:
            if not left.total():
                yield plan
            return
        for pair in [pair for pair in left if pair[0] == row and left[pair]]:
            rest = left - Counter([pair])
            for later in range(at, last):
                if heads[later] == pair[1]:
                    run = _Run(starts[later + 1], stops[later + 1])
                    tail = tails[later + 1] if later + 1 < last else 0
                    yield from walk(later + 1, tail, rest, [*plan, run])
            run = plan[-1]
            longer = _Run(run.start, run.stop, [*run.deleted, pair[1]])
            yield from walk(at, pair[1], rest, [*plan[:-1], longer])

    yield from walk(0, tails[0] if tails else 0, Counter(gone), [_Run(starts[0], stops[0])])


def _sums(borders: Sequence[int], hashes: Hashes) -> dict[int, int]:
    """The ordered sum of the new rows up to each of these rows."""
    total, sums = 0, {0: 0}
    for first, last in pairwise(borders):
        for start in range(first, last, _ROWS):
            part = hashes(start, min(start + _ROWS, last))
            total += int(weighed(part, start).sum(dtype=part.dtype))
        sums[last] = total & MASK
    return sums


def _ordered(plan: Sequence[_Run], sums: dict[int, int]) -> int:
    """The ordered sum of the rows of a plan."""
    total = row = 0
    for run in plan:
        # Rows that stand elsewhere are weighed with another power.
        total += (sums[run.stop] - sums[run.start]) * pow(BASE, row - run.start, 1 << 64)
        row += run.stop - run.start
        for word in run.deleted:
            total += weighed_word(word, row)
            row += 1
    return total & MASK


def _edits(plan: Sequence[_Run], rows: int) -> Edits:
    borders = [0, *(border for run in plan for border in (run.start, run.stop)), rows]
    gaps = zip(borders[::2], borders[1::2], strict=True)
    inserted = [row for first, last in gaps for row in range(first, last)]
    deleted = [run.stop - 1 for run in plan for _ in run.deleted]
    return Edits(tuple(inserted), tuple(deleted))


def _one_run(old: RowSketch, new: RowSketch, hashes: Hashes) -> Edits | None:
    """The one run of new rows without which the rows are the old ones.

    Without n rows from row j on, the ordered sum is that of the rows before, and of the rows behind divided by the
    n-th power of the base. From one j to the next it changes by (row j - row j + n) times the j-th power.
    """
    import numpy as np

    count = new.rows - old.rows
    shrink = pow(BASE, -count, 1 << 64)
    head = _sums([0, count], hashes)[count]
    # How much is missing, if the run starts at the first row.
    missing = (old.ordered - (new.ordered - head) * shrink) & MASK
    for start in range(0, old.rows + 1, _ROWS):
        stop = min(start + _ROWS, old.rows)
        steps = weighed(hashes(start, stop), start)
        steps -= weighed(hashes(start + count, stop + count), start)
        sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(steps, dtype=np.uint64)])
        hits = np.flatnonzero(sums == np.uint64(missing))
        if len(hits):
            first = start + int(hits[0])
            return Edits(tuple(range(first, first + count)), ())
        missing = (missing - int(sums[-1])) & MASK
    return None
