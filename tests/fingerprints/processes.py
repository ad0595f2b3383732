"""Other processes, as fingerprints must not depend on theirs."""

from __future__ import annotations

import os
import subprocess
import sys


def told(*arguments: object, **environment: str) -> str:
    """What another Python process prints, given nothing of this one's environment but where modules lie."""
    found = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        env={"OMP_NUM_THREADS": "1", **found, **environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
