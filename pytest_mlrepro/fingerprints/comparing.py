"""Comparing: data against a fingerprint that was accepted, and a remark where it takes the data to say what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pytest_mlrepro.fingerprints.changes import Known, columns_of, named
from pytest_mlrepro.fingerprints.columns import Column, digests
from pytest_mlrepro.fingerprints.digests import Fingerprint, algorithm, hash_of, node
from pytest_mlrepro.fingerprints.forms import Form
from pytest_mlrepro.fingerprints.how import How
from pytest_mlrepro.fingerprints.locating import located
from pytest_mlrepro.fingerprints.recasting import digest_of, recast
from pytest_mlrepro.fingerprints.soundness import is_sound
from pytest_mlrepro.fingerprints.tables import Grid, Table
from pytest_mlrepro.model import Value


def compared(form: Form, known: Fingerprint, how: How) -> Fingerprint:
    """The known fingerprint where the data has it; else its own, with a remark on the difference."""
    if not is_sound(known.detail):
        known = replace(known, detail={})
    name = hash_of(known.digest)
    theirs = how if name == how.algorithm.name else replace(how, algorithm=algorithm(name)) if name else None
    same = theirs is not None and form.agrees(known.digest, known.detail, theirs)
    if same and theirs == how:
        return known
    root, detail = form.described(how)
    own = how.algorithm.seal(root, detail)
    if same:
        return replace(own, remark=rehashed(name, how.algorithm.name))
    if own == known:
        # What agrees() took for different may still be the same: another NaN, for instance.
        return known
    if theirs is None:
        version = known.digest.partition(":")[0]
        return replace(own, remark=f"recorded in the format {version[:24]}, which this version does not know")
    return replace(own, remark="; ".join(_remarks(form, known, own, theirs)))


def rehashed(before: str, now: str) -> str:
    """The remark on the same data, its digest made with another hash."""
    return f"the same values, digest by {now} instead of {before}"


def _remarks(form: Form, known: Fingerprint, own: Fingerprint, how: How) -> Iterator[str]:
    """What takes the data to say."""
    if not how.ordered:
        return
    if isinstance(form, Table | Grid):
        yield from located(form.every(), form.rows, known.detail, how.private, own.detail)
    if isinstance(form, Grid):
        yield from _grid(form, known, how)
    elif isinstance(form, Table) and known.detail.get("kind") == form.kind:
        yield from _table(form, known.detail, how)


def _grid(form: Grid, known: Fingerprint, how: How) -> Iterator[str]:
    dtype = known.detail.get("dtype")
    if known.detail.get("shape") != form.shape or not isinstance(dtype, str):
        return
    for column, besides in recast(form.column, dtype):
        digest = digest_of(column, how.algorithm)
        schema = node("array", len(form.shape), column.schema())
        if digest and how.algorithm.seal(node("ordered", schema, digest), {}) == known:
            yield f"values identical, only {_change(dtype, form.column.dtype, besides)}"
            return


def _table(form: Table, detail: Mapping[str, Value], how: How) -> Iterator[str]:
    """Columns of another type, or with other categories, whose values are what they were."""
    before = columns_of(detail)
    if len(before) != len(form.columns) or detail.get("rows") != form.rows or "parts" in detail:
        return
    found: list[tuple[str, str]] = []
    rest = False
    for was, column in zip(before, form.columns, strict=True):
        if was.label != named("" if column.name is None else column.name):
            return
        own = digests([column], how.algorithm)[0]
        if own[:4].hex() == was.digest:
            continue
        change = _same_values(was, column, how)
        if change:
            found.append((f"column {was.label}" if column.name is not None else "its values", change))
        else:
            rest = True
    if found and rest:
        yield f"same values in {', '.join(f'{label} ({change})' for label, change in found)}"
    elif found:
        yield f"values identical, only {', '.join(f'{label} {change}' for label, change in found)}"


def _same_values(was: Known, column: Column, how: How) -> str:
    """How the column differs besides its values; empty where these differ too."""
    if was.dtype == "category":
        plain = column.plain() if column.plain is not None else column
        if len(was.summary) < 4 or plain.digest()[:4].hex() != was.summary[3]:
            return ""
        return (
            "the set or order of its categories"
            if column.dtype == "category"
            else _change(was.dtype, column.dtype)
        )
    for candidate, besides in recast(column, was.dtype):
        if digest_of(candidate, how.algorithm)[:4].hex() == was.digest:
            return _change(was.dtype, column.dtype, besides)
    return ""


def _change(was: str, now: str, besides: str = "") -> str:
    kinds = f"{was} -> {now}" if was != now else ""
    return ", ".join(part for part in (kinds, besides) if part)
