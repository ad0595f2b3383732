"""What git still has of a file: its contents at earlier commits."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

_MOST = 1000
"""Commits that are looked through, the newest first."""


def versions(root: Path, path: str) -> Iterator[tuple[str, bytes]]:
    """The contents that a file had at the commits that changed it, newest first, each with the commit's short name.

    None where git does not know the file, there is no git, or no repository.

    Args:
        root: a folder of the repository.
        path: of the file below it, parts joined by a slash.
    """
    commits = _git(root, "log", f"--max-count={_MOST}", "--format=%h", "--", path).decode("ascii", "replace")
    seen: set[str] = set()
    for commit in commits.split():
        blob = _git(root, "rev-parse", "--verify", "--quiet", f"{commit}:./{path}").decode("ascii", "replace")
        if blob and blob not in seen:
            seen.add(blob)
            yield commit, _git(root, "cat-file", "blob", blob.strip())


def head(root: Path) -> tuple[str, bool] | None:
    """The full name of the commit that is checked out, and whether tracked files differ from it.

    None where git does not know the folder.
    """
    commit = _git(root, "rev-parse", "--verify", "--quiet", "HEAD").decode("ascii", "replace").strip()
    if not commit:
        return None
    return commit, bool(_git(root, "status", "--porcelain", "--untracked-files=no"))


def _git(root: Path, *arguments: str) -> bytes:
    """What git printed; nothing where it failed."""
    try:
        ran = subprocess.run(
            ["git", *arguments],  # noqa: S607 - whichever git the user has
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except OSError:
        return b""
    return ran.stdout if ran.returncode == 0 else b""
