"""Names of other modules that are bound to something of ours for a while, and put back."""

from __future__ import annotations

from collections.abc import Callable
from types import CellType, CodeType, FunctionType
from typing import Any, Protocol


class Rebinding(Protocol):
    """A name that is bound to something else between ``install`` and ``restore``; both may be called again."""

    def install(self) -> None:
        """Bind it."""

    def restore(self) -> None:
        """Put back what was there, unless somebody else has bound it to something of theirs since."""


class NameRebinding:
    """An attribute of a module."""

    def __init__(self, holder: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Make one, not installed yet.

        Args:
            holder: the module.
            name: of the attribute.
            make: gives what to bind, from what is there.
        """
        self._holder, self._name, self._make = holder, name, make
        self._original: Any = None
        self._ours: Any = None

    def install(self) -> None:
        """Bind it; what is there may be ours already, where somebody put back too late what he had found."""
        current = getattr(self._holder, self._name)
        if current is self._ours:
            return
        if self._ours is None or current is not self._original:
            # A new one: whatever is there now may lead to the one before.
            self._original, self._ours = current, self._make(current)
        setattr(self._holder, self._name, self._ours)

    def restore(self) -> None:
        """Put the original back, unless somebody has bound the name to something else."""
        if self._ours is not None and getattr(self._holder, self._name, None) is self._ours:
            setattr(self._holder, self._name, self._original)


Method = Callable[..., Any]


class MethodRebinding:
    """The code of a method in Python: who holds the function from earlier on gets the other code, too."""

    def __init__(
        self, function: FunctionType, template: FunctionType, make: Callable[[Method], Method]
    ) -> None:
        """Make one, not installed yet.

        Args:
            function: whose code is exchanged.
            template: the code to put there, with the same parameters and free variables; the constant ``MARK`` in it
                stands for what ``make`` gives.
            make: gives what is called, from a function that does what the original does.
        """
        self._function, self._template, self._make = function, template, make
        self._original: CodeType | None = None
        self._ours: CodeType | None = None

    def install(self) -> None:
        """Exchange the code."""
        current = self._function.__code__
        if current is self._ours:
            return
        if self._ours is None or current is not self._original:
            self._original, self._ours = current, self._code(current)
        self._function.__code__ = self._ours

    def restore(self) -> None:
        """Put the original code back, unless somebody has exchanged it again."""
        if self._original is not None and self._function.__code__ is self._ours:
            self._function.__code__ = self._original

    def _code(self, current: CodeType) -> CodeType:
        closure: tuple[CellType, ...] | None = self._function.__closure__
        hook = self._make(
            FunctionType(
                current, self._function.__globals__, current.co_name, self._function.__defaults__, closure
            )
        )
        code = self._template.__code__
        return code.replace(
            co_consts=tuple(hook if each == MARK else each for each in code.co_consts),
            co_filename=current.co_filename,
            co_name=current.co_name,
            co_qualname=current.co_qualname,
            co_firstlineno=current.co_firstlineno,
        )


MARK = 5.25e-301
"""A constant that stands in a template for what is called."""
