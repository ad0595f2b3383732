"""The recorder: what a test or fixture says of its model becomes facts of its subject."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from pytest_mlrepro.codegraph import CodeGraph
from pytest_mlrepro.errors import MlreproError, RecordingError
from pytest_mlrepro.facets import further_facets
from pytest_mlrepro.facets.assumptions import Assumptions
from pytest_mlrepro.facets.data import Data, Reading
from pytest_mlrepro.facets.libraries import version_of
from pytest_mlrepro.facets.results import Results, Yardstick
from pytest_mlrepro.facets.settings import Settings
from pytest_mlrepro.facets.source import Source
from pytest_mlrepro.model import DEFAULT_TOLERANCE, Better, Fact, Facts, Tolerance
from pytest_mlrepro.recording import Recording, caller

if TYPE_CHECKING:
    import numpy as np

__tracebackhide__ = True
"""Frames of this module are left out of what pytest shows."""

T = TypeVar("T")

_UNSET: Any = object()
_PLAIN = frozenset({float, int, bool, str})


class Recorder:
    """The ``mlrepro`` fixture: records facts of the test or fixture that is running.

    Every recording method gives back what it was given, so that it can be wrapped around an expression.
    Recording an address twice with equal values is one fact, with different values an error.

    While neither ``--mlrepro`` nor ``--mlrepro-update`` is given nothing is recorded; seeds are pinned all the same.
    """

    def __init__(
        self,
        current: Callable[[], Recording],
        pin: Callable[[int], None],
        graph: CodeGraph | None,
        reading: Reading | None = None,
        accepted: Callable[[str], Facts] | None = None,
        *,
        tolerance: Tolerance = DEFAULT_TOLERANCE,
        secrets: tuple[str, ...] = (),
    ) -> None:
        """Make a recorder.

        Args:
            current: gives the recording of what is running now.
            pin: pins every generator.
            graph: the project's code; None while nothing is recorded.
            reading: what the run has for reading data.
            accepted: gives the facts of a subject's baseline.
            tolerance: the project's, of floats without one of their own.
            secrets: patterns of names whose values the project calls secret.
        """
        self._current = current
        self._pin = pin
        self._graph = graph
        self._reading = reading or Reading()
        self._accepted = accepted or (lambda _: {})
        self._tolerance = tolerance
        self._secrets = secrets

    @property
    def seed(self) -> int:
        """The pinned seed: derived from the base seed and the subject, ``0 <= seed < 2**32``."""
        return self._current().seed

    @property
    def rng(self) -> np.random.Generator:
        """A new numpy Generator made from the seed: the same stream each time it is asked for."""
        import numpy as np

        return np.random.default_rng(self.seed)

    def pin(self, seed: int) -> int:
        """Pin every generator again, for instance before a second training.

        Raises:
            RecordingError: unless ``0 <= seed < 2**32``.
        """
        recording = self._current()
        try:
            self._pin(seed)
        except MlreproError as error:
            raise _said_here(error) from None
        recording.pinned(seed)
        return seed

    def source(self, *objects: Any) -> Any:
        """Record the code of functions, classes, modules or packages and of the first-party code they use.

        Raises:
            RecordingError: for an object without readable source of this project.
        """
        if self._graph is not None:
            self._record(Source().capture, self._graph, *objects)
        return objects[0] if len(objects) == 1 else objects

    def assume(self, key: str = _UNSET, value: Any = _UNSET, /, **assumptions: Any) -> Any:
        """Record what the test relies on but does not set: ``assume("min_age", 18)`` or ``assume(region="EU")``.

        Returns:
            The value, or the mapping where keywords were given.

        Raises:
            RecordingError: for a value that is not a number, a string or an array of those.
        """
        if (key is _UNSET) != (value is _UNSET) or (key is _UNSET and not assumptions):
            raise RecordingError(
                "assume() takes a name and a value, or keywords",
                where=caller(),
                remedy='for instance: mlrepro.assume("min_age", 18) or mlrepro.assume(region="EU")',
            )
        named = {} if key is _UNSET else {key: value}
        for name, item in {**named, **assumptions}.items():
            self._record(Assumptions().capture, name, item, secrets=self._secrets)
        return assumptions if assumptions else value

    def environ(self, *names: str) -> Any:
        """Record the values of environment variables, set or not; those with secret-looking names as digests."""
        self._record(Assumptions().environ, names, secrets=self._secrets)
        return names[0] if len(names) == 1 else names

    def settings(self, settings: T, name: str = "") -> T:
        """Record hyper-parameters or configuration: an estimator, mapping, dataclass, namespace, pydantic model ...

        Raises:
            RecordingError: for a value that has no stable form.
        """
        self._record(Settings().capture, settings, name, secrets=self._secrets, handed=settings)
        return settings

    def data(
        self,
        name: str,
        data: T,
        *,
        ordered: bool = True,
        by_value: bool = False,
        sample: object = None,
        locate: bool = False,
        private: Iterable[object] = (),
    ) -> T:
        """Record the fingerprint of a data set.

        Args:
            name: for instance ``"train"``.
            data: an array, frame, sparse matrix, nested list, or the ``Path`` of a file or folder.
            ordered: whether the order of the rows counts.
            by_value: of a ``Path``, whether the table or array that the file holds counts, instead of its bytes.
            sample: of what gives its items one by one, such as a ``torch.utils.data.Dataset``: which of them count.
            locate: whether the lockfile keeps sketches that tell later which cells and rows changed.
            private: names of columns of which the lockfile says nothing but a short digest.

        Raises:
            RecordingError: for data that cannot be read or fingerprinted.
        """
        self._record(
            self._data,
            name,
            data,
            ordered=ordered,
            by_value=by_value,
            sample=sample,
            locate=locate,
            private=private,
            handed=data,
        )
        return data

    def _data(self, name: str, data: object, **asked: Any) -> tuple[Fact, ...]:
        accepted = self._accepted(self._current().subject).get(f"{Data.name}.{name}")
        return Data().capture(name, data, accepted=accepted, reading=self._reading, **asked)

    def metric(
        self,
        name: str,
        value: T,
        *,
        rtol: float | None = None,
        atol: float | None = None,
        better: Better | None = None,
    ) -> T:
        """Record one result: a number, a string, or a (nested) list or array of those.

        Args:
            name: unique within the test.
            value: the result.
            rtol: relative tolerance; the project's default where neither is given.
            atol: absolute tolerance, in the metric's unit.
            better: ``"higher"`` or ``"lower"``, where one of them is an improvement.

        Raises:
            RecordingError: for another type, or a tolerance that is not a finite number >= 0.
        """
        is_bare = rtol is None and atol is None and better is None
        if not (is_bare and type(value) in _PLAIN and type(name) is str and name):
            self._measure(Results().capture, name, value, rtol=rtol, atol=atol, better=better)
        elif self._graph is not None:
            recording = self._current()
            try:
                recording.note(name, value, sys._getframe(1))  # type: ignore[arg-type]  # T is one of them
            except MlreproError as error:
                raise _said_to_all(error, recording) from None
        return value

    def metrics(
        self,
        metrics: Mapping[str, Any],
        *,
        rtol: float | None = None,
        atol: float | None = None,
        better: Better | None = None,
    ) -> Mapping[str, Any]:
        """Record several results; see ``metric``."""
        if not isinstance(metrics, Mapping):
            raise RecordingError(
                f"metrics() takes a mapping from name to value, got {type(metrics).__name__}",
                where=caller(),
                remedy='for instance: mlrepro.metrics({"auc": 0.99, "loss": 0.11})',
            )
        if not metrics:
            self._record(Results().none, rtol=rtol, atol=atol)
        for name, value in metrics.items():
            self.metric(name, value, rtol=rtol, atol=atol, better=better)
        return metrics

    def classification(
        self,
        y_true: Any,
        y_pred: T,
        y_score: Any = None,
        *,
        name: str = "",
        rtol: float | None = None,
        atol: float | None = None,
    ) -> T:
        """Record accuracy, precision, recall, f1, the confusion matrix and, with scores, roc_auc.

        Args:
            y_true: labels, shape (n,).
            y_pred: predicted labels, shape (n,).
            y_score: scores or probabilities, shape (n,) or (n, classes).
            name: prefix of the keys: ``name="test"`` records ``results.test.f1``.
            rtol: relative tolerance of all but the confusion matrix, which is exact; the project's default where
                neither is given.
            atol: absolute tolerance of the same metrics.

        Returns:
            ``y_pred``.

        Raises:
            RecordingError: for shapes or labels that do not fit together, or a tolerance that is not a finite
                number >= 0.
        """
        self._record(Results().classification, y_true, y_pred, y_score, name=name, rtol=rtol, atol=atol)
        return y_pred

    def regression(
        self,
        y_true: Any,
        y_pred: T,
        *,
        name: str = "",
        rtol: float | None = None,
        atol: float | None = None,
    ) -> T:
        """Record r2, mae, rmse and max_error of predictions, shapes (n,) or (n, 1).

        Args:
            y_true: targets.
            y_pred: predictions.
            name: prefix of the keys: ``name="test"`` records ``results.test.r2``.
            rtol: relative tolerance of all four; the project's default where neither is given.
            atol: absolute tolerance of all four, in the target's unit (of r2 in its own).

        Returns:
            ``y_pred``.

        Raises:
            RecordingError: for shapes that do not fit together, or a tolerance that is not a finite number >= 0.
        """
        self._record(Results().regression, y_true, y_pred, name=name, rtol=rtol, atol=atol)
        return y_pred

    def array(
        self,
        name: str,
        values: T,
        *,
        rtol: float | None = None,
        atol: float | None = None,
        up_to_sign: bool = False,
    ) -> T:
        """Record an array of results: value by value where small, by fingerprint and summary where large.

        Args:
            name: unique within the test.
            values: the array.
            rtol: relative to the largest magnitude in the baseline.
            atol: absolute tolerance, in the array's unit.
            up_to_sign: of components, such as principal axes or eigenvectors, a row each: their sign does not count.

        Raises:
            RecordingError: for what is not an array of numbers or strings.
        """
        self._measure(Results().array, name, values, rtol=rtol, atol=atol, up_to_sign=up_to_sign)
        return values

    def model(self, name: str, estimator: T) -> T:
        """Record the fitted state of an estimator, attribute by attribute.

        Raises:
            RecordingError: if it is not fitted.
        """
        self._measure(Results().model, name, estimator, handed=estimator)
        return estimator

    def library(self, *names: str) -> Any:
        """Freeze distributions that are not imported yet, or not by the test itself.

        Raises:
            RecordingError: if one is not installed.
        """
        self._record(self._freeze, names)
        return names[0] if len(names) == 1 else names

    def __reduce__(self) -> NoReturn:
        raise RecordingError(
            "the recorder cannot be sent to another process: what it recorded there would be lost",
            where=caller(),
            remedy="let the process return its values, and record them in the test",
        )

    def __getattr__(self, name: str) -> Callable[..., None]:
        # A facet that another distribution brings is recorded by its name.
        room = None if name.startswith("_") else further_facets().get(name)
        if room is None:
            raise AttributeError(f"the mlrepro recorder has no method {name!r}")

        return partial(self._record, room.capture)  # type: ignore[attr-defined]

    def _record(
        self, capture: Callable[..., Iterable[Fact]], *args: Any, handed: object = None, **kwargs: Any
    ) -> None:
        if self._graph is None:
            return
        recording = self._current()
        try:
            recording.check_process()
            recording.add(capture(*args, **kwargs))
        except MlreproError as error:
            raise _said_to_all(error, recording) from None
        if handed is not None:
            recording.modules.add(type(handed).__module__)

    def _measure(self, capture: Callable[..., Iterable[Fact]], *args: Any, **kwargs: Any) -> None:
        if self._graph is None:
            return
        recording = self._current()
        accepted = self._accepted(recording.subject)
        self._record(
            capture, *args, against=Yardstick(accepted, recording.tolerance, self._tolerance), **kwargs
        )

    def _freeze(self, names: tuple[str, ...]) -> tuple[Fact, ...]:
        for name in names:
            version_of(name)
        self._current().named.update(names)
        return ()


def _said_to_all(error: MlreproError, recording: Recording) -> MlreproError:
    """The same, told to the test too where a thread or process raises it that may tell nobody."""
    said = _said_here(error)
    recording.refused(said)
    return said


def _said_here(error: MlreproError) -> MlreproError:
    """The error as a new one: raised in this module, it shows the user's line and none of ours."""
    return type(error)(error.what, where=error.where or caller(), remedy=error.remedy)
