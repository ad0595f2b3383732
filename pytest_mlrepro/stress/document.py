"""What stressing has shown, as a document for other tools."""

from __future__ import annotations

from typing import Any

from pytest_mlrepro.report.plain import plain
from pytest_mlrepro.stress.findings import Finding, Stressed, Varied

SCHEMA = 1


def document(told: Stressed) -> dict[str, Any]:
    """Everything; its keys are described in docs/stress.md."""
    return {
        "schema": SCHEMA,
        "verdict": "reproducible" if told.holds else "drifted",
        "replays": told.replays,
        "changes": [
            {
                "name": each.name,
                "hold": each.hold,
                "what": each.what,
                "variables": dict(each.change.variables),
            }
            for each in told.changes
        ],
        "matrix": {subject: dict(marks) for subject, marks in told.marks.items()},
        "drifts": [_drift(each) for each in told.findings],
        "unpinned": [
            *map(_varied, told.varied),
            *({**each.plain(), "matters": False, "moved": {}} for each in told.unpinned),
        ],
        "untried": dict(told.untried),
        "failing": dict(told.failing),
        "broken": dict(told.broken),
        "notes": list(told.notes),
    }


def _drift(finding: Finding) -> dict[str, Any]:
    difference = finding.difference
    fact = difference.drift if difference.drift and difference.drift.address == difference.address else None
    return {
        "subject": finding.subject,
        "change": finding.change,
        "hold": finding.hold,
        "mark": difference.mark,
        "first": difference.address or None,
        "explanation": difference.sentence,
        "baseline": plain(fact.baseline.value) if fact and fact.baseline else None,
        "current": plain(fact.current.value) if fact and fact.current else None,
        "place": difference.place,
        "differing": difference.differing,
        "facts": difference.facts,
        "function": finding.function or None,
        "source": finding.source,
        "remedy": finding.remedy,
        "proven": finding.proven,
        "sites": [site.plain() for site in finding.sites],
    }


def _varied(each: Varied) -> dict[str, Any]:
    told = {"matters": bool(each.moved), "moved": dict(each.moved)}
    return {**each.site.plain(), **told, **({"problem": each.problem} if each.problem else {})}
