"""An environment file of conda: its own packages by build, the rest by pip."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from pytest_mlrepro.export.document import Document, Source
from pytest_mlrepro.export.pins import Pin, missing, pins, tagged
from pytest_mlrepro.export.platform import Platform
from pytest_mlrepro.export.requirements import heading
from pytest_mlrepro.model import Run

CHANNELS = ("conda-forge",)
"""Where conda looks by default: the lockfile records builds, but not the channel that they are from."""

# YAML could take a word alone for a truth value or a number; with one of these in it, it is a string.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._+!]*[=-][A-Za-z0-9._+!=-]*")


def conda(run: Run, source: Source, channels: Sequence[str] = CHANNELS) -> Document:
    """The environment file (``environment.yml``), without a name: that is given when it is created.

    Args:
        run: the lockfile's.
        source: the lockfile.
        channels: of conda, first choice first.

    Raises:
        LockfileError: if it records no distribution.
    """
    found, platform = pins(run, source.name), Platform.of(run)
    built = [pin for pin in found if pin.is_on_index and pin.conda_build]
    rest = [pin for pin in found if pin.is_on_index and not pin.conda_build]
    lines = [*heading(platform, source)]
    lines += [f"# {pin.described}" for pin in found if not pin.is_on_index]
    lines += ["channels:", *(f"  - {_scalar(channel)}" for channel in channels)]
    lines += ["dependencies:", *(f"  - {_scalar(each)}" for each in _packages(platform, built, rest))]
    if rest:
        lines += ["  - pip:", *(f"      - {_scalar(pin.requirement)}" for pin in rest)]
    return Document("\n".join(lines) + "\n", (*missing(found), *tagged(rest), *_unusual(platform)))


def _packages(platform: Platform, built: Sequence[Pin], rest: Sequence[Pin]) -> Iterator[str]:
    yield f"python={platform.version}" if platform.is_usual else "python"
    for pin in built:
        yield f"{pin.name}={pin.version}={pin.conda_build}"
    if rest:
        yield "pip"


def _unusual(platform: Platform) -> Iterator[str]:
    if not platform.is_usual:
        recorded = f"{platform.python} is recorded" if platform.python else "none is recorded"
        yield f"python has no version: {recorded}, and conda names only CPython's usual build python; add it by hand"


def _scalar(text: str) -> str:
    # Every string of JSON in ASCII is one of YAML.
    return text if _PLAIN.fullmatch(text) or text in ("python", "pip") else json.dumps(text)
