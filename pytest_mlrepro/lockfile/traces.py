"""Between traces and TOML's types: the functions and forms once, then a row for each step.

A row holds the number of the function, the number of the form, and the digests of the value: of all but its floats,
of its floats, of its items in any order. Where it holds floats there follow how many, their sum, their norm, how many
are not a number, and up to eight marks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pytest_mlrepro.lockfile import toml
from pytest_mlrepro.lockfile.nodes import MISSING, wrong
from pytest_mlrepro.lockfile.toml import Node

if TYPE_CHECKING:
    from pytest_mlrepro.traces import Routine, Seen, Step, Trace

TABLE = "trace"
"""The name of the table, where those of facets stand."""

_DIGESTS = 5
_ROW = (
    "a row [function, form, digest, floats, bag], of floats with count, total, norm, missing and marks behind"
)


def encode_trace(trace: Trace) -> dict[str, Node]:
    """A trace in TOML's types."""
    routines = list(dict.fromkeys(step.routine for step in trace.steps))
    forms = list(dict.fromkeys(step.seen.form for step in trace.steps))
    places = {routine: place for place, routine in enumerate(routines)}
    numbers = {form: number for number, form in enumerate(forms)}
    node: dict[str, Node] = {"stopped": trace.stopped} if trace.stopped else {}
    if trace.cut:
        node["cut"] = [list(key) for key in sorted(trace.cut)]
    node["functions"] = [[each.file, each.line, each.name, each.yields] for each in routines]
    node["forms"] = [_plain(form) for form in forms]
    node["steps"] = [
        [places[step.routine], numbers[step.seen.form], *_encoded(step.seen)] for step in trace.steps
    ]
    return node


def _plain(text: str) -> str:
    # A lone surrogate in the name of a class has no place in a file of UTF-8.
    return text.encode("utf-8", "backslashreplace").decode()


def _encoded(seen: Seen) -> Iterator[Node]:
    yield from (seen.digest, seen.floats, seen.bag)
    if seen.sketch is not None:
        sums = seen.sketch
        yield from (sums.count, sums.total, sums.norm, sums.missing, *sums.marks)


def lines_of(trace: Trace) -> list[str]:
    """The lines of a trace's table."""
    return [toml.line(name, node) for name, node in encode_trace(trace).items()]


def decode_trace(table: object, where: str, subject: str) -> Trace:
    """The trace that ``encode_trace`` made this of.

    Args:
        table: what is written.
        where, subject: for error messages.

    Raises:
        LockfileError: if it is nothing that ``encode_trace`` makes.
    """
    from pytest_mlrepro.traces import Trace

    path = (subject, TABLE)
    if not isinstance(table, dict):
        raise wrong(where, path, "a table with functions, forms and steps", table)
    routines = [_routine(each, where, path) for each in _list(table, "functions", where, path)]
    forms = [_typed(each, str, where, (*path, "forms")) for each in _list(table, "forms", where, path)]
    steps = [_step(row, routines, forms, where, path) for row in _list(table, "steps", where, path)]
    cut = [_key(each, where, path) for each in _list({"cut": [], **table}, "cut", where, path)]
    return Trace(
        tuple(steps), frozenset(cut), _typed(table.get("stopped", ""), str, where, (*path, "stopped"))
    )


def _list(table: dict[str, Any], name: str, where: str, path: tuple[str, ...]) -> list[Any]:
    node = table.get(name, MISSING)
    if not isinstance(node, list):
        raise wrong(where, (*path, name), "an array", node)
    return node


def _typed(node: object, kind: type, where: str, path: tuple[str, ...]) -> Any:
    if type(node) is not kind:
        raise wrong(where, path, f"a value of type {kind.__name__}", node)
    return node


def _routine(node: object, where: str, path: tuple[str, ...]) -> Routine:
    if not isinstance(node, list) or list(map(type, node)) != [str, int, str, bool]:
        raise wrong(where, (*path, "functions"), "rows [file, line, name, yields]", node)
    from pytest_mlrepro.traces import Routine

    return Routine(*node)


def _key(node: object, where: str, path: tuple[str, ...]) -> tuple[str, str]:
    if not isinstance(node, list) or list(map(type, node)) != [str, str]:
        raise wrong(where, (*path, "cut"), "rows [file, name]", node)
    return node[0], node[1]


def _step(row: object, routines: list[Routine], forms: list[str], where: str, path: tuple[str, ...]) -> Step:
    from pytest_mlrepro.traces import Seen, Sketch, Step

    if not isinstance(row, list) or list(map(type, row[:_DIGESTS])) != [int, int, str, str, str]:
        raise wrong(where, (*path, "steps"), _ROW, row)
    place, form, digest, floats, bag, *sums = row
    if not (0 <= place < len(routines) and 0 <= form < len(forms)):
        raise wrong(where, (*path, "steps"), "numbers of functions and forms that stand above", row)
    if not sums:
        return Step(routines[place], Seen(forms[form], digest, floats, bag))
    if list(map(type, sums)) != [int, float, float, int, *[float] * (len(sums) - 4)]:
        raise wrong(where, (*path, "steps"), _ROW, row)
    count, total, norm, missing, *marks = sums
    return Step(
        routines[place],
        Seen(forms[form], digest, floats, bag, Sketch(count, total, norm, missing, tuple(marks))),
    )
