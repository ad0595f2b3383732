"""Tell git to merge lockfiles with ``mlrepro merge-driver``, and no longer to."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

from pytest_mlrepro.errors import ConfigError, HistoryError
from pytest_mlrepro.history.git import Git, said

_SECTION = "merge.mlrepro"
_ATTRIBUTES = ".gitattributes"
_TITLE = "lockfiles of pytest-mlrepro, fact by fact"
_PLAIN = re.compile(r"[\w.-]+")


def install(lockfile: Path) -> Iterator[str]:
    """Write the attribute that is committed, and the command that each clone has for itself.

    Args:
        lockfile: it need not exist yet.

    Yields:
        What was done.

    Raises:
        ConfigError: if it is in no git repository, or git refuses.
    """
    root = _root(lockfile)
    attributes, line = root / _ATTRIBUTES, _line(lockfile)
    before = _text(attributes)
    if line in before.splitlines():
        yield f"{_ATTRIBUTES}: as it was ({line})"
    else:
        start = before if not before or before.endswith("\n") else f"{before}\n"
        _write(attributes, f"{start}{line}\n")
        yield f"{_ATTRIBUTES}: added {line}; commit it"
    settings = {f"{_SECTION}.name": _TITLE, f"{_SECTION}.driver": _driver()}
    if all(_git(root, "config", "--local", "--get", key)[1] == value for key, value in settings.items()):
        yield "git config of this clone: as it was"
        return
    for key, value in settings.items():
        _must(root, "config", "--local", key, value)
    yield f"git config of this clone: {_SECTION}.driver = {settings[f'{_SECTION}.driver']}"
    yield "every other clone needs its own: mlrepro merge-driver --install"


def uninstall(lockfile: Path) -> Iterator[str]:
    """Take out what ``install`` wrote, and nothing else.

    Yields:
        What was done.

    Raises:
        ConfigError: as ``install``.
    """
    root = _root(lockfile)
    attributes, line = root / _ATTRIBUTES, _line(lockfile)
    lines = _text(attributes).splitlines(keepends=True)
    kept = [each for each in lines if each.rstrip("\r\n") != line]
    if len(kept) == len(lines):
        yield f"{_ATTRIBUTES}: as it was"
    elif kept:
        _write(attributes, "".join(kept))
        yield f"{_ATTRIBUTES}: took out {line}; commit it"
    else:
        attributes.unlink()
        yield f"{_ATTRIBUTES}: removed, it held nothing else; commit that"
    known = _git(root, "config", "--local", "--get-regexp", rf"^{re.escape(_SECTION)}\.")[0] == 0
    if known:
        _must(root, "config", "--local", "--remove-section", _SECTION)
    yield f"git config of this clone: {f'took out {_SECTION}' if known else 'as it was'}"


def _driver() -> str:
    # This very Python: git may be started where no environment is active. It must not import from the work tree.
    python = shlex.quote(Path(sys.executable).as_posix()).replace("%", "%%")
    return f"{python} -P -m pytest_mlrepro.cli merge-driver %O %A %B %P"


def _line(lockfile: Path) -> str:
    """The attribute for all files of that name: a repository may hold several projects."""
    return f"{_pattern(lockfile.name)} merge=mlrepro"


def _pattern(name: str) -> str:
    """A file's name as gitattributes take it: a glob, in the quotes of C where it holds what separates."""
    if _PLAIN.fullmatch(name):
        return name
    literal = re.sub(r"([*?\[\]\\!#])", r"\\\1", name)
    return '"{}"'.format(literal.replace("\\", "\\\\").replace('"', '\\"'))


def _root(lockfile: Path) -> Path:
    folder = lockfile.absolute().parent
    status, top = _git(folder, "rev-parse", "--show-toplevel") if folder.is_dir() else (1, "")
    if status:
        raise ConfigError(
            "that is in no work tree of a git repository",
            where=str(lockfile),
            remedy="run it in a clone of the project; for a new one: git init",
        )
    return Path(top)


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", where=str(path), remedy="mend the file") from None


def _write(path: Path, text: str) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        raise ConfigError(
            f"cannot be written: {error.strerror}", where=str(path), remedy="check its permissions"
        ) from None


def _must(folder: Path, *arguments: str) -> None:
    ran = _ran(folder, *arguments)
    if ran.returncode:
        raise ConfigError(
            f"it failed: {said(ran.stderr)}",
            where=f"git {arguments[0]}",
            remedy="check the repository's .git/config",
        )


def _git(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit status, and what git printed."""
    ran = _ran(folder, *arguments)
    return ran.returncode, os.fsdecode(ran.stdout).removesuffix("\n")


def _ran(folder: Path, *arguments: str) -> CompletedProcess[bytes]:
    try:
        return Git(folder).attempt(*arguments)
    except HistoryError as error:
        raise ConfigError(error.what, where="merge-driver", remedy="install git") from None
