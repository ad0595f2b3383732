"""Samples: items of what gives its items one by one, such as a data set of torch.

Which items count is for the caller to say. Each is read twice, as one that differs from reading to reading has no
value that could be kept. Generators are put back afterwards, see ``generators``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from importlib import import_module
from itertools import zip_longest
from numbers import Integral
from operator import index
from typing import Any

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints.digests import Fingerprint, node, seal
from pytest_mlrepro.fingerprints.forms import Form
from pytest_mlrepro.fingerprints.generators import kept
from pytest_mlrepro.fingerprints.layout import ITEM, spread
from pytest_mlrepro.fingerprints.objects import encoded
from pytest_mlrepro.fingerprints.ranges import Ranges
from pytest_mlrepro.fingerprints.tensors import rows_of_tensors
from pytest_mlrepro.model import Value
from pytest_mlrepro.values import type_name

_LISTED = 64
"""Items that have a digest each; of more, those of ranges are kept."""

_FIRST = "pass sample=64 to have the first 64 count, or all where there are fewer"
_SPREAD = (
    "pass sample=64 to have 64 items count, spread evenly over all, or sample=[0, 5, 9] to have these count"
)


def adapters() -> dict[type, Callable[..., Form | Fingerprint]]:
    """The adapters of this module, by type."""
    data = import_module("torch.utils.data")
    return {
        data.Dataset: mapped,
        data.IterableDataset: iterated,
        data.DataLoader: loaded,
        data.TensorDataset: tensors,
        data.Subset: tensors,
    }


def mapped(obj: Any, *, sample: object = None) -> Fingerprint:
    """The fingerprint of some items of a data set that gives them by their number.

    Args:
        obj: what gives the item ``obj[number]``.
        sample: how many items count, spread evenly over all; or the numbers of those that count, in any order.

    Returns:
        That of its length, of which items count, and of their values.

    Raises:
        FingerprintError: without ``sample``; for one that does not fit; for an item that cannot be read, has no
            fingerprint, or is another one when it is read again.
    """
    asked, length = _asked(obj, sample, _SPREAD), _length(obj)
    if isinstance(asked, int):
        if length is None:
            raise FingerprintError(
                f"the {type_name(obj)} has no length over which {asked} items could be spread",
                remedy="pass the numbers of those that count, for instance sample=range(64)",
            )
        numbers = spread(length, asked)
    else:
        numbers = _valid(asked, length)
    digests = []
    with kept(obj):
        for number in numbers:
            # One after the other, with no generator put back between: so what is drawn at random shows.
            digest, again = (_digest(obj, number, lambda: obj[number]) for _ in range(2))  # noqa: B023
            if digest != again:
                raise FingerprintError(
                    f"item {number} of the {type_name(obj)} is another one each time it is read",
                    remedy="take the random transform off, or seed it by the item's number; or fingerprint a "
                    "DataLoader, which draws from the pinned generators",
                )
            digests.append(digest)
    chosen: Value = "spread" if isinstance(asked, int) else tuple(numbers)
    return _sealed(length, numbers, chosen, digests)


def iterated(obj: Any, *, sample: object = None) -> Fingerprint:
    """The fingerprint of the first items of what can be iterated over, again and again.

    Args:
        obj: the data set; the global generators are in the same state at the start of each iteration.
        sample: how many items count; all where there are fewer.

    Raises:
        FingerprintError: as ``mapped``.
    """
    return _first(obj, lambda: obj, sample)


def loaded(obj: Any, *, sample: object = None) -> Fingerprint:
    """The fingerprint of the first batches of a loader, in the order in which it gives them.

    With ``shuffle=True`` that order depends on the state of the generator that it draws from, as what random
    transforms do to the items; these count. Workers are started and ended for it, the loader's own are left alone.

    Args:
        obj: the loader.
        sample: how many batches count; all where there are fewer.

    Raises:
        FingerprintError: as ``mapped``.
    """
    return _first(obj, lambda: _apart(obj), sample, unit="batch")


def tensors(obj: Any, *, sample: object = None) -> Form | Fingerprint:
    """The form of a set of tensors, or of a part of one: a table with a column for each tensor, read as a whole.

    Any other part of a data set, and one for which ``sample`` is given, is read item by item: see ``mapped``.
    """
    data = import_module("torch.utils.data")
    if sample is None:
        numbers, whole = None, obj
        while isinstance(whole, data.Subset) and type(whole).__getitem__ is data.Subset.__getitem__:
            numbers, whole = _picked(whole.indices, numbers), whole.dataset
        # A subclass may give other items than what the tensors hold.
        if (
            isinstance(whole, data.TensorDataset)
            and type(whole).__getitem__ is data.TensorDataset.__getitem__
        ):
            return rows_of_tensors(whole.tensors, numbers)
    return mapped(obj, sample=sample)


def _picked(indices: Any, numbers: Any) -> Any:
    import numpy as np

    chosen = np.array([index(number) for number in indices], dtype=np.int64)
    return chosen if numbers is None else chosen[numbers]


def _asked(obj: object, sample: object, remedy: str) -> int | list[int]:
    """A positive number of items, or the numbers of items."""
    kind = type_name(obj)
    if sample is None:
        raise FingerprintError(f"the {kind} gives its items one by one, which of them count?", remedy=remedy)
    if not isinstance(sample, bool) and isinstance(sample, Integral):
        if sample < 1:
            raise FingerprintError(f"sample={sample} leaves no item of the {kind} that counts", remedy=remedy)
        return int(sample)
    try:
        numbers = [] if isinstance(sample, str | bytes) else [index(number) for number in sample]  # type: ignore[attr-defined]
    except TypeError:
        numbers = []
    if not numbers:
        raise FingerprintError(
            f"sample={sample!r} is neither a number of items nor a list of the numbers of some",
            remedy=remedy,
        )
    return numbers


def _valid(asked: Sequence[int], length: int | None) -> list[int]:
    """Each number once, in order."""
    for number in asked:
        if number < 0 or (length is not None and number >= length):
            bound = f"from 0 to {length - 1}" if length is not None else "from 0 on"
            raise FingerprintError(
                f"sample= names the item {number}, there are only those {bound}",
                remedy="leave it out, or pass how many items count: these are chosen among those that there are",
            )
    return sorted(set(asked))


def _length(obj: Any) -> int | None:
    try:
        return len(obj)
    except (TypeError, NotImplementedError):
        return None


def _first(obj: Any, fresh: Callable[[], Any], sample: object, unit: str = "item") -> Fingerprint:
    asked = _asked(obj, sample, _FIRST)
    if not isinstance(asked, int):
        raise FingerprintError(
            f"the {type_name(obj)} cannot give its {unit}s by their numbers", remedy=_FIRST
        )
    with kept(obj) as restore:
        digests = list(_digests(obj, fresh(), asked))
        restore()
        for number, (digest, again) in enumerate(zip_longest(digests, _digests(obj, fresh(), asked))):
            if digest != again:
                raise FingerprintError(
                    f"{unit} {number} of the {type_name(obj)} is another one, or missing, when it is read again",
                    remedy="give what is drawn at random a seed at the start of each iteration, and open anew "
                    "there what can be read only once",
                )
    return _sealed(_length(fresh()), None, "first", digests, unit)


def _digests(obj: object, source: Any, count: int) -> Iterator[bytes]:
    """The digests of the first items of a source made for this."""
    items = iter(source)
    nothing = object()
    for number in range(count):
        item = _read(obj, number, lambda: next(items, nothing))
        if item is nothing:
            return
        yield _digest(obj, number, lambda: item)  # noqa: B023 - called at once


def _apart(loader: Any) -> Any:
    """A loader of the same batches whose workers are its own, and which needs no accelerator."""
    twin = copy(loader)
    twin._iterator = None
    twin.pin_memory = False
    return twin


def _digest(obj: object, number: int, read: Callable[[], Any]) -> bytes:
    item = _read(obj, number, read)
    try:
        return node("item", encoded(item))
    except FingerprintError as error:
        raise FingerprintError(
            f"item {number} of the {type_name(obj)}: {error.what}", remedy=error.remedy
        ) from None


def _read(obj: object, number: int, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except OSError as error:
        reason = str(error).strip().splitlines()[-1]
        raise FingerprintError(
            f"item {number} of the {type_name(obj)} cannot be read: {reason}",
            remedy="check the files that it is made of",
        ) from None


def _sealed(
    length: int | None,
    numbers: Iterable[int] | None,
    chosen: Value,
    digests: Sequence[bytes],
    unit: str = "item",
) -> Fingerprint:
    which = encoded(None if numbers is None else list(numbers))
    root = node("sample", encoded(length), which, b"".join(digests))
    detail: dict[str, Value] = {"kind": "sample", "items": len(digests)}
    if length is not None:
        detail["length"] = length
    if unit != "item":
        detail["unit"] = unit
    if len(digests) <= _LISTED:
        parts = {"chosen": chosen, "digests": "".join(digest[: ITEM // 2].hex() for digest in digests)}
        return seal(root, detail | parts)
    ranges = Ranges(len(digests))
    for place, digest in enumerate(digests):
        ranges.update(place, digest)
    short = node("numbers", which)[:4].hex() if isinstance(chosen, tuple) else chosen
    return seal(root, detail | {"chosen": short, "blocks": ranges.digests()})
