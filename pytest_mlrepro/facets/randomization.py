"""What the draws rest on: seeds, generators, hash seed, thread counts and determinism switches."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from pytest_mlrepro.environment.blas import may_be_loaded, native
from pytest_mlrepro.facets._protocol import Facet, Reach, show
from pytest_mlrepro.model import DEFAULT_TOLERANCE, Drift, Fact, Policy, Tolerance, Value

_GENERATORS, _THREADS = "generators.", "threads."
_UNSET = "unset"

_ALGORITHMS: Mapping[str, str] = MappingProxyType(
    # As each library documents its default; numpy and jax are asked.
    {
        "random": "MT19937",
        "torch": "mt19937",
        "tensorflow": "Philox",
        "cupy": "XORWOW",
        "numba": "MT19937",
    }
)
_UNNAMED = "unnamed"
"""Algorithm of a generator whose library does not say."""

_PRECISIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"cuda": ("matmul",), "cudnn": ("conv", "rnn"), "mkldnn": ("matmul", "conv", "rnn")}
)
"""Where torch keeps its switches of float32 precision, by backend."""

_BELOW_KERAS = frozenset({"tensorflow", "jax", "torch"})

_THREAD_VARIABLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "openblas": ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"),
        "mkl": ("MKL_NUM_THREADS", "OMP_NUM_THREADS"),
        "blis": ("BLIS_NUM_THREADS", "OMP_NUM_THREADS"),
        "openmp": ("OMP_NUM_THREADS",),
        "torch": ("MKL_NUM_THREADS", "OMP_NUM_THREADS"),
    }
)


class Randomization(Facet):
    """The seed of a test, and what else in the process decides the numbers that it draws and adds up."""

    name: ClassVar[str] = "randomization"

    def capture(self, seed: int, *, base: int, pins: Sequence[int] = ()) -> tuple[Fact, ...]:
        """The facts of a test or fixture.

        Args:
            seed: what it ran with, derived from the base seed and its name.
            base: the base seed.
            pins: seeds of its own choice, in order.
        """
        facts = (Fact(self.name, "seed", seed, detail={"base": base}),)
        return (*facts, Fact(self.name, "pins", tuple(pins))) if pins else facts

    def session(self, pinned: Iterable[str]) -> tuple[Fact, ...]:
        """The facts of the process, as it is now.

        ``hash_seed`` is the number in ``PYTHONHASHSEED`` or ``"unset"``; ``generators.<library>`` names the
        algorithm; ``threads.<library>`` is the size of a thread pool, several sizes where copies of the library
        differ; ``torch.*``, ``jax.*``, ``tensorflow.*`` and ``keras.*`` are switches as those libraries read them back.

        Args:
            pinned: names of the libraries whose generators are pinned. Only these are looked at.
        """
        names = sorted(pinned)
        # Before threadpoolctl is imported, which writes into the environment.
        hash_seed = Fact(self.name, "hash_seed", _hash_seed())
        generators = [Fact(self.name, f"{_GENERATORS}{name}", _algorithm(name)) for name in names]
        threads = [
            Fact(self.name, f"{_THREADS}{name}", size, detail=_limits(name))
            for name, size in sorted((_native_threads() | _torch_threads(names)).items())
        ]
        switches = [Fact(self.name, key, value) for key, value in _switches(names)]
        return hash_seed, *generators, *threads, *switches

    def default_policy(self, drift: Drift) -> Policy:
        """Fail, but for what merely follows from the machine and from the libraries in use."""
        if drift.key.startswith((_GENERATORS, _THREADS)):
            return "note"
        if drift.key == "hash_seed":
            set_by_somebody = (_is_number(drift.baseline), _is_number(drift.current))
            return "fail" if any(set_by_somebody) else "note"
        if drift.key.startswith(tuple(_READ_BACK)) and drift.kind != "changed":
            # The library came into use, or went out of it.
            return "note"
        return self.policy

    def reach(self, drift: Drift) -> Reach:
        """Threads reach the last digits; those of torch further: networks amplify rounding."""
        is_of_machine = drift.key.startswith(_THREADS) and drift.key != f"{_THREADS}torch"
        return "rounding" if is_of_machine else "far"

    def explain(self, drift: Drift, default: Tolerance = DEFAULT_TOLERANCE) -> str:
        """What changed: the base seed rather than the seeds that follow from it, and which library's setting."""
        if drift.key == "seed" and drift.baseline is not None and drift.current is not None:
            return _explain_seed(drift.baseline, drift.current)
        before, now = _side(drift.baseline), _side(drift.current)
        if drift.key == "hash_seed":
            return f"PYTHONHASHSEED {before or 'not recorded'} -> {now or 'not recorded'}"
        if drift.key.startswith(_GENERATORS):
            return _explain_generator(drift.key.removeprefix(_GENERATORS), before, now)
        if drift.key == "pins":
            return f"seeds given to mlrepro.pin(): {before or 'none'} -> {now or 'none'}"
        if drift.key.startswith(_THREADS):
            library = drift.key.removeprefix(_THREADS)
            return f"{library} threads {before or 'none'} -> {now or 'none'}{_because(drift)}"
        return super().explain(drift)


