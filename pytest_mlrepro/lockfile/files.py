"""Lockfiles on disk: read whole, written in one atomic replacement."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.lockfile import limits
from pytest_mlrepro.lockfile.codec import dumps, loads
from pytest_mlrepro.locking import only_writer, undisturbed
from pytest_mlrepro.model import Run

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)


class Edition(NamedTuple):
    """What a lockfile held when it was read: its text, and the run that it describes."""

    text: str
    run: Run


def read_lockfile(path: str | os.PathLike[str], *, shown: str = "") -> Edition:
    """As ``load_lockfile``, with the text.

    Raises:
        LockfileError: see ``load_lockfile``.
    """
    path = Path(path)
    text = _read(path, shown or str(path))
    return Edition(text, loads(text, shown or str(path)))


def load_lockfile(path: str | os.PathLike[str], *, shown: str = "") -> Run:
    """Read a lockfile, or a run recorded with ``--mlrepro-record``.

    Args:
        path: the file.
        shown: how to call it in messages; by default its path.

    Raises:
        LockfileError: if there is none, it cannot be read, or its content cannot be used.
    """
    return read_lockfile(path, shown=shown).run


def check_writable(path: Path, *, shown: str = "") -> None:
    """See before hours of training whether an update could be written after them.

    Raises:
        LockfileError: if it could not.
    """
    target = _real(path)
    reason = ""
    if not target.parent.is_dir():
        reason = "its folder does not exist"
    elif target.is_dir():
        reason = "it is a folder"
    elif target.exists() and not target.is_file():
        reason = "it is no regular file"
    elif not os.access(target.parent, os.W_OK):
        reason = "its folder is not writable"
    elif target.exists() and _is_read_only(target):
        reason = "the file is read-only"
    if reason:
        raise LockfileError(
            f"cannot be written: {reason}",
            where=shown or str(path),
            remedy="name a writable file: --mlrepro-lockfile=PATH",
        )


def _real(path: Path) -> Path:
    # Path.resolve raises RuntimeError for a link to itself; this leaves it to whoever opens the file.
    return Path(os.path.realpath(path))


def _is_read_only(target: Path) -> bool:
    # Replacing needs no permission on the file itself, but somebody who made it read-only meant it.
    return not target.stat().st_mode & 0o222


def _read(path: Path, shown: str) -> str:
    try:
        return _bytes(path, shown).decode()
    except FileNotFoundError:
        raise LockfileError(
            "there is no such file", where=shown, remedy="make one: pytest --mlrepro-update"
        ) from None
    except UnicodeDecodeError as error:
        raise LockfileError(
            f"not UTF-8 text (byte {error.start})", where=shown, remedy="restore the file from git"
        ) from None
    except OSError as error:
        raise LockfileError(
            f"cannot be read: {error.strerror}", where=shown, remedy="check the path and its permissions"
        ) from None


def _bytes(path: Path, shown: str) -> bytes:
    """The content of a file, or of a pipe that somebody writes to."""
    # Not blocking: opening a FIFO would wait for a writer, a terminal or device for whatever it waits for.
    with os.fdopen(os.open(path, _FLAGS), "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if stat.S_ISFIFO(mode):
            os.set_blocking(file.fileno(), True)
        elif not stat.S_ISREG(mode):
            raise LockfileError(
                "it is no file", where=shown, remedy="name a lockfile, or a run that --mlrepro-record wrote"
            )
        data = file.read(limits.BYTES + 1)
    if len(data) > limits.BYTES:
        raise limits.too_large(f"more than {limits.BYTES >> 20} MiB", shown)
    return data


def update_lockfile(
    path: Path, change: Callable[[Run], Run], *, shown: str = "", known: Edition | None = None
) -> bool:
    """Apply a change to what the lockfile holds at this moment, so that two updates at once both land.

    Args:
        path: the lockfile; it may be absent, or a symbolic link (its target is replaced).
        change: from the accepted run to the new one; pure.
        shown: how to call the file in messages.
        known: what was read of it before; a text that still stands there is not parsed again.

    Returns:
        Whether the file's bytes changed.

    Raises:
        LockfileError: if it cannot be read or written; the file is then as it was.
    """
    target, name = _real(path), shown or str(path)
    try:
        with only_writer(target.parent):
            before = _read(target, name) if os.path.lexists(target) else None
            after = dumps(change(_run_of(before, name, known)))
            if after == before:
                return False
            _replace(target, after)
    except OSError as error:
        raise LockfileError(
            f"cannot be written: {error.strerror}; nothing was accepted",
            where=name,
            remedy="check the permissions of the file and its folder, and the space left on the disk",
        ) from None
    return True


def _run_of(text: str | None, name: str, known: Edition | None) -> Run:
    if text is None:
        return Run()
    return known.run if known is not None and known.text == text else loads(text, name)


def write_run(path: Path, run: Run) -> None:
    """Write a run to a file of its own, whatever stood there.

    Raises:
        LockfileError: if it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        target = _real(path)
        with only_writer(target.parent):
            _replace(target, dumps(run))
    except OSError as error:
        raise LockfileError(
            f"cannot be written: {error.strerror}", where=str(path), remedy="name a file in a writable folder"
        ) from None


def _replace(target: Path, text: str) -> None:
    for left in target.parent.glob(f".{_escaped(target.name)}.*.tmp"):
        # Only a killed update leaves one, and whoever holds the folder's lock is the only writer.
        left.unlink(missing_ok=True)
    # Not with the others: whoever only reads need not wait for it.
    import secrets

    # The number of a process is not unique where containers share a folder.
    scratch = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    if target.exists() and not target.is_file():
        # Putting a file in the place of a device would take it from everybody.
        raise OSError(errno.EINVAL, "it is no regular file")
    if target.exists() and _is_read_only(target):
        raise PermissionError(errno.EACCES, "the file is read-only")
    with undisturbed():
        try:
            with scratch.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if target.exists():
                scratch.chmod(target.stat().st_mode)
            scratch.replace(target)
        except BaseException:
            scratch.unlink(missing_ok=True)
            raise


def _escaped(name: str) -> str:
    return "".join(f"[{character}]" if character in "*?[" else character for character in name)
