"""From replays to marks and findings: pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pytest_mlrepro.guard.site import CLOCK, Site
from pytest_mlrepro.model import Tolerance
from pytest_mlrepro.replay import Replay
from pytest_mlrepro.stress.differences import Difference, Mark, differences, subjects, violates
from pytest_mlrepro.stress.findings import TOGETHER, Finding, Stressed, Varied
from pytest_mlrepro.stress.perturbations import ALONE, ORDER, PROCESS, Perturbation

_JOINTLY = "made all at once, these changes stay within tolerance, so that none was tried alone: {names} (--each does)"


@dataclass(frozen=True)
class Evidence:
    """The replays, one change at a time.

    Attributes:
        clean: as things are.
        reference: what the changes are compared with: ``clean``, or with its unpinned randomness pinned.
        second: ``clean`` in a second process.
        again: ``reference`` in a second process.
        singles: by the name of what was changed.
        together: what differs with everything changed at once.
        tolerance: the project's.
        varied: the places of unpinned randomness.
        repeats: those of ``singles`` where something drifted, once more.
        alone: by test.
        culprits: by test, the other one that leaves behind what it depends on.
    """

    clean: Replay
    reference: Replay
    second: Replay
    again: Replay
    singles: Mapping[str, Replay]
    together: Mapping[str, Difference]
    tolerance: Tolerance
    varied: tuple[Varied, ...] = ()
    repeats: Mapping[str, Replay] = field(default_factory=dict)
    alone: Mapping[str, Replay] = field(default_factory=dict)
    culprits: Mapping[str, str] = field(default_factory=dict)

    def apart(self, name: str) -> Mapping[str, Difference]:
        """What differs under a change."""
        replay = self.singles[name]
        return {} if replay.problem else differences(self.reference, replay, self.tolerance)

    def restless(self) -> Mapping[str, Difference]:
        """What differs although nothing was changed and all randomness that can be pinned is."""
        return differences(self.reference, self.again, self.tolerance)

    def unrepeated(self, name: str) -> Mapping[str, Difference]:
        """What differs between two replays under the same change."""
        if name not in self.repeats or self.repeats[name].problem:
            return {}
        return differences(self.singles[name], self.repeats[name], self.tolerance)


def settled(
    clean: Replay,
    everything: Replay,
    tried: Sequence[Perturbation],
    apart: Mapping[str, Difference],
) -> Stressed:
    """What follows if everything at once changed nothing, or nothing beyond tolerances that may differ."""
    # Alone says more than the order of the tests does, and was not tried.
    tried = [each for each in tried if each.name != ALONE]
    loose = [each.name for each in tried if each.hold != "bitwise"]
    marks: dict[str, dict[str, Mark]] = {}
    for subject in subjects(clean):
        near: Mark = "within" if subject in apart else "same"
        marks[subject] = {each.name: near if each.name in loose else "same" for each in tried}
    notes = [_JOINTLY.format(names=", ".join(loose))] if apart and len(loose) > 1 else []
    untried, loaded = _effects(tried, clean, {}, everything)
    unpinned = tuple(site for site, _ in clean.witness.unpinned)
    return Stressed(tuple(tried), marks, unpinned=unpinned, untried=untried, notes=(*notes, *loaded))


def drawn(found: Evidence, tried: Sequence[Perturbation], everything: Replay) -> Stressed:
    """What follows from one change at a time."""
    tried = [each for each in tried if each.name != ALONE or found.alone]
    restless = dict(found.restless())
    second = dict(differences(found.clean, found.second, found.tolerance))
    holds = {each.name: each.hold for each in tried}
    for name in found.repeats:
        # What two replays under one and the same change differ in says nothing of the change.
        for subject, difference in found.unrepeated(name).items():
            if holds[name] == "bitwise" and violates(difference.mark, "bitwise"):
                restless.setdefault(subject, difference)
    for subject, difference in restless.items():
        second.setdefault(subject, difference)
    apart = {PROCESS: second, **{name: found.apart(name) for name in found.singles}}
    apart[ALONE] = _alone(found)
    untried, notes = _effects(tried, found.reference, found.singles, everything)
    broken = {name: each.problem for name, each in found.singles.items() if each.problem}
    rows = dict.fromkeys((*subjects(found.clean), *(s for each in apart.values() for s in each)))
    marks = {
        subject: {
            each.name: "untried"
            if each.name in broken
            else _mark(subject, each.name, apart[each.name], found, restless)
            for each in tried
        }
        for subject in rows
    }
    findings = [
        _finding(found, each, subject, apart[each.name][subject], restless)
        for subject in rows
        for each in tried
        if each.name not in broken and violates(marks[subject][each.name], each.hold)
    ]
    findings = [*findings, *_only_together(found, findings, restless, broken)]
    place = {subject: number for number, subject in enumerate(rows)}
    findings.sort(key=lambda each: place.get(each.subject, len(place)))
    return Stressed(
        tuple(tried), marks, tuple(findings), found.varied, untried=untried, notes=notes, broken=broken
    )


def _mark(
    subject: str,
    name: str,
    apart: Mapping[str, Difference],
    found: Evidence,
    restless: Mapping[str, Difference],
) -> Mark:
    if name == ALONE and subject not in found.alone:
        return "untried"
    if name != PROCESS and subject in restless:
        return "unclear"
    difference = apart.get(subject)
    return "same" if difference is None else difference.mark


def _alone(found: Evidence) -> dict[str, Difference]:
    told = {
        test: differences(found.reference, replay, found.tolerance).get(test)
        for test, replay in found.alone.items()
        if not replay.problem
    }
    return {test: each for test, each in told.items() if each is not None}


def _finding(
    found: Evidence,
    change: Perturbation,
    subject: str,
    difference: Difference,
    restless: Mapping[str, Difference],
) -> Finding:
    made = Finding(subject, change.name, change.what, change.hold, difference, change.source, change.remedy)
    if change.name == PROCESS:
        return _unpinned(found, made, is_restless=subject in restless)
    if change.name == ORDER and subject in found.alone:
        return _left_behind(found, made)
    if change.hold == "rounding" and subject in found.unrepeated(change.name):
        return replace(made, source=f"{change.source}; it differs from one such run to the next, too")
    return made


def _left_behind(found: Evidence, made: Finding) -> Finding:
    culprit = found.culprits.get(made.subject, "")
    if made.subject in _alone(found):
        told = "alone it gives something else than after the tests that usually run before it"
    else:
        told = "alone it gives what it gives in the usual order, not what it gives after the tests that follow it"
    if culprit:
        return replace(made, source=f"what {culprit} leaves behind; {told}", proven=True)
    return replace(made, source=f"{made.source}; {told}")


def _unpinned(found: Evidence, made: Finding, *, is_restless: bool) -> Finding:
    """Who is to blame for what differs by itself: the places that were proven, or those that came by."""
    proven = tuple(each.site for each in found.varied if made.subject in each.moved)
    sites = proven or _near(found.reference if is_restless else found.clean, made.subject)
    if not sites:
        return made
    timed = any(CLOCK in site.call for site in sites)
    source = "a seed that is taken from the clock" if timed else "an unpinned generator"
    if is_restless and proven:
        source += f"; with that pinned it still differs: {made.source}"
    remedies = dict.fromkeys(site.remedy for site in sites)
    return replace(made, source=source, remedy="; ".join(remedies), sites=sites, proven=bool(proven))


def _near(replay: Replay, subject: str) -> tuple[Site, ...]:
    """The unpinned places that a subject came by; else those that fixtures of higher scope came by."""
    told = [(site, names) for site, names in replay.witness.unpinned if not site.pinned]
    own = tuple(site for site, names in told if subject in names)
    tests = replay.witness.outcomes
    return own or tuple(site for site, names in told if any(name not in tests for name in names))


def _only_together(
    found: Evidence,
    findings: Sequence[Finding],
    restless: Mapping[str, Difference],
    broken: Mapping[str, str],
) -> Iterator[Finding]:
    explained = {each.subject for each in findings} | restless.keys()
    for subject, difference in found.together.items():
        if difference.mark == "drifted" and subject not in explained and not broken:
            yield Finding(
                subject,
                TOGETHER,
                "all of the changes at once",
                "rounding",
                difference,
                "several of the changes together: each of them alone holds",
                "leave changes out (--under) until the result holds, to find which belong together",
            )


def _effects(
    tried: Sequence[Perturbation],
    clean: Replay,
    singles: Mapping[str, Replay],
    everything: Replay,
) -> tuple[dict[str, str], tuple[str, ...]]:
    """What was asked for and not loaded: changes that were none, by name, and what is only to be known."""
    untried: dict[str, str] = {}
    notes: list[str] = []
    for change in tried:
        loaded = singles.get(change.name, everything).witness.loaded
        if change.expected and loaded:
            got = {str(each["architecture"]) for each in loaded.values() if each.get("architecture")}
            if got and change.expected.lower() not in {name.lower() for name in got}:
                untried[change.name] = f"{change.expected} was asked for, {', '.join(sorted(got))} was loaded"
        if change.name == "threads" and loaded and clean.witness.loaded:
            most = max(int(each.get("num_threads") or 1) for each in loaded.values())
            if most == 1:
                notes.append("threads: every library that was loaded still ran with one thread")
    return untried, tuple(notes)
