"""A run in GitHub Actions: annotations in its output, and the Markdown report in the summary of its job."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_mlrepro.model import SESSION
from pytest_mlrepro.report import github, markdown
from pytest_mlrepro.report.github import Place


class GitHub:
    """In the process that reports, where the variables of a job of GitHub Actions are set."""

    def __init__(self, environ: Mapping[str, str], root: Path, lockfile: Path) -> None:
        """Make one.

        Args:
            environ: the environment variables.
            root: the folder that node ids start from.
            lockfile: its path.
        """
        self._workspace = Path(environ.get("GITHUB_WORKSPACE") or root)
        self._summary = environ.get("GITHUB_STEP_SUMMARY", "")
        self._root = root
        self._lockfile = lockfile
        self._places: dict[str, Place] = {}
        self._document: Mapping[str, Any] | None = None
        self._problem = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        from pytest_mlrepro.plugin.items import NAME

        file, line, _ = report.location
        self._places[getattr(report, NAME, report.nodeid)] = (file, None if line is None else line + 1)

    def take(self, document: Mapping[str, Any]) -> None:
        """Write the summary, and keep what is to be annotated."""
        self._document = document
        if not self._summary:
            return
        try:
            with Path(self._summary).open("a", encoding="utf-8") as file:
                file.write(f"\n{markdown.written(document)}")
        except OSError as error:
            # The verdict does not hang on it.
            self._problem = f"mlrepro: the job's summary cannot be written: {error.strerror}"

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._problem:
            terminalreporter.write_line(self._problem)
        if self._document is not None:
            for line in github.commands(self._document, self._place):
                terminalreporter.write_line(line)

    def _place(self, subject: str) -> Place:
        """Where a subject is: a test's line, the file of a fixture, the lockfile for the environment."""
        if subject == SESSION:
            return self._below(self._lockfile), None
        file, line = self._places.get(subject, (subject.partition("::")[0], None))
        path = self._root / file
        return (self._below(path), line) if path.is_file() else ("", None)

    def _below(self, path: Path) -> str:
        try:
            shown = Path(os.path.relpath(path, self._workspace))
        except ValueError:
            # Another drive.
            return ""
        return "" if ".." in shown.parts else shown.as_posix()
