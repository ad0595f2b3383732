"""Walk nested parameters: from an estimator or a configuration to one value a dotted key.

No library is imported to recognise its objects: each is known by the members that its own documentation promises.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from pytest_mlrepro.errors import RecordingError
from pytest_mlrepro.facets._atoms import atom, sequence
from pytest_mlrepro.model import Value
from pytest_mlrepro.redaction import digest, is_named, is_secret, redacted
from pytest_mlrepro.values import type_name

_MAX_DEPTH = 32
CLASS = "class"
"""The key's last part under which an object's class is recorded."""


class Parameter(NamedTuple):
    """One parameter: its dotted key, its value, and the dtype where the value does not tell it."""

    key: str
    value: Value
    dtype: str = ""


def parameters(
    obj: object, name: str = "", *, what: str = "settings", secrets: tuple[str, ...] = ()
) -> tuple[Parameter, ...]:
    """Every parameter of a configuration, an estimator or a nest of them, defaults included.

    Args:
        obj: what holds the parameters; it is not changed.
        name: goes before every key.
        what: how to call it in an error message.
        secrets: patterns of names that are secret, besides those that look it.

    Raises:
        RecordingError: a type that nobody knows, a cycle, more than 32 levels, two parameters of one key.
    """
    found = tuple(_Walk(what, secrets).visit(name, obj, secret=False))
    seen: set[str] = set()
    for parameter in found:
        if not parameter.key:
            raise RecordingError(
                f"{what} of type {type_name(obj)} are one value without a name",
                remedy='pass a mapping, an object with fields, or a name: mlrepro.settings(value, name="...")',
            )
        if parameter.key in seen:
            raise RecordingError(
                f"two parameters of {what} have the key {parameter.key!r}",
                remedy="rename one of them; a dot in a name counts as a level",
            )
        seen.add(parameter.key)
    return found


@dataclass(frozen=True)
class _Walk:
    what: str
    secrets: tuple[str, ...] = ()
    above: tuple[int, ...] = ()

    def visit(self, key: str, obj: object, *, secret: bool) -> Iterator[Parameter]:
        secret = secret or is_secret(key.rpartition(".")[2]) or is_named(key, self.secrets)
        place = f"{self.what}: {key}" if key else self.what
        if hasattr(type(obj), "get_secret_value"):
            # Pydantic's SecretStr and SecretBytes are secret under any name.
            obj, secret = obj.get_secret_value(), True  # type: ignore[attr-defined]
        if (found := atom(obj, place)) is not None:
            yield _parameter(key, *found, secret=secret)
        elif (listed := _listed(obj, place)) is not None:
            yield _parameter(key, listed, "", secret=secret)
        else:
            yield from self._descend(key, obj, place, secret=secret)

    def _descend(self, key: str, obj: object, place: str, *, secret: bool) -> Iterator[Parameter]:
        if id(obj) in self.above:
            raise RecordingError(f"{place} leads back to an object above it", remedy="leave this member out")
        if len(self.above) > _MAX_DEPTH:
            raise RecordingError(
                f"{place} is nested deeper than {_MAX_DEPTH} levels", remedy="flatten it first"
            )
        below = _Walk(self.what, self.secrets, (*self.above, id(obj)))
        members = list(_members_of_sequence(obj, place) if _is_sequence(obj) else _members(obj, place))
        if not members and key:
            yield Parameter(key, ())
        for name, member in members:
            yield from below.visit(f"{key}.{name}" if key and name else key or name, member, secret=secret)


def _is_sequence(obj: object) -> bool:
    return isinstance(obj, list | tuple | AbstractSet) and not hasattr(obj, "_fields")


def _listed(obj: Any, place: str) -> Value:
    """The value of a list, tuple or set of plain values; None of anything else."""
    if not _is_sequence(obj):
        return None
    return sequence(obj, place, ordered=not isinstance(obj, AbstractSet))


def _parameter(key: str, value: Value, dtype: str, *, secret: bool) -> Parameter:
    name = key.rpartition(".")[2]
    if secret and value is not None and not isinstance(value, bool):
        return Parameter(key, digest(name, value))
    return Parameter(key, redacted(name, value), dtype)


def _members_of_sequence(items: Any, place: str) -> Iterator[tuple[str, object]]:
    """Members by name where they bring one, as the steps of a pipeline do, else by index."""
    if isinstance(items, AbstractSet):
        raise RecordingError(
            f"{place} is a set of objects, which has no order", remedy="pass a list or a mapping"
        )
    items = list(items)
    names = [item[0] if _is_named(item) else None for item in items]
    if None in names or len(set(names)) < len(names):
        yield from ((str(index), item) for index, item in enumerate(items))
        return
    yield "", names
    for name, (_, step, *rest) in zip(names, items, strict=True):
        yield str(name), step
        if rest:
            yield f"{name}.columns", rest[0]


def _is_named(item: object) -> bool:
    """Whether it is ``(name, estimator)`` or a column transformer's ``(name, estimator, columns)``."""
    if not isinstance(item, tuple) or len(item) not in (2, 3) or not isinstance(item[0], str):
        return False
    return hasattr(item[1], "get_params") or item[1] in ("passthrough", "drop")


def _members(obj: object, place: str) -> Iterable[tuple[str, object]]:
    for known, members in _CONTAINERS:
        if known(obj):
            return members(obj, place)
    raise RecordingError(
        f"{place} is of type {type_name(obj)}, whose parameters are not known",
        remedy="pass a mapping of plain values instead, for instance {'alpha': model.alpha}",
    )


