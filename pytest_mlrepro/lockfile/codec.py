"""Between runs and the text of a lockfile: pure, no files.

A table for each subject and facet, a line for each fact. A fact is written as its plain value where
that says everything, and otherwise as an inline table::

    lock-version = "1.0"

    ["tests/test_model.py::test_f1".results]
    "test.accuracy" = 0.956140350877193
    "test.f1" = { value = 0.9655172413793104, better = "higher", rtol = 1e-06, atol = 0.0 }

Where a fact has a calibrated band, the version is 1.1 and the fact says ``band = { high = 0.958, low = 0.922,
mean = 0.94, sd = 0.006, seeds = 20 }``; a text without one is as a release that knows no bands writes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pytest_mlrepro.errors import LockfileError, MlreproError
from pytest_mlrepro.facets import facet, facet_names
from pytest_mlrepro.lockfile import toml
from pytest_mlrepro.lockfile.nodes import MISSING, decode, dotted, encode, restore, shown, too_deep, wrong
from pytest_mlrepro.lockfile.toml import Node
from pytest_mlrepro.lockfile.traces import TABLE, decode_trace, lines_of
from pytest_mlrepro.model import SESSION, Band, Fact, Facts, Run, Tolerance, Value, by_address

VERSION = (1, 1)
"""The newest format that this release reads, and writes where there is a band or a trace."""

_PLAIN = (1, 0)
"""What holds neither is for older releases too."""

_MARKER = re.compile(r"^(<{7}|={7}|>{7}|\|{7})(?: |$)", re.MULTILINE)
_PARTS = frozenset({"type", "value", "dtype", "better", "rtol", "atol", "band", "detail"})
_BAND = ("high", "low", "mean", "sd", "seeds")
_POSITION = re.compile(r" \(at line (\d+), column \d+\)$")


def dumps(run: Run) -> str:
    """The canonical text of a run: the same facts give the same bytes."""
    needed = VERSION if run.traces or any(fact.band for _, fact in run) else _PLAIN
    blocks = [toml.line("lock-version", "{}.{}".format(*needed))]
    for subject in sorted({*run.subjects, *run.traces}):
        by_facet: dict[str, list[Fact]] = {}
        for fact in sorted(run.facts(subject).values(), key=lambda fact: fact.key):
            by_facet.setdefault(fact.facet, []).append(fact)
        for name in sorted(by_facet, key=_place):
            lines = [toml.line(fact.key, encode_fact(fact)) for fact in by_facet[name]]
            blocks.append("\n".join([toml.header(subject, name), *lines]))
        if subject in run.traces:
            blocks.append("\n".join([toml.header(subject, TABLE), *lines_of(run.traces[subject])]))
    return "\n\n".join(blocks) + "\n"


def _place(facet_name: str) -> tuple[int, str]:
    ours = facet_names()
    return (ours.index(facet_name) if facet_name in ours else len(ours), facet_name)


def loads(text: str, where: str = "lockfile") -> Run:
    """The run that a text describes.

    Args:
        text: the content of a lockfile or of a recorded run.
        where: the file's name, for error messages.

    Raises:
        LockfileError: conflict markers, broken TOML, a newer format, a wrong type; it names the line or key path.
    """
    try:
        document = _parse(text, where)
        is_later = _check_version(document.pop("lock-version", None), where)
        try:
            return _decode(document, where)
        except LockfileError as error:
            if not is_later:
                raise
            raise LockfileError(error.what, where=error.where, remedy=_UPGRADE) from None
    except RecursionError:
        raise too_deep(where) from None


def _parse(text: str, where: str) -> dict[str, Any]:
    if marker := _MARKER.search(text):
        number = text.count("\n", 0, marker.start()) + 1
        raise LockfileError(
            f"a merge left conflict markers ({marker.group(1)})",
            where=f"{where}, line {number}",
            remedy=f"keep one side (git checkout --ours {where}, or --theirs), then run: pytest --mlrepro-update",
        )
    import tomli

    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise _not_toml(str(error), where) from None
    except ValueError:
        # Python refuses to read integers of thousands of digits.
        raise _not_toml("an integer of thousands of digits", where) from None


def _not_toml(reason: str, where: str) -> LockfileError:
    position = _POSITION.search(reason)
    place = f"{where}, line {position.group(1)}" if position else where
    if "declare" in reason:
        return LockfileError(
            "the same table stands there twice, as a merge may leave it",
            where=place,
            remedy="put the lines of both below one header, then run: pytest --mlrepro-update",
        )
    if "overwrite" in reason or "Duplicate" in reason or "Cannot mutate" in reason:
        return LockfileError(
            "the same key stands there twice, as a merge may leave it",
            where=place,
            remedy="keep one of the two, then run: pytest --mlrepro-update",
        )
    said = _POSITION.sub("", reason)
    return LockfileError(f"not valid TOML: {said}", where=place, remedy=restore(where))


def _check_version(version: object, where: str) -> bool:
    """Whether it is a later minor version: it may hold what this release does not know, but need not."""
    ours = "{}.{}".format(*_PLAIN)
    match = re.fullmatch(r"(\d{1,9})\.(\d{1,9})", version) if isinstance(version, str) else None
    if match is None:
        found = "but there is none" if version is None else f"got {shown(version)}"
        raise LockfileError(
            f'expected lock-version = "{ours}" at the top, {found}',
            where=where,
            remedy=f"if this is no lockfile of pytest-mlrepro, name the right one; else {restore(where)}",
        )
    if int(match.group(1)) > VERSION[0]:
        raise LockfileError(
            f"its format {version} is newer than {VERSION[0]}.x, which this pytest-mlrepro reads",
            where=where,
            remedy=_UPGRADE,
        )
    return (int(match.group(1)), int(match.group(2))) > VERSION


_UPGRADE = "a newer release wrote it; upgrade: pip install --upgrade pytest-mlrepro"


def _decode(document: dict[str, Any], where: str) -> Run:
    traces = {
        name: decode_trace(tables.pop(TABLE), where, name)
        for name, tables in document.items()
        if isinstance(tables, dict) and TABLE in tables
    }
    facts = {name: _decode_subject(name, tables, where) for name, tables in document.items()}
    # A test that failed has a trace, but no facts to compare.
    return Run({name: known for name, known in facts.items() if known or name not in traces}, traces)


def _decode_subject(subject: str, tables: object, where: str) -> Facts:
    if subject != SESSION and "::" not in subject:
        raise wrong(where, (subject,), 'a subject such as "tests/test_model.py::test_f1" or session', subject)
    if not isinstance(tables, dict):
        raise wrong(where, (subject,), "a table of facets", tables)
    facts: list[Fact] = []
    for name, table in tables.items():
        if facet(name) is None:
            raise LockfileError(
                f"no facet is called {shown(name)}; there are {', '.join(facet_names())}",
                where=f"{where}, {dotted((subject, name))}",
                remedy="correct the name; if another distribution brings this facet, install it",
            )
        if not isinstance(table, dict):
            raise wrong(where, (subject, name), "a table of facts", table)
        facts += [decode_fact(name, key, node, (where, subject)) for key, node in table.items()]
    return by_address(facts)


def encode_fact(fact: Fact) -> Node:
    """A fact without its address, in TOML's types."""
    node = encode(fact.value)
    parts: dict[str, Node] = {}
    if fact.dtype:
        parts["dtype"] = fact.dtype
    if fact.better:
        parts["better"] = fact.better
    if fact.tolerance is not None:
        parts |= {"rtol": fact.tolerance.rtol, "atol": fact.tolerance.atol}
    if fact.band is not None:
        parts["band"] = {name: getattr(fact.band, name) for name in _BAND}
    if fact.detail:
        parts["detail"] = {name: encode(fact.detail[name]) for name in sorted(fact.detail)}
    if not parts:
        return node
    return {**(node if isinstance(node, Mapping) else {"value": node}), **parts}


