"""The seed of a test: made from the base seed and the test's name alone."""

from __future__ import annotations

from hashlib import blake2b
from operator import index

from pytest_mlrepro.errors import RecordingError

SEED_LIMIT = 2**32
"""Seeds are below this: the range that every generator takes, numpy's legacy one being the narrowest."""


def derive_seed(base: int, identity: str) -> int:
    """The seed that a test or fixture runs with, ``0 <= seed < 2**32``.

    It is the BLAKE2b digest (RFC 7693) of ``"<base>:<identity>"``, the base in decimal and the text
    in UTF-8, with a digest size of 4 bytes, read as a big-endian number. So it depends neither on the order
    and choice of tests nor on the process, platform or version of Python.

    Args:
        base: the project's base seed.
        identity: the node id of the test, or the subject of the fixture.
    """
    # Node ids may hold lone surrogates: bytes of a file name that are not UTF-8.
    text = f"{base}:{identity}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=4).digest(), "big")


def checked_seed(seed: int) -> int:
    """The seed as a plain int.

    Raises:
        RecordingError: unless it is an integer with ``0 <= seed < 2**32``.
    """
    try:
        plain = index(seed)
    except TypeError:
        plain = -1
    if not 0 <= plain < SEED_LIMIT:
        raise RecordingError(
            f"a seed must be an integer from 0 to {SEED_LIMIT - 1}, got {seed!r}",
            remedy="take a number in this range, for instance mlrepro.seed % 2**32",
        )
    return plain
