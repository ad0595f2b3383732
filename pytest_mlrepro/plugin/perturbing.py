"""What a replay does to the process that runs the tests."""

from __future__ import annotations

from collections.abc import Sequence


class Perturbing:
    """Perturbations that no environment variable makes."""

    def __init__(self, names: Sequence[str]) -> None:
        """Make one; what must happen before anything is imported happens here.

        Args:
            names: which.
        """
        self._names = tuple(names)