def _hash_seed() -> int | str:
    # The flag tells what Python started with: the variable may have been set afterwards, without effect.
    if not sys.flags.hash_randomization:
        return 0
    text = "" if sys.flags.ignore_environment else os.environ.get("PYTHONHASHSEED", "")
    return int(text) if text.isdecimal() and int(text) else _UNSET


def _algorithm(name: str) -> str:
    numpy_random, jax = sys.modules.get("numpy.random"), sys.modules.get("jax")
    if name == "numpy" and numpy_random is not None:
        return str(numpy_random.get_state(legacy=False)["bit_generator"])
    if name == "jax" and jax is not None:
        return str(jax.config.jax_default_prng_impl)
    return _ALGORITHMS.get(name, _UNNAMED)


def _native_threads() -> dict[str, Value]:
    """Sizes of the BLAS and OpenMP pools of what is loaded, by library."""
    sizes: dict[str, set[int]] = {}
    for pool in _thread_pools():
        sizes.setdefault(str(pool["internal_api"]), set()).add(int(pool["num_threads"]))
    # numpy and scipy bring a copy of OpenBLAS each: as long as they agree it is one number.
    return {name: next(iter(each)) if len(each) == 1 else tuple(sorted(each)) for name, each in sizes.items()}


def _thread_pools() -> list[Mapping[str, Any]]:
    if not may_be_loaded():
        return []
    known, environment = "threadpoolctl" in sys.modules, dict(os.environ)
    import threadpoolctl

    try:
        return list(native(threadpoolctl.threadpool_info()))
    finally:
        # Its import sets KMP_DUPLICATE_LIB_OK. Undone here, and its module too, so that whoever imports it
        # for the sake of that still gets it.
        if not known:
            sys.modules.pop("threadpoolctl", None)
            for variable in os.environ.keys() - environment.keys():
                del os.environ[variable]


def _torch_threads(pinned: Sequence[str]) -> dict[str, Value]:
    torch: Any = sys.modules.get("torch")
    if torch is None or "torch" not in pinned:
        return {}
    return {"torch": int(torch.get_num_threads()), "torch_interop": int(torch.get_num_interop_threads())}


def _limits(library: str) -> dict[str, Value]:
    """The variables that limit the library's threads and are set."""
    return {name: os.environ[name] for name in _THREAD_VARIABLES.get(library, ()) if name in os.environ}


def _switches(pinned: Sequence[str]) -> Iterator[tuple[str, Value]]:
    for prefix, read in sorted(_READ_BACK.items()):
        name = prefix.removesuffix(".")
        # A test may have taken the library out again after its generators were pinned.
        library = sys.modules.get(name)
        # Keras has no generators of its own: it draws by the library below it.
        is_in_use = name in pinned or (name == "keras" and not _BELOW_KERAS.isdisjoint(pinned))
        if library is not None and is_in_use:
            for switch, value in read(library):
                yield f"{prefix}{switch}", value


def _torch_switches(torch: Any) -> Iterator[tuple[str, Value]]:
    deterministic = bool(torch.are_deterministic_algorithms_enabled())
    only_warns = deterministic and torch.is_deterministic_algorithms_warn_only_enabled()
    yield "deterministic", "only warns" if only_warns else deterministic
    yield "cudnn_deterministic", bool(torch.backends.cudnn.deterministic)
    yield "cudnn_benchmark", bool(torch.backends.cudnn.benchmark)
    yield "default_dtype", str(torch.get_default_dtype()).removeprefix("torch.")
    yield from _torch_precision(torch)
    if torch.cuda.is_initialized():
        yield from _torch_preferences(torch)
        # Read by cuBLAS when it starts: what it says afterwards is what counted, unless somebody meddled.
        yield "cublas_workspace", os.environ.get("CUBLAS_WORKSPACE_CONFIG", _UNSET)


