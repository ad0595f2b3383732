"""A search in JSON's types."""

from __future__ import annotations

import shlex
from typing import Any

from pytest_mlrepro.bisect.account import Account
from pytest_mlrepro.bisect.search import Culprit, Narrowed
from pytest_mlrepro.bisect.sentences import sentences
from pytest_mlrepro.bisect.states import spec
from pytest_mlrepro.bisect.trials import Trial
from pytest_mlrepro.model import Fact
from pytest_mlrepro.report.plain import plain


def document(account: Account) -> dict[str, Any]:
    """All that was found, and every replay."""
    found: dict[str, Any] = {
        "schema": 1,
        "test": account.test,
        "good": account.good,
        "bad": account.bad,
        "changes": [
            {
                "name": each.name,
                "kind": each.kind,
                "then": each.then,
                "now": each.now,
                "files": [plain(path) for path in each.paths],
            }
            for each in account.elements
        ],
        "unchangeable": list(account.unchanged),
        "baseline": [
            {"subject": subject, "address": address, "value": plain(fact.value)}
            for (subject, address), fact in account.baseline.items()
        ],
        "replays": [_trial(account, each) for each in account.trials],
    }
    finding = account.finding
    if finding is None:
        return found
    found["verdict"] = finding.verdict
    found["answer"] = list(sentences(account))
    found["causes"] = [_culprit(account, each) for each in finding.culprits]
    found["without_them"] = finding.rest
    found["hidden"] = [{"drifts": sorted(small), "holds": sorted(large)} for small, large in finding.masked]
    return found


def _trial(account: Account, trial: Trial) -> dict[str, Any]:
    return {
        "number": trial.number,
        "state": None if trial.state is None else spec(trial.state, account.elements),
        "again": trial.again,
        "outcome": trial.judged.outcome,
        "reason": plain(trial.judged.reason),
        "results": [
            {"subject": subject, "address": address, "value": _value(fact)}
            for (subject, address), fact in trial.judged.results.items()
        ],
        "drifts": [f"{each.subject} {each.address}" for each in trial.judged.drifts],
        "seconds": trial.replay.seconds,
        "remembered": trial.replay.remembered,
    }


def _value(fact: Fact) -> Any:
    return plain(fact.value)


def _culprit(account: Account, culprit: Culprit) -> dict[str, Any]:
    cause = culprit.cause
    return {
        "changes": [each for each in cause.changes if each not in cause.companions],
        "companions": sorted(cause.companions),
        "companions_alone": cause.alone,
        "without": dict(cause.without),
        "whole": culprit.is_whole,
        "narrowed": [_narrowed(each) for each in culprit.narrowed],
        "repeat": shlex.join(account.repeating(culprit.decisive)),
    }


def _narrowed(narrowed: Narrowed) -> dict[str, Any]:
    found = narrowed.found
    return {
        "change": narrowed.element.name,
        "levels": list(narrowed.row[1:-1]),
        "holds": narrowed.holds or None,
        "holds_outcome": narrowed.before,
        "drifts": narrowed.drifts or None,
        "unresolved": [narrowed.row[place] for place in found.unresolved],
        "untried": [narrowed.row[place] for place in found.untried],
        "drifts_before": [narrowed.row[place] for place in narrowed.earlier],
        "holds_after": [narrowed.row[place] for place in narrowed.later],
        "moved_again": narrowed.moved,
        "problem": narrowed.problem,
    }
