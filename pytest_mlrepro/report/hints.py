"""What could not be pinned because Python was already running, said once where it may be why a result moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_mlrepro.explain import is_tiny
from pytest_mlrepro.model import DEFAULT_TOLERANCE, Explanation, Fact, Facts, Tolerance

_RANDOMIZATION = "randomization"
_THREADS = f"{_RANDOMIZATION}.threads."


def hints(
    explanations: Iterable[Explanation], session: Facts, tolerance: Tolerance = DEFAULT_TOLERANCE
) -> Iterator[str]:
    """Lines about the process, one for each thing that was settled when it started and can matter.

    Nothing is said unless a result drifted beside which nothing that somebody decided has changed.

    Args:
        explanations: of the run's drifts.
        session: current facts of the process.
        tolerance: the project's default.
    """
    unexplained = [each for each in explanations if _is_unexplained(each)]
    if not unexplained:
        return
    if _is(session.get(f"{_RANDOMIZATION}.hash_seed"), "unset"):
        yield (
            "PYTHONHASHSEED is not set to a number: the order of sets of strings, and hash() of a string, differ from "
            "process to process. Set PYTHONHASHSEED=0 before Python starts"
        )
    if _is(session.get(f"{_RANDOMIZATION}.torch.cublas_workspace"), "unset"):
        yield (
            "CUBLAS_WORKSPACE_CONFIG was not set when CUDA started: sums on the GPU may differ from run to run. "
            "Set CUBLAS_WORKSPACE_CONFIG=:4096:8 before Python starts, and use_deterministic_algorithms(True)"
        )
    if not any(is_tiny(each.drift, tolerance) for each in unexplained):
        return
    named = {suspect.drift.address for each in unexplained for suspect in each.suspects}
    many = sorted(
        fact.key.partition(".")[2]
        for address, fact in session.items()
        if address.startswith(_THREADS) and address not in named and _is_more_than_one(fact)
    )
    if many:
        yield (
            f"more than one thread adds up in {', '.join(many)}: the last digits may differ from run to run. "
            "Set OMP_NUM_THREADS=1 before Python starts"
        )


def _is_unexplained(explanation: Explanation) -> bool:
    drift = explanation.drift
    moved = drift.facet == "results" and drift.kind == "changed"
    return moved and all(suspect.drift.policy == "note" for suspect in explanation.suspects)


def _is(fact: Fact | None, value: str) -> bool:
    return fact is not None and fact.value == value


def _is_more_than_one(fact: Fact) -> bool:
    sizes = fact.value if isinstance(fact.value, tuple) else (fact.value,)
    # torch's pool between operations adds nothing up.
    return not fact.key.endswith("_interop") and any(isinstance(size, int) and size > 1 for size in sizes)
