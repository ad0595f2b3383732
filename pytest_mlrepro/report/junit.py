"""Facts as properties of a test case in JUnit XML."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pytest_mlrepro.model import Facts
from pytest_mlrepro.report.plain import plain
from pytest_mlrepro.visible import visible


def properties(facts: Facts) -> Iterator[tuple[str, str]]:
    """Name and value of each fact, in full: texts as they are, anything else as JSON writes it.

    What XML has no place for (control characters, lone surrogates) is shown as Python escapes it: pytest takes
    properties as they are.
    """
    for address in sorted(facts):
        value = facts[address].value
        told = value if isinstance(value, str) else json.dumps(plain(value), ensure_ascii=False)
        yield visible(f"mlrepro.{address}"), visible(told)
