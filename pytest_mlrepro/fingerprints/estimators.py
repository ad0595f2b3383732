"""Adapters for scikit-learn: estimators and pipelines, by the values of their parameters and of what they learnt.

An estimator is its class and its attributes; nothing is pickled. What an attribute holds is taken apart by the same
protocol that copying uses (``__reduce_ex__``), down to arrays and Python's own values, and so it does not count
whether two parts are one object. Left out: how long training took, generators that an estimator has made for itself
(those handed to it as parameters count), and counters of queries.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from copyreg import dispatch_table
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints.digests import Fingerprint, node, seal
from pytest_mlrepro.fingerprints.objects import encoded, python_object
from pytest_mlrepro.model import Value
from pytest_mlrepro.values import type_name

_DEEPEST = 100
_MOST_KEYS = 64
_WALL_CLOCK = re.compile(r"(^|_)(fit|score|refit)_time_?$")
# Links between neighbours in a Birch tree, whose nodes are reached from the root as well; a place in memory.
_LEFT_OUT = frozenset({"next_leaf_", "prev_leaf_", "dummy_leaf_", "_stop_words_id"})
# Not __getstate__(): there the cells of leaves that nobody reads are uninitialised memory.
_TREE = (
    "n_features",
    "n_outputs",
    "max_n_classes",
    "children_left",
    "children_right",
    "feature",
    "threshold",
    "impurity",
    "n_node_samples",
    "weighted_n_node_samples",
    "value",
)


def adapters() -> dict[type, Callable[..., Fingerprint]]:
    """The adapters of this module, by type."""
    from sklearn.base import BaseEstimator

    return {BaseEstimator: estimator}


def estimator(obj: Any) -> Fingerprint:
    """The fingerprint of an estimator, fitted or not: class, parameters and fitted attributes by value.

    Raises:
        FingerprintError: for an attribute without a stable form; it names the attribute.
    """
    digests = dict(_attributes(obj, ()))
    detail: dict[str, Value] = {"kind": "estimator", "class": type_name(obj)}
    if len(digests) <= _MOST_KEYS:
        detail["keys"] = tuple((name, digest[:4].hex()) for name, digest in digests.items())
    return seal(_estimator_node(obj, digests), detail)


def _estimator_node(obj: Any, digests: Mapping[str, bytes]) -> bytes:
    return node("estimator", type_name(obj), *(part for pair in digests.items() for part in pair))


def _attributes(obj: Any, above: tuple[int, ...]) -> Iterator[tuple[str, bytes]]:
    """The digest of each attribute that counts, by name."""
    parameters = obj.get_params(deep=False) if hasattr(obj, "get_params") else {}
    for name, value in sorted(vars(obj).items()):
        if _WALL_CLOCK.search(name) or name in _LEFT_OUT:
            continue
        if _is_generator(value) and name not in parameters:
            continue
        try:
            yield name, _digest(value, (*above, id(obj)))
        except FingerprintError as error:
            where = f"{name}.{error.where}" if error.where else name
            raise FingerprintError(error.what, where=where, remedy=error.remedy) from None


def _is_generator(obj: object) -> bool:
    return type(obj).__module__.startswith("numpy.random")


def _digest(obj: Any, above: tuple[int, ...]) -> bytes:
    """The digest of any part of an estimator; ``above`` holds the identities of what it is part of."""
    if type(obj) in (bool, int, float, complex, str, bytes) or obj is None:
        return node("object", encoded(obj))
    if id(obj) in above:
        return node("above", len(above) - above.index(id(obj)))
    if len(above) > _DEEPEST:
        raise FingerprintError(
            f"the {type_name(obj)} is nested deeper than {_DEEPEST} levels",
            remedy="fingerprint arrays of its values instead",
        )
    return _container(obj, (*above, id(obj))) or _known(obj, above) or _reduced(obj, (*above, id(obj)))


def _container(obj: Any, above: tuple[int, ...]) -> bytes | None:
    """The digest of one of Python's containers, or of a numpy array of objects."""
    if isinstance(obj, Mapping):
        pairs = [
            (_digest(key, above), _digest(value, above))
            for key, value in obj.items()
            if not (isinstance(key, str) and _WALL_CLOCK.search(key))
        ]
        return node("dict", *(part for pair in sorted(pairs) for part in pair))
    if isinstance(obj, AbstractSet):
        return node("set", *sorted(_digest(item, above) for item in obj))
    if isinstance(obj, list | tuple):
        return node("list" if isinstance(obj, list) else "tuple", *(_digest(item, above) for item in obj))
    # Types of numpy's have dimensions too, of some releases in the same module.
    if type(obj).__module__ == "numpy" and hasattr(obj, "ravel") and obj.dtype.kind == "O":
        return node("objects", repr(obj.shape), *(_digest(item, above) for item in obj.ravel().tolist()))
    return None


