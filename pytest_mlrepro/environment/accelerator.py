"""What loaded libraries compute with on a GPU.

Nothing here starts a library's GPU runtime: only what a test has started itself is asked.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import ctypes

    from pytest_mlrepro.environment.devices import Device

_CUBLAS = ("libcublas.so.13", "libcublas.so.12", "libcublas.so.11")


class Toolkit(NamedTuple):
    """What a library that computes on a GPU does so with.

    Attributes:
        module: the library's top-level module.
        versions: of ``cuda``, ``cudnn``, ``cublas``, ``nccl``, ``rocm``, as the library writes them.
        devices: the GPUs as the library sees them; none where it does not tell.
    """

    module: str
    versions: Mapping[str, str]
    devices: tuple[Device, ...] = ()


def toolkits(modules: Mapping[str, Any]) -> tuple[Toolkit, ...]:
    """The loaded libraries that have started to compute on a GPU.

    Args:
        modules: the loaded modules by name.
    """
    return tuple(filter(None, (_toolkit(module, modules) for module in _READERS)))


def _toolkit(module: str, modules: Mapping[str, Any]) -> Toolkit | None:
    versions = _READERS[module](modules)
    if versions is None:
        return None
    if versions.get("cuda"):
        versions = {**versions, "cublas": _cublas()}
    devices = _DEVICES[module](modules) if module in _DEVICES else ()
    return Toolkit(module, {name: text for name, text in versions.items() if text}, tuple(devices))


def _cublas() -> str:
    """The version of cuBLAS in this process; empty where none is loaded."""
    if sys.platform != "linux":
        return ""
    import ctypes

    for name in _CUBLAS:
        try:
            # Never loads it: that would change the process.
            library = ctypes.CDLL(name, mode=os.RTLD_NOLOAD | os.RTLD_NOW)
            return ".".join(str(_property(library, number)) for number in range(3))
        except (OSError, AttributeError):
            continue
    return ""


def _property(library: ctypes.CDLL, number: int) -> int:
    """One of ``MAJOR_VERSION``, ``MINOR_VERSION`` and ``PATCH_LEVEL`` of CUDA's ``libraryPropertyType``."""
    from ctypes import byref, c_int

    value = c_int()
    library.cublasGetProperty(number, byref(value))
    return value.value


def _torch_devices(modules: Mapping[str, Any]) -> Iterator[Device]:
    cuda = modules.get("torch.cuda")
    if cuda is None:
        return
    from pytest_mlrepro.environment.devices import Device

    for number in range(_call(cuda, "device_count") or 0):
        found = cuda.get_device_properties(number)
        # "gfx942:sramecc+:xnack-" tells features too; builds for CUDA repeat the name there.
        architecture = str(getattr(found, "gcnArchName", "")).partition(":")[0]
        is_amd = architecture.startswith("gfx")
        capability = architecture if is_amd else f"{found.major}.{found.minor}"
        # An instance of a divided GPU is called "NVIDIA H100 80GB HBM3 MIG 1g.10gb".
        yield Device(found.name, capability, found.multi_processor_count, mig=" MIG " in found.name)


def _jax_devices(modules: Mapping[str, Any]) -> Iterator[Device]:
    from pytest_mlrepro.environment.devices import Device

    backends = getattr(modules.get("jax._src.xla_bridge"), "_backends", {})
    for name in sorted({"cuda", "gpu", "rocm"} & backends.keys()):
        for each in _call(backends[name], "local_devices") or ():
            capability = str(getattr(each, "compute_capability", ""))
            model = str(getattr(each, "device_kind", "unknown"))
            yield Device(model, capability, int(getattr(each, "core_count", 0) or 0), mig=" MIG " in model)


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


_DEVICES: Mapping[str, Callable[[Mapping[str, Any]], Iterable[Device]]] = MappingProxyType(
    {"torch": _torch_devices, "jax": _jax_devices}
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
