"""Random columns and arrays, each in all the forms that numpy, pandas, Arrow and polars have for its values."""

from __future__ import annotations

import datetime as dt
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from importlib import import_module
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import pytest_mlrepro.fingerprints
from pytest_mlrepro.fingerprints import columns

try:
    import pyarrow as pa
except ImportError:
    pa = None
try:
    import polars as pl
except ImportError:
    pl = None

LENGTHS = ("CELLS", "_CHUNK", "_PANEL_ROWS", "_LARGE")
"""What modules call the numbers of cells or rows that they read at once, or from which on they use threads."""


@contextmanager
def blocks_of(cells: int) -> Iterator[None]:
    """Read blocks of a few cells, so that small data has many edges. Digests are those of that length only."""
    assert columns.CELLS == 65_536
    package = pytest_mlrepro.fingerprints
    # All of them now: one that is loaded within would keep the small number.
    modules = [
        import_module(f"{package.__name__}.{found.name}") for found in pkgutil.iter_modules(package.__path__)
    ]
    with ExitStack() as stack:
        for module in modules:
            for name in LENGTHS:
                if hasattr(module, name):
                    stack.enter_context(mock.patch.object(module, name, cells))
        yield
    assert columns.CELLS == 65_536


Cells = list[Any]
Form = Callable[[Cells], Any]


@dataclass(frozen=True, repr=False)
class Kind:
    """A type of column.

    Attributes:
        name: for a reader.
        values: the strategy of a cell that is not missing.
        pandas, arrow, polars: the forms it has there, made of cells, None where missing; a form gives None where it
            cannot hold these cells.
        missing: whether cells may be missing.
    """

    name: str
    values: st.SearchStrategy[Any]
    pandas: tuple[Form, ...]
    arrow: tuple[Form, ...] = ()
    polars: tuple[Form, ...] = ()
    missing: bool = True

    def __repr__(self) -> str:
        return self.name

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        # What hypothesis shows.
        printer.text(self.name)

    def forms(self, library: str, cells: Cells) -> list[Any]:
        """The column in all forms of a library."""
        made = (form(cells) for form in getattr(self, library))
        return [one for one in made if one is not None]


def is_nan(cell: object) -> bool:
    return isinstance(cell, float) and cell != cell  # noqa: PLR0124


def gone(cells: Cells) -> Any:
    return np.array([cell is None for cell in cells], dtype=bool)


def filled(cells: Cells, dtype: str, behind: object = 0) -> Any:
    """As numpy's numbers, something else behind missing ones."""
    return np.array([behind if cell is None else cell for cell in cells], dtype=dtype)


def as_arrow(kind: str) -> Form:
    """The form of pandas that holds Arrow's array."""

    def form(cells: Cells) -> Any:
        if pa is None:
            return None
        values = arrow_form(kind)(cells)
        return pd.Series(pd.arrays.ArrowExtensionArray(values))

    return form


def arrow_type(kind: str) -> Any:
    name, _, options = kind.partition(":")
    given = [int(option) if option.isdigit() else option for option in options.split(",") if option]
    return getattr(pa, name)(*given)


def arrow_form(kind: str) -> Form:
    return lambda cells: pa.array(cells, arrow_type(kind))


def polars_form(make: Callable[[], Any]) -> Form:
    return lambda cells: pl.Series(cells, dtype=make(), strict=True)


def only_arrow(*forms: Form) -> tuple[Form, ...]:
    return forms if pa is not None else ()


def only_polars(*forms: Form) -> tuple[Form, ...]:
    return forms if pl is not None else ()


def objects(cells: Cells) -> Any:
    array = np.empty(len(cells), dtype=object)
    for place, cell in enumerate(cells):
        array[place] = cell
    return pd.Series(array, dtype=object)


def marked(mark: object) -> Form:
    """Objects with another mark of what is missing."""
    return lambda cells: objects([mark if cell is None else cell for cell in cells])


def typed(dtype: str) -> Form:
    def form(cells: Cells) -> Any:
        try:
            return pd.Series(cells, dtype=dtype)
        except (TypeError, ImportError):
            return None

    return form


def integers(name: str) -> Kind:
    info = np.iinfo(name)

    def plain(cells: Cells) -> Any:
        return None if None in cells else pd.Series(np.array(cells, dtype=name))

    def masked(behind: int) -> Form:
        return lambda cells: pd.Series(pd.arrays.IntegerArray(filled(cells, name, behind), gone(cells)))

    def arrow(behind: int) -> Form:
        return lambda cells: pa.array(filled(cells, name, behind), mask=gone(cells))

    return Kind(
        name,
        st.integers(int(info.min), int(info.max)) | st.sampled_from([0, 1, int(info.min), int(info.max)]),
        (plain, masked(1), masked(0), as_arrow(name)),
        only_arrow(arrow(1), arrow_form(name)),
        only_polars(polars_form(lambda: getattr(pl, name.replace("uint", "UInt").replace("int", "Int")))),
    )


