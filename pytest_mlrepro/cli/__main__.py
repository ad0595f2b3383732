"""``python -m pytest_mlrepro.cli``."""

from __future__ import annotations

import sys

from pytest_mlrepro.cli import main

if __name__ == "__main__":
    sys.exit(main())
