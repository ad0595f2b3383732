"""GPUs, and the driver that lists them, asked by its own program so that no GPU runtime is started."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from pytest_mlrepro.environment.asking import SECONDS, ask

# The first columns are those of Device; older drivers do not know the last ones.
_QUERIES = (
    "name,driver_version,compute_cap,mig.mode.current",
    "name,driver_version,compute_cap",
    "name,driver_version",
)


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU.

    Attributes:
        model: as its maker writes it.
        capability: the compute capability, such as ``9.0``, or the architecture, such as ``gfx942``.
        processors: how many streaming multiprocessors it has; 0 where nobody tells.
        mig: whether it is divided into instances.
    """

    model: str
    capability: str = ""
    processors: int = 0
    mig: bool = False

    def __str__(self) -> str:
        """Everything that can be compared."""
        parts = [self.model]
        if self.capability:
            # NVIDIA counts capabilities, AMD names architectures.
            is_number = self.capability[0].isdigit()
            parts.append(f"compute capability {self.capability}" if is_number else self.capability)
        if self.processors:
            parts.append(f"{self.processors} multiprocessors")
        if self.mig:
            parts.append("MIG")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Driver:
    """What NVIDIA's driver says.

    Attributes:
        version: its own; empty where it does not tell.
        devices: the GPUs of the machine.
        problem: why it told nothing, where it did not.
    """

    version: str = ""
    devices: tuple[Device, ...] = ()
    problem: str = ""


def nvidia_driver(seconds: float = SECONDS) -> Driver:
    """What NVIDIA's driver says of itself and of its GPUs.

    Args:
        seconds: how long to wait for an answer.
    """
    program = shutil.which("nvidia-smi")
    if program is None:
        return Driver(problem="there is no nvidia-smi to ask")
    problem = ""
    for query in _QUERIES:
        answer = ask([program, f"--query-gpu={query}", "--format=csv,noheader"], seconds)
        if rows := [row for line in answer.text.splitlines() if len(row := _row(line)) > 1]:
            return Driver(rows[0][1], tuple(map(_device, rows)))
        problem = f"nvidia-smi {answer.problem or 'lists no device'}"
        if "did not answer" in problem:
            break
    return Driver(problem=problem)


def _row(line: str) -> list[str]:
    return [field.strip() for field in line.split(",")]


def _device(row: list[str]) -> Device:
    model, _, capability, mig, *_ = (*row, "", "")
    return Device(model, capability, mig=mig == "Enabled")