ODD_FLOATS = st.sampled_from([float("nan"), 0.0, -0.0, 1.0, float("inf"), 2.0**-24])


def floats(name: str) -> Kind:
    width = int(name[5:])

    def plain(cells: Cells) -> Any:
        return None if None in cells else pd.Series(np.array(cells, dtype=name))

    def other_nan(cells: Cells) -> Any:
        if None in cells:
            return None
        values = np.array(cells, dtype=name)
        bits = values.view(f"u{width // 8}")
        bits[np.isnan(values)] = np.iinfo(bits.dtype).max
        return pd.Series(values)

    def masked(cells: Cells) -> Any:
        # These hold no NaN beside missing ones.
        if width == 16 or any(map(is_nan, cells)):
            return None
        return pd.Series(pd.arrays.FloatingArray(filled(cells, name, 2.0), gone(cells)))

    def arrow(cells: Cells) -> Any:
        return pa.array(filled(cells, name), mask=gone(cells))

    def of_arrow(cells: Cells) -> Any:
        return (
            pd.Series(pd.arrays.ArrowExtensionArray(arrow(cells))) if pa is not None and width > 16 else None
        )

    polars = only_polars(polars_form(lambda: getattr(pl, name.title()))) if width > 16 else ()
    return Kind(
        name,
        st.floats(width=width) | ODD_FLOATS,
        (plain, other_nan, masked, of_arrow),
        only_arrow(arrow),
        polars,
        missing=width > 16,
    )


def booleans() -> Kind:
    return Kind(
        "bool",
        st.booleans(),
        (
            lambda cells: None if None in cells else pd.Series(np.array(cells, dtype=bool)),
            lambda cells: pd.Series(pd.arrays.BooleanArray(filled(cells, "?", True), gone(cells))),
            as_arrow("bool_"),
        ),
        only_arrow(arrow_form("bool_")),
        only_polars(polars_form(lambda: pl.Boolean)),
    )


STORABLE = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(
    ["", "a", "a\0", "\0", "nan", "None", "e\u0301", "\u00e9", "\U00010348", "x" * 40]
)


def texts() -> Kind:
    views = (arrow_form("string_view"),) if hasattr(pa, "string_view") else ()
    return Kind(
        "text",
        STORABLE,
        (
            objects,
            marked(np.nan),
            marked(pd.NA),
            typed("string[python]"),
            typed("string[pyarrow]"),
            as_arrow("string"),
            as_arrow("large_string"),
            lambda cells: pd.Series(cells, dtype="str") if pd.__version__ >= "3" else None,
        ),
        only_arrow(arrow_form("string"), arrow_form("large_string"), *views),
        only_polars(polars_form(lambda: pl.String)),
    )


def surrogates() -> Kind:
    """Texts that no encoding can store."""
    return Kind(
        "surrogate",
        st.text(st.characters(categories=["Cs", "Lu"]), min_size=1, max_size=4),
        (objects, marked(pd.NA), typed("string[python]")),
    )


