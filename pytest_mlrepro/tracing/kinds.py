"""Which reader is for which type, and the reading of one value.

No line of the project's own classes is run: types are known by ``type()``, and no ``__eq__``, ``__hash__``,
``__repr__``, ``__len__``, ``__iter__`` or ``__getattr__`` of theirs is called. Nothing is consumed, waited for, opened
or drawn. Unlike in ``fingerprints``, sets and dicts count in the order in which they iterate: it is what may differ
from run to run.
"""

from __future__ import annotations

from types import BuiltinFunctionType, FunctionType, ModuleType

from pytest_mlrepro.errors import MlreproError
from pytest_mlrepro.traces import Seen
from pytest_mlrepro.tracing import libraries, plain
from pytest_mlrepro.tracing.objects import attributes, is_a, named, order_of
from pytest_mlrepro.tracing.reading import Budget, Handler, Reading

_NAMED = frozenset(map(id, (FunctionType, BuiltinFunctionType, ModuleType)))
_REFUSALS = (
    MlreproError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
    Warning,
)
"""What libraries raise when they are asked for what an object of theirs cannot give."""


class Reader:
    """Reads the values of one trace."""

    def __init__(self, budget: Budget | None = None) -> None:
        self._budget = budget or Budget()
        # By identity: a class need not be hashable. The class is kept with it, so that no other takes its place.
        self._known: dict[int, tuple[type, Handler]] = {}

    def read(self, obj: object) -> Seen:
        """What is known of a value; "opaque" in its form says that it is no more than the type."""
        reading = Reading(self._budget, self.handler)
        try:
            reading.visit(obj)
            return reading.seen()
        except _REFUSALS as error:
            return Seen(f"{reading.form or 'value'} (unreadable: {type(error).__name__})", "")

    def handler(self, kind: type) -> Handler:
        """How to read objects of a type."""
        known = self._known.get(id(kind))
        if known is None:
            known = self._known[id(kind)] = kind, _found(kind)
        return known[1]


def _found(kind: type) -> Handler:
    exact = plain.EXACT.get(id(kind)) or plain.BASES.get(id(kind))
    if exact is not None:
        return exact
    if id(kind) in _NAMED or is_a(kind, type):
        return named
    of_library = libraries.handler(kind)
    if of_library is not None:
        return of_library
    return next((plain.BASES[id(base)] for base in order_of(kind) if id(base) in plain.BASES), attributes)
