"""Remarks: how data differs from what a detail tells of, where it takes the data at hand to say so."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_mlrepro.model import Value


def is_located(detail: Mapping[str, Value]) -> bool:
    """Whether a detail holds sketches."""
    return "sketch" in detail
