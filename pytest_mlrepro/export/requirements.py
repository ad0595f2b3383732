"""A requirements file: exact versions, which pip and uv both install."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_mlrepro.export.document import Document, Source
from pytest_mlrepro.export.pins import Pin, missing, pins, rebuilt, tagged
from pytest_mlrepro.export.platform import Platform
from pytest_mlrepro.export.words import shown
from pytest_mlrepro.model import Run


def requirements(run: Run, source: Source) -> Document:
    """The distributions of the lockfile, a line each, sorted; those that no index has as comments.

    Args:
        run: the lockfile's.
        source: the lockfile.

    Raises:
        LockfileError: if it records no distribution.
    """
    found = pins(run, source.name)
    lines = [*heading(Platform.of(run), source), *map(_line, found)]
    return Document("\n".join(lines) + "\n", (*missing(found), *tagged(found), *rebuilt(found)))


def heading(platform: Platform, source: Source) -> Iterator[str]:
    """The comment that such a file begins with: where it is from, which Python, which machine."""
    # Not its digest: that of the metrics in it would change a file of versions.
    yield f"# what the tests of {shown(source.name)} use"
    if platform.python:
        yield f"# Python: {shown(platform.python)}"
    if platform.described:
        yield f"# recorded on: {shown(platform.described)}"


def _line(pin: Pin) -> str:
    return pin.requirement if pin.is_on_index else f"# {pin.described}"
