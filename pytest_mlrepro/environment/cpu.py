"""The processor, and the instruction sets that libraries choose on it."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

_CPUINFO = Path("/proc/cpuinfo")
_IMPLEMENTERS: Mapping[str, str] = MappingProxyType(
    # Of the main identification register, as Arm's architecture manual assigns them.
    {
        "0x41": "ARM",
        "0x42": "Broadcom",
        "0x43": "Cavium",
        "0x46": "Fujitsu",
        "0x48": "HiSilicon",
        "0x4e": "NVIDIA",
        "0x51": "Qualcomm",
        "0x61": "Apple",
        "0xc0": "Ampere",
    }
)


def architecture() -> str:
    """``x86_64``, ``aarch64``, ``arm64`` ...; empty where it is unknown."""
    name = platform.machine()
    return "x86_64" if name == "AMD64" else name


def cores() -> int | None:
    """How many cores this process may use; None where nobody knows."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def model() -> str:
    """The processor's name as its maker writes it; empty where it is unknown."""
    if sys.platform == "darwin":
        return _sysctl("machdep.cpu.brand_string")
    if sys.platform == "win32":
        return platform.processor()
    return linux_model(_cpuinfo())


def vendor() -> str:
    """Who made the processor: ``GenuineIntel``, ``AuthenticAMD``, ``ARM``, ``Apple`` ...; empty where it is unknown.

    Some libraries choose their kernels by it rather than by what the processor can do.
    """
    if sys.platform == "darwin":
        return "Apple" if architecture() == "arm64" else _sysctl("machdep.cpu.vendor")
    if sys.platform == "win32":
        # "Intel64 Family 6 Model 143 Stepping 8, GenuineIntel"
        return platform.processor().rpartition(",")[2].strip()
    return linux_vendor(_cpuinfo())


def linux_model(cpuinfo: str) -> str:
    """The model from the text of ``/proc/cpuinfo``, which on ARM holds numbers in the place of a name."""
    fields = _fields(cpuinfo)
    if name := fields.get("model name"):
        return name
    parts = (("implementer", fields.get("CPU implementer")), ("part", fields.get("CPU part")))
    return " ".join(f"{what} {number}" for what, number in parts if number)


def linux_vendor(cpuinfo: str) -> str:
    """The vendor from the text of ``/proc/cpuinfo``."""
    fields = _fields(cpuinfo)
    number = fields.get("CPU implementer", "")
    return fields.get("vendor_id") or _IMPLEMENTERS.get(number, number and f"implementer {number}")


def numpy_simd(modules: Mapping[str, Any]) -> str:
    """The highest instruction set that numpy dispatches to; empty while it is not loaded.

    Args:
        modules: the loaded modules by name.
    """
    for name in ("numpy._core._multiarray_umath", "numpy.core._multiarray_umath"):
        found = vars(modules[name]) if name in modules else {}
        if features := found.get("__cpu_features__"):
            return _highest((*found["__cpu_baseline__"], *found["__cpu_dispatch__"]), features)
    return ""


def torch_simd(modules: Mapping[str, Any]) -> str:
    """The instruction set that torch's kernels use; empty while it is not loaded."""
    module = modules.get("torch.backends.cpu")
    capability = getattr(module, "get_cpu_capability", None)
    return str(capability()) if capability is not None else ""


def _highest(levels: Iterable[str], features: Mapping[str, bool]) -> str:
    # numpy lists its levels from the lowest to the highest.
    return next((level for level in reversed(tuple(levels)) if features.get(level)), "")


def _cpuinfo() -> str:
    try:
        return _CPUINFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _fields(cpuinfo: str) -> Mapping[str, str]:
    """The fields of the last processor: all but its number are alike."""
    return {
        key.strip(): " ".join(value.split())
        for key, colon, value in (line.partition(":") for line in cpuinfo.splitlines())
        if colon
    }


def _sysctl(name: str) -> str:
    from pytest_mlrepro.environment.asking import ask

    return re.sub(r"\s+", " ", ask(["/usr/sbin/sysctl", "-n", name]).text).strip()
