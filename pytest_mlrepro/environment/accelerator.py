"""The GPUs that loaded libraries compute on.

Nothing here starts a library's GPU runtime: only what a test has started itself is asked, and the
devices and the driver are read from the driver's own program.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

_SECONDS = 2.0
# Older drivers do not know the second column.
_QUERIES = ("name,driver_version,compute_cap", "name,driver_version")


@dataclass(frozen=True, slots=True)
class Toolkit:
    """What a library that computes on a GPU does so with.

    Attributes:
        module: the library's top-level module.
        versions: of ``cuda``, ``cudnn``, ``nccl``, ``rocm``, as the library writes them.
    """

    module: str
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU.

    Attributes:
        model: as its maker writes it.
        driver: the driver's version.
        capability: the compute capability, such as ``9.0``; empty where the driver does not tell.
    """

    model: str
    driver: str
    capability: str = ""


def toolkits(modules: Mapping[str, Any]) -> tuple[Toolkit, ...]:
    """The loaded libraries that have started to compute on a GPU.

    Args:
        modules: the loaded modules by name.
    """
    return tuple(
        Toolkit(module, {name: text for name, text in versions.items() if text})
        for module, read in _READERS.items()
        if (versions := read(modules)) is not None
    )


def nvidia_devices(seconds: float = _SECONDS) -> tuple[Device, ...]:
    """The GPUs that NVIDIA's driver lists; none where it is absent or does not answer.

    Args:
        seconds: how long to wait for an answer.
    """
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    for query in _QUERIES:
        try:
            answer = subprocess.run(
                [program, f"--query-gpu={query}", "--format=csv,noheader"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=seconds,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ()
        if answer.returncode == 0:
            return tuple(_devices(answer.stdout))
    return ()


def _devices(answer: str) -> Iterator[Device]:
    for line in answer.splitlines():
        fields = [field.strip() for field in line.split(",")]
        if len(fields) >= 2:
            yield Device(*fields[:3])


def _torch(modules: Mapping[str, Any]) -> Mapping[str, str] | None:
    if not _call(modules.get("torch.cuda"), "is_initialized"):
        return None
    version = modules.get("torch.version")
    nccl = _call(modules.get("torch.cuda.nccl"), "version")
    return {
        "cuda": _written(getattr(version, "cuda", None)),
        "rocm": _written(getattr(version, "hip", None)),
        "cudnn": _written(_call(modules.get("torch.backends.cudnn"), "version")),
        "nccl": _written(nccl),
    }


def _tensorflow(modules: Mapping[str, Any]) -> Mapping[str, str] | None:
    # Asking for the number of devices would start a context that is not initialized yet.
    context = _call(modules.get("tensorflow.python.eager.context"), "context_safe")
    if not getattr(context, "_initialized", False) or not _call(context, "num_gpus"):
        return None
    build = _call(modules.get("tensorflow.python.platform.sysconfig"), "get_build_info") or {}
    return {
        "cuda": _written(build.get("cuda_version")),
        "cudnn": _written(build.get("cudnn_version")),
        "rocm": _written(build.get("rocm_version")),
    }


def _jax(modules: Mapping[str, Any]) -> Mapping[str, str] | None:
    started = getattr(modules.get("jax._src.xla_bridge"), "_backends", {})
    if not {"cuda", "gpu", "rocm"} & started.keys():
        return None
    versions = getattr(modules.get("jax._src.lib"), "cuda_versions", None)
    return {
        "cuda": _written(_call(versions, "cuda_runtime_get_version")),
        "cudnn": _written(_call(versions, "cudnn_get_version")),
    }


def _cupy(modules: Mapping[str, Any]) -> Mapping[str, str] | None:
    # All its arrays live on a GPU, so that importing it is to use one.
    runtime = modules.get("cupy_backends.cuda.api.runtime")
    if "cupy" not in modules or runtime is None:
        return None
    nccl = _call(modules.get("cupy_backends.cuda.libs.nccl"), "get_version")
    return {"cuda": _written(_call(runtime, "runtimeGetVersion")), "nccl": _written(nccl)}


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, str] | None]] = MappingProxyType(
    {"torch": _torch, "tensorflow": _tensorflow, "jax": _jax, "cupy": _cupy}
)


def _call(owner: object, name: str) -> Any:
    """What a function without arguments gives; None where this build of the library lacks it."""
    function = getattr(owner, name, None)
    if function is None:
        return None
    try:
        return function()
    except (AttributeError, RuntimeError, OSError):
        return None


def _written(version: Any) -> str:
    if isinstance(version, tuple):
        return ".".join(map(str, version))
    return "" if version is None else str(version)
