"""Values in JSON's types."""

from __future__ import annotations

import math
from typing import Any

from pytest_mlrepro.model import Value


def plain(value: Value) -> Any:
    """A value in JSON's types."""
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, complex):
        return {"real": plain(value.real), "imag": plain(value.imag)}
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, str):
        # A lone surrogate has no place in a file of UTF-8.
        return value.encode("utf-8", "backslashreplace").decode()
    return value
