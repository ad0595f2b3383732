"""What a lockfile must not tell: secrets, and where things lie on one machine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path, PurePath

from pytest_mlrepro.model import Value

DIGEST = "digest:"
"""How a redacted value begins; the rest is a hexadecimal digest salted with the name."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_IN_ANY_WORD = ("password", "passwd", "passphrase", "credential")
_WORDS = frozenset({"secret", "secrets", "authorization", "apikey", "accesskey", "secretkey", "privatekey"})
# ``key`` alone is a column or a group far more often than a secret.
_KEYS = frozenset(
    {"api", "access", "account", "private", "secret", "ssh", "signing", "encryption", "license"}
)
# What a tokenizer calls a token is a hyper-parameter, not a secret.
_VOCABULARY = frozenset(
    {
        "additional",
        "begin",
        "bos",
        "cls",
        "end",
        "eos",
        "first",
        "image",
        "last",
        "mask",
        "max",
        "min",
        "n",
        "new",
    }
    | {
        "next",
        "num",
        "oov",
        "out",
        "pad",
        "per",
        "prefix",
        "sep",
        "special",
        "start",
        "stop",
        "suffix",
        "unk",
    }
    | {"unknown"}
)
_CREDENTIALS_IN_URL = re.compile(r"://[^/\s:@]*:[^/\s@]+@")


def is_secret(name: str) -> bool:
    """Whether a name looks as if its value were a secret: ``API_KEY``, ``db.password``, ``hfToken``.

    Whole words count, not letters: neither ``key``, ``secretary``, ``token_pattern`` nor ``pad_token`` is one.
    """
    words = [word.lower() for word in _WORD.findall(name)]
    if any(word in _WORDS or any(part in word for part in _IN_ANY_WORD) for word in words):
        return True
    before_last = words[-2] if len(words) > 1 else ""
    if any(first in _KEYS and second in ("key", "keys") for first, second in pairwise(words)):
        return True
    match words[-1:]:
        case ["token"]:
            return before_last not in _VOCABULARY
        case ["tokens"]:
            return before_last in ("api", "access", "auth")
        case ["pwd"]:
            # The variable PWD itself is the working directory.
            return bool(before_last)
    return False


def is_named(name: str, patterns: Iterable[str]) -> bool:
    """Whether the project calls this name, or the last part of a dotted one, a secret: ``*_DSN``, whatever the case."""
    names = {name.upper(), name.rpartition(".")[2].upper()}
    return any(fnmatchcase(each, pattern.upper()) for pattern in patterns for each in names)


def redacted(name: str, value: Value, patterns: Iterable[str] = ()) -> Value:
    """The value, or a digest salted with the name where the name or the value looks secret.

    Args:
        name: what the value is called.
        value: it.
        patterns: of further names that are secret, see ``is_named``.

    Whether something is set or switched on is no secret: None and booleans stay as they are.
    A digest tells that a secret changed; a guessable one (a birthday, a PIN) can still be guessed from it.
    """
    if value is None or isinstance(value, bool):
        return value
    looks_secret = is_secret(name) or is_named(name, patterns) or _has_credentials(value)
    return digest(name, value) if looks_secret else value


def digest(name: str, value: Value) -> str:
    """The digest that stands for a secret of this name."""
    from hashlib import blake2b

    salt = blake2b(name.encode(errors="surrogatepass"), digest_size=16).digest()
    told = blake2b(repr(value).encode(errors="surrogatepass"), digest_size=16, key=salt).hexdigest()
    return f"{DIGEST}{told}"


def is_digest(value: Value) -> bool:
    """Whether a recorded value stands for a secret."""
    return isinstance(value, str) and value.startswith(DIGEST)


def portable(text: str) -> str:
    """A text without this machine's folders.

    An absolute path below the working directory becomes relative to it; one below the home or the temporary
    folder keeps its last part only: ``.../model.bin``. Anything else stays as it is.
    """
    # Two texts in three are short words: nothing is asked of the system for them.
    if not (text.startswith("/") or text[1:3] in (":\\", ":/")) or "\n" in text:
        return text
    if os.pathsep in text[3:]:
        # A search path: each of its folders for itself.
        return os.pathsep.join(portable(part) for part in text.split(os.pathsep))
    import tempfile

    path = Path(text)
    if not path.is_absolute():
        return text
    if any(path.is_relative_to(folder) for folder in (Path.cwd(), Path.home(), Path(tempfile.gettempdir()))):
        return portable_path(path)
    return text


def portable_path(path: PurePath) -> str:
    """A path in POSIX notation: relative to the working directory when below it, else its last part."""
    if not path.is_absolute():
        return path.as_posix()
    here = Path.cwd()
    if path.is_relative_to(here):
        return path.relative_to(here).as_posix()
    return f".../{path.name}"


def _has_credentials(value: Value) -> bool:
    if isinstance(value, tuple):
        return any(map(_has_credentials, value))
    return isinstance(value, str) and _CREDENTIALS_IN_URL.search(value) is not None
