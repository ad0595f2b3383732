"""A source file, split into its top-level definitions.

Functions and assigned names are definitions; a class is one, and so is each of its methods. All other
statements are the module's body, which runs whenever the module is imported. What stands under a
top-level ``if`` or ``try`` is split in the same way, and the condition counts for each part.
``if TYPE_CHECKING`` and ``if __name__ == "__main__"`` do not run on import and are left out.
"""

from __future__ import annotations

import ast
import contextlib
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_mlrepro.codegraph.digest import combined_digest, is_idle, tree_digest
from pytest_mlrepro.codegraph.names import (
    Chain,
    Target,
    Uses,
    bound_names,
    chain_of,
    imported_modules,
    imported_names,
    in_scope,
    is_type_checking,
    uses,
)
from pytest_mlrepro.errors import RecordingError

BODY = "<body>"
"""The name of the definition that holds a module's top-level statements with effects."""

# What can only be the first line of a statement, or of a text that goes over several.
_BEGINNING = re.compile(rb"\n(?=[A-Za-z_@])")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Definition:
    """A part of a module that changes as a whole.

    Attributes:
        name: qualified in its module: ``scale``, ``Trainer``, ``Trainer.fit``, ``<body>``.
        digest: 32 hexadecimal digits: its syntax, and what the imported names it uses stand for.
        uses: the names that it uses.
        decorators: the chains of names that decorate it.
        lines: first and last line of each of its pieces, for objects that only know their line.
    """

    name: str
    digest: str
    uses: Uses
    decorators: tuple[Chain, ...]
    lines: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Module:
    """A source file's definitions and imports.

    Attributes:
        name: dotted, made from the file's place in the project.
        path: the file.
        definitions: by name.
        members: the names of the definitions behind each top-level name; a class has several.
        imported: what the names bound by top-level imports stand for.
        stars: the modules of ``from ... import *``.
        imports: what top-level imports load.
    """

    name: str
    path: Path
    definitions: Mapping[str, Definition]
    members: Mapping[str, tuple[str, ...]]
    imported: Mapping[str, tuple[Target, ...]]
    stars: tuple[Target, ...]
    imports: tuple[Target, ...]

    def at_line(self, line: int) -> str | None:
        """The top-level name whose definition encloses a line."""
        for name, names in self.members.items():
            for member in names:
                if any(first <= line <= last for first, last in self.definitions[member].lines):
                    return name
        return None

    def all_imports(self) -> Iterator[Target]:
        """Everything the file imports, inside functions too."""
        yield from self.imports
        for definition in self.definitions.values():
            yield from definition.uses.imports


def read_imports(path: Path, name: str, where: str) -> tuple[Target, ...]:
    """Everything a file imports, inside functions too; it is parsed up to its last import only.

    Args:
        path: the file.
        name: its dotted name in the project.
        where: how to call the file in an error message.

    Raises:
        RecordingError: if the file cannot be read, decoded or parsed.
    """
    data = _bytes(path, where)
    last = data.rfind(b"import")
    if last < 0:
        return ()
    # Most of a test file are tests, and they import nothing: what begins a line after the last import is left out.
    following = _BEGINNING.search(data, last)
    if following is not None:
        with contextlib.suppress(SyntaxError, ValueError, RecursionError):
            tree = _tree(data[: following.start() + 1], path)
            return tuple(dict.fromkeys(_split(tree, name, path).all_imports()))
    return tuple(dict.fromkeys(_read(data, path, name, where).all_imports()))


def read_module(path: Path, name: str, where: str) -> Module:
    """Parse and split a file.

    Args:
        path: the file.
        name: its dotted name in the project.
        where: how to call the file in an error message.

    Raises:
        RecordingError: if the file cannot be read, decoded or parsed.
    """
    return _read(_bytes(path, where), path, name, where)