def _with_class(obj: object, members: Iterable[tuple[str, object]]) -> Iterator[tuple[str, object]]:
    yield CLASS, class_name(obj)
    yield from members


def class_name(obj: object) -> str:
    """A short name of an object's class that survives a move of its module within its library."""
    root, _, name = type_name(type(obj)).partition(".")
    short = type(obj).__qualname__
    return short if not name or root == "sklearn" else f"{root}.{short}"


def _of_estimator(obj: Any, place: str) -> Iterator[tuple[str, object]]:
    try:
        params = obj.get_params(deep=False)
    except (AttributeError, RuntimeError, TypeError) as error:
        raise RecordingError(
            f"{place}: get_params() of {type_name(obj)} fails: {error}",
            remedy="store every argument of __init__ under its own name, as scikit-learn asks for",
        ) from None
    yield from _with_class(obj, _of_mapping(params, place))


def _of_mapping(obj: Mapping[Any, Any], place: str) -> Iterator[tuple[str, object]]:
    for key, value in obj.items():
        # str() of a plain key and of a numpy scalar is its value; of others it may be an address.
        if not isinstance(key, str | int | float) and not hasattr(key, "item"):
            raise RecordingError(
                f"{place} has the key {type_name(key)}, which is neither a string nor a number",
                remedy="use strings as keys",
            )
        yield key if type(key) is str else str(getattr(key, "value", key)), value


def _of_dataclass(obj: Any, place: str) -> Iterator[tuple[str, object]]:
    return _with_class(obj, _fields(obj, obj.__dataclass_fields__, place))


def _of_attrs(obj: Any, place: str) -> Iterator[tuple[str, object]]:
    return _with_class(obj, _fields(obj, [field.name for field in type(obj).__attrs_attrs__], place))


def _of_pydantic(obj: Any, place: str) -> Iterator[tuple[str, object]]:
    kind = type(obj)
    fields = kind.model_fields if hasattr(kind, "model_fields") else kind.__fields__
    extra = getattr(obj, "__pydantic_extra__", None) or {}
    return _with_class(obj, _fields(obj, [*fields, *extra], place))


def _of_named_tuple(obj: Any, place: str) -> Iterator[tuple[str, object]]:
    return _fields(obj, obj._fields, place)


def _fields(obj: object, names: Iterable[str], place: str) -> Iterator[tuple[str, object]]:
    for name in names:
        try:
            yield name, getattr(obj, name)
        except AttributeError:
            raise RecordingError(
                f"{place} has no value for its field {name!r}", remedy="set it before recording"
            ) from None


def _of_omegaconf(obj: Any, place: str) -> Iterator[tuple[str, object]]:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        plain = OmegaConf.to_container(obj, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise RecordingError(
            f"{place} cannot be resolved: {str(error).partition(chr(10))[0]}",
            remedy="give every missing value and interpolation a value",
        ) from None
    if isinstance(plain, list):
        return iter([("", plain)])
    return _of_mapping(cast("Mapping[Any, Any]", plain), place)


def _of_partial(obj: functools.partial[Any], place: str) -> Iterator[tuple[str, object]]:
    yield "function", obj.func
    yield from ((f"args.{index}", value) for index, value in enumerate(obj.args))
    yield from _of_mapping(obj.keywords, place)


def _of_frozen_distribution(obj: Any, place: str) -> Iterator[tuple[str, object]]:
    yield "distribution", obj.dist.name
    yield "args", obj.args
    yield from _of_mapping(obj.kwds, place)


def _of_scorer(obj: Any, place: str) -> Iterator[tuple[str, object]]:
    yield "function", obj._score_func
    yield "sign", obj._sign
    yield from _of_mapping(obj._kwargs, place)


def _of_splitter(obj: Any, place: str) -> Iterator[tuple[str, object]]:
    return _with_class(obj, ((name, value) for name, value in vars(obj).items() if name[0] != "_"))


def _has(*names: str) -> Callable[[object], bool]:
    """Whether an object, not a class, has all these members."""
    return lambda obj: not isinstance(obj, type) and all(hasattr(obj, name) for name in names)


def _is_pydantic(obj: object) -> bool:
    return hasattr(type(obj), "__pydantic_fields__") or hasattr(type(obj), "__fields__")


def _is_omegaconf(obj: object) -> bool:
    return type(obj).__module__.partition(".")[0] == "omegaconf"


def _is_namespace(obj: object) -> bool:
    # By its name: importing argparse to recognise its class would cost more than the walk.
    names = {(kind.__module__, kind.__qualname__) for kind in type(obj).__mro__}
    return isinstance(obj, types.SimpleNamespace) or ("argparse", "Namespace") in names


_Members = Callable[[Any, str], Iterable[tuple[str, object]]]

# In order: what is more than one of these is walked as the first.
_CONTAINERS: Sequence[tuple[Callable[[object], bool], _Members]] = (
    (_is_omegaconf, _of_omegaconf),
    (_has("get_params"), _of_estimator),
    (lambda obj: isinstance(obj, Mapping), _of_mapping),
    (_has("__dataclass_fields__"), _of_dataclass),
    (_has("__attrs_attrs__"), _of_attrs),
    (_is_pydantic, _of_pydantic),
    (_has("_fields", "_asdict"), _of_named_tuple),
    (_is_namespace, lambda obj, place: _of_mapping(vars(obj), place)),
    (lambda obj: isinstance(obj, functools.partial), _of_partial),
    (_has("_score_func", "_sign", "_kwargs"), _of_scorer),
    (_has("dist", "args", "kwds"), _of_frozen_distribution),
    (_has("split", "get_n_splits"), _of_splitter),
)
