"""Entropy that is a function of its place."""

from __future__ import annotations

from hashlib import blake2b

from pytest_mlrepro.guard.entropy import derive, encode

KNOWN = "86c7c06379466c85"


def test_as_documented():
    head = encode(7, "test_a.py::test")
    assert head == b"1:715:test_a.py::test"
    blocks = [blake2b(head + b"1:0:" + suffix).digest() for suffix in (b":0", b":1")]
    assert derive(100, head, "1:0:") == b"".join(blocks)[:100]
    assert derive(16, head, "1:0:") == blocks[0][:16]


def test_a_known_answer():
    assert derive(8, encode(0, "a"), "1:0:").hex() == blake2b(b"1:01:a1:0::0").hexdigest()[:16] == KNOWN


def test_parts_do_not_run_together():
    assert encode("ab", "c") != encode("a", "bc")


def test_halves_of_surrogate_pairs_have_entropy_too():
    assert derive(4, encode("\udc80"), "")
