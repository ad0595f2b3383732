"""Showing: the words of a cell as a reader writes its value, in full precision."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from pytest_mlrepro.fingerprints.cell_words import MISSING

UNKNOWN = "?"
"""What stands for a value that its words do not tell."""

_UNITS = {"Y": "Y", "M": "M", "D": "D", "h": "h", "min": "m", "s": "s", "ms": "ms", "us": "us", "ns": "ns"}
_SECOND = 10**18
_LENGTHLESS = {-1: "months", -2: "units"}


def shown(dtype: str, words: Sequence[int | None], *, marked: bool) -> str | None:
    """A value as a reader writes it.

    Args:
        dtype: the canonical name of its type.
        words: of the cell.
        marked: whether the word of what is missing is that of a value.

    Returns:
        For instance ``44.4``; ``?`` where the words do not tell the value, None where no cell of this type has them.
    """
    known = [word for word in words if word is not None]
    if len(known) < len(words) or (marked and known[0] != MISSING):
        return None
    if known[0] == MISSING and not marked:
        return None if any(known[1:]) else "missing"
    for pattern, read in _READERS:
        if match := re.fullmatch(pattern, dtype):
            return read(match, *known)
    return UNKNOWN


def _signed(word: int, bits: int) -> int:
    return word - (1 << bits) if word >> (bits - 1) else word


def _number(bits: int, word: int) -> Any:
    import numpy as np

    return np.array([word], dtype=f"<u{bits // 8}").view(f"<f{bits // 8}")[0]


def _bool(match: re.Match[str], word: int) -> str | None:
    return ("False", "True")[word] if word < 2 else None


def _whole(match: re.Match[str], word: int) -> str | None:
    bits = int(match[2])
    return None if word >> bits else str(word if match[1] else _signed(word, bits))


def _float(match: re.Match[str], word: int) -> str | None:
    bits = int(match[1])
    return _real(bits, word)


def _real(bits: int, word: int) -> str | None:
    if word >> bits:
        return None
    number = _number(bits, word)
    if number != number and word != _nan(bits):  # noqa: PLR0124 - NaN
        return None
    # The fewest digits that give back the number in its own width.
    return repr(float(number) if bits == 64 else float(str(number)))


def _nan(bits: int) -> int:
    import numpy as np

    return int(np.array([np.nan], dtype=f"<f{bits // 8}").view(f"<u{bits // 8}")[0])


def _complex(match: re.Match[str], real: int, imaginary: int) -> str | None:
    parts = [_real(int(match[1]) // 2, word) for word in (real, imaginary)]
    return None if None in parts else str(complex(*(float(part) for part in parts if part is not None)))


def _code(match: re.Match[str], word: int) -> str | None:
    return None if word >> 31 else UNKNOWN


def _date(match: re.Match[str], seconds: int, rest: int) -> str | None:
    import numpy as np

    if rest >= _SECOND:
        return None
    text = f"{np.array(_signed(seconds, 64)).astype('M8[s]')}{_fraction(rest)}"
    return f"{text}Z" if match[1] else text.removesuffix("T00:00:00")


def _duration(match: re.Match[str], seconds: int, rest: int) -> str | None:
    whole, rest = _signed(seconds, 64), _signed(rest, 64)
    if rest in _LENGTHLESS:
        return f"{whole} {_LENGTHLESS[rest]}"
    if not 0 <= rest < _SECOND:
        return None
    # Before zero the fraction counts backwards.
    total = whole * _SECOND + rest
    seconds, fraction = divmod(abs(total), _SECOND)
    return f"{'-' if total < 0 else ''}{seconds}{_fraction(fraction)} s"


def _fraction(attoseconds: int) -> str:
    return f".{attoseconds:018d}".rstrip("0") if attoseconds else ""


def _period(match: re.Match[str], word: int) -> str | None:
    import numpy as np

    ordinal, unit = _signed(word, 64), _UNITS.get(match[1].removesuffix("-DEC"))
    return str(np.array(ordinal).astype(f"M8[{unit}]")) if unit else f"period {ordinal}"


_READERS: tuple[tuple[str, Callable[..., str | None]], ...] = (
    (r"bool", _bool),
    (r"(u?)int(\d+)", _whole),
    (r"float(\d+)", _float),
    (r"complex(64|128)", _complex),
    (r"datetime64(\[.*\])?", _date),
    (r"timedelta64", _duration),
    (r"period\[(.*)\]", _period),
    (r"category", _code),
)
"""The first pattern that is the whole of a type's name says what its words are."""
