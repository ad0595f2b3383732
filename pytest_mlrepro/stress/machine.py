"""What decides, on this machine, which other conditions a test can be put under."""

from __future__ import annotations

import locale
import os
import platform
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_mlrepro.environment import cpu
from pytest_mlrepro.environment.blas import pools

_LOCALES = ("tr_TR.UTF-8", "de_DE.UTF-8", "fr_FR.UTF-8", "es_ES.UTF-8", "ja_JP.UTF-8", "en_US.UTF-8")
_PLAIN = ("C", "POSIX", "C.UTF-8", "C.UTF8", "C.utf8", "")
_ZONES = Path("/usr/share/zoneinfo")


@dataclass(frozen=True, slots=True)
class Machine:
    """The conditions here.

    Attributes:
        hash_seed: the seed of the hashes of text that the project asks for; ``0`` where it asks for none.
        ahead: how far local time is ahead of UTC, in seconds.
        zones: whether the system knows time zones by their names.
        locale: an installed one that is not in use; empty where there is none.
        system: ``linux``, ``darwin``, ``win32`` ...
        processor: ``x86_64``, ``arm64`` ...
        glibc: whether that is the C library.
        cores: that may be used.
        blas: the names of the loaded libraries for linear algebra.
        kernels: the processors whose kernels they have chosen.
        simd: the instruction sets that numpy can be told to leave alone.
    """

    hash_seed: str = "0"
    ahead: int = 0
    zones: bool = True
    locale: str = ""
    system: str = "linux"
    processor: str = "x86_64"
    glibc: bool = True
    cores: int = 1
    blas: tuple[str, ...] = ()
    kernels: tuple[str, ...] = ()
    simd: tuple[str, ...] = ()

    @classmethod
    def here(cls) -> Machine:
        """This one; numpy is loaded to be asked."""
        told = os.environ.get("PYTHONHASHSEED", "")
        simd, found = _simd(), [pool for pool in pools() if pool.api == "blas"]
        return cls(
            hash_seed=told if told.isdecimal() else "0",
            ahead=time.localtime().tm_gmtoff,
            zones=_ZONES.is_dir(),
            locale=_other_locale(os.environ),
            system=sys.platform,
            processor=cpu.architecture(),
            glibc=platform.libc_ver()[0] == "glibc",
            cores=cpu.cores() or 1,
            blas=tuple(dict.fromkeys(pool.name for pool in found)),
            kernels=tuple(dict.fromkeys(pool.architecture for pool in found if pool.architecture)),
            simd=simd,
        )


def _simd() -> tuple[str, ...]:
    """What numpy chooses when it runs and this processor has: by the names that this numpy gives them."""
    import numpy as np

    name = "_multiarray_umath"
    core = np._core if hasattr(np, "_core") else np.core
    module = vars(getattr(core, name))
    features: Mapping[str, bool] = module.get("__cpu_features__", {})
    return tuple(feature for feature in module.get("__cpu_dispatch__", ()) if features.get(feature))


def _other_locale(environment: Mapping[str, str]) -> str:
    """An installed locale other than the one in use; the C locale where one with a language is."""
    used = next(filter(None, (environment.get(name) for name in ("LC_ALL", "LC_COLLATE", "LANG"))), "")
    if used not in _PLAIN:
        return "C"
    before = locale.setlocale(locale.LC_COLLATE)
    try:
        return next((name for name in _LOCALES if _is_installed(name)), "")
    finally:
        locale.setlocale(locale.LC_COLLATE, before)


def _is_installed(name: str) -> bool:
    try:
        locale.setlocale(locale.LC_COLLATE, name)
    except locale.Error:
        return False
    return True
