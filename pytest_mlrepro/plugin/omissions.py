"""Notice what a process leaves out of the suite: what is not run is not gone."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from pathlib import Path

import pytest


class Omissions:
    """Watches a process collect its tests.

    Attributes:
        partial: whether it left out any that the suite has, or may have.
    """

    def __init__(self, root: Path, subjects: Iterable[str]) -> None:
        """Make one.

        Args:
            root: the folder that subjects start from.
            subjects: those with a baseline: what is ignored counts where one of them lives there.
        """
        self.partial = False
        self._items: list[pytest.Item] = []
        files = {root / subject.partition("::")[0] for subject in subjects if "::" in subject}
        self._homes = files | {folder for file in files for folder in file.parents}

    @pytest.hookimpl(wrapper=True)
    def pytest_ignore_collect(self, collection_path: Path) -> Generator[None, bool | None, bool | None]:
        ignored = yield
        if ignored and collection_path in self._homes:
            self.partial = True
        return ignored

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        # A module that failed or skipped itself.
        self.partial = self.partial or not report.passed

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        self._items.append(item)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        # Not everybody who takes tests out of the list says so by pytest_deselected.
        left = set(map(id, session.items))
        self.partial = self.partial or any(id(item) not in left for item in self._items)
        self._items.clear()

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        self.partial = self.partial or bool(items)
