"""The digest of a piece of syntax: what it does counts, how it is written does not.

The walk writes each node's class and its non-empty fields, so that fields which a newer Python adds
leave the digests of older code as they are. Left out: comments, formatting, parentheses, string
prefixes, type comments, docstrings and other statements without effect (``pass``, ``...``).

Annotations count where code commonly reads them at run time: in class bodies (data classes) and in
the signatures of decorated functions (validation, dispatch on types). Elsewhere they do not count.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from hashlib import blake2b

_SILENT_FIELDS = frozenset({"ctx", "type_comment", "type_ignores"})
_BLOCKS = frozenset({"body", "orelse", "finalbody"})
_BYTES = 16


def tree_digest(trees: Iterable[ast.AST]) -> str:
    """32 hexadecimal digits (BLAKE2b) for these trees in this order, the same on every Python minor."""
    out: list[bytes] = []
    for tree in trees:
        _write(tree, out, annotated=False)
    return blake2b(b"".join(out), digest_size=_BYTES).hexdigest()


def combined_digest(texts: Iterable[str]) -> str:
    """32 hexadecimal digits for a sequence of texts; their boundaries count."""
    out: list[bytes] = []
    for text in texts:
        _write_text(b"s", text, out)
    return blake2b(b"".join(out), digest_size=_BYTES).hexdigest()


def is_idle(statement: ast.AST) -> bool:
    """Whether a statement does nothing: ``pass``, a docstring, ``...``."""
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def _write(node: ast.AST, out: list[bytes], *, annotated: bool) -> None:
    match node:
        case ast.Constant():
            _write_constant(node.value, out)
        case ast.JoinedStr():
            _write_joined(node, out, annotated)
        case ast.AnnAssign(value=ast.expr() as value) if not annotated:
            # As if it had been written without the annotation.
            _write_fields("Assign", (("targets", [node.target]), ("value", value)), out, annotated)
        case ast.AnnAssign() | ast.arg() if not annotated:
            _write_fields(type(node).__name__, _fields(node, leave_out="annotation"), out, annotated)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            _write_function(node, out)
        case ast.Lambda():
            _write_fields("Lambda", _fields(node), out, annotated=False)
        case ast.ClassDef():
            _write_fields("ClassDef", _fields(node), out, annotated=True)
        case _:
            _write_fields(type(node).__name__, _fields(node), out, annotated)


def _write_function(node: ast.FunctionDef | ast.AsyncFunctionDef, out: list[bytes]) -> None:
    read_at_run_time = bool(node.decorator_list)
    out.append(b"(" + type(node).__name__.encode())
    for name, value in _fields(node, leave_out="" if read_at_run_time else "returns"):
        _write_field(name, value, out, annotated=read_at_run_time and name == "args")
    out.append(b")")


def _fields(node: ast.AST, leave_out: str = "") -> Iterable[tuple[str, object]]:
    for name in node._fields:
        if name not in _SILENT_FIELDS and name != leave_out:
            yield name, getattr(node, name, None)


def _write_fields(kind: str, fields: Iterable[tuple[str, object]], out: list[bytes], annotated: bool) -> None:
    out.append(b"(" + kind.encode())
    for name, value in fields:
        _write_field(name, value, out, annotated)
    out.append(b")")


def _write_field(name: str, value: object, out: list[bytes], annotated: bool) -> None:
    if isinstance(value, list):
        items = [item for item in value if not is_idle(item)] if name in _BLOCKS else value
        if not items:
            return
        out.append(b"." + name.encode() + b"[")
        for item in items:
            _write_item(item, out, annotated)
        out.append(b"]")
    elif value is not None:
        out.append(b"." + name.encode())
        _write_item(value, out, annotated)


def _write_item(item: object, out: list[bytes], annotated: bool) -> None:
    if isinstance(item, ast.AST):
        _write(item, out, annotated=annotated)
    elif isinstance(item, str):
        _write_text(b"s", item, out)
    else:
        _write_constant(item, out)


def _write_constant(value: object, out: list[bytes]) -> None:
    match value:
        case None | True | False:
            out.append(b"<%a>" % value)
        case int():
            # Decimal text is limited to 4300 digits, hexadecimal is not.
            _write_text(b"I", hex(value), out)
        case float():
            _write_text(b"D", value.hex(), out)
        case complex():
            _write_text(b"C", f"{value.real.hex()} {value.imag.hex()}", out)
        case bytes():
            out.append(b"B%d:" % len(value) + value)
        case str():
            _write_text(b"S", value, out)
        case _:
            out.append(b"<...>")


def _write_text(tag: bytes, text: str, out: list[bytes]) -> None:
    # Source may hold lone surrogates as escapes.
    data = text.encode("utf-8", "surrogatepass")
    out.append(tag + b"%d:" % len(data) + data)


def _write_joined(node: ast.JoinedStr, out: list[bytes], annotated: bool) -> None:
    """An f-string as alternating text and values: minors cut the text into different pieces."""
    values = _merged(node.values)
    if not values or (len(values) == 1 and isinstance(values[0], str)):
        _write_constant(values[0] if values else "", out)
        return
    out.append(b"(JoinedStr[")
    for value in values:
        if isinstance(value, str):
            _write_constant(value, out)
        else:
            _write(value, out, annotated=annotated)
    out.append(b"])")


def _merged(values: Sequence[ast.expr]) -> list[str | ast.expr]:
    merged: list[str | ast.expr] = []
    for value in values:
        if not (isinstance(value, ast.Constant) and isinstance(value.value, str)):
            merged.append(value)
        elif merged and isinstance(merged[-1], str):
            merged[-1] += value.value
        elif value.value:
            merged.append(value.value)
    return merged
