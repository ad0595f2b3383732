"""Between facts and TOML: a table for each facet, a line for each fact."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pytest_mlrepro.errors import LockfileError, MlreproError
from pytest_mlrepro.facets import facet, facet_names
from pytest_mlrepro.lockfile import toml
from pytest_mlrepro.lockfile.bands import decode_band, encode_band
from pytest_mlrepro.lockfile.nodes import MISSING, decode, dotted, encode, restore, shown, wrong
from pytest_mlrepro.lockfile.toml import Node
from pytest_mlrepro.model import Fact, Facts, Tolerance, Value, by_address

_PARTS = frozenset({"type", "value", "dtype", "better", "rtol", "atol", "band", "detail"})


def fact_tables(path: tuple[str, ...], facts: Iterable[Fact]) -> Iterator[str]:
    """The tables of some facts, one a facet, in the order of facets and keys."""
    by_facet: dict[str, list[Fact]] = {}
    for fact in sorted(facts, key=lambda fact: fact.key):
        by_facet.setdefault(fact.facet, []).append(fact)
    for name in sorted(by_facet, key=place_of):
        lines = [toml.line(fact.key, encode_fact(fact)) for fact in by_facet[name]]
        yield "\n".join([toml.header(*path, name), *lines])


def place_of(facet_name: str) -> tuple[int, str]:
    """Sort key of facets."""
    ours = facet_names()
    return (ours.index(facet_name) if facet_name in ours else len(ours), facet_name)


def decode_tables(tables: Mapping[str, object], where: str, path: tuple[str, ...]) -> Facts:
    """The facts of tables of facets.

    Raises:
        LockfileError: for a facet that nobody knows, or what is no table of facts.
    """
    facts: list[Fact] = []
    place = (where, *path)
    for name, table in tables.items():
        rows = facet_rows(name, table, where, path)
        facts += [decode_fact(name, key, node, place) for key, node in rows.items()]
    return by_address(facts)


def facet_rows(name: str, table: object, where: str, path: tuple[str, ...]) -> Mapping[str, object]:
    """The lines of one facet's table.

    Raises:
        LockfileError: as ``decode_tables``.
    """
    if facet(name) is None:
        raise LockfileError(
            f"no facet is called {shown(name)}; there are {', '.join(facet_names())}",
            where=f"{where}, {dotted((*path, name))}",
            remedy="correct the name; if another distribution brings this facet, install it",
        )
    if not isinstance(table, dict):
        raise wrong(where, (*path, name), "a table of facts", table)
    return table


def encode_fact(fact: Fact) -> Node:
    """A fact without its address, in TOML's types."""
    node = encode(fact.value)
    parts: dict[str, Node] = {}
    if fact.dtype:
        parts["dtype"] = fact.dtype
    if fact.better:
        parts["better"] = fact.better
    if fact.tolerance is not None:
        parts |= {"rtol": fact.tolerance.rtol, "atol": fact.tolerance.atol}
    if fact.band is not None:
        parts["band"] = encode_band(fact.band)
    if fact.detail:
        parts["detail"] = {name: encode(fact.detail[name]) for name in sorted(fact.detail)}
    if not parts:
        return node
    return {**(node if isinstance(node, Mapping) else {"value": node}), **parts}


_BARE = frozenset({float, str, bool})


def decode_fact(
    facet_name: str, key: str, node: object, place: tuple[str, ...] = ("a recorded fact", "")
) -> Fact:
    """The fact that ``encode_fact`` made this of.

    Args:
        facet_name, key: the fact's address.
        node: what is written.
        place: file, and the path of keys to the facet's table, for error messages.

    Raises:
        LockfileError: if it is nothing that ``encode_fact`` makes.
    """
    if type(node) in _BARE:
        # Nearly all facts are a number or a text, and such a node cannot be wrong.
        return Fact(facet_name, key, node)  # type: ignore[arg-type]
    where, *parents = place
    path = (*parents, facet_name, key)
    if not isinstance(node, dict):
        return Fact(facet_name, key, decode(node, where, path))
    if unknown := node.keys() - _PARTS:
        raise wrong(where, (*path, min(unknown)), f"one of {', '.join(sorted(_PARTS))}", min(unknown))
    core = {name: node[name] for name in ("type", "value") if name in node}
    value = decode(core if "type" in core else core.get("value", MISSING), where, path)
    return Fact(
        facet_name,
        key,
        value,
        dtype=_text(node.get("dtype", ""), where, (*path, "dtype")),
        better=_one_of(node.get("better"), (None, "higher", "lower"), where, (*path, "better")),
        tolerance=_tolerance(node, where, path),
        detail=_detail(node.get("detail", {}), where, (*path, "detail")),
        band=decode_band(node["band"], where, (*path, "band")) if "band" in node else None,
    )


def _tolerance(node: dict[str, Any], where: str, path: tuple[str, ...]) -> Tolerance | None:
    if "rtol" not in node and "atol" not in node:
        return None
    _check_numbers(node, ("rtol", "atol"), where, path)
    try:
        return Tolerance(node.get("rtol", 0.0), node.get("atol", 0.0))
    except MlreproError as error:
        raise LockfileError(error.what, where=f"{where}, {dotted(path)}", remedy=restore(where)) from None


def _check_numbers(
    node: Mapping[str, Any], names: tuple[str, ...], where: str, path: tuple[str, ...]
) -> None:
    for name in names:
        if name in node and (isinstance(node[name], bool) or not isinstance(node[name], int | float)):
            raise wrong(where, (*path, name), "a number", node[name])


def _detail(node: object, where: str, path: tuple[str, ...]) -> Mapping[str, Value]:
    if not isinstance(node, dict):
        raise wrong(where, path, "an inline table", node)
    return {name: decode(item, where, (*path, name)) for name, item in node.items()}


def _text(node: object, where: str, path: tuple[str, ...]) -> str:
    if not isinstance(node, str):
        raise wrong(where, path, "a string", node)
    return node


def _one_of(node: object, allowed: tuple[Any, ...], where: str, path: tuple[str, ...]) -> Any:
    if node not in allowed:
        raise wrong(where, path, f"one of {', '.join(toml.text(item) for item in allowed if item)}", node)
    return node
