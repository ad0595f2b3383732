"""``mlrepro review``: the drifts of a recorded run one at a time, and what a person says to each."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_mlrepro.adoption import Adoption
from pytest_mlrepro.balance import contrast
from pytest_mlrepro.cli import accept, keys, recorded
from pytest_mlrepro.cli.common import FINE
from pytest_mlrepro.cli.recorded import Recorded
from pytest_mlrepro.config import Config
from pytest_mlrepro.errors import ConfigError
from pytest_mlrepro.model import Drift, Run, Suspect, Tolerance
from pytest_mlrepro.report import text
from pytest_mlrepro.visible import line, lines, visible

_REJECTED, _INTERRUPTED = 1, 2
_ACCEPT, _REJECT, _SKIP, _SUSPECTS, _QUIT = "a", "r", "s", "u", "q"
_QUESTION = "[a]ccept, [r]eject, [s]kip, s[u]spects, [q]uit? "
_HELP = (
    "  a  accept it: it is written at the end\n"
    "  r  reject it: the baseline is right, and the exit status is 1\n"
    "  s  skip it: decide another time\n"
    "  u  show what may be behind it\n"
    "  q  skip all that is left, and write what was accepted"
)


@dataclass(frozen=True, slots=True)
class Question:
    """Facts of one subject that are accepted together: one drift, or all facts of a new subject."""

    subject: str
    lines: tuple[str, ...]
    addresses: frozenset[str]
    suspects: tuple[Suspect, ...] = ()


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    command = commands.add_parser(
        "review",
        help="accept or reject what drifted in a recorded run, one drift at a time",
        description="Go through the drifts of a run that pytest --mlrepro-record wrote, results first within each "
        "subject, and answer each with a key: accept, reject, skip, show suspects, quit. Where the input is no "
        "terminal an answer is a line. What was accepted is written after the last answer, in one piece; Ctrl-C "
        "writes nothing.",
        epilog="example: mlrepro review run.lock; exit status 1 if something was rejected",
    )
    recorded.arguments(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace, project: Config) -> int:
    """Ask, then write what was accepted.

    Returns:
        0; 1 where a drift was rejected, 2 where somebody pressed Ctrl-C.

    Raises:
        MlreproError: if a file cannot be used, a name means nothing, or the answers end too early.
    """
    work = recorded.read(options, project)
    questions = list(_questions(work, work.adoption(work.choice(options.names))))
    if not questions:
        print(line(f"nothing in {work.shown} differs from {work.called}"))
        return FINE
    answers: list[str] = []
    try:
        for question in questions:
            answers.append(_ask(question, f"[{len(answers) + 1}/{len(questions)}]"))
            if answers[-1] == _QUIT:
                break
    except KeyboardInterrupt:
        print("\n" + line(f"interrupted: {work.called} is as it was, nothing was accepted"))
        return _INTERRUPTED
    except EOFError:
        print()
        raise ConfigError(
            f"the answers end after {len(answers)} of {len(questions)}; nothing was accepted",
            where="standard input",
            remedy="run it on a terminal, or give a line an answer; q ends early",
        ) from None
    return _settled(work, questions, answers)


def _settled(work: Recorded, questions: Sequence[Question], answers: Sequence[str]) -> int:
    taken = {
        (question.subject, address)
        for question, given in zip(questions, answers, strict=False)
        if given == _ACCEPT
        for address in question.addresses
    }
    rejected, accepted = answers.count(_REJECT), answers.count(_ACCEPT)
    left = len(questions) - accepted - rejected
    print(line(f"{accepted} accepted, {rejected} rejected, {left} left for another time"))
    if taken:
        accept.settle(work, work.adoption(lambda *place: place in taken))
    else:
        print(line(text.outcome(None, work.called, work.terms)))
    return _REJECTED if rejected else FINE


def _ask(question: Question, count: str) -> str:
    print("\n" + lines([f"{count} {question.subject}", *question.lines]))
    while True:
        print(_QUESTION, end="", flush=True)
        given = keys.answer()
        print(given if given.isprintable() else "")
        if given in (_ACCEPT, _REJECT, _SKIP, _QUIT):
            return given
        print(lines(_suspected(question)) if given == _SUSPECTS else _HELP)


def _suspected(question: Question) -> Iterator[str]:
    if not question.suspects:
        yield "  none: nothing else that was recorded and may be behind it has changed"
    for suspect in question.suspects:
        drift = suspect.drift
        whose = "" if drift.subject == question.subject else f" ({visible(drift.subject)})"
        yield f"  {visible(f'{drift.address}: {suspect.sentence}')}{whose}"


def _questions(work: Recorded, adoption: Adoption) -> Iterator[Question]:
    old, new = adoption.sides(work.lockfile)
    whole = contrast(work.run, replace(work.terms, update=False, baseline=_of(work, work.run)))
    suspects = {
        (each.drift.subject, each.drift.address): each.suspects
        for judgement in whole.judgements
        for each in (*judgement.failed, *judgement.warned)
    }
    terms = replace(work.terms, baseline=old)
    for judgement in contrast(new, terms).judgements:
        drifts = sorted(judgement.comparison.drifts, key=lambda drift: drift.facet != "results")
        known = work.terms.baseline is not None and judgement.subject in work.terms.baseline
        if drifts and not known:
            lines = tuple(text.accepted([judgement], [judgement.subject], terms))
            yield Question(judgement.subject, lines[1:], frozenset(new.facts(judgement.subject)))
            continue
        yield from (_one(drift, suspects, terms.tolerance) for drift in drifts)


def _of(work: Recorded, run: Run) -> Run:
    """The baseline of what was recorded: a test that did not run is no drift."""
    known = work.terms.baseline or Run()
    return Run({subject: known.facts(subject) for subject in run.subjects if subject in known})


def _one(
    drift: Drift, suspects: Mapping[tuple[str, str], tuple[Suspect, ...]], tolerance: Tolerance
) -> Question:
    return Question(
        drift.subject,
        (f"  {text.line(drift, tolerance)}",),
        frozenset({drift.address}),
        suspects.get((drift.subject, drift.address), ()),
    )
