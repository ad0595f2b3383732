"""What a lockfile holds, in the formats of others: pure functions from an accepted run to a text."""

from __future__ import annotations

from pytest_mlrepro.export.document import Document, Source

__all__ = ["FORMATS", "Document", "Source"]

FORMATS = (
    "requirements",
    "pylock",
    "conda",
    "cyclonedx",
    "intoto",
    "gitlab-metrics",
    "gitlab-codequality",
)
"""One module each."""