def counts_of(cells: Cells, unit: str) -> list[int | None] | None:
    """Times as numbers of a unit, None where they are no whole ones."""
    per = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    made: list[int | None] = []
    for cell in cells:
        if cell is None:
            made.append(None)
            continue
        lapse = cell - dt.datetime(1970, 1, 1) if isinstance(cell, dt.datetime) else cell
        micros = lapse // dt.timedelta(microseconds=1)
        if micros * per % 10**6 or not -(2**63) < micros * per // 10**6 < 2**63:
            return None
        made.append(micros * per // 10**6)
    return made


def times(name: str, values: st.SearchStrategy[Any], letter: str, zone: str = "") -> Kind:
    units = ("us", "s", "ms", "ns")

    def in_unit(unit: str, make: Callable[[list[int | None]], Any]) -> Form:
        def form(cells: Cells) -> Any:
            counts = counts_of(cells, unit)
            return None if counts is None else make(counts)

        return form

    def plain(unit: str) -> Form:
        def make(counts: list[int | None]) -> Any:
            whole = np.array([-(2**63) if count is None else count for count in counts], dtype="i8")
            series = pd.Series(whole.view(f"{letter}8[{unit}]"))
            return series.dt.tz_localize("UTC").dt.tz_convert(zone) if zone else series

        return in_unit(unit, make)

    def arrow_kind(unit: str) -> str:
        return f"duration:{unit}" if letter == "m" else f"timestamp:{unit}" + (f",{zone}" if zone else "")

    def polars_kind(unit: str) -> Any:
        if letter == "m":
            return pl.Duration(unit)
        return pl.Datetime(unit, zone or None)

    def polars(unit: str) -> Form:
        return in_unit(unit, lambda counts: pl.Series(counts, dtype=pl.Int64).cast(polars_kind(unit)))

    return Kind(
        name,
        values,
        tuple(plain(unit) for unit in units)
        + tuple(in_unit(unit, as_arrow(arrow_kind(unit))) for unit in units),
        only_arrow(*(in_unit(unit, arrow_form(arrow_kind(unit))) for unit in units)),
        only_polars(*(polars(unit) for unit in ("us", "ms", "ns"))),
    )


def categories(name: str, labels: list[Any], *, ordered: bool) -> Kind:
    def codes(cells: Cells) -> list[int]:
        return [-1 if cell is None else labels.index(cell) for cell in cells]

    def pandas(dtype: Any) -> Form:
        def form(cells: Cells) -> Any:
            index = pd.Index(labels, dtype=dtype)
            return pd.Series(pd.Categorical.from_codes(codes(cells), index, ordered=ordered))

        return form

    def arrow(width: str) -> Form:
        def form(cells: Cells) -> Any:
            indices = pa.array([None if code < 0 else code for code in codes(cells)], arrow_type(width))
            return pa.DictionaryArray.from_arrays(indices, pa.array(labels), ordered=ordered)

        return form

    text = all(isinstance(label, str) for label in labels)
    enum = polars_form(lambda: pl.Enum(labels))
    return Kind(
        name,
        st.sampled_from(labels),
        (pandas(object), pandas("string[python]")) if text else (pandas(None), pandas("Int64")),
        only_arrow(arrow("int16"), arrow("int32"), arrow("int64")),
        only_polars(enum) if ordered and text and hasattr(pl, "Enum") else (),
    )


def others() -> list[Kind]:
    """What has no type of its own in pandas, and what only pandas has."""
    prices = st.integers(-(10**8), 10**8).map(lambda cents: Decimal(cents).scaleb(-2))
    return [
        Kind(
            "date",
            st.dates(),
            (objects, marked(pd.NaT), as_arrow("date32")),
            only_arrow(arrow_form("date32"), arrow_form("date64")),
            only_polars(polars_form(lambda: pl.Date)),
        ),
        Kind(
            "price",
            prices,
            (objects, as_arrow("decimal128:20,2")),
            only_arrow(arrow_form("decimal128:20,2"), arrow_form("decimal256:30,2")),
            only_polars(polars_form(lambda: pl.Decimal(20, 2))),
        ),
        Kind(
            "bytes",
            st.binary(max_size=5),
            (objects, as_arrow("binary")),
            only_arrow(arrow_form("binary"), arrow_form("large_binary")),
            only_polars(polars_form(lambda: pl.Binary)),
        ),
        Kind(
            "clock",
            st.times(),
            (objects, as_arrow("time64:us")),
            only_arrow(arrow_form("time64:us"), arrow_form("time64:ns")),
            only_polars(polars_form(lambda: pl.Time)),
        ),
        Kind(
            "list",
            st.lists(st.none() | st.integers(-5, 5), max_size=3),
            (objects,),
            only_arrow(lambda cells: pa.array(cells, pa.list_(pa.int64()))),
            only_polars(polars_form(lambda: pl.List(pl.Int64))),
        ),
        Kind(
            "mixed",
            st.booleans() | st.integers() | st.floats() | STORABLE | st.dates() | st.tuples(st.integers()),
            (objects,),
        ),
        Kind(
            "month",
            st.integers(-600, 600),
            (
                lambda cells: pd.Series(
                    pd.PeriodIndex(
                        [None if c is None else pd.Period(ordinal=c, freq="M") for c in cells], freq="M"
                    )
                ),
                lambda cells: pd.Series(
                    pd.array(
                        [None if c is None else pd.Period(ordinal=c, freq="M") for c in cells], "period[M]"
                    )
                ),
            ),
        ),
        Kind(
            "complex",
            st.complex_numbers(),
            (lambda cells: pd.Series(np.array(cells, dtype="c16")),),
            missing=False,
        ),
        Kind(
            "long",
            st.integers(-(2**40), 2**40),
            (lambda cells: pd.Series(np.array(cells, dtype="g") / 3),),
            missing=False,
        ),
    ]


KINDS: list[Kind] = [
    *(integers(f"{sign}int{bits}") for sign in ("", "u") for bits in (8, 16, 32, 64)),
    *(floats(f"float{bits}") for bits in (16, 32, 64)),
    booleans(),
    texts(),
    surrogates(),
    times("instant", st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2250, 1, 1)), "M"),
    times("day", st.dates().map(lambda day: dt.datetime(day.year, day.month, day.day)), "M"),
    times("zoned", st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)), "M", "Europe/Berlin"),
    times("utc", st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)), "M", "UTC"),
    times("lapse", st.timedeltas(dt.timedelta(-9_999), dt.timedelta(9_999)), "m"),
    times("seconds", st.integers(-(10**9), 10**9).map(lambda s: dt.timedelta(seconds=s)), "m"),
    categories("category", ["b", "a", "", "c"], ordered=False),
    categories("grade", ["low", "mid", "high"], ordered=True),
    categories("level", [3, 1, 2], ordered=False),
    categories("many", [f"c{number}" for number in range(300)], ordered=True),
    *others(),
]


