"""The environment variables that can move numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

NUMERIC = frozenset(
    {
        # Order of sets and hash buckets, seeds
        "PYTHONHASHSEED",
        "PL_GLOBAL_SEED",
        "PL_SEED_WORKERS",
        # Threads: the order in which sums are formed
        "BLIS_NUM_THREADS",
        "GOTO_NUM_THREADS",
        "KMP_DETERMINISTIC_REDUCTION",
        "MKL_DYNAMIC",
        "MKL_NUM_THREADS",
        "MKL_THREADING_LAYER",
        "NUMBA_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "OMP_ADAPTIVE",
        "OMP_DYNAMIC",
        "OMP_NUM_THREADS",
        "OMP_SCHEDULE",
        "OMP_THREAD_LIMIT",
        "OPENBLAS_DEFAULT_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "PYTHON_CPU_COUNT",
        "VECLIB_MAXIMUM_THREADS",
        # Instruction sets, kernels and precision on the CPU
        "ATEN_CPU_CAPABILITY",
        "DNNL_DEFAULT_FPMATH_MODE",
        "DNNL_MAX_CPU_ISA",
        "GLIBC_TUNABLES",
        "MKL_CBWR",
        "MKL_ENABLE_INSTRUCTIONS",
        "NPY_DISABLE_CPU_FEATURES",
        "NPY_ENABLE_CPU_FEATURES",
        "NUMBA_CPU_FEATURES",
        "NUMBA_CPU_NAME",
        "ONEDNN_DEFAULT_FPMATH_MODE",
        "ONEDNN_MAX_CPU_ISA",
        "OPENBLAS_BLOCK_FACTOR",
        "OPENBLAS_CORETYPE",
        "TF_ENABLE_ONEDNN_OPTS",
        # Other code in the place of the library's own
        "DYLD_INSERT_LIBRARIES",
        "LD_PRELOAD",
        # The library that computes at all
        "KERAS_BACKEND",
        "TF_USE_LEGACY_KERAS",
        # Accelerators
        "CUBLAS_WORKSPACE_CONFIG",
        "CUDA_VISIBLE_DEVICES",
        "FLASH_ATTENTION_DETERMINISTIC",
        "HIP_VISIBLE_DEVICES",
        "HSA_OVERRIDE_GFX_VERSION",
        "JAX_DEFAULT_MATMUL_PRECISION",
        "JAX_ENABLE_X64",
        "NCCL_ALGO",
        "NCCL_PROTO",
        "NVIDIA_TF32_OVERRIDE",
        "PYTORCH_ENABLE_MPS_FALLBACK",
        "PYTORCH_MPS_FAST_MATH",
        "TF_CUDNN_DETERMINISTIC",
        "TF_DETERMINISTIC_OPS",
        "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
        "XLA_FLAGS",
    }
)
"""Somebody sets these to get other numbers, or gets other numbers by setting them."""

INCIDENTAL = frozenset(
    {
        "CUDA_LAUNCH_BLOCKING",
        "LANG",
        "LC_ALL",
        "LOKY_MAX_CPU_COUNT",
        "TOKENIZERS_PARALLELISM",
        "TZ",
    }
)
"""These differ between one laptop and the next and move no number by themselves: only code that reads
dates, sorts by locale or counts its workers can turn them into one."""

_DEVICE_LISTS = frozenset({"CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"})
_PRELOADED = frozenset({"DYLD_INSERT_LIBRARIES", "LD_PRELOAD"})
ABRIDGED = _DEVICE_LISTS | _PRELOADED
"""Of these it is never told what they are set to."""
_ABSOLUTE = re.compile(
    r"""(?<![^\s,;:="'])            # where a word begins
        (?:~\w*|[A-Za-z]:|\.{1,2})?  # home, drive, or relative to the working folder
        [/\\][^\s,;:="']*
        (?:\s+[^\s,;:="'-][^\s,;:="']*)*   # a path may hold blanks; what begins with a dash is the next flag
    """,
    re.VERBOSE,
)


def numeric_variables(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Those of ``NUMERIC`` and ``INCIDENTAL`` that are set, by name, fit for a committed file.

    Paths are replaced by ``<path>``, preloaded libraries are given by the names of their files, and
    of the visible devices only their number is told: it may list serial numbers.
    """
    return dict(_shown(environ))


def _shown(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in sorted((NUMERIC | INCIDENTAL) & environ.keys()):
        value = environ[name]
        if name == "PYTHONHASHSEED" and value in ("", "random"):
            # For Python that is the same as none.
            continue
        if name in _DEVICE_LISTS:
            yield name, _count(value)
        elif name in _PRELOADED:
            yield name, " ".join(_library(part) for part in re.split(r"[:\s]+", value) if part)
        else:
            yield name, _ABSOLUTE.sub("<path>", value)


def _count(devices: str) -> str:
    count = 0
    for device in devices.split(","):
        # CUDA stops at the first entry that it does not understand.
        if not device.strip() or device.strip().startswith("-"):
            break
        count += 1
    return f"{count} device{'' if count == 1 else 's'}"


def _library(path: str) -> str:
    file_name = re.split(r"[/\\]", path)[-1]
    return file_name if re.search(r"\.(so|dylib)\b", file_name) else "<path>"
