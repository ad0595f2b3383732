"""What ``mlrepro diff`` compares: files, the working lockfile, and the lockfile at revisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_mlrepro.config import unknown
from pytest_mlrepro.errors import HistoryError, LockfileError
from pytest_mlrepro.history.commits import walk
from pytest_mlrepro.history.repository import Repository, short
from pytest_mlrepro.lockfile import load_lockfile, loads
from pytest_mlrepro.model import Run


@dataclass(frozen=True, slots=True)
class Side:
    """One of two runs that are compared.

    Attributes:
        name: how to call it.
        file: that it is in; for a revision, the lockfile's path today.
        repository: where it is in git; None for a file as it is now.
        commit: the full name of the revision's commit; empty for a file as it is now.
    """

    name: str
    file: Path
    repository: Repository | None = None
    commit: str = ""

    def load(self) -> Run:
        """Its facts.

        Raises:
            MlreproError: if there is no such file, or its content cannot be used.
        """
        if self.repository is None:
            return load_lockfile(self.file)
        path, content = self._content(self.repository)
        where = f"{path} at {self.name}"
        remedy = "name another revision; mlrepro log says which versions cannot be used"
        try:
            return loads(content.decode(), where)
        except UnicodeDecodeError as error:
            raise LockfileError(f"not UTF-8 text (byte {error.start})", where=where, remedy=remedy) from None
        except LockfileError as error:
            raise LockfileError(error.what, where=error.where, remedy=remedy) from None

    def _content(self, repository: Repository) -> tuple[str, bytes]:
        content = repository.read(self.commit)
        if content is not None:
            return repository.path, content
        head = repository.find("HEAD")
        for older in walk(repository.git, repository.path, head).paths[1:] if head else ():
            content = repository.read(self.commit, older)
            if content is not None:
                return older, content
        raise HistoryError(
            f"{repository.path} is not in that commit",
            where=self.name,
            remedy="commit it first: git add, git commit"
            if self.commit == head
            else "mlrepro log names the commits that have it",
        )


def sides(words: Sequence[str], lockfile: Path) -> tuple[Side, Side, tuple[str, ...]]:
    """The two sides that words name, the older first, and what is to be said of how they were understood.

    Nothing: the last commit and the working lockfile. A revision: that and the working lockfile. ``A..B``, ``A...B``,
    or two revisions: those. A file: the working lockfile and that. A word that is both is the file.

    Args:
        words: two at most.
        lockfile: the working one.

    Raises:
        MlreproError: for a word that is neither, or where git is needed and cannot be asked.
    """
    working = Side(str(lockfile), lockfile)
    if not words:
        repository = Repository.of(lockfile)
        return _revision(repository, "HEAD", lockfile), working, ()
    if len(words) == 1 and ".." in words[0] and not Path(words[0]).exists():
        return (*_range(Repository.of(lockfile), words[0], lockfile), ())
    found = [_side(word, lockfile) for word in words]
    notes = tuple(note for _, note in found if note)
    if len(found) == 2:
        return found[0][0], found[1][0], notes
    only = found[0][0]
    return (only, working, notes) if only.repository is not None else (working, only, notes)


def _side(word: str, lockfile: Path) -> tuple[Side, str]:
    path = Path(word)
    try:
        repository = Repository.of(lockfile)
    except HistoryError as error:
        if path.exists():
            return Side(word, path), ""
        remedy = f"as a revision it cannot be looked up: {error.what}"
        raise LockfileError("there is no such file", where=word, remedy=remedy) from None
    commit = repository.find(word)
    if path.is_file() or (commit is None and path.exists()):
        note = f"{word} is a file and a revision: the file is taken; the revision is called {word}^0"
        return Side(word, path), note if commit else ""
    if commit is None:
        raise HistoryError(
            "there is no such file, and no such revision", where=word, remedy=repository.nearest(word)
        )
    return Side(word, lockfile, repository, commit), ""


def _revision(repository: Repository, word: str, lockfile: Path) -> Side:
    return Side(word, lockfile, repository, repository.resolve(word))


def _range(repository: Repository, word: str, lockfile: Path) -> tuple[Side, Side]:
    one, dots, other = word.partition("..." if "..." in word else "..")
    before = _revision(repository, one or "HEAD", lockfile)
    after = _revision(repository, other or "HEAD", lockfile)
    if dots == "...":
        base = repository.base(before.commit, after.commit)
        before = Side(f"{short(base)}, the merge base of {word}", lockfile, repository, base)
    return before, after


def seen_by(run: Run, other: Run, name: str, where: str) -> Run:
    """A run as an environment of either side sees it.

    Raises:
        ConfigError: if neither side knows it; it names the nearest.
    """
    known = {*run.environments, *other.environments}
    if name not in known:
        raise unknown(name, sorted(known), "environment", where)
    return run.view(name)