def decode_fact(
    facet_name: str, key: str, node: object, place: tuple[str, str] = ("a recorded fact", "")
) -> Fact:
    """The fact that ``encode_fact`` made this of.

    Args:
        facet_name, key: the fact's address.
        node: what is written.
        place: file and subject, for error messages.

    Raises:
        LockfileError: if it is nothing that ``encode_fact`` makes.
    """
    where, subject = place
    path = (subject, facet_name, key)
    if not isinstance(node, dict):
        return Fact(facet_name, key, decode(node, where, path))
    if unknown := node.keys() - _PARTS:
        raise wrong(where, (*path, min(unknown)), f"one of {', '.join(sorted(_PARTS))}", min(unknown))
    core = {name: node[name] for name in ("type", "value") if name in node}
    value = decode(core if "type" in core else core.get("value", MISSING), where, path)
    return Fact(
        facet_name,
        key,
        value,
        dtype=_text(node.get("dtype", ""), where, (*path, "dtype")),
        better=_one_of(node.get("better"), (None, "higher", "lower"), where, (*path, "better")),
        tolerance=_tolerance(node, where, path),
        detail=_detail(node.get("detail", {}), where, (*path, "detail")),
        band=_band(node["band"], where, (*path, "band")) if "band" in node else None,
    )


def _tolerance(node: dict[str, Any], where: str, path: tuple[str, ...]) -> Tolerance | None:
    if "rtol" not in node and "atol" not in node:
        return None
    try:
        return Tolerance(node.get("rtol", 0.0), node.get("atol", 0.0))
    except MlreproError as error:
        raise LockfileError(error.what, where=f"{where}, {dotted(path)}", remedy=restore(where)) from None
    except OverflowError:
        raise wrong(where, path, "rtol and atol that a float can hold", node) from None


def _band(node: object, where: str, path: tuple[str, ...]) -> Band:
    if not isinstance(node, dict) or node.keys() != set(_BAND):
        raise wrong(where, path, f"an inline table of {', '.join(_BAND)}", node)
    try:
        return Band(**node)
    except MlreproError as error:
        raise LockfileError(error.what, where=f"{where}, {dotted(path)}", remedy=restore(where)) from None
    except OverflowError:
        raise wrong(where, path, "numbers that a float can hold", node) from None


def _detail(node: object, where: str, path: tuple[str, ...]) -> Mapping[str, Value]:
    if not isinstance(node, dict):
        raise wrong(where, path, "an inline table", node)
    return {name: decode(item, where, (*path, name)) for name, item in node.items()}


def _text(node: object, where: str, path: tuple[str, ...]) -> str:
    if not isinstance(node, str):
        raise wrong(where, path, "a string", node)
    return node


def _one_of(node: object, allowed: tuple[Any, ...], where: str, path: tuple[str, ...]) -> Any:
    if node not in allowed:
        raise wrong(where, path, f"one of {', '.join(toml.text(item) for item in allowed if item)}", node)
    return node
