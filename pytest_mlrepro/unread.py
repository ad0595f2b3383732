"""What is kept by name as text, and read when somebody first asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

Read = TypeVar("Read")


class Unread(Mapping[str, Read], Generic[Read]):
    """A mapping that makes its values when they are first asked for, and keeps them.

    It is made of texts that are known to be right: nothing may go wrong later that did not when they were taken in.
    """

    __slots__ = ("_held", "_read")

    def __init__(self, held: Mapping[str, Read | str], read: Callable[[str], Read]) -> None:
        """Make one.

        Args:
            held: by name what is read already, or the text of what is not; no text is empty.
            read: makes of a text what is held; itself never a text.
        """
        self._held = dict(held)
        self._read = read

    def __getitem__(self, name: str) -> Read:
        held = self._held[name]
        if isinstance(held, str):
            held = self._held[name] = self._read(held)
        return held

    def __contains__(self, name: object) -> bool:
        return name in self._held

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def __repr__(self) -> str:
        return repr(dict(self))

    def over(self, own: Mapping[str, Read]) -> Mapping[str, Read]:
        """These with others laid over them, as ``laid_over``; what is read of one is read of both."""
        if not own and all(self._held.values()):
            return self
        # To read one of ours is to look its name up here.
        ours = {name: name if isinstance(held, str) else held for name, held in self._held.items()}
        return Unread(_full({**ours, **own}), self.__getitem__)


def laid_over(below: Mapping[str, Read], own: Mapping[str, Read]) -> Mapping[str, Read]:
    """A mapping of collections with others laid over them by name; without those that are empty."""
    return below.over(own) if isinstance(below, Unread) else _full({**below, **own})


Kept = TypeVar("Kept")


def _full(held: Mapping[str, Kept]) -> dict[str, Kept]:
    return {name: each for name, each in held.items() if each}
