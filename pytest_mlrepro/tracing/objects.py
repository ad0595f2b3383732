"""Objects of any class: what they are called, and their attributes, through the descriptors of Python's own types."""

from __future__ import annotations

from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any

from pytest_mlrepro.tracing.reading import Reading

# Not kind.__mro__ and the like: a metaclass may answer for them.
_ORDER = type.__dict__["__mro__"]
_MEMBERS = type.__dict__["__dict__"]
_MODULE = type.__dict__["__module__"]
_NAME = type.__dict__["__qualname__"]


def order_of(kind: type) -> tuple[type, ...]:
    """A class and its bases, nearest first."""
    order: tuple[type, ...] = _ORDER.__get__(kind)
    return order


def is_a(kind: type, base: type) -> bool:
    """Whether a class is another or descends from it, asked of nobody else."""
    return type.__subclasscheck__(base, kind)


def members_of(kind: type) -> Any:
    """What a class itself defines."""
    return _MEMBERS.__get__(kind)


def module_of(kind: type) -> str:
    """The module that a class says that it is from."""
    module = _MODULE.__get__(kind)
    return module if type(module) is str else "builtins"


def name_of(kind: type) -> str:
    """The name of a class within its module."""
    name: str = _NAME.__get__(kind)
    return name


def title(kind: type) -> str:
    """The name of a class with its module; without, where it is Python's own."""
    module, name = module_of(kind), name_of(kind)
    return name if module in ("builtins", "collections") else f"{module}.{name}"


def attributes(reading: Reading, obj: Any, depth: int) -> None:
    """Read an object attribute by attribute: slots, then those of its ``__dict__`` in order."""
    kind = type(obj)
    name, members = title(kind), _attributes(obj, kind)
    if members is None:
        opaque(reading, obj, depth)
        return
    reading.name(name, depth)
    reading.add("o", name)
    for place, (key, value) in enumerate(members):
        if reading.left <= 0:
            reading.add("cut", str(len(members) - place))
            break
        reading.add(".", str.__str__(key))
        reading.visit(value, depth + 1)
    reading.add(";")


def opaque(reading: Reading, obj: Any, depth: int) -> None:
    """Of what cannot be looked into, or must not be: the name of its type."""
    name = title(type(obj))
    reading.name(f"{name} (opaque)", depth)
    reading.add("?", name)


def named(reading: Reading, obj: Any, depth: int) -> None:
    """A class, function or module: its name alone."""
    is_class = is_a(type(obj), type)
    name = title(obj) if is_class else object.__getattribute__(obj, "__name__")
    kind = "class" if is_class else name_of(type(obj))
    reading.name(f"{kind} {name}", depth)
    reading.add("n", f"{kind} {name}")


def _attributes(obj: Any, kind: type) -> list[tuple[str, Any]] | None:
    """The attributes of an object itself; None where its class leaves no way to see them."""
    found: list[tuple[str, Any]] = []
    own: Any = None
    seen = False
    for base in order_of(kind):
        members = members_of(base)
        if "__slots__" in members:
            seen = True
            found += [each for member in list(members.values()) for each in _slot(member, obj, kind)]
        plain = members.get("__dict__")
        if own is None and type(plain) is GetSetDescriptorType:
            own = plain.__get__(obj, kind)
    if own is None:
        return found if seen else None
    # A class may have given it a dict of its own making.
    return found + [(key, value) for key, value in list(dict.items(own)) if type(key) is str]


def _slot(member: object, obj: Any, kind: type) -> list[tuple[str, Any]]:
    if type(member) is not MemberDescriptorType or member.__name__.startswith("__"):
        return []
    try:
        return [(member.__name__, member.__get__(obj, kind))]
    except AttributeError:
        # Not set.
        return []