@dataclass(frozen=True)
class Frame:
    """Columns, each a name, a kind and cells."""

    columns: tuple[tuple[str, Kind, tuple[Any, ...]], ...]
    library: str
    """The library besides pandas that has forms for all of them."""

    @property
    def rows(self) -> int:
        return len(self.columns[0][2])

    def with_cells(self, place: int, cells: Cells) -> Frame:
        name, kind, _ = self.columns[place]
        made = list(self.columns)
        made[place] = (name, kind, tuple(cells))
        return replace(self, columns=tuple(made))

    def with_rows(self, order: list[int]) -> Frame:
        return replace(
            self,
            columns=tuple(
                (name, kind, tuple(cells[row] for row in order)) for name, kind, cells in self.columns
            ),
        )

    def forms(self, library: str) -> list[list[Any]]:
        """All forms of all columns."""
        return [kind.forms(library, list(cells)) for _, kind, cells in self.columns]

    @property
    def names(self) -> list[str]:
        return [name for name, _, _ in self.columns]


LIBRARIES = ["pandas", *(["arrow"] if pa is not None else []), *(["polars"] if pl is not None else [])]


@st.composite
def frames(draw: st.DrawFn, min_rows: int = 0, max_rows: int = 12) -> Frame:
    """Frames of one to five columns of any kind that a library drawn has."""
    library = draw(st.sampled_from(LIBRARIES))
    known = [kind for kind in KINDS if getattr(kind, library)]
    often = [kind for kind in known if kind.name in ("float32", "float64", "int64", "text")]
    kinds = draw(st.lists(st.sampled_from([*known, *often, *often]), min_size=1, max_size=4))
    if draw(st.booleans()):
        kinds.append(kinds[0])
    rows = draw(st.integers(min_rows, max_rows))
    names = draw(st.lists(STORABLE, min_size=len(kinds), max_size=len(kinds), unique=True))
    made = []
    for name, kind in zip(names, kinds, strict=True):
        missing = kind.missing and draw(st.booleans())
        values = st.none() | kind.values if missing else kind.values
        cells = draw(st.lists(values, min_size=rows, max_size=rows))
        # Without Arrow pandas holds no NaN beside missing floats.
        assume(kind.forms("pandas", cells))
        made.append((name, kind, tuple(cells)))
    return Frame(tuple(made), library)


NUMBERS = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(endianness="="),
    hnp.floating_dtypes(endianness="="),
    hnp.complex_number_dtypes(endianness="="),
    hnp.datetime64_dtypes(max_period="s", min_period="ns", endianness="="),
    hnp.timedelta64_dtypes(max_period="s", min_period="ns", endianness="="),
)
TEXT_DTYPES = st.one_of(
    hnp.unicode_string_dtypes(endianness="=", max_len=4), hnp.byte_string_dtypes(endianness="=", max_len=4)
)
RECORDS = hnp.array_dtypes(NUMBERS | TEXT_DTYPES, min_size=1, max_size=3, allow_subarrays=True)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=11)


@st.composite
def arrays(draw: st.DrawFn, shapes: st.SearchStrategy[tuple[int, ...]] = SHAPES) -> Any:
    """Arrays of any type and shape; of objects, texts, records and extended floats too."""
    shape = draw(shapes)
    kind = draw(
        st.sampled_from(["number", "number", "float", "float", "text", "record", "object", "long", "void"])
    )
    if kind == "float":
        width = draw(st.sampled_from([16, 32, 64]))
        cells = st.floats(width=width) | ODD_FLOATS
        return draw(hnp.arrays(f"f{width // 8}", shape, elements=cells, fill=ODD_FLOATS))
    if kind in ("number", "text", "record"):
        strategy = {"number": NUMBERS, "text": TEXT_DTYPES, "record": RECORDS}[kind]
        return draw(hnp.arrays(draw(strategy), shape))
    if kind == "long":
        with np.errstate(all="ignore"):
            return np.asarray(draw(hnp.arrays("f8", shape)).astype("g") / 3)
    if kind == "void":
        return draw(hnp.arrays("u1", (*shape, 3))).view("V3").reshape(shape)
    cells = st.none() | st.booleans() | st.integers() | st.floats() | STORABLE
    return draw(hnp.arrays(object, shape, elements=cells))
