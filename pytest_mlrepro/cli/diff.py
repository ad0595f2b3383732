"""``mlrepro diff``: what differs between two versions of the lockfile, or recorded runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_mlrepro.balance import Sum, contrast
from pytest_mlrepro.cli import judging, views
from pytest_mlrepro.cli.common import DRIFTED, FINE, add_options, check_facets, lockfile, of_facets, show
from pytest_mlrepro.cli.sides import Side, seen_by, sides
from pytest_mlrepro.config import Config
from pytest_mlrepro.divergence import align, traced_once
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.history.renaming import renamed
from pytest_mlrepro.model import Drift, Run
from pytest_mlrepro.olddata import told
from pytest_mlrepro.report import comparisons, differences, divergences
from pytest_mlrepro.report.plain import plain
from pytest_mlrepro.visible import line


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    command = commands.add_parser(
        "diff",
        help="what differs between two versions of the lockfile, or recorded runs, with suspects",
        description="Compare the lockfile with its last commit (no argument), with another revision (REV), two "
        "revisions (REV REV, A..B), or a revision with its merge base (A...B); or with a run that pytest "
        "--mlrepro-record wrote (FILE), or two of those. What is a file is taken for one. Of two runs that were "
        "recorded with --mlrepro-trace, it names the first function that returned another value. Exit status 1: a "
        "drift.",
        epilog="example: mlrepro diff main...HEAD",
    )
    command.add_argument(
        "sides", nargs="*", metavar="REV|FILE", help="two at most; default: HEAD and the working lockfile"
    )
    add_options(
        command,
        environment="as this environment has it; default: what all share, then what each has of its own",
    )
    command.add_argument("--markdown", action="store_true", help="print Markdown")
    command.set_defaults(run=run, parser=command)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two runs, compared."""

    before: Run
    after: Run
    terms: Terms
    total: Sum

    @classmethod
    def of(cls, before: Run, after: Run, project: Config) -> _Pair:
        terms = judging.terms(project, before)
        return cls(before, after, terms, contrast(after, terms))


def run(options: argparse.Namespace, project: Config) -> int:
    """Print what differs.

    Returns:
        1 if a fact drifted whose policy is not to note, else 0.

    Raises:
        MlreproError: if one of the two cannot be read.
    """
    if len(options.sides) > 2:
        options.parser.error("two revisions or files at most")
    if options.json and options.markdown:
        options.parser.error("--json and --markdown: one of them")
    check_facets(options.facet)
    old, new, notes = sides(options.sides, lockfile(options, project))
    for note in notes:
        print(line(f"mlrepro: {note}"), file=sys.stderr)
    before, after = (of_facets(side.load(), options.facet) for side in (old, new))
    moved: Mapping[str, str] = {}
    if old.repository is not None:
        before, moved = renamed(before, after, old.repository, (old.commit, new.commit), project.root)
    shared, own = _compared(options, project, (old, before), (new, after))
    total = shared.total
    drifted = [*total.drifts(), *(drift for pair, drifts in own.values() for drift in drifts)]
    # Notes fail nothing in a run either: the same facts on another machine are no drift to gate on.
    status = DRIFTED if any(drift.policy != "note" for drift in drifted) else FINE
    aligned = align(shared.before, shared.after)
    if options.json or options.markdown:
        document = _document(shared, own, status)
        document |= {"before": _name(old), "after": _name(new), "renamed": dict(moved)}
        if shared.before.traces or shared.after.traces:
            document["traces"] = divergences.plain(aligned, total)
        if options.markdown:
            print(comparisons.markdown(document))
        else:
            show(document)
        return status
    lines = [f"{new_name} was {old_name}" for new_name, old_name in moved.items()]
    lines += differences.lines(total, shared.terms)
    for name, (pair, _) in own.items():
        lines += differences.own_lines(name, pair.total, pair.terms, [*total.drifts()])
    lines += told(total.drifts(), project.root)
    lines += [*divergences.lines(aligned, total)]
    lines += divergences.one_sided(traced_once(shared.before, shared.after), total)
    show(lines)
    return status


def _compared(
    options: argparse.Namespace, project: Config, old: tuple[Side, Run], new: tuple[Side, Run]
) -> tuple[_Pair, dict[str, tuple[_Pair, tuple[Drift, ...]]]]:
    """What all environments share, and by environment what differs in it alone."""
    (old_side, before), (new_side, after) = old, new
    if options.environment is not None:
        one = seen_by(before, after, options.environment, old_side.name)
        other = seen_by(after, before, options.environment, new_side.name)
        return _Pair.of(one, other, project), {}
    names = sorted({*before.environments, *after.environments})
    if old_side.repository is None and new_side.repository is None:
        pair = _Pair.of(views.alike(before, after), views.alike(after, before), project)
        # One run is in one environment: what others have of their own is not its matter.
        names = [] if 1 in (len(before.environments), len(after.environments)) else names
    else:
        one, other = (Run(each.subjects, each.traces) for each in (before, after))
        pair = _Pair.of(one, other, project)
    shared = [*pair.total.drifts()]
    own = {}
    for name in names:
        seen = _Pair.of(before.view(name), after.view(name), project)
        if drifts := differences.own(seen.total, shared):
            own[name] = seen, drifts
    return pair, own


def _document(shared: _Pair, own: dict[str, tuple[_Pair, tuple[Drift, ...]]], status: int) -> dict[str, Any]:
    document = comparisons.document(shared.total, shared.terms, status)
    document["environments"] = {
        name: comparisons.drifts(pair.total, pair.terms, drifts) for name, (pair, drifts) in own.items()
    }
    if any(drift.policy == "fail" for _, drifts in own.values() for drift in drifts):
        document["verdict"] = "drifted"
    return document


def _name(side: Side) -> dict[str, str]:
    return {"name": str(plain(side.name)), "commit": side.commit}
