"""Versions of a lockfile, of which only what is new in each is parsed.

A lockfile is a row of blocks between empty lines, those of a subject next to each other. A block that is valid TOML by
itself leaves no string or array open, so what follows it means the same whether it stands there or not: as long as each
part is valid by itself and no subject stands there twice, the parts say what the whole says. Where that does not hold
the whole is parsed, and where that fails, the error is that of the whole. What is as it was in the version that was
read before is not even cut into parts again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress
from operator import is_not
from types import MappingProxyType
from typing import NamedTuple

from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.lockfile import dumps, limits, loads, plain
from pytest_mlrepro.lockfile.sections import BETWEEN
from pytest_mlrepro.model import Fact, Facts, Own, Run

_FIRST_KEY = re.compile(r'\[(?:"((?:[^"\\]|\\.)*)"|([A-Za-z0-9_-]+))[.\]]')
# The header of a table, or what stands in an array.
_BRACKETS = re.compile(r"^[ \t]*(\[.*)", re.MULTILINE)
_EMPTY = Run()
# Of most lockfiles, and not worth a parser.
_PLAIN_HEAD = dumps(_EMPTY).removesuffix("\n") + BETWEEN
_SHARED = ""
"""Stands for no environment: none has an empty name."""
_ABSENT = ".environments]"
_SMALL = limits.TABLES
"""A head and a block of so many characters hold no more together than may be read."""


class Snapshot(NamedTuple):
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
        return self.parts.get(subject, _EMPTY)

    def differing(self, other: Snapshot) -> Iterator[str]:
        """The subjects whose texts are not the same in both."""
        before = other.parts
        if [*before] == [*self.parts]:
            return compress(before, map(is_not, before.values(), self.parts.values()))
        changed = [subject for subject, run in self.parts.items() if before.get(subject) is not run]
        return iter([*changed, *(subject for subject in before if subject not in self.parts)])


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


class _Table(NamedTuple):
    """A block that is plain: facts of one facet that all environments share."""

    subject: str
    facet: str
    facts: Facts

    @classmethod
    def of(cls, subject: str, facts: Facts) -> _Table:
        return cls(subject, next(iter(facts.values())).facet, facts)


class _Cut(NamedTuple):
    """A text, cut into parts.

    Attributes:
        head: what stands before the first part, with the empty line behind it.
        sections: the text of each part, with the empty line behind it.
        openings: of each part, what it begins with: the subject's name and what ends that.
        names: of each part, its subject.
        parts: what each says, by subject.
        environments: the names in the head.
    """

    head: str = ""
    sections: Sequence[str] = ()
    openings: Sequence[str] = ()
    names: Sequence[str] = ()
    parts: Mapping[str, Run] = MappingProxyType({})
    environments: frozenset[str] = frozenset()

    def renewed(self, text: str) -> dict[int, str] | None:
        """The parts that another text has instead of these, each in its place; None where it has more or fewer."""
        place = len(self.head)
        if not place or not text.startswith(self.head):
            return None
        found: dict[int, str] = {}
        for number, section in enumerate(self.sections):
            if text.startswith(section, place):
                place += len(section)
                continue
            end = self._end(number, text, place)
            others = text[place:end]
            opening = self.openings[number]
            if not others.startswith(opening) or others.count(BETWEEN + opening) != others.count(BETWEEN) - 1:
                return None
            found[number] = others
            place = end
        return found if place == len(text) else None

    def _end(self, number: int, text: str, start: int) -> int:
        """Where a part ends: where the one behind it begins, as long as there is one."""
        if number + 1 == len(self.openings):
            return len(text)
        found = text.find(BETWEEN + self.openings[number + 1], start)
        return start if found < 0 else found + len(BETWEEN)

    def around(self, text: str) -> tuple[int, int]:
        """How many parts another text begins with, and from which part on it ends as this one.

        One part each way is left out: a block may have been added to it, which the text that is the same cannot tell.
        """
        start, first = len(self.head), 0
        while first < len(self.sections) and text.startswith(self.sections[first], start):
            start += len(self.sections[first])
            first += 1
        end, last = len(text), len(self.sections)
        while last > first and text.endswith(self.sections[last - 1], start, end):
            last -= 1
            end -= len(self.sections[last])
        return max(first - 1, 0), min(last + 1, len(self.sections))


class Reader:
    """Reads versions of one lockfile: of each distinct text of a subject it makes one run, of each table facts once."""

    def __init__(self) -> None:
        self._heads: dict[str, Run] = {}
        self._parts: dict[tuple[str, str], tuple[str, Run]] = {}
        self._tables: dict[tuple[str, str], tuple[str, Run]] = {}
        self._plain: dict[str, _Table | None] = {}
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
            # With an empty line behind the last part too, all of them end alike.
            cut = self._cut(text.removesuffix("\n") + BETWEEN)
        except _IrregularError:
            return whole(loads(text, where))
        self._last = cut
        return Snapshot(cut.parts, cut.environments)

    def _cut(self, text: str) -> _Cut:
        known = self._last
        renewed = known.renewed(text)
        if renewed is None:
            return self._cut_again(known, text)
        if not renewed:
            return known
        sections, parts = [*known.sections], {**known.parts}
        for number, (name, run) in zip(renewed, self._parts_of(known.head, renewed.values()), strict=True):
            sections[number], parts[name] = renewed[number], run
        return known._replace(sections=sections, parts=parts)

    def _cut_again(self, known: _Cut, text: str) -> _Cut:
        """The parts: those that are as they were, and those that stand between them."""
        if not known.head or not text.startswith(known.head):
            known = _Cut()
        first, last = known.around(text)
        start = len(known.head) + sum(map(len, known.sections[:first]))
        end = len(text) - sum(map(len, known.sections[last:]))
        above, *between = _sections(text[start:end])
        if known.head and above:
            # More belongs to the head.
            known, first, last = _Cut(), 0, 0
            above, *between = _sections(text)
        head = known.head or above
        environments = self._head(head)
        read = [
            *((name, known.parts[name]) for name in known.names[:first]),
            *self._parts_of(head, between),
            *((name, known.parts[name]) for name in known.names[last:]),
        ]
        parts = dict(read)
        if len(parts) < len(read):
            raise _IrregularError
        openings = [found.group(0) for found in map(_FIRST_KEY.match, between) if found]
        return _Cut(
            head,
            (*known.sections[:first], *between, *known.sections[last:]),
            (*known.openings[:first], *openings, *known.openings[last:]),
            [*parts],
            parts,
            environments,
        )

    def _head(self, head: str) -> frozenset[str]:
        if head not in self._heads:
            if len(head) > _SMALL:
                raise _IrregularError
            try:
                self._heads[head] = _EMPTY if head == _PLAIN_HEAD else loads(head)
            except LockfileError:
                raise _IrregularError from None
        run = self._heads[head]
        if run.subjects or run.traces or any(run.environments.values()):
            raise _IrregularError
        return frozenset(run.environments)

    def _parts_of(self, head: str, sections: Iterable[str]) -> Iterator[tuple[str, Run]]:
        """What sections say, each with its subject."""
        # With the head: the environments that a part may name are named there.
        new = {each: _blocks(each) for each in sections if (head, each) not in self._parts}
        self._take_in(block for blocks in new.values() for block in blocks)
        for section, blocks in new.items():
            self._parts[head, section] = self._read_part(head, blocks)
        return (self._parts[head, each] for each in sections)

    def _take_in(self, blocks: Iterable[str]) -> None:
        """Read the blocks that are plain, all at once."""
        new = [block for block in dict.fromkeys(blocks) if block not in self._plain and len(block) <= _SMALL]
        for block, subject in zip(new, plain.subjects_of(new), strict=True):
            self._plain[block] = None if subject is None else _Table.of(subject, plain.facts_of(block))

    def _read_part(self, head: str, blocks: Sequence[str]) -> tuple[str, Run]:
        plainly = [table for block in blocks if (table := self._plain.get(block)) is not None]
        if len(plainly) == len(blocks):
            return _together(plainly)
        section = BETWEEN.join(blocks)
        # Whole subjects that an environment lacks are said in the light of what the others have.
        if len(blocks) == 1 or _ABSENT in section or not all(map(_FIRST_KEY.match, blocks)):
            return _alone(head, section)
        tables = [self._table(head, block) for block in blocks]
        subject = tables[0][0]
        if any(name != subject for name, _ in tables):
            raise _IrregularError
        return subject, _joined(subject, [run for _, run in tables])

    def _table(self, head: str, block: str) -> tuple[str, Run]:
        plainly = self._plain.get(block)
        if plainly is not None:
            return plainly.subject, Run({plainly.subject: plainly.facts})
        known = self._tables.get((head, block))
        if known is None:
            known = self._tables[head, block] = _alone(head, block)
        return known


def _blocks(section: str) -> list[str]:
    return section.removesuffix(BETWEEN).split(BETWEEN)


def _sections(text: str) -> Iterator[str]:
    """The head, empty where there is none, then the blocks of each subject as one text."""
    current = ""
    blocks: list[str] = []
    for block in _blocks(text):
        found = _FIRST_KEY.match(block)
        if found and found.group(0)[:-1] != current:
            yield _joined_again(blocks)
            current, blocks = found.group(0)[:-1], []
        blocks.append(block)
    yield _joined_again(blocks)


def _joined_again(blocks: Iterable[str]) -> str:
    return "".join(f"{block}{BETWEEN}" for block in blocks)


def _together(tables: Sequence[_Table]) -> tuple[str, Run]:
    """The facts of a subject from its plain tables, which must be of different facets."""
    subjects, facets = {table.subject for table in tables}, {table.facet for table in tables}
    if len(subjects) > 1 or len(facets) < len(tables):
        raise _IrregularError
    facts: dict[str, Fact] = {}
    for table in tables:
        facts.update(table.facts)
    return tables[0].subject, Run({tables[0].subject: facts})


def _alone(head: str, block: str) -> tuple[str, Run]:
    try:
        run = loads(f"{head}{block}\n")
    except LockfileError:
        raise _IrregularError from None
    own = {name: facts for name, facts in run.environments.items() if facts}
    subjects = {*run.subjects, *run.traces, *(subject for facts in own.values() for subject in facts)}
    if len(subjects) != 1 or _has_other_tables(block):
        raise _IrregularError
    # A trace says what functions returned in one run: no accepted fact, and large.
    return subjects.pop(), Run(run.subjects, environments=own)


def _has_other_tables(section: str) -> bool:
    """Whether there is a table of another subject, of which a run tells nothing where it holds no facts."""
    found = _FIRST_KEY.match(section)
    openings = tuple(f"{found.group(0)[:-1]}{end}" for end in ".]") if found else ()
    if all(line.startswith(openings) for line in _BRACKETS.findall(section)):
        return False
    import tomli

    return len(tomli.loads(section)) > 1


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
