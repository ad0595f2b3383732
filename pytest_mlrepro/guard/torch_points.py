"""The choke points of torch: its generators are made in C++, only what seeds the default ones can be seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

from pytest_mlrepro.guard.point import Point
from pytest_mlrepro.guard.rebinding import NameRebinding, Rebinding

if TYPE_CHECKING:
    from pytest_mlrepro.guard.guard import Guard

_SEED = Point("torch", "torch.seed()")
_MANUAL_SEED = Point("torch", "torch.manual_seed()")


def of_torch(library: Any, guard: Guard) -> Sequence[Rebinding]:
    """``torch.seed``, and ``torch.manual_seed`` with the time of day."""
    if not hasattr(library, "seed") or not hasattr(library, "random"):
        return []
    return [
        rebinding
        for holder in (library, library.random)
        for rebinding in (
            NameRebinding(holder, "seed", _seed(guard, library)),
            NameRebinding(holder, "manual_seed", _manual_seed(guard)),
        )
    ]


def _seed(guard: Guard, library: Any) -> Callable[[Any], Any]:
    def make(original: Any) -> Any:
        @wraps(original)
        def seed() -> int:
            __tracebackhide__ = True
            pinned = None if guard.idle else guard.taken(_SEED, 8)
            if pinned is None:
                return original()  # type: ignore[no-any-return]
            number = int.from_bytes(pinned, "big")
            library.manual_seed(number)
            return number

        return seed

    return make


def _manual_seed(guard: Guard) -> Callable[[Any], Any]:
    def make(original: Any) -> Any:
        @wraps(original)
        def manual_seed(seed: Any) -> Any:
            __tracebackhide__ = True
            seen = None if guard.idle else guard.seeded(_MANUAL_SEED, seed, 8)
            return original(seed if seen is None else int.from_bytes(seen, "big"))

        return manual_seed

    return make
