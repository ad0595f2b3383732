"""Which one of many tests leaves something behind: halving, with one replay a step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from pytest_mlrepro.replay import Replay


@dataclass
class Search:
    """One search; at its end one suspect has been tried alone with the victim, and it was the one, or not.

    Attributes:
        victim: the test whose result moves.
        alone: its replay without any other test.
        suspects: the tests that ran before it when it moved, in that order; in the end one.
        over: whether there is nothing left to try.
        found: whether the one that is left makes the difference by itself.
    """

    victim: str
    alone: Replay
    suspects: Sequence[str]
    over: bool = False
    found: bool = False

    @classmethod
    def of(cls, victim: str, order: Sequence[str], alone: Replay) -> Self:
        """Begin one.

        Args:
            victim: the test.
            order: the tests as they ran when it gave something else than alone.
            alone: the replay of the victim without the others.
        """
        return cls(victim, alone, order[: order.index(victim)] if victim in order else [])

    @property
    def trial(self) -> Sequence[str]:
        """The tests to run before the victim next."""
        return self.suspects if len(self.suspects) == 1 else self.suspects[: len(self.suspects) // 2]

    def take(self, *, moved: bool) -> None:
        """Take the outcome of a trial.

        Args:
            moved: whether the victim gave something else than alone.
        """
        if len(self.suspects) == 1:
            self.over, self.found = True, moved
        elif moved:
            self.suspects = self.trial
        else:
            self.suspects = self.suspects[len(self.suspects) // 2 :]
