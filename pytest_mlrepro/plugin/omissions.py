"""Notice what a process leaves out of the suite: what is not run is not gone."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator
from functools import cached_property
from pathlib import Path

import pytest

from pytest_mlrepro.subjects import looks_like_test

_NO_VALUES = "got empty parameter set"
"""How pytest begins to say why it skips a test that is parametrized with nothing."""


class Omissions:
    """Watches a process collect its tests.

    Attributes:
        partial: whether it left out any that the suite has, or may have.
    """

    def __init__(self, config: pytest.Config, subjects: Collection[str]) -> None:
        """Make one.

        Args:
            config: of the run.
            subjects: those with a baseline: what is ignored counts where one of them lives there.
        """
        # pytest-repeat gives every test other names.
        self.partial = getattr(config.option, "count", 1) not in (None, 1)
        self._root = config.rootpath
        self._items: list[pytest.Item] = []
        self._subjects = subjects
        self._looked_into: set[str] = set()

    @cached_property
    def _homes(self) -> frozenset[Path]:
        """The files that subjects live in, and the folders that those lie in."""
        names = {subject.partition("::")[0] for subject in self._subjects if "::" in subject}
        files = {self._root / name for name in names}
        return frozenset(files.union(*(file.parents for file in files)))

    @pytest.hookimpl(wrapper=True)
    def pytest_ignore_collect(self, collection_path: Path) -> Generator[None, bool | None, bool | None]:
        ignored = yield
        if ignored and collection_path in self._homes:
            self.partial = True
        return ignored

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        # A module that failed or skipped itself.
        self.partial = self.partial or not report.passed
        self._looked_into.add(str(report.nodeid).partition("::")[0])

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        self._items.append(item)
        # Where the values were to come from is missing today, perhaps: a folder, a download.
        reasons = [str(mark.kwargs.get("reason")) for mark in item.iter_markers()]
        self.partial = self.partial or any(reason.startswith(_NO_VALUES) for reason in reasons)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        # Not everybody who takes tests out of the list says so by pytest_deselected.
        left = set(map(id, session.items))
        self.partial = self.partial or any(id(item) not in left for item in self._items)
        self._items.clear()
        # A file that is there and was not looked into, for another python_files or testpaths, say.
        self.partial = self.partial or any((self._root / name).is_file() for name in self._passed_over())

    def _passed_over(self) -> Iterator[str]:
        """The files of tests that were not looked into."""
        seen = {*self._looked_into}
        for subject in self._subjects:
            name = subject.partition("::")[0]
            if name not in seen and looks_like_test(subject):
                seen.add(name)
                yield name

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        self.partial = self.partial or bool(items)
