"""First divergences as text and as plain types."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from pytest_mlrepro.balance import Sum
from pytest_mlrepro.divergence import Alignment, Divergence, Size, routine_of
from pytest_mlrepro.report.text import plural
from pytest_mlrepro.traces import Routine, Step


def lines(alignments: tuple[Alignment, ...], total: Sum) -> Iterator[str]:
    """What the traces of two runs say, a subject after the other; nothing of those that agree in every result too.

    Args:
        alignments: of the subjects that both runs have traces of.
        total: the comparison of the facts.
    """
    for each in alignments:
        if each.found:
            head, *rest = map(sentence, each.found)
            yield f"first divergence in {each.subject}: {head}"
            yield from (f"  then {further}" for further in rest)
            if each.differing > 1:
                yield f"  {each.differing:,} of the {each.compared:,} values that both traces have differ"
        elif results_drifted(each.subject, total):
            yield f"no divergence in {each.subject}: {agreement(each)}"
        if each.stopped and (each.found or results_drifted(each.subject, total)):
            yield f"  the traces are not whole: {each.stopped}"


def one_sided(pairs: Iterator[tuple[str, str]], total: Sum) -> Iterator[str]:
    """What to do about subjects whose results drifted, and of which only one run has a trace."""
    for subject, side in pairs:
        if results_drifted(subject, total):
            yield (
                f"{subject}: only the run {side} has a trace; record both with "
                "pytest --mlrepro-trace --mlrepro-record=PATH to find the first divergence"
            )


def results_drifted(subject: str, total: Sum) -> bool:
    """Whether a result of a subject has changed."""
    return any(drift.subject == subject and drift.facet == "results" for drift in total.drifts())


def agreement(alignment: Alignment) -> str:
    """What it means that traces agree and results do not."""
    if not alignment.compared:
        return "neither run has called a function of the project that could be traced"
    verb = "agrees" if alignment.compared == 1 else "all agree"
    count = plural(alignment.compared, "value")
    return (
        f"{count} of traced functions {verb}, so the difference arises outside of them: in the body of the test, in "
        "code that it calls in other libraries, or in what functions change in place"
    )


def sentence(divergence: Divergence) -> str:
    """One divergence."""
    if divergence.how == "calls":
        return _calls(divergence)
    routine = routine_of(divergence)
    verb = "yielded" if routine.yields else "returned"
    head = f"{_place(routine)} ({_number(divergence)}) {verb}"
    assert divergence.before is not None
    assert divergence.after is not None
    form = divergence.after.seen.form
    if divergence.how == "rounding":
        assert divergence.size is not None
        return f"{head} another value by rounding, {_figure(divergence.size)}: {form}"
    if divergence.how == "order":
        return f"{head} the same items in another order, as sets may: {form}"
    if divergence.how == "layout":
        return f"{head} the same values in another form: {divergence.before.seen.form} -> {form}"
    return f"{head} another value: {_difference(divergence.before, divergence.after, divergence.size)}"


def _difference(before: Step, after: Step, size: Size | None) -> str:
    old, new = before.seen, after.seen
    if old.form != new.form:
        return f"{old.form} -> {new.form}"
    if old.bag and old.bag == new.bag:
        what = "keys" if "dict" in new.form else "items"
        return f"{new.form}, the same {what} in another order"
    if size is None or (size.relative == 0 and old.digest != new.digest):
        return new.form
    if size.count == 1 and len(old.sketch.marks if old.sketch else ()) == 1:
        assert old.sketch is not None
        assert new.sketch is not None
        return f"{new.form} {old.sketch.marks[0]:g} -> {new.sketch.marks[0]:g}, difference {size.largest:.2g}"
    return f"{new.form}, {size.count:,} numbers, {_figure(size)}"


def _figure(size: Size) -> str:
    if size.largest is not None:
        return f"largest difference {size.largest:.2g}"
    if math.isinf(size.relative):
        return "in what is infinite or not a number"
    return f"about {size.relative:.2g} of their norm"


def _calls(divergence: Divergence) -> str:
    before, after, previous = divergence.before, divergence.after, divergence.previous
    behind = f"after {_place(previous.routine)}" if previous is not None else "at the first one"
    said = [
        f"{side} {_place(step.routine)}" if step is not None else f"{side} none"
        for side, step in (("before", before), ("now", after))
    ]
    return f"calls diverge {behind}: the next one to return is {', '.join(said)}"


def _place(routine: Routine) -> str:
    return f"{routine.file}:{routine.line} {routine.name}()"


def _number(divergence: Divergence) -> str:
    more = " or more" if divergence.more else ""
    noun = "item" if routine_of(divergence).yields else "call"
    return f"{noun} {divergence.number} of {divergence.numbers}{more}"


def plain(alignments: tuple[Alignment, ...], total: Sum) -> list[dict[str, Any]]:
    """The same in JSON's types, of every subject with two traces."""
    return [
        {
            "subject": each.subject,
            "compared": each.compared,
            "differing": each.differing,
            "stopped": each.stopped,
            "results_drifted": results_drifted(each.subject, total),
            "divergences": [_plain(found) for found in each.found],
        }
        for each in alignments
    ]


def _plain(divergence: Divergence) -> dict[str, Any]:
    routine = routine_of(divergence)
    size = divergence.size
    relative = None if size is None or math.isinf(size.relative) else size.relative
    return {
        "how": divergence.how,
        "file": routine.file,
        "line": routine.line,
        "function": routine.name,
        "call": divergence.number,
        "calls": divergence.numbers,
        "before": _form(divergence.before),
        "after": _form(divergence.after),
        "count": None if size is None else size.count,
        "relative": relative,
        "largest": None if size is None else size.largest,
        "sentence": sentence(divergence),
    }


def _form(step: Step | None) -> str | None:
    return None if step is None else step.seen.form
