"""What can go wrong in normal life, said so that the reader knows what to do next."""

from __future__ import annotations


class MlreproError(Exception):
    """A problem that the user can mend.

    Args:
        what: what is wrong, one sentence without a full stop.
        where: the file, line, key path or call that it is about.
        remedy: what to do next, one sentence or a command.
    """

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        super().__init__(what)

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}\n{self.remedy}" if self.remedy else head

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword arguments do not survive the default pickling of exceptions.
        return (_rebuild, (type(self), self.what, self.where, self.remedy))


def _rebuild(kind: type[MlreproError], what: str, where: str, remedy: str) -> MlreproError:
    return kind(what, where=where, remedy=remedy)


class ConfigError(MlreproError):
    """A setting or an option that cannot be used."""


class LockfileError(MlreproError):
    """A lockfile, or a recorded run, that cannot be read or written."""


class RecordingError(MlreproError):
    """A value that cannot be recorded as a fact, said at the line that recorded it."""


class FingerprintError(RecordingError):
    """An object, file or folder that cannot be fingerprinted."""


class MissingExtraError(MlreproError):
    """An optional library that this call needs is not installed."""


class ExportError(MlreproError):
    """What the lockfile holds cannot be written in the format asked for."""


class HistoryError(MlreproError):
    """What git has of a file cannot be read: no repository, no such revision, no git."""
