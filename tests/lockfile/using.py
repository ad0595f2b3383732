"""All that is done with the text of a lockfile: nothing but the documented error may come out of it."""

from __future__ import annotations

from pytest_mlrepro.balance import contrast
from pytest_mlrepro.divergence import align
from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.lockfile import dumps, loads, parts
from pytest_mlrepro.lockfile.codec import read_whole
from pytest_mlrepro.report import differences, divergences, environments, machine, markdown, text

WHERE = "mlrepro.lock"


def read(content):
    """The run that a text holds, read by sections and as a whole; None where it is refused, as the docs say."""
    try:
        by_sections = parts.read(content, WHERE)
        if by_sections is not None:
            # As text: NaN is NaN, and the order counts too.
            assert repr(by_sections) == repr(read_whole(content, WHERE))
        return loads(content, WHERE)
    except LockfileError as error:
        told = str(error)
        assert len(told.split("\n")) == 2, told
        assert len(told) < 2_000, told
        return None


def use(run, other):
    """Write and show a run, and compare it with another, both ways and in every form."""
    again = dumps(run)
    assert dumps(loads(again)) == again
    list(text.table(run))
    list(environments.lines(run))
    machine.written(environments.document(run))
    machine.written(machine.facts(run))
    for before, after in ((other, run), (run, other)):
        terms = Terms(baseline=before)
        total = contrast(after, terms)
        list(differences.lines(total, terms))
        aligned = align(before, after)
        list(divergences.lines(aligned, total))
        divergences.plain(aligned, total)
        document = machine.document(total, terms, exitstatus=1)
        machine.written(document)
        markdown.written(document)
        for judgement in total.judgements:
            if judgement.red:
                text.failure(judgement, {}, lockfile=WHERE, selection="")


def nearest(run, runs):
    """The run with the most subjects in common."""
    return max(runs, key=lambda each: len(each.subjects.keys() & run.subjects.keys()))
