"""The data facet: fingerprints of the data sets that a test trains and evaluates on."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pytest_mlrepro.errors import FingerprintError, RecordingError
from pytest_mlrepro.facets._protocol import Facet
from pytest_mlrepro.model import DEFAULT_TOLERANCE, Drift, Fact, Role, Tolerance, Value

if TYPE_CHECKING:
    from pytest_mlrepro.fingerprints import FileCache, Fingerprint


def _untold(name: str) -> AbstractContextManager[Callable[[int], None] | None]:
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a run has for reading data.

    Attributes:
        files: what is known of files that were read before.
        root: the project's folder: of a file below it the path is recorded, so that its old content can be found.
        digest: the hash to record with; empty for that of the accepted fact, or the default where there is none.
        telling: makes, for what is read, a context in which progress is told.
    """

    files: FileCache | None = None
    root: Path | None = None
    digest: str = ""
    telling: Callable[[str], AbstractContextManager[Callable[[int], None] | None]] = field(default=_untold)


class Data(Facet):
    """Data sets, each a digest of its values and a detail that tells later what changed."""

    name: ClassVar[str] = "data"
    role: ClassVar[Role] = "input"

    def capture(
        self,
        name: str,
        obj: object,
        *,
        ordered: bool = True,
        by_value: bool = False,
        sample: object = None,
        locate: bool = False,
        private: Iterable[object] = (),
        accepted: Fact | None = None,
        reading: Reading = Reading(),
    ) -> tuple[Fact, ...]:
        """The fact about one data set.

        Args:
            name: its name, for instance ``train``.
            obj: an array, frame, sparse matrix, nested list, or the ``Path`` of a file or folder; it is not changed.
            ordered, by_value, sample, locate, private: see ``fingerprint``.
            accepted: the fact of the baseline: where the data has its digest, that is all that is found out.
            reading: what the run has for it.

        Raises:
            RecordingError: for a name that is not a non-empty string.
            FingerprintError: for data that cannot be read or fingerprinted.
        """
        from pytest_mlrepro.fingerprints import fingerprint, hash_of

        if type(name) is not str or not name.strip():
            raise RecordingError(
                f"the name of a data set must be a non-empty string, got {name!r}",
                remedy='for instance: mlrepro.data("train", X)',
            )
        private = frozenset([private] if isinstance(private, str) else private)
        asked = _asked(private)
        relaid = _relaid(obj, accepted) if accepted is not None and ordered else ""
        with reading.telling(f"data {name!r}") as advance:
            try:
                taken = fingerprint(
                    obj,
                    ordered=ordered,
                    by_value=by_value,
                    sample=sample,
                    digest=reading.digest or (hash_of(str(accepted.value)) if accepted and relaid else ""),
                    # Given back where it agrees, it would tell an update of the order in memory that was.
                    known=None if relaid else _known(accepted, ordered=ordered, locate=locate, asked=asked),
                    locate=locate,
                    private=private,
                    cache=reading.files,
                    advance=advance,
                )
            except FingerprintError as error:
                raise type(error)(
                    f"data {name!r}: {error.what}", where=error.where, remedy=error.remedy
                ) from None
        detail: dict[str, Value] = {**taken.detail, **asked}
        if not ordered:
            detail["ordered"] = False
        if by_value:
            detail["by_value"] = True
        if path := _path(obj, reading.root):
            detail["path"] = path
        same = accepted is not None and accepted.value == taken.digest
        remark = taken.remark or (relaid if same else "")
        return (Fact(self.name, name, taken.digest, detail=detail, remark=remark),)

    def explain(self, drift: Drift, default: Tolerance = DEFAULT_TOLERANCE) -> str:
        """What changed in the data, as far as the two details tell."""
        from pytest_mlrepro.fingerprints import difference, hash_of

        before, now = drift.baseline, drift.current
        if before is None or now is None:
            return super().explain(drift)
        if before.value == now.value and now.remark:
            return now.remark
        hashes = [hash_of(str(fact.value)) for fact in (before, now)]
        if all(hashes) and hashes[0] != hashes[1]:
            # The digests of parts cannot be compared either.
            return now.remark or f"content changed, digest by {hashes[1]} instead of {hashes[0]}"
        return difference(before.detail, now.detail, remark=now.remark)


def _known(
    accepted: Fact | None, *, ordered: bool, locate: bool, asked: Mapping[str, Value]
) -> Fingerprint | None:
    """What the data is compared with; None where the baseline tells something else of it than is asked now."""
    if accepted is None or not isinstance(accepted.value, str):
        return None
    from pytest_mlrepro.fingerprints import Fingerprint, is_located

    detail = accepted.detail
    if detail.get("ordered", True) != ordered or is_located(detail) != locate:
        return None
    if detail.get("private", ()) != asked.get("private", ()):
        return None
    return Fingerprint(accepted.value, detail)


def _relaid(obj: object, accepted: Fact) -> str:
    """What to say of an array that lies in memory in another order than the accepted one of the same values."""
    numpy = sys.modules.get("numpy")
    if numpy is None or not isinstance(obj, numpy.ndarray) or obj.dtype.kind not in "biufc":
        return ""
    if accepted.detail.get("kind") != "array" or accepted.detail.get("shape") != obj.shape:
        return ""
    c_order, fortran = bool(obj.flags.c_contiguous), bool(obj.flags.f_contiguous)
    # A single row or column lies in both orders, every second row in neither.
    was_fortran = "turned" in accepted.detail
    if fortran in (c_order, was_fortran):
        return ""
    orders = ("C order (row by row)", "Fortran order (column by column)")
    return f"the same values, in memory in {orders[fortran]} instead of {orders[was_fortran]}"


def _path(obj: object, root: Path | None) -> str:
    """Of a file below the project's folder where it is; empty for all else, as that may not be so elsewhere."""
    if root is None or not isinstance(obj, Path) or not obj.is_file():
        return ""
    here = Path(os.path.abspath(obj))  # noqa: PTH100 - links are not followed: git knows them by their place
    return here.relative_to(root).as_posix() if here.is_relative_to(root) else ""


def _asked(private: Iterable[object]) -> dict[str, Value]:
    names = tuple(sorted(map(str, private)))
    return {"private": names} if names else {}
