"""Between a calibrated band and TOML: an inline table in the line of its fact."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pytest_mlrepro.errors import LockfileError, MlreproError
from pytest_mlrepro.lockfile.nodes import dotted, restore, wrong
from pytest_mlrepro.lockfile.toml import Node

if TYPE_CHECKING:
    from pytest_mlrepro.bands import Band, Calibration

_NUMBERS = ("high", "low", "mean", "sd", "seeds")
"""Of every band; all that format 1.1 has."""
_MADE = ("method", "alpha", "metrics", "base", "values")
"""Of one that says what it was made of, since format 1.2."""
_RANGE = re.compile(r"(\d{1,19})(?:-(\d{1,19}))?")


def encode_band(band: Band) -> Node:
    """A band in TOML's types."""
    numbers: dict[str, Node] = {name: getattr(band, name) for name in _NUMBERS}
    if band.made is None:
        return numbers
    made = band.made
    return {
        **numbers,
        "method": made.method,
        "alpha": made.alpha,
        "metrics": made.metrics,
        "base": ranges(made.base),
        "values": [*made.values],
    }


def decode_band(node: object, where: str, path: tuple[str, ...]) -> Band:
    """The band that ``encode_band`` made this of, or an earlier release.

    Raises:
        LockfileError: if it is nothing that either makes.
    """
    from pytest_mlrepro.bands import Band

    if not isinstance(node, dict) or node.keys() not in (set(_NUMBERS), {*_NUMBERS, *_MADE}):
        raise wrong(where, path, f"an inline table of {', '.join(_NUMBERS)}", node)
    for name in ("high", "low", "mean", "sd", "seeds", "alpha", "metrics"):
        if name in node and not _is_number(node[name]):
            raise wrong(where, (*path, name), "a number", node[name])
    try:
        numbers = {name: node[name] for name in _NUMBERS}
        return Band(**numbers, made=_made(node, where, path))
    except LockfileError:
        raise
    except MlreproError as error:
        raise LockfileError(error.what, where=f"{where}, {dotted(path)}", remedy=restore(where)) from None
    except OverflowError:
        raise wrong(where, path, "numbers that a float can hold", node) from None


def _made(node: dict[str, Any], where: str, path: tuple[str, ...]) -> Calibration | None:
    if "method" not in node:
        return None
    method, values = node["method"], node["values"]
    if not isinstance(method, str):
        raise wrong(where, (*path, "method"), "a string", method)
    if not isinstance(values, list) or not all(map(_is_number, values)):
        raise wrong(where, (*path, "values"), "an array of numbers", values)
    base = seeds_of(node["base"], len(values))
    if base is None:
        raise wrong(where, (*path, "base"), f'{len(values)} seeds such as "1-20" or "1-7,9-20"', node["base"])
    from pytest_mlrepro.bands import Calibration

    return Calibration(method, node["alpha"], node["metrics"], base, tuple(values))


def _is_number(node: object) -> bool:
    return isinstance(node, int | float) and not isinstance(node, bool)


def ranges(seeds: tuple[int, ...]) -> str:
    """Ascending seeds in few words: ``1-7,9``."""
    runs: list[list[int]] = []
    for seed in seeds:
        if runs and seed == runs[-1][1] + 1:
            runs[-1][1] = seed
        else:
            runs.append([seed, seed])
    return ",".join(f"{first}-{last}" if first < last else f"{first}" for first, last in runs)


def seeds_of(text: object, count: int) -> tuple[int, ...] | None:
    """The seeds that ``ranges`` wrote; None where these are not so many, or no such text."""
    if not isinstance(text, str):
        return None
    found: list[int] = []
    for each in text.split(",") if text else ():
        match = _RANGE.fullmatch(each)
        if match is None:
            return None
        first, last = int(match[1]), int(match[2] or match[1])
        # What is written is never trusted with memory.
        if not first <= last < first + count:
            return None
        found += range(first, last + 1)
    return tuple(found) if len(found) == count else None
