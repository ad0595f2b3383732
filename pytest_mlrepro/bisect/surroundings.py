"""What a replay rests on beside the changes: the tools that run it, the machine that it runs on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pytest_mlrepro.bisect.elements import held
from pytest_mlrepro.bisect.mixtures import Mixtures
from pytest_mlrepro.bisect.states import THEN
from pytest_mlrepro.environment.distributions import Distributions
from pytest_mlrepro.explain import sentence
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.model import SESSION, Run

_OURS = "pytest-mlrepro"


def packages(accepted: Run, mixtures: Mixtures, installed: Distributions) -> tuple[str, ...] | None:
    """What an environment has besides the libraries that differ; None where none does.

    What pytest runs with is no library of the tests, but the project's settings may ask for it: as it is installed
    where that goes with the versions of then, else in any version, else without it.
    """
    differing = {each.name.removeprefix("libraries.") for each in mixtures.elements if each.kind == "library"}
    if not differing:
        return None
    pins = {pin.name: pin.requirement for pin in held(accepted, mixtures.elements)}
    tools = {
        name: f"{name}=={each.version}"
        for name, each in installed.by_name.items()
        if (name == "pytest" or each.is_plugin_of_pytest) and name != _OURS and not each.origin.text
    }
    tools = {name: told for name, told in tools.items() if name not in differing and name not in pins}
    found: tuple[str, ...] = ()
    for some in (tools.values(), tools, ["pytest"] if "pytest" in tools else []):
        found = (*pins.values(), *some)
        if not mixtures.index.clash(replace(mixtures, packages=found).requirements(THEN)):
            break
    return tuple(sorted(found))


def machine(terms: Terms, now: Run) -> Iterator[str]:
    """What differs of the session and cannot be replayed."""
    for drift in terms.compare(SESSION, now.facts(SESSION), {}).drifts:
        dotted = drift.facet == "libraries" and "." in drift.key and not drift.key.startswith("env.")
        if drift.kind == "changed" and (dotted or drift.key.startswith("threads.")):
            yield f"{drift.address} {sentence(drift)}"
