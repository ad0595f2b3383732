"""Versions of a lockfile, of which only what is new in each is parsed.

A lockfile is a row of blocks between empty lines, those of a subject next to each other. A block that is valid TOML by
itself leaves no string or array open, so what follows it means the same whether it stands there or not: as long as each
part is valid by itself and no subject stands there twice, the parts say what the whole says. Where that does not hold
the whole is parsed, and where that fails, the error is that of the whole. What begins and ends as the version that was
read before does is not even cut into parts again.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.lockfile import loads
from pytest_mlrepro.model import Fact, Own, Run

_FIRST_KEY = re.compile(r'\[(?:"((?:[^"\\]|\\.)*)"|([A-Za-z0-9_-]+))[.\]]')
_NOTHING = Run()
_SHARED = ""
"""Stands for no environment: none has an empty name."""
_BETWEEN = "\n\n"
_ABSENT = ".environments]"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a lockfile held.

    Attributes:
        parts: the facts of each subject, as a run of that subject alone. Two versions that hold the same text of a
            subject share the run.
        environments: the names of those that the facts were recorded in.
    """

    parts: Mapping[str, Run]
    environments: frozenset[str] = frozenset()

    def part(self, subject: str) -> Run:
        """The facts of one subject; none where there is no such subject."""
        return self.parts.get(subject, _NOTHING)

    def differing(self, other: Snapshot) -> Iterator[str]:
        """The subjects whose texts are not the same in both."""
        before = other.parts
        yield from (subject for subject, run in self.parts.items() if before.get(subject) is not run)
        yield from (subject for subject in before if subject not in self.parts)


def whole(run: Run) -> Snapshot:
    """The snapshot of a run."""
    subjects = {**run.subjects, **{name: {} for own in run.environments.values() for name in own}}
    parts = {}
    for subject in subjects:
        own = {name: {subject: each[subject]} for name, each in run.environments.items() if subject in each}
        shared = {subject: run.facts(subject)} if subject in run else {}
        parts[subject] = Run(shared, environments=own)
    return Snapshot(parts, frozenset(run.environments))


class _IrregularError(Exception):
    """The text is not a row of parts that can be read one by one."""


@dataclass(frozen=True, slots=True)
class _Cut:
    """A text, cut into parts.

    Attributes:
        text: without its last line end.
        head: what stands before the first part.
        starts: of each part, where it begins.
        parts: what each says.
        environments: the names in its head.
    """

    text: str = ""
    head: str = ""
    starts: tuple[int, ...] = ()
    parts: tuple[tuple[str, Run], ...] = ()
    environments: frozenset[str] = frozenset()

    def unchanged(self, text: str) -> tuple[int, int]:
        """How many parts another text begins with as well, and from which part on it ends as this one.

        One part each way is left out: a table may have been added to it, which the text that is the same cannot tell.
        """
        most = min(len(self.text), len(text))
        ahead = _longest(most, lambda low, high: self.text[low:high] == text[low:high])
        end, other = len(self.text), len(text)
        behind = _longest(
            most - ahead,
            lambda low, high: self.text[end - high : end - low] == text[other - high : other - low],
        )
        first = bisect_right(self.starts, ahead) - 2
        last = bisect_left(self.starts, end - behind + len(_BETWEEN)) + 1
        return first, min(last, len(self.starts))


