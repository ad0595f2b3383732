"""Where progress is told: on pytest's terminal, past what captures the output of tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest


def terminal(config: pytest.Config) -> Callable[[str], None] | None:
    """What writes to the terminal of a run; None where it has none."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not reporter.isatty:
        return None
    manager = config.pluginmanager.get_plugin("capturemanager")

    def write(text: str) -> None:
        if manager is None:
            reporter.write(text, flush=True)
            return
        with manager.global_and_fixture_disabled():
            reporter.write(text, flush=True)

    return write
