"""The processor, and the instruction sets that libraries choose on it."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

_SECONDS = 2.0


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
    try:
        return linux_model(Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return ""


def linux_model(cpuinfo: str) -> str:
    """The same from the text of ``/proc/cpuinfo``, which on ARM holds numbers in the place of a name."""
    fields = {
        key.strip(): " ".join(value.split())
        for key, colon, value in (line.partition(":") for line in cpuinfo.splitlines())
        if colon
    }
    if name := fields.get("model name"):
        return name
    parts = (("implementer", fields.get("CPU implementer")), ("part", fields.get("CPU part")))
    return " ".join(f"{what} {number}" for what, number in parts if number)


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


def _sysctl(name: str) -> str:
    try:
        answer = subprocess.run(
            ["/usr/sbin/sysctl", "-n", name], capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return re.sub(r"\s+", " ", answer.stdout).strip()
