"""Entropy that is the same in every run: made from a seed, a subject, a place in the code and a counter."""

from __future__ import annotations

from hashlib import blake2b

_BLOCK = 64


def derive(size: int, head: bytes, tail: str) -> bytes:
    """Bytes made from ``head`` and ``tail`` alone.

    They are the BLAKE2b digests (RFC 7693) of head, tail and the number of the block, ``:0``, ``:1``, ..., one after
    another, cut to ``size``.

    Args:
        size: in bytes.
        head: what ``encode`` gave.
        tail: of ASCII.
    """
    whole = head + tail.encode()
    blocks = [blake2b(b"%b:%d" % (whole, block)).digest() for block in range(-(-size // _BLOCK))]
    return b"".join(blocks)[:size]


def encode(*parts: str | int) -> bytes:
    """The parts one after another, each in decimal or UTF-8 with its length in bytes and a colon before it."""
    texts = [str(part).encode("utf-8", "surrogatepass") for part in parts]
    return b"".join(b"%d:%b" % (len(text), text) for text in texts)