def _longest(most: int, alike: Callable[[int, int], bool]) -> int:
    """The greatest length, of those up to ``most``, over which two texts are alike."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if alike(low, middle) else (low, middle - 1)
    return low


class Reader:
    """Reads versions of one lockfile: of each distinct text of a subject it makes one run, of each table facts once."""

    def __init__(self) -> None:
        self._heads: dict[str, Run] = {}
        self._parts: dict[tuple[str, str], tuple[str, Run]] = {}
        self._tables: dict[tuple[str, str], tuple[str, Run]] = {}
        self._subjects: dict[str, str | None] = {}
        self._last = _Cut()

    def read(self, content: bytes, where: str) -> Snapshot:
        """What a version holds.

        Args:
            content: of the file.
            where: how to call it in errors.

        Raises:
            LockfileError: as for the whole file.
        """
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            raise LockfileError(f"not UTF-8 text (byte {error.start})", where=where) from None
        try:
            return self._split(text)
        except _IrregularError:
            return whole(loads(text, where))

    def _split(self, text: str) -> Snapshot:
        cut = self._cut(text.removesuffix("\n"))
        parts = dict(cut.parts)
        if len(parts) < len(cut.parts):
            raise _IrregularError
        self._last = cut
        return Snapshot(parts, cut.environments)

    def _cut(self, text: str) -> _Cut:
        """The parts of a text: those that are as they were, and those that stand between them."""
        known = self._last
        first, last = known.unchanged(text)
        if first < 0:
            known, first, last = _Cut(), 0, 0
        start, longer = known.starts[first] if known.starts else 0, len(text) - len(known.text)
        end = known.starts[last] + longer - len(_BETWEEN) if last < len(known.starts) else len(text)
        before, *sections = self._sections(text[start:end])
        head = known.head or before
        names = self._head(head)
        if before:
            start += len(before) + len(_BETWEEN)
        *starts, _ = accumulate((len(section) + len(_BETWEEN) for section in sections), initial=start)
        starts += (place + longer for place in known.starts[last:])
        parts = [self._part(head, section) for section in sections]
        return _Cut(
            text,
            head,
            (*known.starts[:first], *starts),
            (*known.parts[:first], *parts, *known.parts[last:]),
            names,
        )

    def _sections(self, text: str) -> Iterator[str]:
        """The head, then the blocks of each subject as one text."""
        current = None
        blocks: list[str] = []
        known = self._subjects
        for block in text.removesuffix("\n").split(_BETWEEN):
            if block in known:
                subject = known[block]
            else:
                found = _FIRST_KEY.match(block)
                subject = known[block] = found.group(0)[:-1] if found else None
            if subject is not None and subject != current:
                yield _BETWEEN.join(blocks)
                current, blocks = subject, []
            blocks.append(block)
        yield _BETWEEN.join(blocks)

    def _head(self, head: str) -> frozenset[str]:
        if head not in self._heads:
            try:
                self._heads[head] = loads(f"{head}\n")
            except LockfileError:
                raise _IrregularError from None
        run = self._heads[head]
        if run.subjects or run.traces or any(run.environments.values()):
            raise _IrregularError
        return frozenset(run.environments)

    def _part(self, head: str, section: str) -> tuple[str, Run]:
        # With the head: the environments that a part may name are named there.
        known = self._parts.get((head, section))
        if known is None:
            known = self._parts[head, section] = self._read_part(head, section)
        return known

    def _read_part(self, head: str, section: str) -> tuple[str, Run]:
        blocks = section.split(_BETWEEN)
        # Whole subjects that an environment lacks are said in the light of what the others have.
        if len(blocks) == 1 or _ABSENT in section or not all(map(_FIRST_KEY.match, blocks)):
            return _alone(head, section)
        tables = [self._table(head, block) for block in blocks]
        subject = tables[0][0]
        if any(name != subject for name, _ in tables):
            raise _IrregularError
        return subject, _joined(subject, [run for _, run in tables])

    def _table(self, head: str, block: str) -> tuple[str, Run]:
        known = self._tables.get((head, block))
        if known is None:
            known = self._tables[head, block] = _alone(head, block)
        return known


def _alone(head: str, block: str) -> tuple[str, Run]:
    try:
        run = loads(f"{head}\n\n{block}\n")
    except LockfileError:
        raise _IrregularError from None
    own = {name: facts for name, facts in run.environments.items() if facts}
    subjects = {*run.subjects, *run.traces, *(subject for facts in own.values() for subject in facts)}
    if len(subjects) != 1:
        raise _IrregularError
    # A trace says what functions returned in one run: no accepted fact, and large.
    return subjects.pop(), Run(run.subjects, environments=own)


def _joined(subject: str, tables: Iterable[Run]) -> Run:
    """The facts of a subject from its tables, which must be of different facets or environments."""
    layers: dict[str, dict[str, Fact | None]] = {}
    seen: set[tuple[str, str]] = set()
    for table in tables:
        found: dict[str, Mapping[str, Fact | None]] = {
            name: each[subject] for name, each in table.environments.items()
        }
        if subject in table:
            found[_SHARED] = table.facts(subject)
        facets = {(name, address.partition(".")[0]) for name, facts in found.items() for address in facts}
        if not facets or facets & seen:
            raise _IrregularError
        seen |= facets
        for name, facts in found.items():
            layers.setdefault(name, {}).update(facts)
    shared = {address: fact for address, fact in layers.pop(_SHARED, {}).items() if fact is not None}
    own: dict[str, Own] = {name: {subject: each} for name, each in layers.items()}
    return Run({subject: shared} if shared else {}, environments=own)
