"""How details are laid out: what those who write them and those who tell differences from them must both know."""

from __future__ import annotations

SHORT = 4
"""Hexadecimal digits of a column's or a group's digest where there are many; eight where there are few."""

GROUPS = 384
"""The most short digests."""

ITEM = 4
"""Hexadecimal digits of a sampled item's digest."""

SUMMARIES = {
    "numbers": ("missing", "min", "max", "mean"),
    "dates": ("missing", "first", "last"),
    "texts": ("missing", "distinct"),
    "category": ("missing", "categories", "set of categories", "what they stand for"),
    "other": ("missing",),
}
"""What the numbers of a summary are, by the family of its type."""


def group_size(width: int) -> int:
    """How many neighbouring columns share a short digest."""
    return -(-width // GROUPS)


def family(dtype: str) -> str:
    """Which kind of summary a type has."""
    if dtype.startswith(("int", "uint", "float", "bool", "longdouble", "timedelta64")):
        return "numbers"
    if dtype.startswith("datetime64"):
        return "dates"
    if dtype in ("str", "bytes"):
        return "texts"
    return "category" if dtype == "category" else "other"


def spread(length: int, count: int) -> range | list[int]:
    """The numbers of ``count`` items spread evenly over ``length``, the first and the last among them."""
    if count >= length:
        return range(length)
    return [place * (length - 1) // max(1, count - 1) for place in range(count)]
