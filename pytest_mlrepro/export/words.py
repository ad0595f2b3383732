"""Values and names as text that no format can take for anything else."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from pytest_mlrepro.model import Value

_PLAIN = re.compile(r"[ -~]+")
_LIMIT = 200


def shown(text: str) -> str:
    """A text for a comment or a message: as it is, or quoted as JSON does where it is not plain ASCII on one line."""
    cut = text if len(text) <= _LIMIT else f"{text[: _LIMIT - 3]}..."
    return cut if _PLAIN.fullmatch(cut) else json.dumps(cut)


def plain(value: Value) -> Any:
    """A value in JSON's types. What JSON has no number for is a string: ``nan``, ``inf``, ``(1+2j)``."""
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, complex) or (isinstance(value, float) and not math.isfinite(value)):
        return repr(value)
    return text(value) if isinstance(value, str) else value


def word(value: Value) -> str:
    """A value as a string: a string itself, anything else as JSON writes it."""
    made = plain(value)
    return made if isinstance(made, str) else json.dumps(made)


def text(content: str) -> str:
    """A text that UTF-8 can hold: a lone surrogate as its escape."""
    return content.encode("utf-8", "backslashreplace").decode()


def document(content: Any) -> str:
    """JSON for a file, in ASCII: every reader takes it, whatever it thinks the encoding is."""
    return json.dumps(content, indent=2, ensure_ascii=True, allow_nan=False) + "\n"
