"""Images of Pillow: arrays of their pixels."""

import io

import numpy as np
import pytest
from sklearn.datasets import load_digits

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import fingerprint

pil = pytest.importorskip("PIL.Image")

PIXELS = (load_digits().images[:3] * 15).astype("u1")
COLOURS = np.moveaxis(PIXELS, 0, -1).copy()


@pytest.mark.parametrize(
    "pixels",
    [
        PIXELS[0],
        COLOURS,
        np.dstack([COLOURS, PIXELS[0]]),
        PIXELS[0] > 90,
        PIXELS[0].astype("i4"),
        PIXELS[0].astype("f4"),
    ],
)
def test_pixels_are_what_counts(pixels):
    image = pil.fromarray(pixels)
    assert fingerprint(image) == fingerprint(pixels)
    assert fingerprint(image).detail == fingerprint(pixels).detail
    assert fingerprint(image.rotate(90)) != fingerprint(image)


def test_files_and_their_metadata_do_not_count(tmp_path):
    image = pil.fromarray(COLOURS)
    for name in ("a.png", "a.bmp", "a.tiff"):
        image.save(tmp_path / name)
        with pil.open(tmp_path / name) as opened:
            assert fingerprint(opened) == fingerprint(COLOURS)


def test_modes_and_palettes_count():
    image = pil.fromarray(PIXELS[0])
    image.putpalette([*range(256)] * 3)
    other = image.copy()
    other.putpalette([*range(255, -1, -1)] * 3)
    four = np.dstack([COLOURS, PIXELS[0]])
    cmyk = pil.frombytes("CMYK", (8, 8), four.tobytes())
    hsv, lab = (pil.frombytes(mode, (8, 8), COLOURS.tobytes()) for mode in ("HSV", "LAB"))
    every = [image, other, cmyk, hsv, lab, PIXELS[0], COLOURS, four]
    assert len({fingerprint(each) for each in every}) == len(every)
    assert fingerprint(image) == fingerprint(image.copy())


def test_image_that_cannot_be_decoded():
    buffer = io.BytesIO()
    pil.fromarray(PIXELS[0]).resize((300, 300)).save(buffer, "png")
    with (
        pil.open(io.BytesIO(buffer.getvalue()[:200])) as broken,
        pytest.raises(FingerprintError, match="cannot be decoded"),
    ):
        fingerprint(broken)


def test_in_containers():
    image = pil.fromarray(PIXELS[0])
    assert fingerprint([image, "a"]) == fingerprint([PIXELS[0], "a"])
