"""The law of fingerprints, on random data: equal values agree in any form, every single change differs.

Blocks are of a few cells only, so that their edges are met. The long run makes as many checks as the trial that the
format comes from: 21,000 of equality and 1,800 of single changes.
"""

from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from fingerprints.cases import KINDS, Frame, arrays, blocks_of, frames, is_nan, pa, pl
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_mlrepro import fingerprint

try:
    import torch
except ImportError:
    torch = None

CELLS = st.sampled_from([2, 4, 8, 64])
RANDOMS = st.randoms(use_true_random=False)
BY_NAME = {kind.name: kind for kind in KINDS}
FOLLOWS = {
    "int8": "int16",
    "int16": "int32",
    "int32": "int64",
    "uint8": "int16",
    "uint16": "uint32",
    "uint32": "uint64",
    "float16": "float32",
    "float32": "float64",
    "instant": "zoned",
    "zoned": "utc",
    "utc": "instant",
    "grade": "text",
}


def pandas_frame(frame, rng):
    """The frame in a form of pandas drawn for each column, all put together in a way that is drawn."""
    series = [rng.choice(forms) for forms in frame.forms("pandas")]
    whole = pd.DataFrame(dict(zip(frame.names, series, strict=True)), copy=rng.random() < 0.5)
    return rng.choice(ARRANGEMENTS)(whole, rng)


def as_made(whole, rng):
    return whole


def column_by_column(whole, rng):
    made = pd.DataFrame(index=whole.index)
    for name in whole:
        made[name] = whole[name]
    return made


def slice_of_more(whole, rng):
    return pd.concat([whole, whole])[len(whole) :]


def pieces(whole, rng):
    cuts = [0, *sorted(rng.randint(0, len(whole)) for _ in range(2)), len(whole)]
    return pd.concat([whole.iloc[start:stop] for start, stop in pairwise(cuts)])


def every_other(whole, rng):
    return pd.concat([whole, whole]).sort_index(kind="stable").iloc[::2]


def reordered(whole, rng):
    order = rng.sample(range(len(whole)), len(whole))
    return whole.iloc[order].sort_index()


def labelled(whole, rng):
    return whole.set_axis(pd.Index(np.arange(len(whole))), axis=0)


def deep_copy(whole, rng):
    return whole.copy()


ARRANGEMENTS = [
    as_made,
    column_by_column,
    slice_of_more,
    pieces,
    every_other,
    reordered,
    labelled,
    deep_copy,
]


def arrow_frame(frame, rng):
    """The frame as a table, batch or reader of Arrow, each column in a form drawn, in chunks drawn."""
    columns = []
    for forms in frame.forms("arrow"):
        one = rng.choice(forms)
        if rng.random() < 0.5:
            one = pa.concat_arrays([one, one]).slice(len(one))
        cuts = [0, *sorted(rng.randint(0, len(one)) for _ in range(rng.randint(0, 3))), len(one)]
        columns.append(pa.chunked_array([one[start:stop] for start, stop in pairwise(cuts)], one.type))
    table = pa.Table.from_arrays(columns, names=frame.names)
    forms = [table, table.combine_chunks()]
    # A reader without batches has lost the categories.
    return rng.choice([*forms, table.to_reader()] if frame.rows else forms)


def polars_frame(frame, rng):
    """The frame of polars, each column in a form drawn, in chunks drawn."""
    series = (rng.choice(forms) for forms in frame.forms("polars"))
    whole = pl.DataFrame(dict(zip(frame.names, series, strict=True)))
    cut = rng.randint(0, frame.rows)
    return rng.choice(
        [
            whole,
            pl.concat([whole[:cut], whole[cut:]], rechunk=False),
            pl.concat([whole, whole])[frame.rows :],
            whole.lazy(),
        ]
    )


MAKERS = {"pandas": pandas_frame, "arrow": arrow_frame, "polars": polars_frame}


def plain(frame):
    """The frame in the first form of pandas that each column has."""
    return pd.DataFrame(
        {name: forms[0] for name, forms in zip(frame.names, frame.forms("pandas"), strict=True)}
    )


def asked(obj, expected, rng, ordered):
    """The fingerprint of an object, asked for in one of the ways there are."""
    how = rng.choice([{}, {"detail": False}, {"known": expected}])
    return fingerprint(obj, ordered=ordered, **how)


