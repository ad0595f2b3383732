"""Forms: what an adapter says of data, before anything of it is hashed.

A form knows how its values are read, and what becomes of them: a digest alone, where only equality is asked, or a
digest with the detail that explains a difference later.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pytest_mlrepro.fingerprints.digests import Fingerprint
from pytest_mlrepro.fingerprints.how import How
from pytest_mlrepro.model import Value


class Form(Protocol):
    """Data as its adapter describes it."""

    def root(self, how: How) -> bytes:
        """The digest of its structure (32 bytes), and nothing else."""

    def described(self, how: How) -> tuple[bytes, dict[str, Value]]:
        """The same digest, and the detail that goes with it."""

    def agrees(self, digest: str, detail: Mapping[str, Value], how: How) -> bool:
        """Whether the data has this digest, found out in the quickest way that is certain where it says yes.

        Args:
            digest: made with the same algorithm and of the same order.
            detail: that went with it.
            how: as above.
        """


def taken(form: Form, how: How) -> Fingerprint:
    """The fingerprint of a form."""
    if not how.detail:
        return how.algorithm.seal(form.root(how), {})
    return how.algorithm.seal(*form.described(how))
