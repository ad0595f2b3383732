"""What the names of subjects tell: tests, and the fixtures and session that they rest on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_mlrepro.model import SESSION


def grounds(subject: str, names: Iterable[str]) -> Iterator[str]:
    """What a subject may rest on, as far as names tell: fixtures near it, and the session at the end."""
    for name in names:
        if name not in (subject, SESSION) and not looks_like_test(name) and _is_near(name, subject):
            yield name
    if subject != SESSION:
        yield SESSION


def _is_near(fixture: str, test: str) -> bool:
    """Whether a fixture is defined where pytest would let this test use it."""
    folder, slash, name = fixture.partition("::")[0].rpartition("/")
    return test.startswith(f"{folder}{slash}" + ("" if name == "conftest.py" else f"{name}::"))


def looks_like_test(subject: str) -> bool:
    """Whether a subject is a test rather than a fixture, as far as its name tells: doctests too."""
    file, _, rest = subject.partition("[")[0].partition("::")
    return not file.endswith("conftest.py") and (rest.rpartition("::")[2].startswith("test") or "." in rest)
