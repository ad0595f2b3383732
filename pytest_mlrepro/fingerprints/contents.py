"""Contents: the values that a file holds, read by the ending of its name, so that how they are written does not count.

What becomes of a file: Parquet, Feather, Arrow and ORC are tables as Arrow reads them, without metadata; CSV and TSV
are tables as ``delimited`` reads them; ``.npy`` is an array and ``.npz`` a mapping of arrays, never pickled objects; an
image is its mode and its pixels, a list of these where it has several frames, without metadata.
"""

from __future__ import annotations

import re
import struct
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, TypeAlias

from pytest_mlrepro.errors import FingerprintError, MissingExtraError
from pytest_mlrepro.fingerprints import delimited

_PACKED = MappingProxyType({"": "io", ".gz": "gzip", ".bz2": "bz2", ".xz": "lzma"})
"""Ending of a packed text -> the module that opens it; not every Python has all of them."""

_ARROW_FILE = b"ARROW1"
_SAFE_ARROW = (14, 0, 1)
_Errors: TypeAlias = tuple[type[BaseException], ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file whose values can be read.

    Attributes:
        read: gives them.
        package: that it takes.
        broken: what it raises for a file that is not whole, or is something else.
        late: what is raised for that when its values are used, where only then all of them are read.
        has_rows: whether they lie in rows, whose order may not count.
    """

    read: Callable[[Path], Any]
    package: str
    broken: Callable[[], _Errors]
    late: Callable[[], _Errors] = tuple
    has_rows: bool = True


def kind_of(name: str) -> Kind | None:
    """The kind of the file with this name; None where its values cannot be read."""
    lower = name.lower()
    return next((_KINDS[ending] for ending in _KINDS if lower.endswith(ending)), None)


def endings() -> str:
    """The endings of the names of files that can be read."""
    return " ".join(sorted(_KINDS))


def read(path: Path, name: str, kind: Kind) -> Any:
    """The values of a file.

    Args:
        path: of the file.
        name: what it is called in an error.
        kind: of the file.

    Raises:
        FingerprintError: for a file that is not what its name says.
        MissingExtraError: for a package that is missing, or too old to read files of strangers.
    """
    try:
        errors = kind.broken()
        with explained(name, errors):
            return kind.read(path)
    except ImportError:
        raise MissingExtraError(
            f"{name!r} cannot be read by value without the package {kind.package}",
            remedy=f"pip install {kind.package}",
        ) from None


@contextmanager
def explained(name: str, errors: _Errors) -> Iterator[None]:
    """Say which file it is that one of these errors is about."""
    try:
        yield
    except FingerprintError as error:
        raise type(error)(f"{name!r}: {error.what}", where=error.where, remedy=error.remedy) from None
    except errors as error:
        raise FingerprintError(
            f"{name!r} cannot be read by value: {' '.join(str(error).split()) or type(error).__name__}",
            remedy="check that it is whole, and what its ending says",
        ) from None


def _columns(form: str) -> Callable[[Path], Any]:
    def opened(path: Path) -> Any:
        _refuse_old_arrow()
        return import_module("pyarrow.dataset").dataset(str(path), format=form)

    return opened


def _refuse_old_arrow() -> None:
    """Refuse releases of Arrow that unpickle what a file says is an extension type (CVE-2023-47248)."""
    version = import_module("pyarrow").__version__
    if tuple(int(part) for part in re.findall(r"\d+", version)[:3]) < _SAFE_ARROW:
        raise MissingExtraError(
            f"pyarrow {version} runs code that a file brings with it",
            remedy=f"pip install 'pyarrow>={'.'.join(map(str, _SAFE_ARROW))}'",
        )


def _arrow(path: Path) -> Any:
    """Of either of the two forms that Arrow's own files have."""
    _refuse_old_arrow()
    ipc = import_module("pyarrow.ipc")
    with path.open("rb") as file:
        is_file = file.read(len(_ARROW_FILE)) == _ARROW_FILE
        file.seek(0)
        table = (ipc.open_file if is_file else ipc.open_stream)(file).read_all()
    # These files are taken as they lie: an offset in a damaged one leads anywhere in memory.
    table.validate(full=True)
    return table


def _delimited(delimiter: str, packing: str) -> Callable[[Path], Any]:
    def opened(path: Path) -> IO[str]:
        return TextIOWrapper(
            import_module(_PACKED[packing]).open(path, "rb"), encoding="utf-8-sig", newline=""
        )

    return lambda path: delimited.table(lambda: opened(path), delimiter)


def _array(path: Path) -> Any:
    import numpy as np

    with path.open("rb") as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _arrays(path: Path) -> Any:
    import numpy as np

    with path.open("rb") as file, np.lib.npyio.NpzFile(file, allow_pickle=False) as arrays:
        return dict(arrays)


def _image(path: Path) -> Any:
    frames = import_module("PIL.ImageSequence").Iterator
    with warnings.catch_warnings():
        # They are about metadata, which do not count.
        warnings.simplefilter("ignore", UserWarning)
        with import_module("PIL.Image").open(path) as image:
            shown = [_frame(frame) for frame in frames(image)]
    return shown[0] if len(shown) == 1 else shown


def _frame(image: Any) -> dict[str, Any]:
    """A frame's mode and pixels; one with a palette, or with a transparent colour, is what it shows."""
    import numpy as np

    see_through = "transparency" in image.info
    if image.mode in ("P", "PA") or (see_through and image.mode in ("1", "L", "RGB")):
        image = image.convert("RGBA" if see_through or image.mode == "PA" else "RGB")
    # The order of the bytes of two is no part of the value.
    mode = "I;16" if image.mode.startswith("I;16") else image.mode
    return {"mode": mode, "pixels": np.asarray(image)}


def _damaged_arrow() -> _Errors:
    return (OSError, UnicodeDecodeError, import_module("pyarrow").ArrowException)


def _damaged_text() -> _Errors:
    packed = [import_module("zlib").error]
    with suppress(ImportError):
        packed.append(import_module("lzma").LZMAError)
    return (OSError, UnicodeDecodeError, EOFError, *packed)


def _damaged_array() -> _Errors:
    from tokenize import TokenError
    from zipfile import BadZipFile
    from zlib import error

    packed = (BadZipFile, error, NotImplementedError, RuntimeError)
    return (OSError, ValueError, EOFError, MemoryError, SyntaxError, TokenError, *packed)


def _damaged_image() -> _Errors:
    pictures = import_module("PIL.Image")
    bombs = (pictures.DecompressionBombError, pictures.DecompressionBombWarning)
    return (OSError, ValueError, EOFError, MemoryError, SyntaxError, TypeError, struct.error, *bombs)


_IMAGES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp", ".pbm", ".pgm", ".ppm")
_KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        **{
            ending: Kind(reader, "pyarrow", _damaged_arrow, _damaged_arrow)
            for reader, endings in (
                (_columns("parquet"), (".parquet", ".pq")),
                (_columns("orc"), (".orc",)),
                (_arrow, (".feather", ".arrow", ".arrows", ".ipc")),
            )
            for ending in endings
        },
        **{
            ending + packing: Kind(_delimited(delimiter, packing), "pandas", _damaged_text)
            for ending, delimiter in ((".csv", ","), (".tsv", "\t"))
            for packing in _PACKED
        },
        ".npy": Kind(_array, "numpy", _damaged_array),
        ".npz": Kind(_arrays, "numpy", _damaged_array, has_rows=False),
        **{ending: Kind(_image, "pillow", _damaged_image, has_rows=False) for ending in _IMAGES},
    }
)
