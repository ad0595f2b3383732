"""The source facet: the implementation that a test declares, followed through the project's own code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, ClassVar

from pytest_mlrepro.facets._protocol import Facet, show
from pytest_mlrepro.model import DEFAULT_TOLERANCE, Drift, Fact, Policy, Tolerance, Value

if TYPE_CHECKING:
    from pytest_mlrepro.codegraph import CodeGraph

_MOST_DEFINITIONS = 200
_LONGEST = 160
_BODY = ":<body>"


class Source(Facet):
    """Implementation code: a fact an object, whose value is one digest over all it is made of."""

    name = "source"
    policy: ClassVar[Policy] = "note"

    def capture(self, graph: CodeGraph, *objects: object) -> tuple[Fact, ...]:
        """The facts of functions, methods, classes, modules, packages or instances.

        The value is ``mlr1:`` and 32 hexadecimal digits of BLAKE2b over the names and digests of the
        definitions that the object is made of. The detail names the definitions, or, where there are
        more than 200, their modules, each with 8 digits.

        Raises:
            RecordingError: if an object's source is in no file of the project, or cannot be parsed.
        """
        return tuple(self._fact(graph, each) for each in objects)

    def _fact(self, graph: CodeGraph, obj: object) -> Fact:
        digests = graph.digests(obj)
        value = f"mlr1:{_digest(digests.items(), 16)}"
        short = {name: digest[:8] for name, digest in digests.items()}
        detail: dict[str, Value] = (
            {"definitions": tuple(short.items())}
            if len(short) <= _MOST_DEFINITIONS
            else {"modules": tuple(_modules(short).items())}
        )
        return Fact(self.name, graph.name(obj), value, detail=detail)

    def explain(self, drift: Drift, default: Tolerance = DEFAULT_TOLERANCE) -> str:
        """Which definitions changed, came or went."""
        if drift.baseline is None or drift.current is None:
            present = drift.current or drift.baseline
            assert present is not None
            size = _size(present)
            return (
                f"not in the baseline, now {size}"
                if drift.baseline is None
                else f"was {size}, no longer declared"
            )
        before, now = _comparable(drift.baseline, drift.current)
        changed = [name for name in sorted(before.keys() & now.keys()) if before[name] != now[name]]
        groups = {
            "changed": changed,
            "added": sorted(now.keys() - before.keys()),
            "removed": sorted(before.keys() - now.keys()),
        }
        groups = {what: names for what, names in groups.items() if names}
        if not groups:
            return "the digest changed, though what is recorded of its definitions is the same"
        return _sentence(groups)


def _digest(pairs: Iterable[tuple[str, str]], size: int) -> str:
    text = "".join(f"{name} {digest}\n" for name, digest in pairs)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).hexdigest()


def _modules(definitions: Mapping[str, str]) -> dict[str, str]:
    """8 hexadecimal digits a module, made from those of its definitions so that either can be compared."""
    parts: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(definitions):
        parts.setdefault(name.partition(":")[0], []).append((name, definitions[name]))
    return {module: _digest(parts[module], 4) for module in sorted(parts)}


def _comparable(baseline: Fact, current: Fact) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """What two facts record, by definition where both do, else by module."""
    before, now = _recorded(baseline, "definitions"), _recorded(current, "definitions")
    if before and now:
        return before, now
    return (
        _modules(before) if before else _recorded(baseline, "modules"),
        _modules(now) if now else _recorded(current, "modules"),
    )


def _recorded(fact: Fact, what: str) -> dict[str, str]:
    """The names and digests in a fact's detail; what is not a pair of texts is passed over."""
    pairs = fact.detail.get(what, ())
    found: dict[str, str] = {}
    for pair in pairs if isinstance(pairs, tuple) else ():
        match pair:
            case (str() as name, str() as digest):
                found[name] = digest
    return found


def _size(fact: Fact) -> str:
    for what in ("definitions", "modules"):
        if number := len(_recorded(fact, what)):
            return f"{number} {what if number > 1 else what[:-1]}"
    return show(fact.value)


def _sentence(groups: Mapping[str, list[str]]) -> str:
    """The groups with as many names as fit into the length of a sentence."""
    if sum(map(len, groups.values())) == 1:
        ((what, (name,)),) = groups.items()
        return f"{_shown(name)} {what}"
    for most in range(max(map(len, groups.values())), 0, -1):
        text = "; ".join(f"{len(names)} {what}: {_listed(names, most)}" for what, names in groups.items())
        if len(text) <= _LONGEST:
            return text
    return "; ".join(f"{len(names)} {what}" for what, names in groups.items())


def _listed(names: list[str], most: int) -> str:
    return ", ".join(_pieces(names, most))


def _pieces(names: list[str], most: int) -> Iterator[str]:
    yield from map(_shown, names[:most])
    if len(names) > most:
        yield f"and {len(names) - most} more"


def _shown(name: str) -> str:
    if name.endswith(_BODY):
        return f"top level of {name.removesuffix(_BODY)}"
    return name.replace(":", ".")
