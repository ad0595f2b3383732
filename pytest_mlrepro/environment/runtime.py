"""Python, the operating system and the C library."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Mapping
from pathlib import Path


def python() -> str:
    """Implementation, version and what sets the build apart: ``CPython 3.13.1 free-threaded``."""
    parts = [platform.python_implementation(), platform.python_version()]
    # The flag of the build, where there is one; the lock itself can be switched on at run time.
    if "t" in getattr(sys, "abiflags", ""):
        parts.append("free-threaded")
    if sys.maxsize < 2**32:
        parts.append("32 bit")
    return " ".join(parts)


def operating_system() -> str:
    """``Linux``, ``Darwin``, ``Windows`` ...; empty where it is unknown."""
    return platform.system()


def release() -> str:
    """The operating system's distribution and version, such as ``debian 12.5``; empty where it is unknown.

    The kernel's release is no part of it: it moves no number.
    """
    if sys.platform == "darwin":
        return f"macos {platform.mac_ver()[0]}"
    if sys.platform == "win32":
        return f"windows {platform.version()}"
    try:
        described = platform.freedesktop_os_release()
    except OSError:
        return ""
    return linux_release(described, debian_version=_first_line(Path("/etc/debian_version")))


def linux_release(described: Mapping[str, str], *, debian_version: str = "") -> str:
    """The same from the fields of ``/etc/os-release``, which name the patch level in different places."""
    name = described.get("ID", "linux")
    texts = [described.get("VERSION_ID", ""), described.get("VERSION", "")]
    if name == "debian":
        texts.append(debian_version)
    numbers = (re.match(r"\d+(\.\d+)*", text) for text in texts)
    version = max((match.group() for match in numbers if match), key=len, default="")
    return f"{name} {version}".rstrip()


def libc() -> str:
    """The C library, such as ``glibc 2.36``; empty where it is unknown."""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, ValueError, OSError):
        # Windows; macOS; musl, which tells its version only to who runs its loader.
        return "musl" if any(Path("/lib").glob("ld-musl-*")) else ""


def _first_line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").partition("\n")[0].strip()
    except OSError:
        return ""
