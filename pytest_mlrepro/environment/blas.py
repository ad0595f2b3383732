"""The libraries for linear algebra and threads that are loaded into the process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pytest_mlrepro.environment.imports import threadpool_library

_PARTS = (b"blas", b"blis", b"mkl", b"omp")
"""Each name of such a library that threadpoolctl knows has one of these in it."""


class Pool(NamedTuple):
    """A loaded BLAS or OpenMP library.

    Attributes:
        api: ``blas`` or ``openmp``.
        name: of the implementation: ``openblas``, ``mkl``, ``libgomp`` ...
        version: empty where the library does not tell.
        layer: how a BLAS makes its threads: ``pthreads``, ``openmp`` ...; empty where it does not tell.
        architecture: the processor whose kernels a BLAS chose, such as ``SkylakeX``; empty likewise.
        threads: how many it would use now.
        file: where it was loaded from. Never to be recorded.
    """

    api: Literal["blas", "openmp"]
    name: str
    version: str
    layer: str
    architecture: str
    threads: int
    file: str

    def __str__(self) -> str:
        """Everything that can be compared, the architecture last."""
        return " ".join(filter(None, (self.name, self.version, self.layer, self.architecture)))


def pools() -> tuple[Pool, ...]:
    """The libraries loaded now, sorted; the process and its environment stay as they are."""
    if not may_be_loaded():
        return ()
    return tuple(sorted(_pools(native(threadpool_library().threadpool_info()))))


def native(found: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Of what ``threadpoolctl.threadpool_info`` tells the libraries for linear algebra and OpenMP.

    Others may register pools of theirs: scipy's reader of matrix files does, with a function in the place of a version.
    """
    return (each for each in found if each["user_api"] in ("blas", "openmp"))


def may_be_loaded(maps: Path = Path("/proc/self/maps")) -> bool:
    """Whether the process may hold such a library: to ask ``threadpoolctl``, it would have to be imported.

    Args:
        maps: lists the files that the process has loaded; where there is none, it may.
    """
    try:
        loaded = maps.read_bytes()
    except OSError:
        return True
    return any(part in loaded for part in _PARTS)


def _pools(found: Iterable[Mapping[str, Any]]) -> Iterator[Pool]:
    for each in found:
        api = each["user_api"]
        # The implementations of OpenMP have one interface, and are told apart by their files.
        name = each["internal_api"] if api == "blas" else each["prefix"]
        yield Pool(
            api,
            str(name),
            str(each.get("version") or ""),
            _known(each.get("threading_layer")),
            _known(each.get("architecture")),
            int(each.get("num_threads") or 0),
            str(each["filepath"]),
        )


def _known(text: object) -> str:
    return "" if text in (None, "unknown") else str(text)
