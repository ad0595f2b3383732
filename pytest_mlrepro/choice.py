"""Which facts somebody means who names tests, fixtures and addresses."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from pytest_mlrepro.errors import ConfigError
from pytest_mlrepro.model import SESSION
from pytest_mlrepro.policy import matches


@dataclass(frozen=True, slots=True)
class Choice:
    """Facts by subject and address: those that both name. Empty is everything.

    Attributes:
        subjects: globs, or what a subject begins with: a folder, a file, a class, a test with all its parameters.
        addresses: patterns, as policies take them.
    """

    subjects: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()

    def __call__(self, subject: str, address: str) -> bool:
        """Whether a fact is meant."""
        named = not self.subjects or any(_names(word, subject) for word in self.subjects)
        return named and (not self.addresses or any(matches(word, address) for word in self.addresses))


def chosen(words: Sequence[str], known: Mapping[str, Iterable[str]], where: str) -> Choice:
    """The choice that somebody made.

    Args:
        words: subjects and addresses in any order; none for everything.
        known: addresses by subject, to choose from.
        where: what they come from, for the message.

    Raises:
        ConfigError: for a word that names nothing (it says what is nearest), and for words that name nothing together.
    """
    subjects: list[str] = []
    addresses: list[str] = []
    every = {address for some in known.values() for address in some}
    for word in words:
        is_subject = word == SESSION or "::" in word
        if not is_subject and any(matches(word, address) for address in every):
            addresses.append(word)
        elif any(_names(word, subject) for subject in known):
            subjects.append(word)
        else:
            raise _unknown(word, (*known, *sorted(every)), where)
    choice = Choice(tuple(subjects), tuple(addresses))
    if words and not any(choice(subject, address) for subject, some in known.items() for address in some):
        raise ConfigError(
            f"none of {', '.join(subjects)} has a fact {', '.join(addresses)}",
            where=where,
            remedy="subjects and addresses together choose the facts that both name: leave one of them out",
        )
    return choice


def _names(word: str, subject: str) -> bool:
    begun = word.rstrip("/")
    return subject.startswith(tuple(f"{begun}{end}" for end in ("::", "[", "/"))) or (
        subject == word or fnmatchcase(subject, word)
    )


def _unknown(word: str, known: Sequence[str], where: str) -> ConfigError:
    close = difflib.get_close_matches(word, known, n=1)
    nearest = f"did you mean {close[0]!r}? " if close else ""
    return ConfigError(
        f"no subject and no fact is called {word!r}",
        where=where,
        remedy=f"{nearest}mlrepro show --lockfile {where} lists what there is",
    )
