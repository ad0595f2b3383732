"""What other plugins call when they seed everything: within a pinned region that ends with the region's seed."""

from __future__ import annotations

import sys


def reseed(seed: int) -> None:
    """Pin again what is pinned now; where nothing is, do nothing.

    Published as ``pytest_randomly.random_seeder``: pytest-randomly seeds ``random``, numpy and whatever others
    publish there, before each phase of each test, and calls this as one of them.

    Args:
        seed: what the others were seeded with. It does not count: a pinned test has its own.
    """
    # Every run with pytest-randomly loads this module: what pins is not imported for its sake.
    watch = sys.modules.get("pytest_mlrepro.seeding.watch")
    if watch is None:
        return
    # A region that is open has its watch there: nothing else in the process says which one it is.
    for finder in tuple(sys.meta_path):
        if isinstance(finder, watch.ImportWatch) and finder.armed:
            finder.again()
