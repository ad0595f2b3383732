"""From an object that a test hands over to the place in a source file where it is defined."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, MethodType, ModuleType
from typing import Any

from pytest_mlrepro.errors import RecordingError

_LOCALS = "<locals>"


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where an object is defined.

    Attributes:
        file: the source file; None for a namespace package.
        name: qualified name within the module; empty for a module.
        line: the line where a function starts, 0 where it is not known.
        folders: where the submodules of a package are.
    """

    file: Path | None
    name: tuple[str, ...] = ()
    line: int = 0
    folders: tuple[Path, ...] = ()


def anchors(obj: object) -> Iterator[Anchor]:
    """Where an object is defined; first the place that gives it its name, then those of what it wraps.

    A partial is followed to its function and to functions and classes among its arguments, a decorated
    function to what it wraps, a closure to the functions and classes that it holds, an instance to its class.

    Raises:
        RecordingError: if the object's source is in no file.
    """
    first = _unwrapped(obj)
    yield _anchor(first)
    seen = {id(first)}
    todo = [obj, *_within(first)]
    while todo:
        each = todo.pop(0)
        if id(each) not in seen:
            seen.add(id(each))
            if _has_anchor(each):
                yield _anchor(each)
            todo.extend(_within(each))


def describe(obj: object) -> str:
    """An object's name for an error message: ``sklearn.svm._classes.SVC``."""
    named = _unwrapped(obj)
    if isinstance(named, ModuleType):
        return named.__name__
    if not hasattr(named, "__qualname__"):
        kind = type(named)
        return f"an instance of {kind.__module__}.{kind.__qualname__}"
    return f"{getattr(named, '__module__', None) or 'builtins'}.{named.__qualname__}"


def _unwrapped(obj: Any) -> Any:
    """The object that names a chain of partials, bound methods and decorations."""
    seen: set[int] = set()
    while id(obj) not in seen:
        seen.add(id(obj))
        inner = _inner(obj)
        if inner is None:
            break
        obj = inner
    return obj


def _inner(obj: Any) -> Any:
    if isinstance(obj, functools.partial | functools.partialmethod):
        return obj.func
    if isinstance(obj, staticmethod | classmethod):
        return obj.__func__
    if isinstance(obj, property):
        return obj.fget
    if isinstance(obj, functools.cached_property):
        return obj.func
    if isinstance(obj, MethodType | type | ModuleType):
        return None
    wrapped = inspect.getattr_static(obj, "__wrapped__", None)
    return wrapped if callable(wrapped) else None


def _within(obj: Any) -> list[Any]:
    """The objects whose code an object needs beside its own."""
    found: list[Any] = []
    if isinstance(obj, functools.partial | functools.partialmethod):
        found += [each for each in (*obj.args, *obj.keywords.values()) if _is_code(each)]
    elif isinstance(obj, MethodType):
        found += [obj.__func__]
    elif isinstance(obj, property):
        found += [each for each in (obj.fset, obj.fdel) if each]
    elif isinstance(obj, FunctionType):
        found += [each for each in _cells(obj) if _is_code(each)]
        registry = inspect.getattr_static(obj, "registry", None)
        if registry is not None and hasattr(registry, "values"):
            # functools.singledispatch: its implementations may lie anywhere.
            found += [each for each in registry.values() if _is_code(each)]
    inner = _inner(obj)
    return found if inner is None else [*found, inner]


def _cells(function: FunctionType) -> Iterator[object]:
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:
            continue  # a name that is not bound yet


def _is_code(obj: object) -> bool:
    return isinstance(obj, FunctionType | MethodType | type | functools.partial | staticmethod | classmethod)


def _has_anchor(obj: Any) -> bool:
    try:
        _anchor(obj)
    except RecordingError:
        return False
    return True


def _anchor(obj: Any) -> Anchor:
    if isinstance(obj, ModuleType):
        return _of_module(obj)
    if isinstance(obj, MethodType):
        owner = obj.__self__ if isinstance(obj.__self__, type) else type(obj.__self__)
        of_class = _of_class(owner)
        return Anchor(of_class.file, (*of_class.name, obj.__func__.__name__))
    if isinstance(obj, FunctionType):
        return _of_function(obj)
    if isinstance(obj, type):
        return _of_class(obj)
    if type(obj).__module__ == "builtins":
        raise _no_source(obj)
    return _of_class(type(obj))


def _of_module(module: ModuleType) -> Anchor:
    file = getattr(module, "__file__", None)
    folders = tuple(map(Path, getattr(module, "__path__", ())))
    if file is None and not folders:
        raise _no_source(module)
    return Anchor(Path(file) if file else None, folders=folders)


def _of_function(function: FunctionType) -> Anchor:
    code = function.__code__
    # The code's own name: functools.wraps() gives a wrapper the name of what it wraps.
    name = _outermost(code.co_qualname)
    if Path(code.co_filename).is_file():
        return Anchor(Path(code.co_filename), name, code.co_firstlineno)
    # Generated methods, such as those of data classes, belong to the class that is in the file.
    file = _module_file(function)
    if file is None or len(name) == 1:
        raise _no_source(function)
    return Anchor(file, name)


def _of_class(kind: type) -> Anchor:
    file = _module_file(kind)
    if file is None:
        raise _no_source(kind)
    return Anchor(file, _outermost(kind.__qualname__))


def _module_file(obj: Any) -> Path | None:
    module = sys.modules.get(getattr(obj, "__module__", None) or "")
    file = getattr(module, "__file__", None)
    return Path(file) if isinstance(file, str) and Path(file).is_file() else None


def _outermost(qualname: str) -> tuple[str, ...]:
    """The part of a qualified name that a reader of the file can find: outside of any function."""
    return tuple(qualname.partition(f".{_LOCALS}")[0].split("."))


def _no_source(obj: object) -> RecordingError:
    return RecordingError(
        f"{describe(obj)} has no source in a file",
        remedy="move the code to a module of the project, or declare the function or class that it comes "
        "from; built-in and compiled code is covered by `libraries`",
    )
