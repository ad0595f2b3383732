"""A bill of materials of machine learning: CycloneDX 1.6.

The format is that of https://cyclonedx.org/docs/1.6/json/. Libraries, the Python they ran on, models and data sets
are components; what a model reached is in its model card. No component carries more of the data than its name,
fingerprint, type and size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from pytest_mlrepro.export.document import Document, Source
from pytest_mlrepro.export.pins import Pin, recorded
from pytest_mlrepro.export.platform import Platform
from pytest_mlrepro.export.words import document, text, word
from pytest_mlrepro.model import SESSION, Fact, Facts, Run

Node: TypeAlias = dict[str, Any]

_OWN = "mlrepro"
_ROOT = "lockfile"
# What is told elsewhere in the document, by components of its own.
_TOLD = frozenset({"data", "libraries"})
_SIZES = ("kind", "shape", "dtype", "lines", "size")
_LONG = 1000


def cyclonedx(run: Run, source: Source) -> Document:
    """The bill of materials. Its serial number follows from the lockfile's digest, and it has no date.

    Args:
        run: the lockfile's.
        source: the lockfile, which is what the document describes.
    """
    libraries = [_library(pin) for pin in recorded(run)]
    models = [_model(subject, run.facts(subject)) for subject in _modelled(run)]
    data = {ref: node for subject in sorted(run.subjects) for ref, node in _data(run.facts(subject))}
    components = [*_runtime(Platform.of(run)), *libraries, *models, *(data[ref] for ref in sorted(data))]
    return Document(
        document(
            {
                "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
                "bomFormat": "CycloneDX",
                "specVersion": "1.6",
                "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, f'urn:mlrepro:sha256:{source.sha256}')}",
                "version": 1,
                "metadata": {
                    "tools": {"components": [{"type": "application", "name": "pytest-mlrepro"}]},
                    "component": {
                        "type": "file",
                        "bom-ref": _ROOT,
                        "name": text(source.name),
                        "hashes": [{"alg": "SHA-256", "content": source.sha256}],
                    },
                    "properties": _session(run.facts(SESSION)),
                },
                "components": components,
                "dependencies": [
                    {"ref": _ROOT, "dependsOn": sorted(each["bom-ref"] for each in components)},
                    *(_rests_on(subject, run.facts(subject)) for subject in _modelled(run)),
                ],
            }
        )
    )


def _modelled(run: Run) -> list[str]:
    return sorted(
        subject
        for subject, facts in run.subjects.items()
        if subject != SESSION and any(fact.facet == "results" for fact in facts.values())
    )


def _library(pin: Pin) -> Node:
    name, version, purl = text(pin.name), text(pin.version), _purl(pin)
    node: Node = {
        "type": "library",
        "bom-ref": purl or f"library:{name}@{version}",
        "name": name,
        "version": version,
    }
    if pin.sha256:
        node["hashes"] = [{"alg": "SHA-256", "content": pin.sha256}]
    if purl:
        node["purl"] = purl
    if pin.origin:
        node["properties"] = [_property("origin", text(pin.origin))]
    return node


def _purl(pin: Pin) -> str:
    """The package URL of what an index or conda has; empty for the rest, of which no address is known."""
    if not pin.is_on_index:
        return ""
    kind, build = ("conda", f"?build={quote(pin.conda_build, safe='')}") if pin.conda_build else ("pypi", "")
    return f"pkg:{kind}/{pin.name}@{quote(pin.version, safe='')}{build}"


def _runtime(platform: Platform) -> Iterator[Node]:
    if platform.python:
        name, version = platform.implementation or text(platform.python), platform.version
        node: Node = {"type": "platform", "bom-ref": "python", "name": name}
        yield {**node, "version": version} if version else node
    if platform.os:
        node = {"type": "operating-system", "bom-ref": "operating-system", "name": text(platform.os)}
        yield {**node, "version": text(platform.release)} if platform.release else node


def _model(subject: str, facts: Facts) -> Node:
    results = [fact for fact in _sorted(facts) if fact.facet == "results"]
    metrics = [fact for fact in results if _is_metric(fact)]
    card: Node = {}
    if datasets := [{"ref": ref} for ref, _ in _data(facts)]:
        card["modelParameters"] = {"datasets": datasets}
    if metrics:
        told = [{"type": text(fact.key), "value": word(fact.value)} for fact in metrics]
        card["quantitativeAnalysis"] = {"performanceMetrics": told}
    if remarks := list(_remarks(metrics)):
        card["properties"] = remarks
    others = [fact for fact in _sorted(facts) if fact.facet not in _TOLD and fact not in metrics]
    node: Node = {
        "type": "machine-learning-model",
        "bom-ref": _ref(subject),
        "name": text(subject),
        "modelCard": card,
        "properties": list(_properties(others)),
    }
    return {key: value for key, value in node.items() if value}


def _is_metric(fact: Fact) -> bool:
    """Whether it is a number or a truth value. Texts are labels and fingerprints, tuples are arrays."""
    return isinstance(fact.value, bool | int | float | complex)


def _remarks(metrics: Iterable[Fact]) -> Iterator[Node]:
    """What else is known of a metric. A band over seeds is no confidence interval, so it is told here."""
    for fact in metrics:
        if fact.better:
            yield _property(f"better:{fact.key}", fact.better)
        if band := fact.band:
            yield _property(f"band:{fact.key}", f"{band.low!r} to {band.high!r}, over {band.seeds} seeds")


def _data(facts: Facts) -> Iterator[tuple[str, Node]]:
    """The data sets of a subject by their reference: one of a name and fingerprint is the same in every subject."""
    for fact in _sorted(facts):
        if fact.facet != "data":
            continue
        name, fingerprint = text(fact.key), word(fact.value)
        ref = f"data:{name}@{fingerprint}"
        sizes = [_property(each, word(fact.detail[each])) for each in _SIZES if each in fact.detail]
        yield (
            ref,
            {
                "type": "data",
                "bom-ref": ref,
                "name": name,
                "data": [{"type": "dataset", "name": name}],
                "properties": [_property("fingerprint", fingerprint), *sizes],
            },
        )


def _rests_on(subject: str, facts: Facts) -> Node:
    data = sorted(ref for ref, _ in _data(facts))
    return {"ref": _ref(subject), "dependsOn": data} if data else {"ref": _ref(subject)}


def _ref(subject: str) -> str:
    return f"model:{text(subject)}"


def _session(facts: Facts) -> list[Node]:
    """What the run's environment is, but for distributions."""
    return list(_properties(fact for fact in _sorted(facts) if fact.facet != "libraries" or "." in fact.key))


def _properties(facts: Iterable[Fact]) -> Iterator[Node]:
    for fact in facts:
        value = word(fact.value)
        # Arrays of predictions are the lockfile's business, not a bill's.
        if len(value) <= _LONG:
            yield _property(fact.address, value)


def _property(name: str, value: str) -> Node:
    return {"name": text(f"{_OWN}:{name}"), "value": value}


def _sorted(facts: Mapping[str, Fact]) -> list[Fact]:
    return [facts[address] for address in sorted(facts)]
