"""What is kept by name as text, and read when somebody asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

Read = TypeVar("Read")


class Unread(Mapping[str, Read], Generic[Read]):
    """A mapping that makes its values when they are asked for, each time anew but for the last one.

    What is made of texts would be more for Python's garbage collector to visit than all else that a run keeps.
    The texts are known to be right: nothing may go wrong later that did not when they were taken in.
    """

    __slots__ = ("_held", "_last", "_read")

    def __init__(self, held: Mapping[str, Read | str], read: Callable[[str], Read]) -> None:
        """Make one.

        Args:
            held: by name what is read already, or the text of what is not; no text is empty.
            read: makes of a text what is held; itself never a text.
        """
        self._held = dict(held)
        self._read = read
        self._last: tuple[str, Read] | None = None

    def __getitem__(self, name: str) -> Read:
        held = self._held[name]
        if not isinstance(held, str):
            return held
        last = self._last
        if last is None or last[0] != name:
            last = self._last = (name, self._read(held))
        return last[1]

    def __contains__(self, name: object) -> bool:
        return name in self._held

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def __repr__(self) -> str:
        return repr(dict(self))

    def text(self, name: str) -> str:
        """What a value is read of; empty where that is not a text."""
        held = self._held.get(name)
        return held if isinstance(held, str) else ""

    def over(self, own: Mapping[str, Read]) -> Mapping[str, Read]:
        """These with others laid over them, as ``laid_over``."""
        if not own and all(self._held.values()):
            return self
        return Unread(_full({**self._held, **own}), self._read)


def laid_over(below: Mapping[str, Read], own: Mapping[str, Read]) -> Mapping[str, Read]:
    """A mapping of collections with others laid over them by name; without those that are empty."""
    return below.over(own) if isinstance(below, Unread) else _full({**below, **own})


Kept = TypeVar("Kept")


def _full(held: Mapping[str, Kept]) -> dict[str, Kept]:
    return {name: each for name, each in held.items() if each}
