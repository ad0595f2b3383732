"""What can go wrong in normal life, said so that the reader knows what to do next."""

from __future__ import annotations

from pytest_mlrepro.visible import lines


class MlreproError(Exception):
    """A problem that the user can mend.

    Args:
        what: what is wrong, one sentence without a full stop.
        where: the file, line, key path or call that it is about.
        remedy: what to do next, one sentence or a command.
        said: what another program has said of it, line by line.
    """

    def __init__(self, what: str, *, where: str = "", remedy: str = "", said: tuple[str, ...] = ()) -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        self.said = said
        super().__init__(what)

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return lines((head, *self.said, self.remedy) if self.remedy else (head, *self.said))

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword arguments do not survive the default pickling of exceptions.
        return (_rebuild, (type(self), self.what, self.where, self.remedy, self.said))


def _rebuild(
    kind: type[MlreproError], what: str, where: str, remedy: str, said: tuple[str, ...]
) -> MlreproError:
    return kind(what, where=where, remedy=remedy, said=said)


class ConfigError(MlreproError):
    """A setting or an option that cannot be used."""


class LockfileError(MlreproError):
    """A lockfile, or a recorded run, that cannot be read or written."""


class RecordingError(MlreproError):
    """A value that cannot be recorded as a fact, said at the line that recorded it."""


class FingerprintError(RecordingError):
    """An object, file or folder that cannot be fingerprinted."""


class MissingExtraError(FingerprintError):
    """An optional library that this call needs is not installed; the remedy is the command that installs it."""


class ExportError(MlreproError):
    """What the lockfile holds cannot be written in the format asked for."""


class HistoryError(MlreproError):
    """What git has of a file cannot be read: no repository, no such revision, no git."""


class ReplayError(MlreproError):
    """A replay that cannot be made: an environment, a checkout or a process that does not come about."""
