"""What the results of a project are to hold under: the changes that ``mlrepro stress`` makes, and how strictly."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

Hold: TypeAlias = Literal["bitwise", "rounding", "off"]
"""Facts must be the same bits; the same within their tolerances; or the change is not made."""

HOLDS: Mapping[str, Hold] = MappingProxyType(
    {
        "process": "bitwise",
        "hash": "bitwise",
        "listing": "bitwise",
        "memory": "bitwise",
        "timezone": "bitwise",
        "locale": "bitwise",
        "folder": "bitwise",
        "order": "bitwise",
        "alone": "bitwise",
        "offset": "bitwise",
        "threads": "rounding",
        "simd": "rounding",
        "blas": "rounding",
        "layout": "rounding",
    }
)
"""Every change by its name, in the order in which they are shown, with what holds where a project says nothing."""
