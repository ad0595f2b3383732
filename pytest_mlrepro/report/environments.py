"""The environments of a lockfile side by side: which facts differ between them, and by how much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pytest_mlrepro.explain import sentence
from pytest_mlrepro.facets import facet_names, show
from pytest_mlrepro.model import DEFAULT_TOLERANCE, SESSION, Drift, Fact, Run, Tolerance
from pytest_mlrepro.report.plain import plain
from pytest_mlrepro.report.text import plural


@dataclass(frozen=True, slots=True)
class Apart:
    """A fact that is not the same in all environments.

    Attributes:
        subject, facet, key: which.
        shared: what the holders have; None where they lack it.
        holders: the environments without a value of their own.
        own: the others, each with its value; None where it lacks it.
    """

    subject: str
    facet: str
    key: str
    shared: Fact | None
    holders: tuple[str, ...]
    own: dict[str, Fact | None]

    @property
    def address(self) -> str:
        """``facet.key``."""
        return f"{self.facet}.{self.key}"


def apart(run: Run) -> tuple[Apart, ...]:
    """What differs between the environments: results first, what describes the environments last."""
    addresses = {
        (subject, address) for own in run.environments.values() for subject in own for address in own[subject]
    }
    found = [_apart(run, subject, address) for subject, address in addresses]
    return tuple(sorted(found, key=_order))


def _apart(run: Run, subject: str, address: str) -> Apart:
    own = {
        name: each[subject][address]
        for name, each in sorted(run.environments.items())
        if address in each.get(subject, {})
    }
    holders = tuple(sorted(run.environments.keys() - own.keys()))
    facet, _, key = address.partition(".")
    return Apart(subject, facet, key, run.facts(subject).get(address), holders, own)


def _order(each: Apart) -> tuple[bool, bool, str, int, str]:
    names = facet_names()
    place = names.index(each.facet) if each.facet in names else len(names)
    return each.subject == SESSION, each.facet != "results", each.subject, place, each.key


def lines(run: Run, tolerance: Tolerance = DEFAULT_TOLERANCE) -> Iterator[str]:
    """The same as text."""
    if not run.environments:
        yield "no environment is named yet: the next pytest --mlrepro-update names the one it runs in"
        return
    found = apart(run)
    yield f"environments: {', '.join(sorted(run.environments))}"
    heading = ""
    for each in found:
        if each.subject != heading:
            heading = each.subject
            yield heading
        yield f"  {each.address}"
        yield from (f"    {line}" for line in _lines(each, tolerance))
    results = sum(1 for each in found if each.facet == "results")
    alike = sum(1 for _ in run) - sum(1 for each in found if each.shared is not None)
    yield (
        f"{plural(results, 'result')} and {plural(len(found) - results, 'other fact')} differ, "
        f"{plural(alike, 'fact')} the same in all"
    )


def _lines(each: Apart, tolerance: Tolerance) -> Iterator[str]:
    width = max(map(len, (*each.holders, *each.own)))
    first = each.shared
    for name in each.holders:
        yield f"{name:<{width}}  {_shown(first)}"
    for name, fact in each.own.items():
        # How far a result moved is worth a sentence; a version is told by itself.
        if first is not None and fact is not None and each.facet == "results":
            drift = Drift(each.subject, each.facet, each.key, "changed", first, fact)
            yield f"{name:<{width}}  {sentence(drift, tolerance)}"
        else:
            yield f"{name:<{width}}  {_shown(fact)}"
        if first is None and not each.holders:
            # Nobody shares anything: the others are told as differing from the first of them.
            first = fact


def _shown(fact: Fact | None) -> str:
    return "-" if fact is None else show(fact.value)


def hint(run: Run) -> Iterator[str]:
    """That what is shown is not what every environment is compared with."""
    if len(run.environments) > 1 and (count := len(apart(run))):
        yield f"{plural(count, 'fact')} not the same in all environments: mlrepro show --environments"


def document(run: Run) -> dict[str, Any]:
    """The same as plain types."""
    return {
        "environments": sorted(run.environments),
        "apart": [
            {
                "subject": each.subject,
                "facet": each.facet,
                "key": each.key,
                "shared": None if each.shared is None else plain(each.shared.value),
                "holders": list(each.holders),
                "own": {name: None if fact is None else plain(fact.value) for name, fact in each.own.items()},
            }
            for each in apart(run)
        ],
    }
