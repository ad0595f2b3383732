"""Entropy that is the same in every run: made from a seed, a subject, a place in the code and a counter."""

from __future__ import annotations

from hashlib import blake2b

_BLOCK = 64


def derive(size: int, *parts: str | int) -> bytes:
    """Bytes made from ``parts`` alone.

    They are the BLAKE2b digests (RFC 7693) of the parts, each in decimal or UTF-8 with its length in bytes and a
    colon before it, followed by the number of the block as another part, 0, 1, ...; one after another, cut to ``size``.
    """
    whole = b"".join(_part(part) for part in parts)
    blocks = range(-(-size // _BLOCK))
    return b"".join(blake2b(whole + _part(block), digest_size=_BLOCK).digest() for block in blocks)[:size]


def _part(part: str | int) -> bytes:
    text = str(part).encode("utf-8", "surrogatepass")
    return b"%d:%b" % (len(text), text)
