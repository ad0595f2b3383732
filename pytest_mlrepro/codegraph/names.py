"""Which names a piece of syntax uses: globals of its module, attributes of those, and imports inside it.

Names are read with Python's scopes: a parameter or a local variable hides the global of the same
name. The order of statements is not looked at. Annotations are no uses.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pytest_mlrepro.codegraph.digest import is_idle

Chain = tuple[str, ...]
"""A name and the attributes taken from it: ``np.linalg.norm`` is ("np", "linalg", "norm")."""

IMPORT_CALLS = frozenset({"import_module", "importorskip", "__import__"})
_MUTATING_CALLS = frozenset({"add", "append", "extend", "insert", "register", "setdefault", "update"})
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, slots=True)
class Target:
    """What an import points at.

    Attributes:
        level: 0 from the top, 1 from the folder of the file, 2 from the one above, and so on.
        parts: the dotted name below that.
        modules: how many of the parts are sure to be modules; the others may be attributes.
    """

    level: int
    parts: Chain
    modules: int

    def then(self, attributes: Chain) -> Target:
        """What attributes taken from it stand for."""
        return Target(self.level, self.parts + attributes, self.modules)


@dataclass(frozen=True, slots=True)
class Uses:
    """What a definition uses.

    Attributes:
        names: chains that start at a global name.
        targets: what it takes from imports inside it.
        imports: what those imports load, whether it is used or not.
        mutates: the global names whose objects it changes.
    """

    names: frozenset[Chain] = frozenset()
    targets: frozenset[Target] = frozenset()
    imports: frozenset[Target] = frozenset()
    mutates: frozenset[str] = frozenset()


def uses(trees: Iterable[ast.AST]) -> Uses:
    """The names that these trees use, read as code of a module or a class body."""
    reader = _Reader()
    for tree in trees:
        reader.read(tree, _Scope())
    return Uses(
        frozenset(reader.names),
        frozenset(reader.targets),
        frozenset(reader.imports),
        frozenset(reader.mutates),
    )


def imported_names(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Target]]:
    """The names that an import binds, and what they stand for; ``*`` for a star import."""
    for alias in node.names:
        parts = tuple(alias.name.split("."))
        if isinstance(node, ast.ImportFrom):
            base = tuple(node.module.split(".")) if node.module else ()
            if alias.name == "*":
                yield "*", Target(node.level, base, len(base))
            else:
                yield alias.asname or alias.name, Target(node.level, base + parts, len(base))
        elif alias.asname:
            yield alias.asname, Target(0, parts, len(parts))
        else:
            yield parts[0], Target(0, parts[:1], 1)


def imported_modules(node: ast.Import | ast.ImportFrom) -> Iterator[Target]:
    """What an import loads."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            parts = tuple(alias.name.split("."))
            yield Target(0, parts, len(parts))
    else:
        for _, target in imported_names(node):
            yield target


def bound_names(trees: Iterable[ast.AST]) -> Iterator[str]:
    """The names that these statements bind in their own scope, except by imports."""
    return _bound_by(in_scope(trees))


