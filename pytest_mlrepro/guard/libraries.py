"""Which libraries use randomness for what no result depends on."""

from __future__ import annotations

import sys
from enum import Enum


class Kind(Enum):
    """What a module's frames mean on the way from the use of randomness to the project's code."""

    GUARD = "the guard itself"
    PART = "part of what takes the randomness: numpy.random, random, secrets, ..."
    BENIGN = "uses randomness for names, keys, ports and the like, or starts code on its own account"
    LIBRARY = "any other library"


_PARTS = frozenset({"random", "secrets", "uuid", "os", "torch.random"})
_BENIGN = (
    # What runs the tests.
    "_pytest",
    "pluggy",
    "pytest",
    "pytest_mlrepro",
    "pytest_randomly",
    "pytest_asyncio",
    "anyio",
    "xdist",
    "execnet",
    "hypothesis",
    "coverage",
    # Names of files, processes and relations; throw-away generators.
    "joblib",
    "loky",
    "cloudpickle",
    "dill",
    "multiprocess",
    "matplotlib",
    "duckdb",
    "distributed",
    "dask.base",
    "dask.tokenize",
    "fsspec",
    "tqdm",
    "requests",
    "urllib3",
    "filelock",
    "torch.utils.data",
    "torch.multiprocessing",
    "torch.serialization",
    "torch._inductor",
    "torch._dynamo",
    "torch.distributed",
    # Makes generators only to fill them with a state.
    "numpy.random._pickle",
)


def kind_of(module: str) -> Kind:
    """The kind of a module by its full name.

    All of the standard library counts as benign, but for the modules that are there to give randomness: it makes
    names of temporary files and boundaries of e-mails, copies generators, and imports modules whose generators
    are made at a time that no test decides.
    """
    if _is_in(module, "pytest_mlrepro.guard"):
        return Kind.GUARD
    if any(_is_in(module, name) for name in _BENIGN):
        return Kind.BENIGN
    if module in _PARTS or _is_in(module, "numpy.random"):
        return Kind.PART
    return Kind.BENIGN if module.partition(".")[0] in sys.stdlib_module_names else Kind.LIBRARY


def _is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
