"""Adapters for Pillow: images, like numpy arrays of their pixels."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints.arrays import array
from pytest_mlrepro.fingerprints.digests import Fingerprint, node
from pytest_mlrepro.fingerprints.forms import Form
from pytest_mlrepro.fingerprints.how import How
from pytest_mlrepro.model import Value

_PLAIN = frozenset({"1", "L", "I", "I;16", "F", "RGB", "RGBA"})
"""Modes whose pixels mean what an array of this shape and type is taken for."""


def adapters() -> dict[type, Callable[..., Form | Fingerprint]]:
    """The adapters of this module, by type."""
    return {import_module("PIL.Image").Image: image}


def image(obj: Any, *, how: How) -> Form | Fingerprint:
    """The form of an image: that of the array of its pixels, shape (height, width) or (height, width, channels).

    Of a mode in which numbers are no plain grey or RGB values, such as CMYK or with a palette, the mode and the
    palette count too. What the file says besides, such as its format or when it was taken, does not count.

    Raises:
        FingerprintError: for one that cannot be decoded.
    """
    import numpy as np

    try:
        pixels = np.asarray(obj)
    except OSError as error:
        raise FingerprintError(
            f"the image cannot be decoded: {error}", remedy="check its file, or leave the image out"
        ) from None
    if pixels.dtype == np.bool_:
        # True is 255 in Pillow's memory.
        pixels = pixels.view(np.uint8) != 0
    if obj.mode in _PLAIN:
        return array(pixels)
    palette = obj.getpalette("RGBA") or [] if obj.mode in ("P", "PA") else []
    detail: dict[str, Value] = {"kind": "image", "value": obj.mode}
    return how.algorithm.seal(node("image", obj.mode, bytes(palette), array(pixels).root(how)), detail)
