"""Judgements as plain text: what, where, expected and got, likely why, and the next command."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pytest_mlrepro.explain import agreement, sentence
from pytest_mlrepro.facets import facet_names, show
from pytest_mlrepro.model import (
    SESSION,
    Agreement,
    Comparison,
    Drift,
    Explanation,
    Fact,
    Facts,
    Run,
    Tolerance,
)
from pytest_mlrepro.visible import line as shown_line
from pytest_mlrepro.visible import lines as shown_lines

if TYPE_CHECKING:
    from pytest_mlrepro.balance import Sum
    from pytest_mlrepro.bands import Band
    from pytest_mlrepro.gate import Judgement, Terms
    from pytest_mlrepro.guard import Site
    from pytest_mlrepro.report.standing import Standing

_MOST_DRIFTS = 8
_SILENT = -2
_MOST_SUSPECTS = 6
_MOST_SITES = 4
_MOST_LINES = 20
_MOST_SUBJECTS = 40
_WIDTH = 34


def failure(
    judgement: Judgement,
    around: Mapping[str, Facts],
    *,
    lockfile: str,
    selection: str,
    options: Sequence[str] = (),
    unpinned: Sequence[Site] = (),
    environment: str = "",
    standing: Standing | None = None,
) -> str:
    """The failure text of one subject.

    Args:
        judgement: a red one.
        around: current facts of the subject and of what it rests on, by subject.
        lockfile: how to call the lockfile.
        selection: what selects the subject in a pytest command.
        options: that the run was given and its update needs too.
        unpinned: what took randomness on the way that no seed decides.
        environment: the name of the one that the lockfile does not know; empty where it does.
        standing: of the environment, where that is the subject.
    """
    if judgement.lacking and judgement.subject == SESSION and environment:
        return no_environment(environment, lockfile=lockfile, options=options)
    if judgement.lacking:
        return no_baseline(judgement.subject, lockfile=lockfile, selection=selection, options=options)
    explanations = judgement.failed
    alone = "red on nothing but the environment: " if standing is not None and standing.alone else ""
    lines = [f"mlrepro: {alone}{_headline(explanations)}", ""]
    lines += _drift_lines(explanations)
    if not any(each.drift.facet == "results" for each in explanations):
        unpinned = ()
    suspects = [*_guard_lines(unpinned), *_suspects(explanations)]
    if suspects:
        lines += ["", "suspects, likeliest first", *suspects]
    lines += ["", *_unmoved(judgement, explanations, around, is_unpinned=bool(unpinned))]
    accept = (
        standing.closing(options) if standing else f"accept it with: {update_command(selection, options)}"
    )
    lines += ["", f"baseline: {lockfile}", *accept.splitlines()]
    return shown_lines(lines)


def no_baseline(subject: str, *, lockfile: str, selection: str, options: Sequence[str] = ()) -> str:
    """What to say of a subject that nobody has accepted yet."""
    return shown_lines(
        (
            f"mlrepro: no baseline for {subject} in {lockfile}",
            "",
            "Its facts were recorded, but there is nothing to compare them with.",
            f"Create the baseline, review it and commit it: {update_command(selection, options)}",
        )
    )


def no_environment(name: str, *, lockfile: str, options: Sequence[str] = ()) -> str:
    """What to say of an environment that the lockfile does not know, where the project wants that to fail."""
    return shown_lines(
        (
            f"mlrepro: environment {name} is not recorded in {lockfile}",
            "",
            'unknown_environment = "fail" is set in pyproject.toml.',
            f"Run this in it, review and commit {lockfile}: {update_command('', options)}",
        )
    )


def update_command(selection: str, options: Sequence[str] = ()) -> str:
    """The command that accepts a subject's facts."""
    return shlex.join(["pytest", "--mlrepro-update", *options, *([selection] if selection else [])])


def incomplete(explanations: Sequence[Explanation]) -> str:
    """What had already drifted when a test failed by itself."""
    lines = ["these facts had drifted before the test failed:", *_drift_lines(explanations)]
    return shown_lines(lines)


def conflict(explanations: Sequence[Explanation]) -> str:
    """Facts that came out differently within one run."""
    subject = explanations[0].drift.subject
    lines = [
        f"mlrepro: {subject} is not reproducible within this run",
        "",
        *_drift_lines(explanations),
        "",
        "The same fact was recorded more than once, by several processes or by a fixture that was set up again, "
        "with different values. Look for unpinned randomness, the clock, or the order of tests.",
    ]
    return shown_lines(lines)