def agreements_of(frame, rng, times=3):
    """Check that forms of a frame agree; how many were checked."""
    expected = {ordered: fingerprint(plain(frame), ordered=ordered) for ordered in (True, False)}
    checked = 0
    for library in {"pandas", frame.library}:
        for _ in range(times):
            for ordered in (True, False):
                form = MAKERS[library](frame, rng)
                assert asked(form, expected[ordered], rng, ordered) == expected[ordered], form
                checked += 1
    order = rng.sample(range(frame.rows), frame.rows)
    shuffled = MAKERS[frame.library](frame.with_rows(order), rng)
    assert fingerprint(shuffled, ordered=False) == expected[False], shuffled
    return checked + 1


def same_cell(one, other):
    """Whether two cells are one value: of one type, every NaN one, zeros of two signs two."""
    if is_nan(one) and is_nan(other):
        return True
    return type(one) is type(other) and repr(one) == repr(other)


CHANGES = ["cell", "cell", "cell", "null", "rows", "exchange", "name", "columns", "drop", "repeat", "type"]


def rows_of(frame):
    """How often each row occurs."""
    cells = ([form_of(cell) for cell in cells] for _, _, cells in frame.columns)
    return Counter(zip(*cells, strict=True))


def mutated(frame, data):
    """The frame with one cell, one null, two rows, a name, an order or a type changed; whether it is only the order."""
    what = data.draw(st.sampled_from(CHANGES))
    place = data.draw(st.integers(0, len(frame.columns) - 1))
    row = data.draw(st.integers(0, frame.rows - 1))
    name, kind, cells = frame.columns[place]
    match what:
        case "cell":
            other = data.draw(kind.values)
            assume(not same_cell(other, cells[row]))
            return frame.with_cells(place, [*cells[:row], other, *cells[row + 1 :]]), False
        case "null":
            assume(kind.missing and cells[row] is not None)
            # To pandas' columns of plain floats a null is another type: both ways of differing are meant.
            return frame.with_cells(place, [*cells[:row], None, *cells[row + 1 :]]), False
        case "rows":
            other = data.draw(st.integers(0, frame.rows - 1))
            assume(not all(same_cell(cells[row], cells[other]) for _, _, cells in frame.columns))
            order = list(range(frame.rows))
            order[row], order[other] = other, row
            return frame.with_rows(order), True
        case "exchange":
            twins = [twin for twin, column in enumerate(frame.columns) if twin != place and column[1] is kind]
            if twins and data.draw(st.booleans()):
                # Two cells of a row.
                others = list(frame.columns[twins[0]][2])
                assume(not same_cell(cells[row], others[row]))
                mine, others[row] = [*cells[:row], others[row], *cells[row + 1 :]], cells[row]
                return frame.with_cells(place, mine).with_cells(twins[0], others), False
            # Two cells of a column, the rest of their rows staying.
            other = data.draw(st.integers(0, frame.rows - 1))
            assume(not same_cell(cells[row], cells[other]))
            exchanged = list(cells)
            exchanged[row], exchanged[other] = cells[other], cells[row]
            changed = frame.with_cells(place, exchanged)
            return changed, rows_of(changed) == rows_of(frame)
        case "name":
            columns = [*frame.columns]
            columns[place] = (f"{name}'", kind, cells)
            assume(f"{name}'" not in frame.names)
            return Frame(tuple(columns), frame.library), False
        case "columns":
            assume(len(frame.columns) > 1)
            return Frame((*frame.columns[1:], frame.columns[0]), frame.library), False
        case "drop":
            return frame.with_rows([r for r in range(frame.rows) if r != row]), False
        case "repeat":
            return frame.with_rows([*range(row + 1), *range(row, frame.rows)]), False
    assume(other_type(name, kind, cells) is not None)
    columns = [*frame.columns]
    columns[place] = other_type(name, kind, cells)
    return Frame(tuple(columns), frame.library), False


def other_type(name, kind, cells):
    """A column of the same cells in another type that has them all."""
    return (name, BY_NAME[FOLLOWS[kind.name]], cells) if kind.name in FOLLOWS else None


def differences_of(frame, data, rng):
    """Check that a frame with one change differs; how many were checked."""
    other, reordered_only = mutated(frame, data)
    assume(all(other.forms("pandas")))
    for ordered in (True, False):
        was = fingerprint(plain(frame), ordered=ordered)
        same = asked(MAKERS[frame.library](other, rng), was, rng, ordered) == was
        assert same is (reordered_only and not ordered), other
    return 2


