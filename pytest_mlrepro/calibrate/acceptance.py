"""Put bands beside the values that they were made for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from pytest_mlrepro.bands import Band
from pytest_mlrepro.calibrate.calibration import Calibrated
from pytest_mlrepro.comparison import room
from pytest_mlrepro.facets import same_value, show
from pytest_mlrepro.model import Fact, Facts, Run, Tolerance

Place: TypeAlias = "tuple[str, str]"
"""Subject and address of a fact."""


@dataclass(frozen=True, slots=True)
class Accepting:
    """A change of the lockfile: called with the run that it holds, it gives the new one.

    Every value stays as it was accepted; a band is put where the environment sees its value.

    Attributes:
        environment: that the calibration was made in; empty where the lockfile names none.
        bands: by subject and address, each with the fact that it was made for.
    """

    environment: str
    bands: Mapping[Place, tuple[Fact, Band]]

    def __call__(self, before: Run) -> Run:
        """Lay the bands over what the lockfile holds; a value that is another by now gets none."""
        own = {name: dict(each) for name, each in before.environments.items()}
        subjects: dict[str, Facts] = dict(before.subjects)
        for (subject, address), (fact, band) in self.bands.items():
            mine = own.get(self.environment, {}).get(subject, {})
            if address in mine:
                laid = _laid(mine[address], fact, band)
                own[self.environment][subject] = {**mine, address: laid}
            elif address in before.facts(subject):
                shared = subjects[subject]
                subjects[subject] = {**shared, address: _beside(shared[address], fact, band)}
        return Run(subjects, before.traces, own)

    def missed(self, before: Run) -> tuple[Place, ...]:
        """The bands for which the lockfile holds another value than they were made for."""
        seen = before.view(self.environment) if self.environment else before
        return tuple(
            place
            for place, (fact, _) in self.bands.items()
            if not _is_the_same(seen.facts(place[0]).get(place[1]), fact)
        )


def _laid(known: Fact | None, fact: Fact, band: Band) -> Fact | None:
    return None if known is None else _beside(known, fact, band)


def _beside(known: Fact, fact: Fact, band: Band) -> Fact:
    return replace(known, band=band) if _is_the_same(known, fact) else known


def _is_the_same(known: Fact | None, fact: Fact) -> bool:
    return known is not None and known.dtype == fact.dtype and same_value(known.value, fact.value)


def refusals(found: Calibrated, accepted: Run, now: Run, tolerance: Tolerance) -> Mapping[Place, str]:
    """Why the band of a metric cannot stand beside its value, by subject and address.

    Args:
        found: the calibration.
        accepted: what the environment is compared with.
        now: a replay under the project's own base seed.
        tolerance: the project's.
    """
    told: dict[Place, str] = {}
    for metric in found.metrics:
        place = metric.sample.subject, metric.sample.address
        known, current = accepted.facts(place[0]).get(place[1]), now.facts(place[0]).get(place[1])
        if known is None:
            told[place] = "it has no accepted value"
        elif current is None:
            told[place] = "the project's own seed does not record it"
        elif room(known.facet).rung(known, current, tolerance) == "drift":
            told[place] = f"its value moved: {show(known.value)} -> {show(current.value)}"
    return told
