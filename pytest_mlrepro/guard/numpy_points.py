"""The choke points of numpy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

from pytest_mlrepro.guard.point import Point
from pytest_mlrepro.guard.rebinding import NameRebinding, Rebinding

if TYPE_CHECKING:
    from pytest_mlrepro.guard.guard import Guard

_ENTROPY = Point("numpy")
_STATE = Point("numpy", "RandomState()")
_GLOBAL = Point("numpy", "seed()")


def of_numpy(library: Any, guard: Guard) -> Sequence[Rebinding]:
    """What every seed sequence without entropy asks, what every bit generator asks of its seed, and legacy seeding.

    All are looked up at each call in the modules that hold them, so that functions which somebody imported
    before are seen as well.
    """
    source, legacy = library.bit_generator, library.mtrand
    return [
        NameRebinding(source, "randbits", _randbits(guard)),
        NameRebinding(source, "ISeedSequence", _seeds(guard)),
        NameRebinding(legacy, "_MT19937", _mersenne(guard)),
        NameRebinding(library, "seed", _global_seed(guard)),
    ]


def _randbits(guard: Guard) -> Callable[[Any], Any]:
    def make(original: Any) -> Any:
        @wraps(original)
        def randbits(k: int) -> int:
            __tracebackhide__ = True
            if guard.idle:
                return original(k)  # type: ignore[no-any-return]
            size = (k + 7) // 8
            pinned = guard.taken(_ENTROPY, size)
            if pinned is None:
                # It is secrets.randbits, which asks another choke point.
                return guard.original(original, k)  # type: ignore[return-value]
            return int.from_bytes(pinned, "big") >> (8 * size - k)

        return randbits

    return make


def _seeds(guard: Guard) -> Callable[[Any], Any]:
    """A stand-in for the abstract class that every bit generator asks whether its seed is one."""

    def look(seed: Any) -> None:
        __tracebackhide__ = True
        if seed is not None and not guard.idle:
            guard.seeded(_ENTROPY, getattr(seed, "entropy", seed))

    return lambda original: _StandIn(original, original, look)


def _mersenne(guard: Guard) -> Callable[[Any], Any]:
    """A stand-in for the class that ``RandomState`` makes when it is not given a generator."""

    def reseed(seed: Any) -> Any:
        __tracebackhide__ = True
        seen = guard.seeded(_STATE, seed, 4) if seed is not None and not guard.idle else None
        return seed if seen is None else int.from_bytes(seen, "big")

    def make(original: Any) -> Any:
        real = original
        while isinstance(real, _StandIn):
            # Of another guard around this one.
            real = real.stands_for
        return _StandIn(real, _late(real, reseed), lambda _: None)

    return make


class _StandIn:
    """Stands in for a class where that is called, or asked for instances."""

    def __init__(self, original: Any, made: Any, look: Callable[[Any], None]) -> None:
        """Make one.

        Args:
            original: the class.
            made: what is called instead.
            look: is given whatever is asked whether it is an instance.
        """
        self.stands_for, self._made, self._look = original, made, look

    def __call__(self, *arguments: Any) -> Any:
        __tracebackhide__ = True
        return self._made(*arguments)

    def __instancecheck__(self, instance: Any) -> bool:
        __tracebackhide__ = True
        self._look(instance)
        return isinstance(instance, self.stands_for)

    def __subclasscheck__(self, kind: Any) -> bool:
        return issubclass(kind, self.stands_for)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self.stands_for,)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stands_for, name)


def _late(original: Any, reseed: Callable[[Any], Any]) -> Any:
    """A Mersenne Twister that takes its entropy late.

    ``RandomState`` makes one before it looks at its seed, so that ``RandomState(0)`` would take entropy as well. Here
    this is put off until it either seeds the generator or uses it.
    """

    class MT19937(original):  # type: ignore[misc]
        __slots__ = ("_is_made",)
        __module__, __qualname__, __doc__ = original.__module__, original.__qualname__, original.__doc__

        def __init__(self, *seeds: Any) -> None:
            self._is_made = bool(seeds)
            if seeds:
                original.__init__(self, *seeds)

        def _legacy_seeding(self, seed: Any) -> None:
            __tracebackhide__ = True
            if not self._is_made:
                self._is_made = True
                original.__init__(self, 0)
            original._legacy_seeding(self, reseed(seed))

        @property
        def capsule(self) -> Any:
            __tracebackhide__ = True
            if not self._is_made:
                self._is_made = True
                original.__init__(self)
            return original.capsule.__get__(self)

        def __reduce__(self) -> Any:
            # Whoever reads the pickle need not know of us.
            maker, arguments, *rest = super().__reduce__()
            return (maker, tuple(original if each is type(self) else each for each in arguments), *rest)

    return MT19937


def _global_seed(guard: Guard) -> Callable[[Any], Any]:
    def make(original: Any) -> Any:
        @wraps(original)
        def seed(seed: Any = None) -> None:
            __tracebackhide__ = True
            if seed is not None and not guard.idle:
                seen = guard.seeded(_GLOBAL, seed, 4)
                seed = seed if seen is None else int.from_bytes(seen, "big")
            original(seed)

        return seed

    return make