def laid_out(array, rng):
    """Axes in another order in memory, with gaps between cells, some of them backwards."""
    if not array.ndim:
        return array.copy()
    axes = rng.sample(range(array.ndim), array.ndim)
    steps = [rng.choice([-2, -1, 1, 3]) for _ in axes]
    lengths = [array.shape[axis] * abs(step) for axis, step in zip(axes, steps, strict=True)]
    wide = np.zeros(lengths, dtype=array.dtype)
    view = wide[tuple(slice(None, None, step) for step in steps)].transpose(np.argsort(axes))
    view[...] = array
    return view


def column_major(array, rng):
    return np.array(array, order="F")


def swapped(array, rng):
    return array.astype(array.dtype.newbyteorder())


def unaligned(array, rng):
    if array.dtype.hasobject or not array.size:
        return array
    data = b"\0" + array.tobytes()
    return np.frombuffer(data, dtype=array.dtype, offset=1).reshape(array.shape)


def other_nan(array, rng):
    if array.dtype.kind != "f" or array.dtype.itemsize > 8:
        return array
    changed = np.array(array)
    bits = changed.view(f"u{array.dtype.itemsize}")
    bits[np.isnan(changed)] = np.iinfo(bits.dtype).max - rng.randint(0, 5)
    return changed


def other_unit(array, rng):
    if array.dtype.kind not in "mM":
        return array
    try:
        finer = array.astype(f"{array.dtype.kind}8[{rng.choice(['ms', 'us', 'ns'])}]")
    except OverflowError:
        # Before 2.5 numpy wraps around.
        return array
    return finer if same_array(finer.astype(array.dtype), array) else array


def wider_texts(array, rng):
    return array.astype(f"{array.dtype.kind}9") if array.dtype.kind in "US" else array


def as_objects(array, rng):
    return array.astype(object) if array.dtype.kind == "U" else array


def repacked(array, rng):
    """Fields of a record in another order in memory, with gaps in which anything lies."""
    if array.dtype.names is None:
        return array
    fields = [array.dtype.fields[name][0] for name in array.dtype.names]
    offsets, place = {}, 3
    for number in rng.sample(range(len(fields)), len(fields)):
        offsets[number] = place
        place += fields[number].itemsize + rng.randint(0, 3)
    kind = np.dtype(
        {
            "names": array.dtype.names,
            "formats": fields,
            "offsets": [offsets[number] for number in range(len(fields))],
            "itemsize": place + 2,
        }
    )
    made = np.frombuffer(bytes([rng.randint(0, 255)]) * (kind.itemsize * array.size), dtype=kind).copy()
    made = made.reshape(array.shape)
    for name in array.dtype.names:
        made[name] = array[name]
    return made


def unmasked(array, rng):
    return np.ma.array(array) if array.dtype.names is None else array


def tensor(array, rng):
    if torch is None or array.dtype.kind not in "bif" or array.dtype.itemsize > 8:
        return array
    return torch.from_numpy(np.array(array))


LAYOUTS = [
    laid_out,
    column_major,
    swapped,
    unaligned,
    other_nan,
    other_unit,
    wider_texts,
    as_objects,
    repacked,
    unmasked,
    tensor,
]


def form_of(cell):
    """What tells a numpy cell from every other."""
    if isinstance(cell, np.ndarray):
        return [form_of(part) for part in cell.reshape(-1)]
    if isinstance(cell, np.void) and cell.dtype.names is not None:
        return [form_of(cell[name]) for name in cell.dtype.names]
    return (type(cell), "nan" if is_nan(cell) else repr(cell))


def same_array(one, other):
    return form_of(one) == form_of(other)


def array_agreements(array, rng):
    """Check that an array agrees in all its layouts; how many were checked."""
    expected = {ordered: fingerprint(array, ordered=ordered) for ordered in (True, False)}
    checked = 0
    for change in LAYOUTS:
        other = change(array, rng)
        if other is array:
            continue
        for ordered in (True, False):
            assert asked(other, expected[ordered], rng, ordered) == expected[ordered], change.__name__
            checked += 1
    if array.ndim:
        shuffled = array[rng.sample(range(len(array)), len(array))]
        assert fingerprint(shuffled, ordered=False) == expected[False]
        checked += 1
    return checked


