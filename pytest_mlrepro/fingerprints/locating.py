"""Locating: what of a data set goes into the lockfile so that changed cells and rows are found later, and finding them.

A cell sketch of all columns tells which cells changed, and their old values; a row sketch which rows were inserted or
deleted. Both are of a fixed size, whatever the size of the data.

What could be read from a sketch. Whoever has the data but for a few cells can compute these, as the sketch is made to
do; whoever has a guess of the data, or of a row, can check it. Who has nothing but the sketch faces sums of many
scrambled values, which give nothing away as long as the data holds more than its sketch. So data is refused that has
fewer than 20 values for each cell of a sketch, or less than twice as much information (as the frequencies of its values
tell): of 800 labels that are 0 or 1 a sketch would tell all. Rows are only sketched from 5 for each cell on, so that
hardly a cell holds the hash of a single pair. Columns that are named private are in no sketch at all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import row_sketch
from pytest_mlrepro.fingerprints.cell_sketch import BITS, SIZES, CellSketch, CellSums, changes
from pytest_mlrepro.fingerprints.columns import Column
from pytest_mlrepro.fingerprints.information import Information
from pytest_mlrepro.fingerprints.phrases import Present, cell_phrase, row_phrases
from pytest_mlrepro.fingerprints.places import Places
from pytest_mlrepro.fingerprints.row_edits import edits
from pytest_mlrepro.fingerprints.row_sketch import RowSketch, RowSums
from pytest_mlrepro.model import Value

KEY = "sketch"
"""Of the detail: the schema, the cell sketch and the row sketch, as texts; the last is empty for few rows."""

FEWEST_CELLS = 20 * sum(SIZES)
"""The fewest values of which there may be a sketch."""

FEWEST_ROWS = 5 * row_sketch.CELLS
"""The fewest rows of which there may be a row sketch."""


def sketched(columns: Sequence[Column], rows: int, private: Collection[object]) -> dict[str, Value]:
    """The sketches of a data set, for its detail: 828 characters, and 1,684 more where rows are sketched too.

    Args:
        columns: all of its columns, or the one of an array's rows.
        rows: how many.
        private: the names of columns that are in no sketch; of an array with columns, their numbers.

    Raises:
        FingerprintError: where nothing is left to locate, and where a sketch would tell too much (see above).
    """
    places = Places.of(columns, rows, private)
    if places.cells < FEWEST_CELLS:
        raise _too_small(f"at least {FEWEST_CELLS} values, there are {places.cells}")
    information = Information(places)
    cells, of_rows = _sketches(places, information, with_rows=rows >= FEWEST_ROWS)
    if (bits := information.bits()) < BITS:
        raise _too_small(f"more varied values: these hold about {bits:.0f} bits, their sketch {BITS}")
    return {KEY: (places.schema, cells.text(), of_rows.text() if of_rows is not None else "")}


def is_located(detail: Mapping[str, Value]) -> bool:
    """Whether a detail holds sketches."""
    return KEY in detail


def _too_small(needs: str) -> FingerprintError:
    return FingerprintError(
        f"locate=True needs {needs}",
        remedy="leave out locate=True: the sketch would give the data away; keep data this small beside the lockfile",
    )


def located(
    columns: Sequence[Column],
    rows: int,
    before: Mapping[str, Value],
    private: Collection[object] = (),
    after: Mapping[str, Value] | None = None,
) -> list[str]:
    """What changed since a detail with sketches was made, in exact words; empty where that cannot be told.

    Args:
        columns, rows, private: as for ``sketched``, of the data as it is now.
        before: the detail of what was.
        after: that of what is; without, the data is read once more.
    """
    known = _known(before)
    if known is None:
        return []
    schema, cells, of_rows = known
    try:
        places = Places.of(columns, rows, private)
    except FingerprintError:
        return []
    if places.schema != schema:
        return []
    now = _known(after or {})
    if now is None or now[0] != schema or (now[2] is None) != (of_rows is None):
        now = (schema, *_sketches(places, None, with_rows=of_rows is not None))
    return _told(places, (cells, of_rows), now[1:])


def _told(
    places: Places, old: tuple[CellSketch, RowSketch | None], new: tuple[CellSketch, RowSketch | None]
) -> list[str]:
    was, now = old[1], new[1]
    if old == new:
        return []
    if was is not None and now is not None and now.has_rows_of(was):
        return ["same rows, in another order"]
    if was is None or was.rows == places.rows:
        present = Present(places)
        found = changes(old[0], new[0], places.positions, present.word)
        if found and (phrase := cell_phrase(present, found)):
            return [phrase]
    if was is not None and now is not None and (done := edits(was, now, places.hashes)) is not None:
        return row_phrases(done)
    return []


def _known(detail: Mapping[str, Value]) -> tuple[str, CellSketch, RowSketch | None] | None:
    """What a detail holds; None where it holds no sketch, or one that was damaged."""
    match detail.get(KEY):
        case (str(schema), cells, ""):
            sketch = CellSketch.from_text(cells)
            return None if sketch is None else (schema, sketch, None)
        case (str(schema), cells, of_rows):
            sketch, row_sketch = CellSketch.from_text(cells), RowSketch.from_text(of_rows)
            return None if sketch is None or row_sketch is None else (schema, sketch, row_sketch)
    return None


def _sketches(
    places: Places, information: Information | None, *, with_rows: bool
) -> tuple[CellSketch, RowSketch | None]:
    cells, of_rows = CellSums(), RowSums() if with_rows else None
    for start, blocks in places.blocks():
        for part, block in enumerate(blocks):
            words = places.parts[part].words(block)
            places.add(cells, start, part, words)
            if information is not None:
                information.add(start, part, words)
        if of_rows is not None:
            of_rows.add(places.row_hashes(blocks))
    return cells.sketch(), None if of_rows is None else of_rows.sketch()
