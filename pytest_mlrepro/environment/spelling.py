"""How distributions are called, and what is said of a version that nobody knows."""

from __future__ import annotations

import re

UNKNOWN = "unknown"
"""The version of a distribution whose metadata is missing or cannot be read."""


def normalized(name: str) -> str:
    """The name of a distribution as PEP 503 compares it: ``Scikit_Learn`` is ``scikit-learn``."""
    return re.sub(r"[-_.]+", "-", name).lower()
