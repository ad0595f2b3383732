"""Versions of a lockfile, of which only what is new in each is parsed.

A lockfile is a row of blocks between empty lines, those of a subject next to each other. A block that is valid TOML by
itself leaves no string or array open, so what follows it means the same whether it stands there or not: as long as each
part is valid by itself and no subject stands there twice, the parts say what the whole says. Where that does not hold
the whole is parsed, and where that fails, the error is that of the whole. Of the blocks that stand where they stood in
the version that was read before, none is looked at again.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress, count, pairwise
from operator import ne
from typing import NamedTuple

from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.lockfile import limits, loads, plain
from pytest_mlrepro.lockfile.sections import BETWEEN
from pytest_mlrepro.model import Fact, Facts, Own, Run

_FIRST_KEY = re.compile(r'\[(?:"((?:[^"\\]|\\.)*)"|([A-Za-z0-9_-]+))[.\]]')
_NOTHING = Run()
_SHARED = ""
"""Stands for no environment: none has an empty name."""
_ABSENT = ".environments]"
_SMALL = limits.TABLES
"""A head and a block of so many characters hold no more together than may be read."""


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


class _Table(NamedTuple):
    """A block that is plain: facts of one facet that all environments share."""

    subject: str
    facet: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class _Cut:
    """A text, cut into blocks and parts.

    Attributes:
        blocks: what stands between empty lines.
        keys: of each block, what it begins with; empty for one that belongs to what stands before it.
        starts: of each part, its first block; the blocks before the first part are the head.
        names: of each part, its subject.
        parts: what each says, by subject.
        head: the text of the head.
        environments: the names in it.
    """

    blocks: Sequence[str] = ()
    keys: Sequence[str] = ()
    starts: Sequence[int] = ()
    names: Sequence[str] = ()
    parts: Mapping[str, Run] = field(default_factory=dict)
    head: str = ""
    environments: frozenset[str] = frozenset()

    def around(self, blocks: Sequence[str]) -> tuple[int, int]:
        """The part from which on other blocks are to be cut again, and the part from which on they are not.

        One part each way is left out: a block may have been added to it, which the blocks that are the same cannot
        tell. The first is negative where the head has to be read again.
        """
        fewest = min(len(self.blocks), len(blocks))
        ahead = _alike(self.blocks, blocks, fewest)
        behind = _alike(reversed(self.blocks), reversed(blocks), fewest - ahead)
        first = bisect_left(self.starts, ahead) - 1
        last = bisect_left(self.starts, len(self.blocks) - behind) + 1
        return first, min(last, len(self.starts))


def _alike(some: Iterable[str], others: Iterable[str], most: int) -> int:
    """How many blocks, of those up to ``most``, two rows begin with alike."""
    return min(next(compress(count(), map(ne, some, others)), most), most)


class Reader:
    """Reads versions of one lockfile: of each distinct text of a subject it makes one run, of each table facts once."""

    def __init__(self) -> None:
        self._heads: dict[str, Run] = {}
        self._parts: dict[tuple[str, ...], tuple[str, Run]] = {}
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
            cut = self._cut(text.removesuffix("\n").split(BETWEEN))
        except _IrregularError:
            return whole(loads(text, where))
        self._last = cut
        return Snapshot(cut.parts, cut.environments)

    def _cut(self, blocks: Sequence[str]) -> _Cut:
        known = self._last
        if len(blocks) == len(known.blocks):
            places = [*compress(count(), map(ne, known.blocks, blocks))]
            if not places:
                return known
            # Where other blocks begin as those that stood there did, the parts begin where they began.
            is_same_head = known.starts and known.starts[0] <= places[0]
            if is_same_head and all(_key(blocks[place]) == known.keys[place] for place in places):
                return self._renewed(known, blocks, places)
        return self._cut_again(known, blocks)

    def _renewed(self, known: _Cut, blocks: Sequence[str], places: Sequence[int]) -> _Cut:
        """The same parts, some of them with other blocks."""
        # The strings that were there already: Python knows their hashes.
        now = [*known.blocks]
        for place in places:
            now[place] = blocks[place]
        self._take_in([blocks[place] for place in places])
        parts = {**known.parts}
        ends = (*known.starts[1:], len(now))
        for number in dict.fromkeys(bisect_right(known.starts, place) - 1 for place in places):
            name, run = self._part(known.head, now[known.starts[number] : ends[number]])
            parts[name] = run
        return replace(known, blocks=now, parts=parts)

    def _cut_again(self, known: _Cut, blocks: Sequence[str]) -> _Cut:
        """The parts: those that are as they were, and those that stand between them."""
        first, last = known.around(blocks)
        if first < 0:
            known, first, last = _Cut(), 0, 0
        more = len(blocks) - len(known.blocks)
        start = known.starts[first] if known.starts else 0
        end = known.starts[last] + more if last < len(known.starts) else len(blocks)
        between = blocks[start:end]
        keys = [_key(block) for block in between]
        begun = [start + place for place in _beginnings(keys)]
        head = known.head if known.starts else BETWEEN.join(blocks[: begun[0] if begun else end])
        environments = self._head(head)
        self._take_in(between)
        read = [self._part(head, blocks[one:other]) for one, other in pairwise([*begun, end])]
        names = (*known.names[:first], *(name for name, _ in read), *known.names[last:])
        parts = {name: known.parts[name] for name in known.names[:first]}
        parts |= read
        parts |= {name: known.parts[name] for name in known.names[last:]}
        if len(parts) < len(names):
            raise _IrregularError
        return _Cut(
            blocks,
            (*known.keys[:start], *keys, *known.keys[end - more :]),
            (*known.starts[:first], *begun, *(place + more for place in known.starts[last:])),
            names,
            parts,
            head,
            environments,
        )

    def _head(self, head: str) -> frozenset[str]:
        if head not in self._heads:
            if len(head) > _SMALL:
                raise _IrregularError
            try:
                self._heads[head] = loads(f"{head}\n")
            except LockfileError:
                raise _IrregularError from None
        run = self._heads[head]
        if run.subjects or run.traces or any(run.environments.values()):
            raise _IrregularError
        return frozenset(run.environments)

    def _take_in(self, blocks: Iterable[str]) -> None:
        """Read the blocks that are plain, all at once."""
        new = [block for block in dict.fromkeys(blocks) if block not in self._plain and len(block) <= _SMALL]
        for block, subject in zip(new, plain.subjects_of(new), strict=True):
            self._plain[block] = None if subject is None else _table(subject, plain.facts_of(block))

    def _part(self, head: str, blocks: Sequence[str]) -> tuple[str, Run]:
        # With the head: the environments that a part may name are named there.
        key = (head, *blocks)
        known = self._parts.get(key)
        if known is None:
            known = self._parts[key] = self._read_part(head, blocks)
        return known

    def _read_part(self, head: str, blocks: Sequence[str]) -> tuple[str, Run]:
        plainly = [table for block in blocks if (table := self._plain.get(block)) is not None]
        if len(plainly) == len(blocks):
            return _together(plainly)
        section = BETWEEN.join(blocks)
        # Whole subjects that an environment lacks are said in the light of what the others have.
        if len(blocks) == 1 or _ABSENT in section or not all(map(_key, blocks)):
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


def _key(block: str) -> str:
    found = _FIRST_KEY.match(block)
    return found.group(0)[:-1] if found else ""


def _beginnings(keys: Iterable[str]) -> Iterator[int]:
    """The places where another subject begins."""
    current = ""
    for place, key in enumerate(keys):
        if key and key != current:
            current = key
            yield place


def _table(subject: str, facts: Facts) -> _Table:
    return _Table(subject, next(iter(facts.values())).facet, facts)


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
