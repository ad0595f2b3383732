"""What the guard raises in its mode ``fail``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_mlrepro.visible import lines

if TYPE_CHECKING:
    from pytest_mlrepro.guard.site import Site


class UnpinnedError(BaseException):
    """A test used unpinned randomness where that is forbidden, raised at the call.

    It is no ``Exception``: the code under test shall not take it for a failure of its own that it can do without.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        super().__init__(site)

    def __str__(self) -> str:
        return message(self.site)


def message(site: Site) -> str:
    """What a test fails with that used unpinned randomness."""
    return lines(
        (
            f"mlrepro: unpinned randomness: {site} (in {site.function})",
            site.remedy,
            "The guard was told to fail such tests: --mlrepro-guard=warn only reports them, =pin pins them.",
        )
    )
