"""From replays to marks and findings: pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pytest_mlrepro.divergence import aligned
from pytest_mlrepro.guard.site import CLOCK, Site
from pytest_mlrepro.model import Tolerance
from pytest_mlrepro.replay import Replay
from pytest_mlrepro.report.divergences import sentence as told_divergence
from pytest_mlrepro.stress.differences import Difference, Mark, bitwise, differences, subjects, violates
from pytest_mlrepro.stress.findings import TOGETHER, Finding, Stressed, Varied
from pytest_mlrepro.stress.perturbations import ALONE, ORDER, PROCESS, Perturbation

_JOINTLY = "made all at once, these changes stay within tolerance, so that none was tried alone: {names} (--each does)"

_WHAT = "module-level state, a shared object, or a fixture that it is the first to ask for"


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
        traced: ``reference`` once more, with what functions of the project returned; None where nothing drifted.
        repeats: those replays where something drifted once more, with the same.
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
    traced: Replay | None = None
    repeats: Mapping[str, Replay] = field(default_factory=dict)
    alone: Mapping[str, Replay] = field(default_factory=dict)
    culprits: Mapping[str, str] = field(default_factory=dict)

    def apart(self, name: str) -> Mapping[str, Difference]:
        """What differs under a change."""
        return differences(self.reference, self.singles[name], self.tolerance)

    def restless(self) -> Mapping[str, Difference]:
        """What differs although nothing was changed and all randomness that can be pinned is."""
        return differences(self.reference, self.again, self.tolerance)

    def lonely(self) -> Mapping[str, Difference]:
        """The tests that give something else alone than in the usual order."""
        told = {
            test: differences(self.reference, replay, self.tolerance).get(test)
            for test, replay in self.alone.items()
        }
        return {test: each for test, each in told.items() if each is not None}

    def moved_in(self, test: str) -> Replay:
        """The replay in which other tests have moved a test that the order of the tests moves."""
        return self.reference if test in self.lonely() else self.singles[ORDER]

    def unrepeated(self, name: str) -> Mapping[str, Difference]:
        """What differs between two replays under the same change."""
        if name not in self.repeats or name not in self.singles:
            return {}
        return differences(self.singles[name], self.repeats[name], self.tolerance)

    def function(self, name: str, subject: str) -> str:
        """The first function of the project that returned something else to a subject, in words; empty if none did."""
        if self.traced is None or name not in self.repeats:
            return ""
        traces = [each.run.traces.get(subject) for each in (self.traced, self.repeats[name])]
        if traces[0] is None or traces[1] is None:
            return ""
        found = aligned(subject, traces[0], traces[1])
        first = found.first or next(iter(found.found), None)
        return told_divergence(first) if first is not None else ""


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
    for row in marks.values():
        row.update(dict.fromkeys(untried, "untried"))
    unpinned = tuple(site for site, _ in clean.witness.unpinned)
    return Stressed(tuple(tried), marks, unpinned=unpinned, untried=untried, notes=(*notes, *loaded))


def drawn(found: Evidence, tried: Sequence[Perturbation], everything: Replay) -> Stressed:
    """What follows from one change at a time."""
    tried = tuple(each for each in tried if each.name != ALONE or found.alone)
    restless = _restless(found, tried)
    second = {**restless, **differences(found.clean, found.second, found.tolerance)}
    apart = {PROCESS: second, **{name: found.apart(name) for name in found.singles}, ALONE: found.lonely()}
    untried, notes = _effects(tried, found.reference, found.singles, everything)
    broken = _broken(found, everything)
    marks: dict[str, dict[str, Mark]] = {}
    for subject in dict.fromkeys((*subjects(found.clean), *(s for each in apart.values() for s in each))):
        marks[subject] = {}
        for name in (each.name for each in tried):
            lacks = name in broken or name in untried or (name == ALONE and subject not in found.alone)
            difference = apart[name].get(subject)
            if lacks or (name != PROCESS and subject in restless):
                marks[subject][name] = "untried" if lacks else "unclear"
            else:
                marks[subject][name] = difference.mark if difference is not None else "same"
    findings = [
        _finding(found, each, subject, apart[each.name][subject], restless)
        for subject, row in marks.items()
        for each in tried
        # Where the order of the tests matters, alone says the same once more.
        if violates(row[each.name], each.hold) and not (each.name == ALONE and row.get(ORDER) == "drifted")
    ]
    if not broken:
        findings += _only_together(found, findings, restless)
    place = {subject: number for number, subject in enumerate(marks)}
    findings.sort(key=lambda each: place.get(each.subject, len(place)))
    return Stressed(tried, marks, tuple(findings), found.varied, untried=untried, notes=notes, broken=broken)


def _restless(found: Evidence, tried: Sequence[Perturbation]) -> Mapping[str, Difference]:
    """What moves by itself, although all randomness that can be pinned is."""
    restless = dict(found.restless())
    for change in tried:
        # What two replays under one and the same change differ in says nothing of the change.
        if change.hold == "bitwise":
            restless = {**found.unrepeated(change.name), **restless}
    return restless


def _broken(found: Evidence, everything: Replay) -> dict[str, str]:
    """The changes under which the tests could not be run, with the reason."""
    made = [
        *((PROCESS, each) for each in (found.second, found.reference, found.again)),
        *found.singles.items(),
        *((ALONE, each) for each in found.alone.values()),
        (TOGETHER, everything),
    ]
    problems = {name: each.problem for name, each in reversed(made) if each.problem}
    if len(problems) > 1:
        # One of them is why.
        problems.pop(TOGETHER, None)
    return problems


def _finding(
    found: Evidence,
    change: Perturbation,
    subject: str,
    difference: Difference,
    restless: Mapping[str, Difference],
) -> Finding:
    made = Finding(
        subject,
        change.name,
        change.what,
        change.hold,
        bitwise(difference) if change.hold == "bitwise" else difference,
        change.source,
        change.remedy,
        function=found.function(change.name, subject),
    )
    if change.name == PROCESS:
        return _unpinned(found, made, is_restless=subject in restless)
    if change.name == ORDER and subject in found.alone:
        return _left_behind(found, made)
    if change.hold == "rounding" and subject in found.unrepeated(change.name):
        return replace(made, source=f"{change.source}; it differs from one such run to the next, too")
    return made


def _left_behind(found: Evidence, made: Finding) -> Finding:
    culprit = found.culprits.get(made.subject, "")
    if made.subject in found.lonely():
        told = "alone it gives something else than after the tests that usually run before it"
    else:
        told = "alone it gives what it gives in the usual order, not what it gives after the tests that follow it"
    if culprit:
        return replace(made, source=f"what {culprit} leaves behind ({_WHAT}); {told}", proven=True)
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
) -> Iterator[Finding]:
    explained = {each.subject for each in findings} | restless.keys()
    for subject, difference in found.together.items():
        if difference.mark == "drifted" and subject not in explained:
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