def _bound_by(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        match node:
            case ast.Name(ctx=ast.Store() | ast.Del()):
                yield node.id
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.ExceptHandler(name=str() as name) | ast.MatchAs(name=str() as name):
                yield name
            case ast.MatchStar(name=str() as name) | ast.MatchMapping(rest=str() as name):
                yield name


def in_scope(trees: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of these trees that lie in one scope: no bodies of functions, no comprehensions' targets."""
    todo = list(trees)
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, _SCOPES):
            continue
        if isinstance(node, ast.comprehension):
            todo += [node.iter, *node.ifs]
        else:
            todo.extend(ast.iter_child_nodes(node))


def chain_of(node: ast.AST) -> Chain:
    """The chain that an expression is, empty where it is none."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    return (node.id, *reversed(attributes)) if isinstance(node, ast.Name) else ()


def is_type_checking(test: ast.expr) -> bool:
    """Whether a condition is ``TYPE_CHECKING``, which is false when the code runs."""
    return chain_of(test)[-1:] == ("TYPE_CHECKING",)


@dataclass(frozen=True, slots=True)
class _Scope:
    hidden: frozenset[str] = frozenset()
    imports: Mapping[str, tuple[Target, ...]] = field(default_factory=dict)
    declared: frozenset[str] = frozenset()

    def inner(self, bound: Iterable[str], imports: Mapping[str, tuple[Target, ...]]) -> _Scope:
        bound = frozenset(bound)
        kept = {name: found for name, found in self.imports.items() if name not in bound}
        return _Scope((self.hidden - imports.keys()) | bound, {**kept, **imports})


class _Reader:
    def __init__(self) -> None:
        self.names: set[Chain] = set()
        self.targets: set[Target] = set()
        self.imports: set[Target] = set()
        self.mutates: set[str] = set()

    def read(self, node: ast.AST, scope: _Scope) -> None:
        match node:
            case ast.Name():
                if isinstance(node.ctx, ast.Load) or node.id in scope.declared:
                    self._use((node.id,), scope)
            case ast.Attribute() if chain := chain_of(node):
                self._note_change(node, scope)
                self._use(chain, scope)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                self._read_function(node, scope)
            case ast.Import() | ast.ImportFrom():
                self.imports.update(imported_modules(node))
            case ast.If() if is_type_checking(node.test):
                self._read_all(node.orelse, scope)
            case ast.AnnAssign():
                self._read_all((node.target, node.value), scope)
            case _ if isinstance(node, _COMPREHENSIONS):
                targets = [generator.target for generator in node.generators]
                self._read_all(ast.iter_child_nodes(node), scope.inner(bound_names(targets), {}))
            case _:
                self._note_change(node, scope)
                self._note_import_call(node)
                self._read_all(ast.iter_child_nodes(node), scope)

    def _read_all(self, nodes: Iterable[ast.AST | None], scope: _Scope) -> None:
        for node in nodes:
            if node is not None and not is_idle(node):
                self.read(node, scope)

    def _read_function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: _Scope
    ) -> None:
        arguments = node.args
        self._read_all((*arguments.defaults, *arguments.kw_defaults), scope)
        parameters = {each.arg for each in ast.walk(arguments) if isinstance(each, ast.arg)}
        if isinstance(node, ast.Lambda):
            self.read(node.body, scope.inner(parameters, {}))
            return
        self._read_all(node.decorator_list, scope)
        imports: dict[str, tuple[Target, ...]] = {}
        declared: set[str] = set()
        nodes = tuple(in_scope(node.body))
        for each in nodes:
            if isinstance(each, ast.Import | ast.ImportFrom):
                for name, target in imported_names(each):
                    imports[name] = (*imports.get(name, ()), target)
            elif isinstance(each, ast.Global):
                declared.update(each.names)
        bound = (parameters | set(_bound_by(nodes))) - imports.keys() - declared
        inner = scope.inner(bound, imports)
        inner = _Scope(inner.hidden - declared, inner.imports, frozenset(declared))
        self._read_all(node.body, inner)

    def _use(self, chain: Chain, scope: _Scope) -> None:
        head, rest = chain[0], chain[1:]
        if head in scope.imports:
            self.targets.update(target.then(rest) for target in scope.imports[head])
        elif head not in scope.hidden:
            self.names.add(chain)

    def _note_change(self, node: ast.AST, scope: _Scope) -> None:
        match node:
            case ast.Subscript(value=owner, ctx=ast.Store() | ast.Del()):
                changed = chain_of(owner)
            case ast.Attribute(value=owner, ctx=ast.Store() | ast.Del()):
                changed = chain_of(owner)
            case ast.Call(func=ast.Attribute(value=owner, attr=called)) if called in _MUTATING_CALLS:
                changed = chain_of(owner)
            case _:
                return
        if changed and changed[0] not in scope.hidden:
            self.mutates.add(changed[0])

    def _note_import_call(self, node: ast.AST) -> None:
        match node:
            case ast.Call(func=called, args=[ast.Constant(value=str() as name), *_]):
                if chain_of(called)[-1:] and chain_of(called)[-1] in IMPORT_CALLS:
                    self._note_literal_import(name)

    def _note_literal_import(self, name: str) -> None:
        bare = name.lstrip(".")
        if bare and all(part.isidentifier() for part in bare.split(".")):
            parts = tuple(bare.split("."))
            target = Target(len(name) - len(bare), parts, len(parts))
            self.imports.add(target)
            # What is done with the module cannot be told, so all of it is used.
            self.targets.add(target)
