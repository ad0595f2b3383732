"""Between runs and the text of a lockfile: pure, no files.

A table for each subject and facet, a line for each fact. A fact is written as its plain value where
that says everything, and otherwise as an inline table::

    lock-version = "1.0"

    ["tests/test_model.py::test_f1".results]
    "test.accuracy" = 0.956140350877193
    "test.f1" = { value = 0.9655172413793104, better = "higher", rtol = 1e-06, atol = 0.0 }

What TOML has no word for carries a ``type``: ``{ type = "none" }``, ``{ type = "complex", value = [0.0, 1.0] }``,
an integer of more than 64 bits, a text with lone surrogates (as the hexadecimal digits of its bytes).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from pytest_mlrepro.errors import LockfileError, MlreproError
from pytest_mlrepro.facets import facet, facet_names
from pytest_mlrepro.lockfile import toml
from pytest_mlrepro.lockfile.toml import Node
from pytest_mlrepro.model import SESSION, Fact, Facts, Run, Tolerance, Value, by_address

VERSION = (1, 0)

_INT64 = range(-(2**63), 2**63)
_MARKER = re.compile(r"^(<{7}|={7}|>{7}|\|{7})(?: |$)", re.MULTILINE)
_PARTS = frozenset({"type", "value", "dtype", "better", "rtol", "atol", "detail"})
_UPDATE = "restore the file from git (git checkout -- FILE), or delete it and run: pytest --mlrepro-update"


def dumps(run: Run) -> str:
    """The canonical text of a run: the same facts give the same bytes."""
    blocks = [toml.line("lock-version", "{}.{}".format(*VERSION))]
    for subject in sorted(run.subjects):
        by_facet: dict[str, list[Fact]] = {}
        for fact in sorted(run.facts(subject).values(), key=lambda fact: fact.key):
            by_facet.setdefault(fact.facet, []).append(fact)
        for name in sorted(by_facet, key=_place):
            lines = [toml.line(fact.key, encode_fact(fact)) for fact in by_facet[name]]
            blocks.append("\n".join([toml.header(subject, name), *lines]))
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
    return _decode_run(_parse(text, where), where)


def _parse(text: str, where: str) -> dict[str, Any]:
    if marker := _MARKER.search(text):
        number = text.count("\n", 0, marker.start()) + 1
        raise LockfileError(
            f"a merge left conflict markers ({marker.group(1)})",
            where=f"{where}, line {number}",
            remedy="keep one side (git checkout --ours or --theirs on the file), then run: pytest --mlrepro-update",
        )
    import tomli

    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        reason = str(error)
        if "overwrite" in reason or "twice" in reason or "Cannot mutate" in reason:
            raise LockfileError(
                f"the same key stands there twice, as a merge may leave it: {reason}",
                where=where,
                remedy="delete one of the two, then run: pytest --mlrepro-update",
            ) from None
        raise LockfileError(f"not valid TOML: {reason}", where=where, remedy=_UPDATE) from None
    except RecursionError:
        raise LockfileError("nested too deeply to be a lockfile", where=where, remedy=_UPDATE) from None


def _decode_run(document: dict[str, Any], where: str) -> Run:
    _check_version(document.pop("lock-version", None), where)
    return Run({subject: _decode_subject(subject, tables, where) for subject, tables in document.items()})


def _check_version(version: object, where: str) -> None:
    match = re.fullmatch(r"(\d{1,9})\.(\d{1,9})", version) if isinstance(version, str) else None
    if match is None:
        raise LockfileError(
            f'expected lock-version = "{VERSION[0]}.{VERSION[1]}" at the top, got {version!r}',
            where=where,
            remedy="is this a pytest-mlrepro lockfile? " + _UPDATE,
        )
    if int(match.group(1)) > VERSION[0]:
        raise LockfileError(
            f"its format {version} is newer than {VERSION[0]}.x, which this pytest-mlrepro reads",
            where=where,
            remedy="upgrade it: pip install --upgrade pytest-mlrepro",
        )


def _decode_subject(subject: str, tables: object, where: str) -> Facts:
    if subject != SESSION and "::" not in subject:
        raise _wrong(
            where, (subject,), 'a subject such as "tests/test_model.py::test_f1" or session', subject
        )
    if not isinstance(tables, dict):
        raise _wrong(where, (subject,), "a table of facets", tables)
    facts: list[Fact] = []
    for name, table in tables.items():
        if facet(name) is None:
            raise _wrong(where, (subject, name), f"one of the facets {', '.join(facet_names())}", name)
        if not isinstance(table, dict):
            raise _wrong(where, (subject, name), "a table of facts", table)
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
        raise _wrong(where, (*path, min(unknown)), f"one of {', '.join(sorted(_PARTS))}", min(unknown))
    core = {name: node[name] for name in ("type", "value") if name in node}
    value = decode(core if "type" in core else core.get("value", _MISSING), where, path)
    return Fact(
        facet_name,
        key,
        value,
        dtype=_text(node.get("dtype", ""), where, (*path, "dtype")),
        better=_one_of(node.get("better"), (None, "higher", "lower"), where, (*path, "better")),
        tolerance=_tolerance(node, where, path),
        detail=_detail(node.get("detail", {}), where, (*path, "detail")),
    )


def _tolerance(node: dict[str, Any], where: str, path: tuple[str, ...]) -> Tolerance | None:
    if "rtol" not in node and "atol" not in node:
        return None
    try:
        return Tolerance(node.get("rtol", 0.0), node.get("atol", 0.0))
    except MlreproError as error:
        raise LockfileError(error.what, where=f"{where}, {_dotted(path)}", remedy=_UPDATE) from None


def _detail(node: object, where: str, path: tuple[str, ...]) -> Mapping[str, Value]:
    if not isinstance(node, dict):
        raise _wrong(where, path, "an inline table", node)
    return {name: decode(item, where, (*path, name)) for name, item in node.items()}


def encode(value: Value) -> Node:
    """A value in TOML's types."""
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    if value is None:
        return {"type": "none"}
    if isinstance(value, complex):
        return {"type": "complex", "value": [value.real, value.imag]}
    if isinstance(value, str):
        return value if _encodable(value) else {"type": "str", "value": value.encode(*_SURROGATES).hex()}
    if type(value) is int and value not in _INT64:
        return {"type": "int", "value": hex(value)}
    return value