def _known(obj: Any, above: tuple[int, ...]) -> bytes | None:
    """The digest of what has a form of its own: data, estimators, trees, functions, types."""
    from pytest_mlrepro.fingerprints.registry import fingerprint

    adapter = fingerprint.adapter(type(obj))
    if adapter is estimator:
        return _estimator_node(obj, dict(_attributes(obj, above)))
    if adapter is not python_object:
        return node("adapted", fingerprint(obj, detail=False).digest)
    if isinstance(obj, type | FunctionType | BuiltinFunctionType) and not _is_bound(obj):
        return _by_name(obj)
    for members, parts in _FORMS:
        if all(hasattr(obj, member) for member in members):
            return node("form", type_name(obj), *(_digest(part, (*above, id(obj))) for part in parts(obj)))
    return None


def _is_bound(obj: Any) -> bool:
    owner = getattr(obj, "__self__", None)
    return owner is not None and type(owner).__name__ != "module" and not isinstance(obj, type)


def _by_name(obj: Any) -> bytes:
    name = type_name(obj)
    if "<" in name:
        raise FingerprintError(
            f"the function {name} has no name that it could be found by",
            remedy="define it with def at the top of a module",
        )
    return node("name", name)


def _reduced(obj: Any, above: tuple[int, ...]) -> bytes:
    """The digest of an object by what copying it would take: how it is made, and its state."""
    if isinstance(obj, MethodType):
        return node("method", obj.__func__.__qualname__, _digest(obj.__self__, above))
    try:
        return node("object", encoded(obj))
    except FingerprintError:
        # Not one of Python's own.
        pass
    try:
        reducer = dispatch_table.get(type(obj))
        parts: Any = reducer(obj) if reducer else obj.__reduce_ex__(4)
    except (TypeError, NotImplementedError, AttributeError) as error:
        return _buffer(obj, error)
    if isinstance(parts, str):
        return node("name", f"{getattr(obj, '__module__', None) or type(obj).__module__}.{parts}")
    made, state = parts[:2], parts[2] if len(parts) > 2 else None
    if isinstance(state, dict):
        state = {name: part for name, part in state.items() if name not in _LEFT_OUT}
    rest = [list(items) if items is not None else None for items in parts[3:5]]
    return node("reduced", type_name(obj), *(_digest(part, above) for part in (*made, state, *rest)))


def _buffer(obj: Any, error: Exception) -> bytes:
    """The digest of an object that only lends its memory, such as Cython's views."""
    import numpy as np

    from pytest_mlrepro.fingerprints.registry import fingerprint

    try:
        return node("adapted", fingerprint(np.asarray(memoryview(obj)), detail=False).digest)
    except (TypeError, ValueError):
        raise FingerprintError(
            f"objects of type {type_name(obj)} have no fingerprint: {error}",
            remedy="register an adapter for its type, or for that of the estimator: "
            "@pytest_mlrepro.fingerprint.register(TYPE)",
        ) from None


def _tree(obj: Any) -> list[Any]:
    import numpy as np

    parts = [getattr(obj, name) for name in _TREE]
    inner = obj.children_left >= 0
    way = getattr(obj, "missing_go_to_left", None)
    # Where missing values go is set in inner nodes only.
    return [*parts, None if way is None else np.asarray(way)[inner]]


def _neighbours(obj: Any) -> list[Any]:
    import numpy as np

    arrays = [np.asarray(part) for part in obj.get_arrays()]
    return [*arrays, type_name(obj.dist_metric) if hasattr(obj, "dist_metric") else None]


_FORMS: tuple[tuple[tuple[str, ...], Callable[[Any], list[Any]]], ...] = (
    (("children_left", "children_right", "threshold"), _tree),
    (("get_arrays", "get_n_calls"), _neighbours),
    # A frozen distribution of scipy; the distribution itself holds the global generator.
    (("dist", "args", "kwds"), lambda obj: [type(obj.dist), obj.args, obj.kwds]),
    # A type of numpy's: its class does not tell its name in every version.
    (("newbyteorder", "itemsize", "kind"), lambda obj: [obj.str, repr(obj.descr)]),
)
