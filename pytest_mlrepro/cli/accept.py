"""``mlrepro accept``: take facts of a recorded run into the lockfile, without running anything."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from pytest_mlrepro.adoption import Adoption
from pytest_mlrepro.balance import Sum, contrast
from pytest_mlrepro.cli import recorded
from pytest_mlrepro.cli.common import FINE, show
from pytest_mlrepro.cli.recorded import Recorded
from pytest_mlrepro.config import Config
from pytest_mlrepro.explain import explain
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.lockfile import update_lockfile
from pytest_mlrepro.model import Run
from pytest_mlrepro.report import machine, text
from pytest_mlrepro.report.plain import plain


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    command = commands.add_parser(
        "accept",
        help="take facts of a recorded run into the lockfile, without running anything",
        description="Accept facts of a run that pytest --mlrepro-record wrote, for instance in a job of CI that "
        "trained for hours, as if --mlrepro-update had been given there. Only the environment that the run was "
        "recorded in gets other values; one that is new is accepted with all that it is made of. A recorded run holds "
        "what drifted too, and all of it is accepted unless facts are named; look first: mlrepro diff RUN. It does not "
        "hold tests that failed by themselves, were skipped, or did not run: these keep their baselines. Baselines of "
        "tests that no longer exist are dropped by pytest --mlrepro-update only.",
        epilog="example: mlrepro accept run.lock tests/test_model.py 'results.*.f1'",
    )
    recorded.arguments(command)
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=run)


def run(options: argparse.Namespace, project: Config) -> int:
    """Accept, and say what.

    Returns:
        0.

    Raises:
        MlreproError: if a file cannot be used, or a name means nothing.
    """
    work = recorded.read(options, project)
    adoption = work.adoption(work.choice(options.names))
    return settle(work, adoption, in_json=options.json)


def settle(work: Recorded, adoption: Adoption, *, in_json: bool = False) -> int:
    """Write what is accepted in one atomic replacement, and print it.

    Raises:
        MlreproError: if the lockfile cannot be written; it is then as it was.
    """
    held: list[Run] = []

    def change(before: Run) -> Run:
        # Another update may have come in between: what is told is what was replaced.
        held.append(before)
        return adoption(before)

    written = update_lockfile(work.path, change, shown=work.called)
    (before,) = held
    total, terms = judged(adoption, before, work.terms)
    refused = adoption.refused(before)
    if in_json:
        document = _document(work, total, terms, written=written, refused=refused)
        show(document)
        return FINE
    lines = [*text.accepted(total.judgements, [each.subject for each in total.judgements], terms)]
    lines += [*_left(work, refused)]
    show([*lines, text.outcome(written, work.called, terms)])
    return FINE


def judged(adoption: Adoption, before: Run, terms: Terms) -> tuple[Sum, Terms]:
    """What the chosen facts are against the lockfile, and the terms of that comparison."""
    old, new = adoption.sides(before)
    own = replace(terms, baseline=old)
    return contrast(new, own), own


def _left(work: Recorded, refused: Sequence[str]) -> Iterator[str]:
    for subject in refused:
        whole = shlex.join(["mlrepro", "accept", work.shown, subject])
        yield f"not accepted: {subject} is new, and has no baseline for its other facts; accept all of it: {whole}"


def _document(
    work: Recorded, total: Sum, terms: Terms, *, written: bool, refused: Sequence[str]
) -> dict[str, Any]:
    return {
        "run": work.shown,
        "lockfile": plain(work.called),
        "environment": terms.environment,
        "written": written,
        "accepted": [
            machine.change(explain((drift,), tolerance=terms.tolerance)[0]) for drift in total.drifts()
        ],
        "refused": [plain(subject) for subject in refused],
    }
