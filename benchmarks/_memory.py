"""How much memory a fingerprint takes above that of its input, measured in a process of its own an input."""

from __future__ import annotations

import ctypes
import gc
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from _inputs import INPUTS
from _rounds import verdict

from pytest_mlrepro import fingerprint

HEAD = ("input", "MiB", "ours, full: MiB above it", "target", "verdict")

LIMIT = 64
"""MiB above the input, for everything but columns of Python objects."""


def memory_row(name: str, scale: float) -> list[str]:
    """Measured in a process of its own, so that nothing that ran before has left memory to be used again."""
    command = [sys.executable, __file__, name, str(scale)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return [name, "", f"failed: {done.stderr.strip().splitlines()[-1]}", "", ""]
    size, extra = map(float, done.stdout.split())
    if extra < 0:
        return [name, f"{size:.0f}", "not measured: needs /proc of Linux", "", ""]
    bounded = name != "pandas, objects"
    said = [f"<= {LIMIT}", verdict(extra <= LIMIT)] if bounded else ["", ""]
    return [name, f"{size:.0f}", f"{extra:.0f}", *said]


def _extra_memory(name: str, scale: float) -> str:
    """MiB of the input, and how far the process grew above it at most while it was fingerprinted; -1 for unknown."""
    fingerprint(INPUTS[name](1e-4).value)  # imports, and what libraries set up once
    subject = INPUTS[name](scale)
    size = subject.size / 2**20
    value, ordered = subject.value, subject.ordered
    del subject
    gc.collect()
    _give_back()
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        before = _status("VmRSS")
        fingerprint(value, ordered=ordered)
        return f"{size} {(_status('VmHWM') - before) / 1024}"
    except OSError:
        return f"{size} -1"


def _give_back() -> None:
    """Return freed memory to the system, so that ours has to ask for what it uses."""
    with suppress(ImportError):
        import pyarrow as pa

        pa.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _status(key: str) -> int:
    """A number of kB that the kernel keeps of this process."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))


if __name__ == "__main__":
    print(_extra_memory(sys.argv[1], float(sys.argv[2])))
