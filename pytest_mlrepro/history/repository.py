"""The repository that a file is in, and its revisions."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from pathlib import Path

from pytest_mlrepro.errors import HistoryError
from pytest_mlrepro.history.git import ENCODING, Git, said

_SHORT = 7


@dataclass(frozen=True, slots=True)
class Repository:
    """Where a file is in git.

    Attributes:
        git: in the uppermost folder of the repository.
        path: of the file below that folder, parts joined by a slash.
        shallow: whether the clone lacks the older commits.
    """

    git: Git
    path: str
    shallow: bool

    @classmethod
    def of(cls, file: Path) -> Repository:
        """The repository that a file is in, or would be in. Of a submodule it is the submodule's own.

        Args:
            file: it need not exist; a link is followed.

        Raises:
            HistoryError: if it is in none, or there is no git.
        """
        real = Path(os.path.realpath(file))
        # The lockfile may have gone with its folder.
        folder = next((each for each in real.parents if each.is_dir()), real.parent)
        rest = real.relative_to(folder).as_posix()
        if "\n" in rest:
            raise HistoryError(
                "git is not asked for a file whose name holds a line break", remedy="rename the file"
            )
        git = Git(folder)
        questions = ("--is-shallow-repository", "--show-toplevel", "--show-prefix")
        asked = git.attempt("rev-parse", *questions)
        if asked.returncode:
            raise _outside(real, said(asked.stderr))
        shallow, top, prefix = asked.stdout.decode(*ENCODING).removesuffix("\n").split("\n", 2)
        return cls(Git(Path(top)), f"{prefix}{rest}", shallow == "true")

    def below(self, folder: Path) -> str:
        """The path of a folder below the uppermost one, with a slash at its end; empty for that one itself."""
        path = os.path.relpath(os.path.realpath(folder), os.path.realpath(self.git.folder))
        return "" if path == os.curdir else f"{Path(path).as_posix()}/"

    def resolve(self, revision: str) -> str:
        """The full name of the commit that a revision means.

        Raises:
            HistoryError: if there is no such commit; it names the nearest branch or tag.
        """
        commit = self.find(revision)
        if commit is not None:
            return commit
        if revision == "HEAD":
            raise HistoryError(
                "no commit has been made yet", where=str(self.git.folder), remedy="commit the lockfile first"
            )
        raise HistoryError("no such revision", where=revision, remedy=self.nearest(revision))

    def find(self, revision: str) -> str | None:
        """The same; None where there is no such commit."""
        # No revision begins with a dash, and an option must never come out of a name.
        if not revision or revision.startswith("-") or not revision.isprintable():
            return None
        asked = self.git.attempt(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
        )
        return None if asked.returncode else asked.stdout.decode("ascii").strip()

    def nearest(self, revision: str) -> str:
        """What to do about a revision that there is not."""
        refs = self.git.run("for-each-ref", "--format=%(refname:short)").decode(*ENCODING).split("\n")
        known = ["HEAD", *filter(None, refs)]
        close = difflib.get_close_matches(revision, known, n=1)
        told = f"did you mean {close[0]}? " if close else ""
        deepen = "; the clone is shallow: git fetch --unshallow brings the rest" if self.shallow else ""
        return f"{told}known: git branch --all, git tag, git log{deepen}"

    def base(self, one: str, other: str) -> str:
        """The full name of the best common ancestor of two commits.

        Raises:
            HistoryError: if they have none.
        """
        asked = self.git.attempt("merge-base", one, other)
        if asked.returncode:
            remedy = (
                "the clone is shallow: git fetch --unshallow" if self.shallow else "compare the two: REV REV"
            )
            raise HistoryError(
                "there is no merge base", where=f"{short(one)}...{short(other)}", remedy=remedy
            )
        return asked.stdout.decode("ascii").split()[0]

    def read(self, commit: str, path: str = "") -> bytes | None:
        """The content of the file at a commit; None where it is not there.

        Args:
            commit: its name.
            path: of the file, where it had another one then.
        """
        found = next(self.git.contents([f"{commit}:{path or self.path}"]))
        return None if found is None else found[1]


def short(commit: str) -> str:
    """A commit's name as people write it."""
    return commit[:_SHORT]


def _outside(file: Path, reason: str) -> HistoryError:
    if "not a git repository" in reason:
        return HistoryError(
            f"{file.parent} is in no git repository, which is where its history would be",
            where=str(file),
            remedy="make one (git init) and commit the lockfile; recorded runs are compared without git: "
            "mlrepro diff RUN",
        )
    if "work tree" in reason:
        return HistoryError(
            "that is a repository without files of its own",
            where=str(file.parent),
            remedy="run it in a clone",
        )
    return HistoryError(f"git says: {reason}", where=str(file.parent), remedy="see: git status")
