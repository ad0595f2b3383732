"""``--mlrepro-guard=fail``: the test fails in which something took randomness that no seed decides."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_mlrepro.guard import UnpinnedError, message
from pytest_mlrepro.plugin.stage import Drifted

if TYPE_CHECKING:
    from pytest_mlrepro.plugin.watching import Watching

__tracebackhide__ = True


class Refusing:
    """One a process, and only where the guard is to fail tests: each hook is on the path of every test."""

    def __init__(self, root: Path, watching: Watching) -> None:
        self._root = root
        self._watching = watching

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        outcome = yield
        if sites := self._watching.seen():
            # It was said at the call, to somebody who did not listen.
            raise Drifted(message(sites[0]))
        return outcome

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        if call.excinfo is not None and isinstance(call.excinfo.value, UnpinnedError):
            self._cut(call.excinfo.value)

    def _cut(self, error: UnpinnedError) -> None:
        """Let the traceback end at the site: what the libraries do below it is nobody's concern."""
        file = str(self._root / error.site.file)
        step = error.__traceback__
        while step is not None:
            if step.tb_frame.f_code.co_filename == file and step.tb_lineno == error.site.line:
                step.tb_next = None
            step = step.tb_next
