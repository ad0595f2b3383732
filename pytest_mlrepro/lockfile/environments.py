"""Between the environments of a lockfile and TOML: their names at the top, what each has of its own below each subject.

::

    environments = [
        "linux-x86_64-py311",
        "macos-arm64-py312",
    ]

    ["tests/test_model.py::test_f1".environments.macos-arm64-py312.results]
    "test.f1" = 0.951
    "test.loss" = { type = "absent" }

    ["tests/test_gpu.py::test_f1".environments]
    macos-arm64-py312 = "absent"

``absent`` is what the others share and this environment lacks: a fact, or the whole subject.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pytest_mlrepro.environment.naming import parse_name
from pytest_mlrepro.errors import LockfileError, MlreproError
from pytest_mlrepro.lockfile import toml
from pytest_mlrepro.lockfile.facts import decode_fact, encode_fact, facet_rows, place_of
from pytest_mlrepro.lockfile.nodes import dotted, restore, wrong
from pytest_mlrepro.lockfile.toml import Node
from pytest_mlrepro.model import Fact, Facts, Run

TABLE = "environments"
_ABSENT = "absent"
_NO_FACT: Node = {"type": _ABSENT}


def names(run: Run) -> Iterator[str]:
    """The lines that name the environments, a name a line so that two branches may each add one."""
    if run.environments:
        yield f"{TABLE} = ["
        yield from (f"    {toml.string(name)}," for name in sorted(run.environments))
        yield "]"


def tables(subject: str, run: Run) -> Iterator[str]:
    """The tables of what the environments have of their own of one subject."""
    own = {name: each[subject] for name, each in sorted(run.environments.items()) if each.get(subject)}
    gone = [name for name, facts in own.items() if _is_gone(facts, run.facts(subject))]
    if gone:
        lines = [toml.line(name, _ABSENT) for name in gone]
        yield "\n".join([toml.header(subject, TABLE), *lines])
    for name in (each for each in own if each not in gone):
        yield from _tables_of((subject, TABLE, name), own[name])


def _is_gone(own: Mapping[str, Fact | None], shared: Facts) -> bool:
    return own.keys() == shared.keys() and not any(own.values())


def _tables_of(path: tuple[str, ...], own: Mapping[str, Fact | None]) -> Iterator[str]:
    rows: dict[str, dict[str, Node]] = {}
    for address, fact in own.items():
        facet_name, _, key = address.partition(".")
        rows.setdefault(facet_name, {})[key] = _NO_FACT if fact is None else encode_fact(fact)
    for name in sorted(rows, key=place_of):
        lines = [toml.line(key, rows[name][key]) for key in sorted(rows[name])]
        yield "\n".join([toml.header(*path, name), *lines])


def decode_names(node: object, where: str) -> tuple[str, ...]:
    """The names of the environments.

    Raises:
        LockfileError: if it is no array of names.
    """
    if not isinstance(node, list) or not all(isinstance(name, str) for name in node):
        raise wrong(where, (TABLE,), "an array of names", node)
    try:
        return tuple(parse_name(name, "") for name in node)
    except MlreproError as error:
        raise LockfileError(error.what, where=f"{where}, {TABLE}", remedy=restore(where)) from None


def decode_tables_of(
    node: object, where: str, subject: str, known: Collection[str], shared: Facts
) -> dict[str, dict[str, Fact | None]]:
    """What environments have of their own of one subject.

    Args:
        node: the table that ``tables`` wrote.
        where: the file's name, for error messages.
        subject: whose.
        known: the environments' names.
        shared: the facts that all of them share.

    Raises:
        LockfileError: if it is nothing that ``tables`` writes.
    """
    if not isinstance(node, dict):
        raise wrong(where, (subject, TABLE), "a table of environments", node)
    for name in node:
        if name not in known:
            raise LockfileError(
                f"the environment {name!r} is not among those named at the top of the file",
                where=f"{where}, {dotted((subject, TABLE, name))}",
                remedy=restore(where),
            )
    return {name: _decode_own(each, where, (subject, TABLE, name), shared) for name, each in node.items()}


def _decode_own(node: object, where: str, path: tuple[str, ...], shared: Facts) -> dict[str, Fact | None]:
    if node == _ABSENT:
        return dict.fromkeys(shared)
    if not isinstance(node, dict):
        raise wrong(where, path, f'a table of facets, or "{_ABSENT}"', node)
    own: dict[str, Fact | None] = {}
    for name, table in node.items():
        rows: Mapping[str, Any] = facet_rows(name, table, where, path)
        for key, row in rows.items():
            own[f"{name}.{key}"] = None if row == _NO_FACT else decode_fact(name, key, row, (where, *path))
    return own
