"""What a replay rests on beside the changes: the tools that run it, the machine that it runs on."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from pytest_mlrepro.bisect.elements import Element, held
from pytest_mlrepro.bisect.mixtures import Mixtures
from pytest_mlrepro.bisect.states import THEN
from pytest_mlrepro.environment.distributions import Distributions
from pytest_mlrepro.explain import sentence
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.model import SESSION, Run

_OURS = "pytest-mlrepro"
_MACHINE = ("runtime.", "cpu.", "gpu.")
_NATIVE = ("blas.", "openmp.", "cuda.", "cudnn.", "cublas.", "nccl.", "rocm.")


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


def machine(terms: Terms, now: Run, elements: Collection[Element]) -> Iterator[str]:
    """What differs of the machine, and of the Python that runs here: no replay can change it.

    Left out is what follows from changes that replays do make: the BLAS from the libraries, threads from variables.
    """
    kinds = {each.kind for each in elements}
    for drift in terms.compare(SESSION, now.facts(SESSION), {}).drifts:
        of_machine = drift.key.startswith(_MACHINE) or (
            "library" not in kinds and drift.key.startswith(_NATIVE)
        )
        of_threads = drift.key.startswith("threads.") and "variable" not in kinds
        if drift.kind == "changed" and (of_machine or of_threads):
            yield f"{drift.address}: {sentence(drift)}"