WIDER = {
    "i1": "i2",
    "i2": "i4",
    "i4": "i8",
    "u1": "u2",
    "u2": "u4",
    "u4": "u8",
    "f2": "f4",
    "f4": "f8",
    "b1": "u1",
}


def array_difference(array, data, rng):
    """Check that an array with one change differs; how many were checked."""
    what = data.draw(st.sampled_from(["cell", "cell", "cell", "rows", "exchange", "shape", "type", "mask"]))
    changed, reordered_only = array.copy(), False
    match what:
        case "cell":
            place = data.draw(st.integers(0, array.size - 1))
            cells = st.booleans() | st.text() | st.integers() | st.floats()
            kind = array.dtype
            if kind.kind == "V" and kind.names is None:
                changed.reshape(-1)[place] = data.draw(st.binary(min_size=3, max_size=3))
            else:
                changed.reshape(-1)[place] = data.draw(cells if kind.kind == "O" else hnp.from_dtype(kind))
            assume(
                not same_array(changed.reshape(-1)[place : place + 1], array.reshape(-1)[place : place + 1])
            )
        case "rows":
            assume(array.ndim > 0)
            one, other = (data.draw(st.integers(0, len(array) - 1)) for _ in range(2))
            assume(not same_array(array[one : one + 1], array[other : other + 1]))
            changed[[one, other]] = array[[other, one]]
            reordered_only = True
        case "exchange":
            one, other = (data.draw(st.integers(0, array.size - 1)) for _ in range(2))
            flat = array.reshape(-1)
            assume(not same_array(flat[one : one + 1], flat[other : other + 1]))
            changed.reshape(-1)[[one, other]] = flat[[other, one]]
            rows = [Counter(str(form_of(row)) for row in values) for values in (changed, array)]
            reordered_only = rows[0] == rows[1]
        case "shape":
            changed = data.draw(st.sampled_from([array[None], array[..., None], array.reshape(-1, 1, 1, 1)]))
        case "type":
            assume(array.dtype.str[1:] in WIDER)
            changed = array.astype(WIDER[array.dtype.str[1:]])
        case "mask":
            assume(array.dtype.names is None and array.dtype.kind not in "mMO")
            mask = np.zeros(array.shape, dtype=bool)
            mask.reshape(-1)[data.draw(st.integers(0, array.size - 1))] = True
            changed = np.ma.array(array, mask=mask)
    for ordered in (True, False):
        was = fingerprint(array, ordered=ordered)
        same = asked(changed, was, rng, ordered) == was
        assert same is (reordered_only and not ordered), (what, changed)
    return 2


FULL = hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=11)


@given(frames(), RANDOMS, CELLS)
def test_frames_agree_in_every_form(frame, rng, cells):
    with blocks_of(cells):
        agreements_of(frame, rng)


@given(frames(min_rows=1), RANDOMS, CELLS, st.data())
def test_frames_with_one_change_differ(frame, rng, cells, data):
    with blocks_of(cells):
        differences_of(frame, data, rng)


@given(arrays(), RANDOMS, CELLS)
def test_arrays_agree_in_every_layout(array, rng, cells):
    with blocks_of(cells):
        array_agreements(array, rng)


@given(arrays(FULL), RANDOMS, CELLS, st.data())
def test_arrays_with_one_change_differ(array, rng, cells, data):
    with blocks_of(cells):
        array_difference(array, data, rng)


LONG = settings(
    max_examples=1_000,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.slow
def test_as_many_checks_as_the_trial_made(capsys):
    counts = Counter()

    @LONG
    @given(frames(), arrays(), RANDOMS, CELLS)
    def agree(frame, array, rng, cells):
        with blocks_of(cells):
            counts["equal"] += agreements_of(frame, rng) + array_agreements(array, rng)

    @LONG
    @given(frames(min_rows=1), arrays(FULL), RANDOMS, CELLS, st.data())
    def differ(frame, array, rng, cells, data):
        with blocks_of(cells):
            counts["changed"] += differences_of(frame, data, rng)
            counts["changed"] += array_difference(array, data, rng)

    agree()
    differ()
    with capsys.disabled():
        print(f"\n{counts['equal']:,} equalities and {counts['changed']:,} single changes hold")
    assert counts["equal"] >= 21_000
    assert counts["changed"] >= 1_800
