"""An in-toto Statement v1 with the predicate test-result v0.1, unsigned.

The formats are those of https://github.com/in-toto/attestation: spec/v1/statement.md and
spec/predicates/test-result.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.export.document import Document, Source
from pytest_mlrepro.export.words import document, plain, text
from pytest_mlrepro.model import SESSION, Facts, Run

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What a run of the tests gave, judged by the lockfile. Names are subjects: node ids of tests, and fixtures.

    Attributes:
        passed: no drift that fails or warns.
        warned: with drifts whose policy is to warn.
        failed: with drifts that fail, without accepted results, or not in the run although the lockfile has them.
    """

    passed: Sequence[str] = ()
    warned: Sequence[str] = ()
    failed: Sequence[str] = ()

    @property
    def result(self) -> str:
        """As the predicate calls it."""
        return "FAILED" if self.failed else "WARNED" if self.warned else "PASSED"


def accepted(run: Run, where: str) -> Verdicts:
    """Of a lockfile alone: an update accepts what passed, and nothing else, so all that it holds has passed once.

    Raises:
        LockfileError: if it holds no test.
    """
    subjects = tuple(sorted(subject for subject in run.subjects if subject != SESSION))
    if not subjects:
        raise LockfileError(
            "it holds no test, so there is nothing to state", where=where, remedy="pytest --mlrepro-update"
        )
    return Verdicts(subjects)


def intoto(
    session: Facts, sources: Iterable[Source], configuration: Mapping[str, str], verdicts: Verdicts
) -> Document:
    """The statement, as the JSON that a signer wraps; see ``statement``."""
    return Document(document(statement(session, sources, configuration, verdicts)))


def statement(
    session: Facts, sources: Iterable[Source], configuration: Mapping[str, str], verdicts: Verdicts
) -> dict[str, Any]:
    """The statement, in JSON's types.

    Args:
        session: the environment that the tests ran in.
        sources: what the statement is about: the lockfile, and the recorded run where one was judged.
        configuration: the SHA-256 of each file that configured the tests, by name.
        verdicts: on the tests.
    """
    predicate = {
        "result": verdicts.result,
        "configuration": [
            *(
                {"name": text(name), "digest": {"sha256": configuration[name]}}
                for name in sorted(configuration)
            ),
            *_environment(session),
        ],
        "passedTests": _names(verdicts.passed),
        "warnedTests": _names(verdicts.warned),
        "failedTests": _names(verdicts.failed),
    }
    subject = [{"name": text(source.name), "digest": {"sha256": source.sha256}} for source in sources]
    return {"_type": STATEMENT, "subject": subject, "predicateType": PREDICATE, "predicate": predicate}


def _environment(session: Facts) -> list[dict[str, Any]]:
    """The facts of the session as one resource."""
    if not session:
        return []
    return [resource(SESSION, {text(address): plain(session[address].value) for address in sorted(session)})]


def resource(name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """A resource that is nothing but what is told of it, with the digest of its JSON: a policy may ask for it."""
    digest = sha256(document(told).encode("ascii")).hexdigest()
    return {"name": name, "digest": {"sha256": digest}, "annotations": dict(told)}


def _names(subjects: Iterable[str]) -> list[str]:
    return sorted(map(text, subjects))