def warning(explanation: Explanation) -> str:
    """One drift whose policy is to warn."""
    drift = explanation.drift
    return shown_line(f"mlrepro: {drift.address} drifted in {drift.subject}: {explanation.sentence}")


def accepted(
    judgements: Iterable[Judgement], subjects: Iterable[str], terms: Terms, *, most: int | None = None
) -> Iterator[str]:
    """What an update accepts: a line a drift under its subject, so that nobody accepts unseen.

    Args:
        judgements: of the run.
        subjects: those that are written.
        terms: of the run; they say which facets are accepted.
        most: subjects to list; the others are counted. None for all.
    """
    chosen = set(subjects)
    drifted = [
        (judgement.subject, drifts)
        for judgement in judgements
        if judgement.subject in chosen
        and (drifts := [each for each in judgement.comparison.drifts if terms.accepts(each.facet)])
    ]
    # Nobody reads thousands of lines, and to put them into words took a third of an update. What all results rest on
    # is shown in any case.
    first = len(drifted) if most is None else most
    for place, (subject, drifts) in enumerate(drifted):
        if place < first or subject == SESSION:
            yield from _accepted(subject, drifts, terms.tolerance)
    left = [len(drifts) for subject, drifts in drifted[first:] if subject != SESSION]
    if left:
        yield f"and {plural(len(left), 'more subject')} with {plural(sum(left), 'fact')}: -v lists all"


def _accepted(subject: str, drifts: Sequence[Drift], tolerance: Tolerance) -> Iterator[str]:
    if all(each.kind == "added" for each in drifts):
        count = Counter(each.facet for each in drifts)
        kinds = ", ".join(f"{count[name]} {name}" for name in count)
        yield f"{subject}: new, {plural(len(drifts), 'fact')} ({kinds})"
        results = [each for each in drifts if each.facet == "results"]
        yield from _cut([f"  {each.address:<{_WIDTH}} {_value(each)}" for each in results])
    else:
        yield subject
        # No sentence for what is cut: the first are shown, of the others their number.
        shown = [f"  {line(each, tolerance)}{_dropped(each)}" for each in drifts[:_MOST_LINES]]
        left = len(drifts) - len(shown)
        yield from [*shown, f"  and {left} more"] if left else shown


def _value(drift: Drift) -> str:
    return show(drift.current.value) if drift.current else ""


def _dropped(drift: Drift) -> str:
    """That a value accepted anew has no calibrated band: it was another value's."""
    had = drift.baseline is not None and drift.baseline.band is not None
    return "; its calibrated band is dropped" if had and drift.kind == "changed" else ""


def line(drift: Drift, tolerance: Tolerance) -> str:
    """A drift on a line: address, kind and one sentence."""
    return f"{drift.address:<{_WIDTH}} {_kind(drift)}{sentence(drift, tolerance)}"


def _headline(explanations: Sequence[Explanation]) -> str:
    drifts = [each.drift for each in explanations]
    first = explanations[0]
    if len(drifts) == 1:
        return f"{first.drift.address} drifted: {first.sentence}"
    names = ", ".join(drift.address for drift in drifts[:3])
    return f"{len(drifts)} facts drifted: {names}{', ...' if len(drifts) > 3 else ''}"


def _drift_lines(explanations: Sequence[Explanation]) -> list[str]:
    lines = [f"  {each.drift.address:<{_WIDTH}} {_kind(each.drift)}{each.sentence}" for each in explanations]
    return _cut(lines, _MOST_DRIFTS)


def _kind(drift: Drift) -> str:
    return "" if drift.kind == "changed" else f"{drift.kind}: "


def _suspects(explanations: Sequence[Explanation]) -> list[str]:
    ranked: dict[tuple[str, str], str] = {}
    for explanation in explanations:
        for suspect in explanation.suspects:
            drift = suspect.drift
            whose = "" if drift.subject in (explanation.drift.subject, SESSION) else f" ({drift.subject})"
            line = f"  {drift.address:<{_WIDTH}} {_kind(drift)}{suspect.sentence}{whose}"
            ranked.setdefault((drift.subject, drift.address), line)
    return _cut(list(ranked.values()), _MOST_SUSPECTS, "more: see --mlrepro-report=out.json")


def _guard_lines(unpinned: Sequence[Site]) -> list[str]:
    lines = [
        f"  {f'guard: {site.address}':<{_WIDTH}} unpinned randomness, {site.told}; {site.remedy}"
        for site in unpinned
    ]
    return _cut(lines, _MOST_SITES, "more sites of unpinned randomness")


