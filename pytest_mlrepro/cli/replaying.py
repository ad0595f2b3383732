"""What the commands share that run tests again: options, where results are kept, progress with the time left."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pytest_mlrepro.cli import common
from pytest_mlrepro.config import Config
from pytest_mlrepro.errors import ConfigError
from pytest_mlrepro.replay import Change, Checkouts, Replay, Replayer
from pytest_mlrepro.replay.replayer import SECONDS

_MOST_JOBS = 8


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of a command that replays tests."""
    command.add_argument("--lockfile", metavar="PATH", help="default: the project's mlrepro.lock")
    command.add_argument(
        "-j",
        "--jobs",
        type=_positive,
        default=_cores(),
        metavar="N",
        help="replays side by side (default: %(default)s)",
    )
    command.add_argument(
        "--timeout",
        type=_positive,
        default=int(SECONDS),
        metavar="SECONDS",
        help="give a replay up after this time (default: %(default)s)",
    )
    command.add_argument(
        "--fresh",
        action="store_true",
        help="run every replay again, even where nothing that it depends on changed",
    )
    command.add_argument("--json", action="store_true", help="print JSON")


def cache_folder() -> Path:
    """Where environments and results of replays are kept: ``MLREPRO_CACHE``, else the user's folder for caches."""
    if told := os.environ.get("MLREPRO_CACHE"):
        return Path(told).absolute()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "pytest-mlrepro"


def replayer(
    options: argparse.Namespace,
    project: Config,
    tests: Sequence[str],
    *,
    checkouts: Checkouts | None = None,
    further: Sequence[str] = (),
) -> Replayer:
    """What replays the tests that somebody names from the working folder."""
    named = [from_root(test, project.root) for test in tests]
    return replayer_at(project.root, named, options, checkouts=checkouts, further=further)


def replayer_at(
    root: Path,
    tests: Sequence[str],
    options: argparse.Namespace,
    *,
    checkouts: Checkouts | None = None,
    further: Sequence[str] = (),
) -> Replayer:
    """What replays tests that are named from the project's folder."""
    return Replayer(
        root,
        tests,
        cache=cache_folder(),
        jobs=options.jobs,
        seconds=options.timeout,
        checkouts=checkouts,
        options=further,
        forgets=options.fresh,
    )


def from_root(test: str, root: Path) -> str:
    """A test that is named from the working folder, or from the project's, as the project's folder names it.

    Raises:
        ConfigError: if there is no such file.
    """
    name, colons, rest = test.partition("::")
    for folder in (Path.cwd(), root):
        path = Path(os.path.realpath(folder / name))
        if path.exists() and path.is_relative_to(os.path.realpath(root)):
            below = path.relative_to(os.path.realpath(root)).as_posix()
            return f"{below}{colons}{rest}"
    raise ConfigError(
        "there is no such file or folder in the project", where=test, remedy="name a test: FILE::TEST"
    )


@contextmanager
def telling(what: str, total: int) -> Iterator[Callable[[Replay], None]]:
    """On a terminal, one line that tells how many of some replays are done and how long the others will take."""
    write = common.terminal()
    began, done, width = time.monotonic(), 0, 0

    def tell(ended: Replay | None = None) -> None:
        nonlocal done, width
        done += ended is not None
        if write is None:
            return
        text = f"mlrepro: {what}, {done} of {total}{_left(time.monotonic() - began, done, total)}"
        width = max(width, len(text))
        write(f"\r{text:<{width}}")

    tell()
    try:
        yield tell
    finally:
        if write is not None:
            write(f"\r{' ' * width}\r")


def _left(passed: float, done: int, total: int) -> str:
    if not done or done >= total:
        return ""
    return f", about {duration(passed / done * (total - done))} left"


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def replays(replayer: Replayer, changes: Sequence[Change], what: str = "replaying") -> tuple[Replay, ...]:
    """Replay, with progress."""
    with telling(what, len(changes)) as tell:
        return replayer.replays(changes, tell)


def _cores() -> int:
    usable: Any = getattr(os, "sched_getaffinity", None)
    return max(1, min(_MOST_JOBS, len(usable(0)) if usable is not None else os.cpu_count() or 1))


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


_positive.__name__ = "number from 1 on"
