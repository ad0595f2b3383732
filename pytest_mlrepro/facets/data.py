"""The data facet: fingerprints of the data sets that a test trains and evaluates on."""

from __future__ import annotations

from typing import ClassVar

from pytest_mlrepro.errors import FingerprintError, RecordingError
from pytest_mlrepro.facets._protocol import Facet
from pytest_mlrepro.fingerprints import FileCache, difference, fingerprint
from pytest_mlrepro.model import DEFAULT_TOLERANCE, Drift, Fact, Role, Tolerance, Value


class Data(Facet):
    """Data sets, each a digest of its values and a detail that tells later what changed."""

    name: ClassVar[str] = "data"
    role: ClassVar[Role] = "input"

    def capture(
        self, name: str, obj: object, *, ordered: bool = True, cache: FileCache | None = None
    ) -> tuple[Fact, ...]:
        """The fact about one data set.

        Args:
            name: its name, for instance ``train``.
            obj: an array, frame, sparse matrix, nested list, or the ``Path`` of a file or folder; it is not changed.
            ordered: whether the order of the rows counts.
            cache: of files read before.

        Raises:
            RecordingError: for a name that is not a non-empty string.
            FingerprintError: for data that cannot be read or fingerprinted.
        """
        if type(name) is not str or not name.strip():
            raise RecordingError(
                f"the name of a data set must be a non-empty string, got {name!r}",
                remedy='for instance: mlrepro.data("train", X)',
            )
        try:
            taken = fingerprint(obj, ordered=ordered, cache=cache)
        except FingerprintError as error:
            raise FingerprintError(
                f"data {name!r}: {error.what}", where=error.where, remedy=error.remedy
            ) from None
        detail: dict[str, Value] = dict(taken.detail)
        if not ordered:
            detail["ordered"] = False
        return (Fact(self.name, name, taken.digest, detail=detail),)

    def explain(self, drift: Drift, default: Tolerance = DEFAULT_TOLERANCE) -> str:
        """What changed in the data, as far as the two details tell."""
        if drift.baseline is None or drift.current is None:
            return super().explain(drift)
        return difference(drift.baseline.detail, drift.current.detail)
