"""Lockfiles to export, with all kinds of origins."""

from __future__ import annotations

from pytest_mlrepro.bands import Band
from pytest_mlrepro.export import Source
from pytest_mlrepro.model import SESSION, Fact, Run

SOURCE = Source("mlrepro.lock", "ab" * 32)
COMMIT = "0123456789abcdef0123456789abcdef01234567"
ARCHIVE = "cd" * 32
TEST = "tests/test_model.py::test_f1"
PLATFORM = {
    "runtime.python": "CPython 3.12.4",
    "runtime.os": "Linux",
    "runtime.os_release": "debian 12.5",
    "runtime.libc": "glibc 2.36",
    "cpu.architecture": "x86_64",
}


def libraries(versions, *, sha256=None, **platform):
    """Facts of the session: distributions by name, and what is other than ``PLATFORM``; an empty text is left out."""
    told = PLATFORM | {key.replace("__", "."): value for key, value in platform.items()}
    facts = [Fact("libraries", name, version) for name, version in versions.items()]
    if sha256:
        facts = [Fact(fact.facet, fact.key, fact.value, detail={"sha256": sha256}) for fact in facts]
    return [*facts, *(Fact("libraries", key, value) for key, value in told.items() if value)]


def locked(versions, **platform):
    """A lockfile with these distributions and nothing else."""
    return Run.of({SESSION: libraries(versions, **platform)})


EVERY_ORIGIN = {
    "numpy": "2.4.6",
    "torch": "2.5.1+cu124",
    "scipy": "1.17.1 (conda py312h64a7726_0)",
    "mine": "0.1 (editable)",
    "ours": "0.2 (local folder)",
    "forked": f"1.0 (git {COMMIT})",
    "packed": "3.0 (archive)",
    "somewhere": "1.0 (direct address, unknown)",
    "broken": "unknown",
}

MODEL = [
    Fact("results", "f1", 0.95, better="higher", band=Band(0.9, 0.97, 0.94, 0.01, 20)),
    Fact("results", "right", 137),
    Fact("results", "converged", True),
    Fact("results", "lost", float("nan")),
    Fact("results", "label", "setosa"),
    Fact("results", "matrix", ((86, 4), (2, 51))),
    Fact("results", "probabilities", tuple(index / 7 for index in range(400))),
    Fact("settings", "forest.max_depth", None),
    Fact("source", "train", "mlr1:915b"),
    Fact(
        "data",
        "train",
        "mlr1-blake3:a073",
        detail={"kind": "array", "shape": (426, 30), "columns": ((1, 2),)},
    ),
]


def project():
    """A lockfile with two tests that share a data set, and a fixture with one of its own."""
    return Run.of(
        {
            SESSION: [*libraries(EVERY_ORIGIN), Fact("randomization", "hash_seed", "0")],
            TEST: MODEL,
            "tests/test_model.py::test_loss": [Fact("results", "loss", 0.25), MODEL[-1]],
            "tests/conftest.py::corpus": [
                Fact("data", "corpus", "mlr1-blake3:beef", detail={"kind": "file"})
            ],
        }
    )
