"""Generators: the states of random ones, kept while something is read that may draw from them."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Restore = Callable[[], object]

_DEVICES = ("cuda", "xpu")


@contextmanager
def kept(obj: object) -> Iterator[Callable[[], None]]:
    """Put the generators back at the end, as they were at the start.

    These are the global ones of Python, and of numpy and torch where they are imported, those that the object holds,
    and those that data sets, samplers and loaders of torch hold that it is made of.

    Args:
        obj: what will be read.

    Returns:
        A context with a function that puts them back at once.
    """
    restores = [*_global(), *_own(obj)]

    def restore() -> None:
        for each in restores:
            each()

    try:
        yield restore
    finally:
        restore()


def _global() -> Iterator[Restore]:
    state = random.getstate()
    yield lambda: random.setstate(state)
    if (np := sys.modules.get("numpy")) is not None:
        # The old form of the state knows only one kind of generator.
        yield _with(np.random.set_state, np.random.get_state(legacy=False))
    if (torch := sys.modules.get("torch")) is None:
        return
    yield _with(torch.set_rng_state, torch.get_rng_state())
    for name in _DEVICES:
        device = getattr(torch, name, None)
        if device is not None and device.is_initialized():
            yield _with(device.set_rng_state_all, device.get_rng_state_all())
    if hasattr(torch, "mps") and torch.backends.mps.is_available():
        yield _with(torch.mps.set_rng_state, torch.mps.get_rng_state())


def _with(restore: Callable[[Any], object], state: Any) -> Restore:
    return lambda: restore(state)


def _own(obj: object) -> Iterator[Restore]:
    """Walks data sets, samplers and loaders, and lists of them."""
    parts = _parts()
    seen: set[int] = set()
    ahead = [obj]
    while ahead:
        holder = ahead.pop()
        if id(holder) in seen:
            continue
        seen.add(id(holder))
        held = holder if isinstance(holder, list | tuple) else getattr(holder, "__dict__", {}).values()
        for value in held:
            yield from _state(value)
            if isinstance(value, parts):
                ahead.append(value)


def _parts() -> tuple[type, ...]:
    if (torch := sys.modules.get("torch")) is None:
        return ()
    data = torch.utils.data
    return (data.Dataset, data.Sampler, data.DataLoader, list, tuple)


def _state(value: object) -> Iterator[Restore]:
    """What puts a generator back; nothing for anything else."""
    np, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if isinstance(value, random.Random):
        yield _with(value.setstate, value.getstate())
    elif np is not None and isinstance(value, np.random.Generator):
        bits = value.bit_generator
        yield _with(lambda state: setattr(bits, "state", state), bits.state)
    elif np is not None and isinstance(value, np.random.RandomState):
        yield _with(value.set_state, value.get_state(legacy=False))
    elif torch is not None and isinstance(value, torch.Generator):
        yield _with(value.set_state, value.get_state())
