"""The choke points of the standard library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from types import FunctionType
from typing import TYPE_CHECKING, Any, cast

from pytest_mlrepro.guard.point import Point
from pytest_mlrepro.guard.rebinding import MethodRebinding, NameRebinding, Rebinding

if TYPE_CHECKING:
    from pytest_mlrepro.guard.guard import Guard

_SYSTEM = Point("random", direct=True)
_RANDOM = Point("random")
_SEED_BYTES = 32


def of_os(os: Any, guard: Guard) -> Sequence[Rebinding]:
    """``urandom`` and ``getrandom``: what ``uuid4`` and numba ask, and code that calls them."""
    names = [name for name in ("urandom", "getrandom") if hasattr(os, name)]
    return [
        NameRebinding(os, name, _system(guard, Point("os", f"os.{name}()", direct=True))) for name in names
    ]


def of_random(random: Any, guard: Guard) -> Sequence[Rebinding]:
    """What ``SystemRandom`` and all of ``secrets`` ask, and what every ``Random`` is seeded with."""
    return [
        NameRebinding(random, "_urandom", _system(guard, _SYSTEM)),
        MethodRebinding(random.Random.seed, _template(), _seed(guard)),
    ]


def _system(guard: Guard, point: Point) -> Callable[[Any], Any]:
    def make(original: Any) -> Any:
        @wraps(original)
        def stand_in(size: int, *flags: int) -> bytes:
            __tracebackhide__ = True
            pinned = None if guard.idle else guard.taken(point, size)
            return original(size, *flags) if pinned is None else pinned

        return stand_in

    return make


def _template() -> FunctionType:
    """Code like that of ``Random.seed``, whose free variable it has, too."""
    __class__ = None

    def seed(self: Any, a: Any = None, version: int = 2) -> Any:
        __class__  # noqa: B018
        call: Any = 5.25e-301  # MARK, which is a name that the module of the code does not have
        return call(self, a, version)

    return cast("FunctionType", seed)


def _seed(guard: Guard) -> Callable[[Any], Any]:
    def make(original: Any) -> Any:
        def stand_in(self: Any, a: Any, version: int) -> Any:
            __tracebackhide__ = True
            if not guard.idle:
                seen = guard.taken(_RANDOM, _SEED_BYTES) if a is None else None
                if isinstance(a, int | float):
                    seen = guard.seeded(_RANDOM, a, _SEED_BYTES)
                a = a if seen is None else int.from_bytes(seen, "big")
            return original(self, a, version)

        return stand_in

    return make
