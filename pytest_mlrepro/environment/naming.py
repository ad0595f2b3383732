"""The name of an environment: what decides most about its numbers, in a word that fits a table's name."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from pytest_mlrepro.errors import ConfigError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_SYSTEMS = {"darwin": "macos"}
_ARCHITECTURES = {"amd64": "x86_64", "aarch64": "arm64", "i686": "x86", "i386": "x86"}
_IMPLEMENTATIONS = {"cpython": "py", "pypy": "pypy"}
_NO_DEVICE = ("", "-1", "none", "NoDevFiles")


def default_name(environ: Mapping[str, str] | None = None, *, devices: Path = Path("/dev")) -> str:
    """Operating system, architecture, Python's minor version and accelerator: ``linux-x86_64-py311-cuda``.

    Args:
        environ: the environment variables; default those of the process.
        devices: the folder of device files.
    """
    import platform

    system, machine = platform.system().lower(), platform.machine().lower()
    known = _IMPLEMENTATIONS.get(sys.implementation.name, sys.implementation.name)
    threading = "t" if "t" in getattr(sys, "abiflags", "") else ""
    parts = [
        _SYSTEMS.get(system, system),
        _ARCHITECTURES.get(machine, machine),
        f"{known}{sys.version_info.major}{sys.version_info.minor}{threading}",
        accelerator(os.environ if environ is None else environ, devices=devices),
    ]
    return "-".join(re.sub(r"[^A-Za-z0-9._+-]", "_", part) for part in parts if part)


def accelerator(environ: Mapping[str, str], *, devices: Path = Path("/dev")) -> str:
    """``cuda`` or ``rocm`` where a process could compute on such a device; empty where it could not.

    No driver is asked and no library imported: the device files tell, and the variables that hide them.
    """
    if environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in _NO_DEVICE:
        return ""
    # A number behind the name: the control device alone is there without any GPU too.
    if any(re.fullmatch(r"nvidia\d+", each.name) for each in devices.glob("nvidia[0-9]*")):
        return "cuda"
    if sys.platform == "win32":
        from shutil import which

        if which("nvidia-smi") is not None:
            return "cuda"
    if (devices / "kfd").exists() and environ.get("HIP_VISIBLE_DEVICES", "0").strip() not in _NO_DEVICE:
        return "rocm"
    return ""


def parse_name(name: str, where: str) -> str:
    """Check a name that somebody gave to an environment.

    Raises:
        ConfigError: if it is none; it says which characters one may have.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} is no name of an environment: up to 64 letters, digits and . _ + -, a letter or digit first",
            where=where,
            remedy="for instance: linux-gpu; or leave it out for a name made from the machine",
        )
    return name