def _unmoved(
    judgement: Judgement,
    explanations: Sequence[Explanation],
    around: Mapping[str, Facts],
    *,
    is_unpinned: bool,
) -> Iterator[str]:
    """What stayed the same, and what nobody recorded so that nobody can tell."""
    moved = {each.facet for each in judgement.comparison.drifts}
    for explanation in explanations:
        moved |= {suspect.drift.facet for suspect in explanation.suspects}
    recorded = Counter(fact.facet for facts in around.values() for fact in facts.values())
    inputs = [name for name in facet_names() if name != "results"]
    same = [f"{name} ({recorded[name]})" for name in inputs if recorded[name] and name not in moved]
    missing = [name for name in inputs if not recorded[name] and name not in moved]
    if same:
        yield f"as locked: {', '.join(same)}"
    if missing and any(each.drift.facet == "results" for each in explanations):
        yield f"not recorded, so a change there cannot be seen: {', '.join(missing)}"
    if (
        not is_unpinned
        and not any(each.suspects for each in explanations)
        and any(each.drift.facet == "results" and each.drift.kind == "changed" for each in explanations)
    ):
        yield (
            "nothing that is recorded has changed: look for unpinned randomness (an unseeded default_rng()), "
            "threads, the clock or the order of tests"
        )


def _cut(lines: list[str], most: int = _MOST_LINES, what: str = "more") -> list[str]:
    left = len(lines) - most
    return [*lines[:most], f"  and {left} {what}"] if left > 0 else lines


def plural(count: int, noun: str) -> str:
    """``1 fact``, ``2 facts``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def summary(
    total: Sum,
    terms: Terms,
    *,
    lockfile: str,
    written: bool | None,
    overtaken: Sequence[str] = (),
    verbose: int = 0,
    options: Sequence[str] = (),
    standing: Standing | None = None,
) -> Iterator[str]:
    """The closing lines of a run: what was accepted, counts, what is stale, and the next command.

    Args:
        total: the run.
        terms: that it was judged by.
        lockfile: how to call the lockfile.
        written: whether an update changed the lockfile; None where it accepted nothing or there was none.
        overtaken: subjects that somebody else had changed in the lockfile while this run was going.
        verbose: notes, and every subject that an update accepts, are listed from 1 on; from -2 down, where pytest
            gives no totals either, what is green is not counted.
        options: that the run was given and an update of it needs too.
        standing: of the environment, where it fails the run.
    """
    if terms.update:
        most = None if verbose > 0 else _MOST_SUBJECTS
        yield from _update_lines(total, terms, lockfile, written, overtaken, most=most)
    elif terms.is_stranger:
        yield from _stranger(terms, lockfile, options)
    found = total.comparison
    red = [judgement for judgement in total.judgements if judgement.red]
    notes = [each for each in found.drifts if each.policy == "note" and not terms.accepts(each.facet)]
    if verbose > _SILENT or red or terms.update:
        yield _counted(total, found, len(notes))
    for judgement in total.judgements:
        if judgement.subject in total.off_test:
            yield from (warning(each) for each in judgement.warned)
    yield from _cut([f"let pass: {sentence(each)}" for each in notes if _is_let_pass(each)], _MOST_SUSPECTS)
    if verbose > 0:
        yield from _details(total, terms, notes)
    if total.stale:
        yield f"stale, no longer in the suite: {', '.join(total.stale)}"
        if not terms.update:
            yield f"drop them with: {update_command('', options)}"
    if red and not terms.update:
        from pytest_mlrepro.report.hints import hints

        explained = [each for judgement in red for each in judgement.failed]
        yield from hints([*explained, *total.conflicts], total.run.facts(SESSION), terms.tolerance)
        yield f"not reproduced. {_acceptance(standing, options)}, then review and commit {lockfile}"


def _details(total: Sum, terms: Terms, notes: Iterable[Drift]) -> Iterator[str]:
    yield from _cut([*_doubts(total.run.facts(SESSION))])
    yield from _cut([_near(each, terms.tolerance) for each in total.comparison.near])
    for drift in (each for each in notes if not _is_let_pass(each)):
        yield f"note: {drift.subject}: {drift.address} {_kind(drift)}{sentence(drift)}"


def _counted(total: Sum, found: Comparison, notes: int) -> str:
    failed = sum(len(judgement.failed) for judgement in total.judgements)
    green = (
        f"{found.identical} identical",
        f"{found.rounding} within rounding",
        f"{found.band} within the band",
    )
    counts = ", ".join(part for part in green if not part.startswith("0 ")) or "nothing compared"
    return (
        f"{plural(len(total.run.subjects), 'subject')}: {counts}"
        + (f", {failed} drifted" if failed else "")
        + (f", {plural(notes, 'note')}" if notes else "")
    )


def _doubts(environment: Facts) -> Iterator[str]:
    """What of the environment is not known, or not quite, and why."""
    for fact in environment.values():
        if note := fact.detail.get("note"):
            yield f"in doubt: {fact.address} {show(fact.value)}: {note}"


def _is_let_pass(drift: Drift) -> bool:
    """Whether it is a version that a rule of the project's lets pass."""
    return drift.subject == SESSION and drift.current is not None and drift.current.remark != ""