def _read(data: bytes, path: Path, name: str, where: str) -> Module:
    try:
        return _split(_parse(data, path, where), name, path)
    except RecursionError as error:
        raise RecordingError(
            "the code is nested too deeply to be read", where=where, remedy="split its longest expression"
        ) from error


def _split(tree: ast.Module, name: str, path: Path) -> Module:
    package = tuple(name.split("."))
    splitter = _Splitter()
    for statement in tree.body:
        splitter.split(statement, ())
    return splitter.module(name, path, package if path.stem == "__init__" else package[:-1])


def _tree(data: bytes, path: Path) -> ast.Module:
    with warnings.catch_warnings():
        # A doubtful escape in somebody's string is not ours to report.
        warnings.simplefilter("ignore")
        return ast.parse(data, filename=str(path))


def _bytes(path: Path, where: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(error, where) from error


def _unreadable(error: Exception, where: str) -> RecordingError:
    return RecordingError(
        f"the source of this project's module cannot be read: {error}",
        where=where,
        remedy="make the file readable UTF-8 text, or declare its encoding in the first line",
    )


def _parse(data: bytes, path: Path, where: str) -> ast.Module:
    try:
        return _tree(data, path)
    except SyntaxError as error:
        raise RecordingError(
            f"the source of this project's module cannot be parsed: {error.msg}",
            where=f"{where}:{error.lineno}" if error.lineno else where,
            remedy="mend the file, or leave the code that imports it out of mlrepro.source()",
        ) from error
    except ValueError as error:
        raise _unreadable(error, where) from error


@dataclass(frozen=True, slots=True)
class _Guard:
    """What a statement stands under: the expressions of an ``if`` or ``try``, and which branch."""

    trees: tuple[ast.AST, ...]
    branch: str


_Guards = tuple[_Guard, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    tree: ast.AST
    guards: _Guards

    @property
    def trees(self) -> tuple[ast.AST, ...]:
        return (*(tree for guard in self.guards for tree in guard.trees), self.tree)

    @property
    def digest(self) -> str:
        return combined_digest((*(guard.branch for guard in self.guards), tree_digest(self.trees)))

    @property
    def lines(self) -> tuple[int, int]:
        first = int(getattr(self.tree, "lineno", 0))
        decorators = getattr(self.tree, "decorator_list", ())
        return min((first, *(each.lineno for each in decorators))), int(
            getattr(self.tree, "end_lineno", None) or first
        )


class _Splitter:
    def __init__(self) -> None:
        self.pieces: dict[str, list[_Piece]] = {}
        self.members: dict[str, dict[str, None]] = {}
        self.imported: dict[str, dict[Target, None]] = {}
        self.stars: dict[Target, None] = {}
        self.imports: dict[Target, None] = {}

    def split(self, node: ast.stmt, guards: _Guards) -> None:
        match node:
            case ast.Import() | ast.ImportFrom():
                self._import(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._define(node.name, node.name, node, guards)
            case ast.ClassDef():
                self._split_class(node, guards)
            case ast.If():
                self._split_if(node, guards)
            case ast.Try() | ast.TryStar():
                self._split_try(node, guards)
            case ast.AnnAssign(value=None):
                pass
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                self._assign(node, guards)
            case _ if not is_idle(node):
                self._effect(node, guards)

    def _split_all(self, nodes: Iterable[ast.stmt], guards: _Guards) -> None:
        for node in nodes:
            self.split(node, guards)

    def _split_class(self, node: ast.ClassDef, guards: _Guards) -> None:
        methods = [each for each in node.body if isinstance(each, _FUNCTIONS)]
        rest = [each for each in node.body if not isinstance(each, _FUNCTIONS)]
        fields = {name: getattr(node, name) for name in (*node._fields, *node._attributes)}
        self._define(node.name, node.name, ast.ClassDef(**{**fields, "body": rest}), guards)
        for method in methods:
            self._define(node.name, f"{node.name}.{method.name}", method, guards)

    def _split_if(self, node: ast.If, guards: _Guards) -> None:
        if is_type_checking(node.test) or _is_main(node.test):
            self._split_all(node.orelse, guards)
            return
        self._split_all(node.body, (*guards, _Guard((node.test,), "if")))
        self._split_all(node.orelse, (*guards, _Guard((node.test,), "else")))

    def _split_try(self, node: ast.Try | ast.TryStar, guards: _Guards) -> None:
        caught = tuple(handler.type for handler in node.handlers if handler.type)
        self._split_all(node.body, (*guards, _Guard(caught, "try")))
        for handler in node.handlers:
            kind = (handler.type,) if handler.type else ()
            self._split_all(handler.body, (*guards, _Guard(kind, "except")))
        self._split_all(node.orelse, (*guards, _Guard(caught, "try else")))
        self._split_all(node.finalbody, (*guards, _Guard((), "finally")))

    def _assign(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign, guards: _Guards) -> None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = tuple(bound_names([node]))
        if names == ("__all__",):
            return
        if all(map(_is_plain, targets)):
            for name in names:
                self._define(name, name, node, guards)
        else:
            self._effect(node, guards)

    def _effect(self, node: ast.stmt, guards: _Guards) -> None:
        self._define(BODY, BODY, node, guards)
        for name in bound_names([node]):
            self._bind(name, BODY)
        for each in in_scope([node]):
            if isinstance(each, ast.Import | ast.ImportFrom):
                self._import(each)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        self.imports.update(dict.fromkeys(imported_modules(node)))
        for name, target in imported_names(node):
            if name == "*":
                self.stars[target] = None
            else:
                self.imported.setdefault(name, {})[target] = None

    def _define(self, name: str, definition: str, tree: ast.AST, guards: _Guards) -> None:
        self._bind(name, definition)
        self.pieces.setdefault(definition, []).append(_Piece(tree, guards))

    def _bind(self, name: str, definition: str) -> None:
        self.members.setdefault(name, {})[definition] = None

    def module(self, name: str, path: Path, package: Chain) -> Module:
        imported = {each: tuple(targets) for each, targets in self.imported.items()}
        definitions = {
            each: _definition(each, pieces, imported, package) for each, pieces in self.pieces.items()
        }
        members = {each: tuple(found) for each, found in self.members.items()}
        return Module(name, path, definitions, members, imported, tuple(self.stars), tuple(self.imports))


def _definition(
    name: str, pieces: list[_Piece], imported: Mapping[str, tuple[Target, ...]], package: Chain
) -> Definition:
    used = uses(tree for piece in pieces for tree in piece.trees)
    heads = sorted({chain[0] for chain in used.names} & imported.keys())
    # The same text means something else once the import behind one of its names is changed.
    meanings = [
        f"{head} {_absolute(target, package)}"
        for head in heads
        for target in sorted(imported[head], key=lambda each: (each.level, each.parts))
    ]
    decorators = tuple(
        chain
        for piece in pieces
        for decorator in getattr(piece.tree, "decorator_list", ())
        if (chain := chain_of(decorator.func if isinstance(decorator, ast.Call) else decorator))
    )
    return Definition(
        name,
        combined_digest((*(piece.digest for piece in pieces), *meanings)),
        used,
        decorators,
        tuple(piece.lines for piece in pieces),
    )


def _absolute(target: Target, package: Chain) -> str:
    base = package[: max(0, len(package) + 1 - target.level)] if target.level else ()
    return ".".join((*base, *target.parts))


def _is_plain(target: ast.expr) -> bool:
    if isinstance(target, ast.Tuple | ast.List):
        return all(map(_is_plain, target.elts))
    return _is_plain(target.value) if isinstance(target, ast.Starred) else isinstance(target, ast.Name)


def _is_main(test: ast.expr) -> bool:
    match test:
        case ast.Compare(
            left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant("__main__")]
        ):
            return True
    return False