def decode(node: object, where: str = "lockfile", path: tuple[str, ...] = ()) -> Value:
    """The value that ``encode`` made this of.

    Raises:
        LockfileError: if it is nothing that ``encode`` makes.
    """
    if isinstance(node, bool | int | float | str):
        return node
    if isinstance(node, list):
        return tuple([decode(item, where, path) for item in node])
    if isinstance(node, dict) and node.get("type") in _TYPES:
        try:
            return _TYPES[node["type"]](node.get("value"))
        except (TypeError, ValueError):
            pass
    expected = "a number, a string, an array of those, or an inline table with a value"
    raise _wrong(where, path, expected, "nothing" if node is _MISSING else node)


_SURROGATES = ("utf-8", "surrogatepass")
_MISSING = object()


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _none(node: object) -> None:
    if node is not None:
        raise TypeError


def _complex(node: Any) -> complex:
    real, imaginary = node
    return complex(float(real), float(imaginary))


_TYPES: Mapping[str, Callable[[Any], Value]] = {
    "none": _none,
    "complex": _complex,
    "int": lambda node: int(node, 16),
    "str": lambda node: bytes.fromhex(node).decode(*_SURROGATES),
}


def _text(node: object, where: str, path: tuple[str, ...]) -> str:
    if not isinstance(node, str):
        raise _wrong(where, path, "a string", node)
    return node


def _one_of(node: object, allowed: tuple[Any, ...], where: str, path: tuple[str, ...]) -> Any:
    if node not in allowed:
        raise _wrong(where, path, f"one of {', '.join(repr(item) for item in allowed if item)}", node)
    return node


def _wrong(where: str, path: tuple[str, ...], expected: str, got: object) -> LockfileError:
    shown = repr(got)
    shown = shown if len(shown) <= 80 else f"{shown[:77]}..."
    return LockfileError(
        f"expected {expected}, got {shown}", where=f"{where}, {_dotted(path)}", remedy=_UPDATE
    )


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(map(toml.key, path))