def _acceptance(standing: Standing | None, options: Sequence[str]) -> str:
    if standing is not None and standing.alone:
        return f"Accept the environment: {standing.command(options)}"
    return f"Accept what you meant to change: {update_command('', options)}"


def _stranger(terms: Terms, lockfile: str, options: Sequence[str]) -> Iterator[str]:
    yield (
        f"environment {terms.environment} is not recorded in {lockfile} ({', '.join(sorted(terms.recorded))}): "
        "results were compared with the shared values, libraries fail nothing"
    )
    yield f"add it with: {update_command('', options)}"


def _near(found: Agreement, tolerance: Tolerance) -> str:
    return f"{found.rung}: {found.subject}: {found.current.address} {agreement(found, tolerance)}"


def _update_lines(
    total: Sum,
    terms: Terms,
    lockfile: str,
    written: bool | None,
    overtaken: Sequence[str],
    *,
    most: int | None,
) -> Iterator[str]:
    refused = set(total.refused)
    if total.accept is not None and written is not None:
        subjects = [each.subject for each in total.judgements if each.subject not in refused]
        yield from accepted(total.judgements, subjects, terms, most=most)
    for subject in total.refused:
        yield f"not accepted: {subject} did not pass; its baseline is as it was"
    if written and overtaken:
        yield (
            f"{lockfile} was changed by somebody else while this run was going; "
            f"this run's facts replaced what was accepted there of: {', '.join(overtaken)}"
        )
    yield outcome(written, lockfile, terms)


def broken(lockfile: str, *, judges: bool, update: bool, files: Sequence[str] = ()) -> Iterator[str]:
    """What to say of a run that an error ended, where pytest or a plugin of it could not go on.

    Args:
        lockfile: how to call it.
        judges: whether the run was to compare.
        update: whether it was to accept what it found.
        files: what else it was to write.
    """
    if judges:
        yield "the run broke off: tests that did not run were not compared"
    if update:
        yield f"{lockfile} is as it was: nothing was accepted"
    if files:
        yield f"nothing was written to {', '.join(files)}"


def outcome(written: bool | None, lockfile: str, terms: Terms) -> str:
    """What has become of the lockfile.

    Args:
        written: whether it changed; None where nothing was accepted.
        lockfile: how to call it.
        terms: that the facts were accepted by.
    """
    if written:
        return f"updated {lockfile}{_kept(terms)}: review and commit it"
    return (
        f"{lockfile} is up to date"
        if written is not None
        else f"{lockfile} is as it was: nothing was accepted"
    )


def _kept(terms: Terms) -> str:
    """That an update is one environment's matter, where there are others."""
    others = sorted(terms.recorded - {terms.environment})
    if not others:
        return ""
    return f" for {terms.environment} ({', '.join(others)}: compared with the same as before)"


def table(run: Run) -> Iterator[str]:
    """The facts of a run, a line each under subject and facet."""
    for subject in sorted(run.subjects):
        yield subject
        facts = run.facts(subject).values()
        others = sorted({fact.facet for fact in facts}.difference(facet_names()))
        for name in (*facet_names(), *others):
            own = sorted((fact for fact in facts if fact.facet == name), key=lambda fact: fact.key)
            if own:
                yield f"  {name}"
            for fact in own:
                yield f"    {fact.key:<{_WIDTH}} {show(fact.value)}{_terms_of(fact)}"


def _terms_of(fact: Fact) -> str:
    bound = fact.tolerance
    parts = [fact.dtype, f"{fact.better} is better" if fact.better else ""]
    parts.append(f"rtol {bound.rtol:g}, atol {bound.atol:g}" if bound else "")
    parts.append(_band(fact.band) if fact.band else "")
    said = ", ".join(part for part in parts if part)
    return f"  ({said})" if said else ""


def _band(band: Band) -> str:
    return f"band {band.low:.6g} to {band.high:.6g} over {plural(band.seeds, 'seed')}"
