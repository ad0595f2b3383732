"""What git still has of a file: its contents at earlier commits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_mlrepro.errors import HistoryError
from pytest_mlrepro.history.git import Git

_MOST = 1000
"""Commits that are looked through, the newest first."""


def versions(root: Path, path: str) -> Iterator[tuple[str, bytes]]:
    """The contents that a file had at the commits that changed it, newest first, each with the commit's short name.

    None where git does not know the file, there is no git, or no repository.

    Args:
        root: a folder of the repository.
        path: of the file below it, parts joined by a slash.
    """
    asked = ("log", f"--max-count={_MOST}", "--format=%h")
    commits = _git(root, *asked, "--", path).decode("ascii", "replace")
    seen: set[str] = set()
    for commit in commits.split():
        named = f"{commit}:./{path}"
        blob = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", named).decode(
            "ascii", "replace"
        )
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
        ran = Git(root).attempt(*arguments)
    except (HistoryError, ValueError):
        # No git; a name that no file can have.
        return b""
    return ran.stdout if ran.returncode == 0 else b""