def _torch_preferences(torch: Any) -> Iterator[tuple[str, Value]]:
    """Which libraries torch prefers on a GPU. Asked for earlier, some builds would start the GPU to tell."""
    for what in ("blas", "linalg"):
        read = getattr(torch.backends.cuda, f"preferred_{what}_library", None)
        if read is not None:
            # An enumeration: "_BlasBackend.Cublaslt"
            yield f"preferred_{what}", str(read()).rpartition(".")[2].lower()


def _torch_precision(torch: Any) -> Iterator[tuple[str, Value]]:
    """How far float32 may be rounded before it is multiplied, such as to TF32, by backend and operation."""
    backends = torch.backends
    if not hasattr(backends.cuda.matmul, "fp32_precision"):
        # Before torch 2.9.
        yield "float32_matmul_precision", str(torch.get_float32_matmul_precision())
        yield "cudnn_allow_tf32", bool(backends.cudnn.allow_tf32)
        return
    # Where somebody used the newer switches the older ones can no longer be asked: they raise.
    told = []
    for backend, names in _PRECISIONS.items():
        for name in names:
            operation: Any = getattr(getattr(backends, backend, None), name, None)
            if hasattr(operation, "fp32_precision"):
                told.append(f"{backend}.{name} {operation.fp32_precision}")
    yield "float32_precision", ", ".join(told)


def _jax_switches(jax: Any) -> Iterator[tuple[str, Value]]:
    for name in ("threefry_partitionable", "enable_x64", "default_matmul_precision"):
        # Not every version has them all.
        flag = f"jax_{name}"
        if hasattr(jax.config, flag):
            value = getattr(jax.config, flag)
            yield name, value if isinstance(value, bool) else str(value or _UNSET)


def _tensorflow_switches(tensorflow: Any) -> Iterator[tuple[str, Value]]:
    # tensorflow has no public way to ask for the first; asked for nowhere else, it may be gone in a later version.
    config: Any = sys.modules.get("tensorflow.python.framework.config")
    if hasattr(config, "is_op_determinism_enabled"):
        yield "op_determinism", bool(config.is_op_determinism_enabled())
    yield "tensor_float_32", bool(tensorflow.config.experimental.tensor_float_32_execution_enabled())


def _keras_switches(keras: Any) -> Iterator[tuple[str, Value]]:
    """The library below Keras 3, and the precision that layers get; what it has no public name for may be gone."""
    config: Any = getattr(keras, "config", None)
    if not hasattr(config, "backend"):
        return
    yield "backend", str(config.backend())
    state: Any = sys.modules.get("keras.src.backend.common.global_state")
    # Asking for the policy by its public name would settle it, against a later set_floatx().
    policy = state.get_global_attribute("dtype_policy", None) if state is not None else None
    yield "dtype_policy", str(policy.name if policy is not None else config.floatx())


_READ_BACK: Mapping[str, Callable[[Any], Iterator[tuple[str, Value]]]] = MappingProxyType(
    {
        "torch.": _torch_switches,
        "jax.": _jax_switches,
        "tensorflow.": _tensorflow_switches,
        "keras.": _keras_switches,
    }
)
"""What reads the switches back, by prefix of their keys."""


def _is_number(fact: Fact | None) -> bool:
    return fact is not None and isinstance(fact.value, int)


def _side(fact: Fact | None) -> str:
    if fact is None:
        return ""
    return fact.value if isinstance(fact.value, str) else show(fact.value)


def _explain_seed(baseline: Fact, current: Fact) -> str:
    before, now = baseline.detail.get("base"), current.detail.get("base")
    seeds = f"{show(baseline.value)} -> {show(current.value)}"
    if before != now:
        return f"base seed {show(before)} -> {show(now)} (seed {seeds})"
    return f"seed {seeds} (the test's name is the same, the base seed too: derived differently)"


def _explain_generator(library: str, before: str, now: str) -> str:
    if not before:
        return f"the generator of {library} is pinned too now, algorithm {now}"
    if not now:
        return f"the generator of {library} is no longer in use, its algorithm was {before}"
    return f"the generator of {library} is another: {before} -> {now}"


def _because(drift: Drift) -> str:
    """Which variables limit the threads, before and now, where that changed."""
    sides = [fact.detail if fact is not None else {} for fact in (drift.baseline, drift.current)]
    changes = [
        f"{name} {sides[0].get(name, _UNSET)} -> {sides[1].get(name, _UNSET)}"
        for name in sorted(sides[0].keys() | sides[1].keys())
        if sides[0].get(name) != sides[1].get(name)
    ]
    return f" ({', '.join(changes)})" if changes else ""
