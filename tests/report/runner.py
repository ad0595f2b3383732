"""How the runner of GitHub Actions reads the output of a step, written after its documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_CODES = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ","}


@dataclass(frozen=True)
class Command:
    name: str
    properties: dict[str, str]
    message: str


def commands(output: str) -> Iterator[Command]:
    """Every line that is a command, of the form with colons or of the older one with brackets."""
    for line in re.split(r"\r\n|\r|\n", output):
        if match := re.match(r"\s*::(\S+?)(?: (.*?))?::(.*)", line):
            yield Command(match[1], dict(_properties(match[2] or "")), _decoded(match[3]))
        elif match := re.search(r"##\[(\S+?)(?: ([^\]]*))?\](.*)", line):
            yield Command(match[1], {}, match[3])


def _properties(text: str) -> Iterator[tuple[str, str]]:
    for part in filter(None, text.split(",")):
        name, _, value = part.partition("=")
        yield name, _decoded(value)


def _decoded(text: str) -> str:
    for code, letter in _CODES.items():
        text = text.replace(code, letter)
    return text.replace("%25", "%")
