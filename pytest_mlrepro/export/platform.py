"""The Python and the machine that a lockfile was recorded on."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pytest_mlrepro.model import SESSION, Run

_PYTHON = re.compile(r"([A-Za-z]+) (\d+(?:\.\d+){1,2}(?:(?:a|b|rc)\d+)?)(?: .*)?")


@dataclass(frozen=True, slots=True)
class Platform:
    """As far as it is recorded; a text is empty where it is not.

    Attributes:
        python: such as ``CPython 3.13.1 free-threaded``.
        os: ``Linux``, ``Darwin``, ``Windows``.
        release: such as ``debian 12.5``, ``macos 14.5``.
        architecture: ``x86_64``, ``aarch64``, ``arm64``.
        libc: such as ``glibc 2.36``, ``musl``.
    """

    python: str = ""
    os: str = ""
    release: str = ""
    architecture: str = ""
    libc: str = ""

    @classmethod
    def of(cls, run: Run) -> Platform:
        """That of the session of a run."""
        facts = run.facts(SESSION)

        def told(key: str) -> str:
            fact = facts.get(f"libraries.{key}")
            return fact.value if fact is not None and isinstance(fact.value, str) else ""

        return cls(
            told("runtime.python"),
            told("runtime.os"),
            told("runtime.os_release"),
            told("cpu.architecture"),
            told("runtime.libc"),
        )

    @property
    def implementation(self) -> str:
        """``CPython``, ``PyPy``; empty where it is not recorded."""
        match = _PYTHON.fullmatch(self.python)
        return match[1] if match else ""

    @property
    def version(self) -> str:
        """Python's, such as ``3.13.1``; empty where it is not recorded."""
        match = _PYTHON.fullmatch(self.python)
        return match[2] if match else ""

    @property
    def is_usual(self) -> bool:
        """Whether it is CPython as it is built by default."""
        return self.python == f"CPython {self.version}"

    @property
    def described(self) -> str:
        """The machine for a reader: ``Linux (debian 12.5), x86_64, glibc 2.36``."""
        system = f"{self.os} ({self.release})" if self.os and self.release else self.os or self.release
        return ", ".join(part for part in (system, self.architecture, self.libc) if part)
