"""What a drift of the libraries means: its policy, and its sentence."""

from __future__ import annotations

import re

from pytest_mlrepro.environment.variables import INCIDENTAL
from pytest_mlrepro.facets._protocol import Reach, show
from pytest_mlrepro.model import Drift, Fact, Policy, Value

_FOLLOWS_FROM_MACHINE = frozenset(
    {
        "runtime.os_release",
        "runtime.libc",
        "cpu.vendor",
        "cpu.model",
        "cpu.cores",
        "cpu.simd",
        "cpu.simd_torch",
    }
)
_LABELS = {
    "runtime.python": "Python",
    "runtime.os": "operating system",
    "runtime.os_release": "release of the operating system",
    "runtime.libc": "C library",
    "cpu.architecture": "architecture",
    "cpu.vendor": "vendor of the CPU",
    "cpu.model": "CPU",
    "cpu.cores": "usable CPU cores",
    "cpu.simd": "instruction set of numpy",
    "cpu.simd_torch": "instruction set of torch",
    "gpu.driver": "GPU driver",
}
_GROUPS = {
    "blas": "BLAS",
    "openmp": "OpenMP",
    "gpu": "GPU",
    "cuda": "CUDA",
    "cublas": "cuBLAS",
    "cudnn": "cuDNN",
    "nccl": "NCCL",
    "rocm": "ROCm",
}
_TURNS = {"changed": "has other content", "added": "is new", "removed": "is gone"}
_SHOWN = 56
_SENTENCE = 160


def is_same_version(left: Value, right: Value) -> bool:
    """Whether two values name the same version as PEP 440 compares it, of the same origin: 1.0 is 1.0.0."""
    from packaging.version import InvalidVersion, Version

    before, _, origin = str(left).partition(" ")
    now, _, other = str(right).partition(" ")
    try:
        return origin == other and Version(before) == Version(now)
    except InvalidVersion:
        return False


def policy(drift: Drift) -> Policy:
    """The default policy, by the table in the description of the facet."""
    group, _, rest = drift.key.partition(".")
    if not rest:
        return _distribution_policy(drift)
    incidental = drift.key in _FOLLOWS_FROM_MACHINE or group == "gpu"
    incidental |= group == "env" and rest in INCIDENTAL
    # A lock says what is to be installed; what is installed has facts of its own.
    incidental |= group == "locks"
    incidental |= group in ("blas", "openmp") and (drift.kind != "changed" or _only_kernels(drift))
    incidental |= group == "cublas" and drift.kind != "changed"
    incidental |= drift.key == "runtime.python" and _only_patch(drift)
    return "note" if incidental else "fail"


def reach(drift: Drift) -> Reach:
    """How far it can move a number: see the facet."""
    group, _, rest = drift.key.partition(".")
    if group == "env":
        return "nowhere" if rest in INCIDENTAL else "far"
    if not rest:
        return "far" if _distribution_policy(drift) == "fail" else "nowhere"
    if drift.key == "runtime.os_release" or group == "locks":
        return "nowhere"
    # Networks in single precision amplify rounding: measured, 2 % of a loss.
    is_far = drift.key == "cpu.simd_torch" or group == "gpu" or policy(drift) == "fail"
    return "far" if is_far else "rounding"


def sentence(drift: Drift) -> str:
    """What changed, in one sentence of at most 160 characters."""
    group, _, rest = drift.key.partition(".")
    before = drift.baseline.value if drift.baseline else None
    now = drift.current.value if drift.current else None
    if group == "env":
        text = _of_variable(rest, before, now)
    elif group == "locks":
        text = f"the project's {rest} {_TURNS[drift.kind]}"
    elif rest:
        text = _of_runtime(_label(drift.key), before, now)
    else:
        text = _of_distribution(drift.key, before, now)
    if drift.current is not None:
        note = drift.current.detail.get("note", "")
        text += f" ({note})" if note else ""
        text += f", {drift.current.remark}" if drift.current.remark else ""
    return _cut(text, _SENTENCE)


def _distribution_policy(drift: Drift) -> Policy:
    known = drift.current or drift.baseline
    is_direct = known is not None and known.detail.get("direct") is True
    return "fail" if drift.kind == "changed" or is_direct else "note"


def _only_kernels(drift: Drift) -> bool:
    return _without_kernels(drift.baseline) == _without_kernels(drift.current)


def _without_kernels(fact: Fact | None) -> list[str]:
    if fact is None:
        return []
    told = fact.detail.get("architecture", ())
    kernels = told if isinstance(told, tuple) else (told,)
    parts = str(fact.value).split(", ")
    if len(parts) != len(kernels):
        return parts
    return [part.removesuffix(f" {kernel}") for part, kernel in zip(parts, kernels, strict=True)]


def _only_patch(drift: Drift) -> bool:
    if drift.baseline is None or drift.current is None:
        return False
    before, now = (
        re.sub(r"(\d+\.\d+)[^ ]*", r"\1", str(fact.value)) for fact in (drift.baseline, drift.current)
    )
    return before == now


def _label(key: str) -> str:
    group, _, rest = key.partition(".")
    if key in _LABELS or group not in _GROUPS:
        return _LABELS.get(key, key)
    return f"{_GROUPS[group]} {rest}" if group == "gpu" else f"{_GROUPS[group]} of {rest}"


def _of_variable(name: str, before: Value, now: Value) -> str:
    if before is None:
        return f"{name} was not set, is {show(now, _SHOWN)}"
    if now is None:
        return f"{name} was {show(before, _SHOWN)}, is not set"
    return f"{name} {show(before, _SHOWN)} -> {show(now, _SHOWN)}"


def _of_runtime(label: str, before: Value, now: Value) -> str:
    if before is None:
        return f"{label}: not recorded before, is {_plain(now)}"
    if now is None:
        return f"{label}: was {_plain(before)}, is not recorded any more"
    return f"{label}: {_plain(before)} -> {_plain(now)}"


def _of_distribution(name: str, before: Value, now: Value) -> str:
    if before is None:
        return f"{name} is used now and was not ({_plain(now)})"
    if now is None:
        return f"{name} was used and is not any more ({_plain(before)})"
    return f"{name} {_plain(before)} -> {_plain(now)}"


def _plain(value: Value) -> str:
    return _cut(str(value), _SHOWN)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
