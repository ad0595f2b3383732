"""The recorder: what a test says becomes facts of its subject, with the line that said it."""

from __future__ import annotations

import inspect
import math
import os
import pickle
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from pytest_mlrepro import capture
from pytest_mlrepro.capture import Recorder
from pytest_mlrepro.codegraph import CodeGraph
from pytest_mlrepro.errors import FingerprintError, RecordingError
from pytest_mlrepro.facets import Facet
from pytest_mlrepro.model import Fact, Tolerance
from pytest_mlrepro.policy import Policies
from pytest_mlrepro.recording import Recording

TEST = "tests/test_a.py::test_a"
SEED = 2746317213


class Pins:
    """Stands where the generators would be pinned."""

    def __init__(self):
        self.seeds = []

    def __call__(self, seed):
        if not 0 <= seed < 2**32:
            raise RecordingError(f"a seed must be from 0 to {2**32 - 1}, got {seed}")
        self.seeds.append(seed)


@pytest.fixture
def recording():
    return Recording(TEST, SEED)


@pytest.fixture
def pins():
    return Pins()


@pytest.fixture
def recorder(recording, pins, tmp_path):
    return Recorder(lambda: recording, pins, CodeGraph(tmp_path))


@pytest.fixture
def idle(recording, pins):
    """A recorder of a run that records nothing."""
    return Recorder(lambda: recording, pins, None)


def values(recording):
    facts = recording.facts().values()
    return {fact.address: fact.value for fact in facts if fact.facet != "randomization"}


def line(below=1):
    """``file:line`` of a line below the one that calls this."""
    frame = inspect.currentframe().f_back
    path = Path(__file__)
    here = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else Path(path.name)
    return f"{here.as_posix()}:{frame.f_lineno + below}"


def test_an_integer_that_nobody_can_read_is_refused(recorder):
    assert recorder.metric("n", 2**4095) == 2**4095
    for value in (2**4096, [1, [-(2**5000)]]):
        with pytest.raises(
            RecordingError, match=r"results\.m is, or holds, an integer of more than 4,096 bits"
        ):
            recorder.metric("m", value)


# What is given is given back


FEATURES, LABELS = load_iris(return_X_y=True)
FITTED = LogisticRegression(max_iter=1000).fit(FEATURES, LABELS)
PREDICTED = FITTED.predict(FEATURES)
CALLS = {
    "settings": (lambda record: record.settings(FITTED, name="model"), FITTED, "settings.model.C"),
    "data": (lambda record: record.data("train", FEATURES), FEATURES, "data.train"),
    "metric": (lambda record: record.metric("f1", 0.5, rtol=1e-3, better="higher"), 0.5, "results.f1"),
    "metrics": (lambda record: record.metrics(SCORES), None, "results.auc"),
    "array": (lambda record: record.array("predicted", PREDICTED), PREDICTED, "results.predicted"),
    "model": (lambda record: record.model("fitted", FITTED), FITTED, "results.fitted.coef_"),
    "classification": (
        lambda record: record.classification(LABELS, PREDICTED, name="test"),
        PREDICTED,
        "results.test.f1",
    ),
    "regression": (lambda record: record.regression(LABELS, PREDICTED), PREDICTED, "results.r2"),
    "assume": (lambda record: record.assume("min_age", 18), 18, "assumptions.min_age"),
    "environ": (lambda record: record.environ("TZ"), "TZ", "assumptions.environ.TZ"),
}
SCORES = {"auc": 0.9, "loss": 0.1}
PROBABILITIES = FITTED.predict_proba(FEATURES)


@pytest.mark.parametrize("name", CALLS)
def test_a_call_gives_back_what_it_was_given_and_records(name, recorder, idle, recording):
    call, given, address = CALLS[name]
    given = SCORES if given is None else given
    assert call(idle) is given
    assert values(recording) == {}
    assert call(recorder) is given
    assert address in values(recording)


def test_several_at_once_come_back_as_a_tuple(recorder):
    assert recorder.environ("TZ", "LANG") == ("TZ", "LANG")
    assert recorder.assume(region="EU", currency="EUR") == {"region": "EU", "currency": "EUR"}
    assert recorder.library("numpy", "scikit-learn") == ("numpy", "scikit-learn")


def test_source_is_recorded_and_given_back(tmp_path, recording, pins, monkeypatch):
    (tmp_path / "made_for_capture.py").write_text("def train():\n    return 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import made_for_capture

    record = Recorder(lambda: recording, pins, CodeGraph(tmp_path))
    try:
        assert record.source(made_for_capture.train) is made_for_capture.train
    finally:
        del sys.modules["made_for_capture"]
    (address,) = values(recording)
    assert address.startswith("source.")


def test_libraries_are_named_and_modules_noted(recorder, recording):
    recorder.library("numpy")
    recorder.settings(FITTED)
    assert recording.named == {"numpy"}
    assert "sklearn.linear_model._logistic" in recording.modules


# Seeds


def test_the_seed_and_its_stream(recorder):
    assert recorder.seed == SEED
    assert recorder.rng.random() == np.random.default_rng(SEED).random() == recorder.rng.random()


def test_pins_are_made_and_noted_even_while_nothing_is_recorded(recorder, idle, pins, recording):
    assert recorder.pin(7) == 7
    assert idle.pin(8) == 8
    assert pins.seeds == [7, 8]
    facts = recording.facts()
    assert facts["randomization.pins"].value == (7, 8)
    assert facts["randomization.seed"].value == SEED


def test_a_seed_out_of_range_is_told_at_its_line(recorder, recording):
    where = line(below=2)
    with pytest.raises(RecordingError) as caught:
        recorder.pin(-1)
    assert caught.value.where == where
    assert "randomization.pins" not in recording.facts()


def test_the_pinned_seed_among_the_settings_is_known(recorder, recording):
    recorder.settings({"random_state": SEED, "other": SEED + 1, "share": float(SEED)})
    found = values(recording)
    assert found["settings.random_state"] == "mlrepro.seed"
    assert found["settings.other"] == SEED + 1
    assert found["settings.share"] == float(SEED)


# Twice, too late, not at all


@pytest.mark.parametrize("value", [0.5, float("nan"), -0.0, (1, "a"), None])
def test_the_same_twice_is_one_fact(recording, value):
    for _ in range(2):
        recording.add([Fact("results", "x", value)])
    assert list(values(recording)) == ["results.x"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Fact("results", "x", 1), Fact("results", "x", 2)),
        (Fact("results", "x", 1), Fact("results", "x", True)),
        (Fact("results", "x", 0.0), Fact("results", "x", -0.0)),
        (Fact("results", "x", 0.5), Fact("results", "x", 0.5, dtype="float32")),
    ],
)
def test_another_value_under_the_same_name_is_told_with_both_places(recording, first, second):
    one = line()
    recording.add([first])
    two = line(below=2)
    with pytest.raises(RecordingError) as caught:
        recording.add([second])
    assert caught.value.where == two
    assert f"results.x is recorded twice with different values: {first.value!r} at {one}" in caught.value.what
    assert values(recording) == {"results.x": first.value}


def test_every_fact_knows_its_line(recorder, recording):
    where = line()
    recorder.metric("f1", 0.5)
    assert recording.facts()["results.f1"].origin == where


def test_a_file_beside_the_package_is_not_taken_for_ours(recorder, recording):
    folder = Path(capture.__file__).parent
    beside = folder.with_name(f"{folder.name}_examples") / "test_a.py"
    exec(compile("record.metric('f1', 0.5)", str(beside), "exec"), {"record": recorder})
    assert recording.facts()["results.f1"].origin.endswith("test_a.py:1")


def test_what_comes_too_late_is_told(recorder, recording):
    recording.closed = True
    with pytest.raises(RecordingError, match=r"results\.f1 is recorded after the test has been judged"):
        recorder.metric("f1", 0.5)


def test_what_is_ignored_is_not_recorded_whatever_it_is(pins, tmp_path):
    recording = Recording(
        TEST, SEED, policies=Policies(({"results.loss": "ignore", "randomization": "ignore"},))
    )
    record = Recorder(lambda: recording, pins, CodeGraph(tmp_path))
    record.metric("loss", 0.1)
    record.metric("loss", 0.2)
    record.metric("f1", 0.5)
    assert list(recording.facts()) == ["results.f1"]


def test_many_threads_lose_nothing(recorder, recording):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: recorder.metric(f"x{number}", number), range(200)))
    assert len(values(recording)) == 200


def test_what_a_thread_cannot_record_is_kept_for_the_test(recorder, recording):
    with ThreadPoolExecutor(4) as pool:
        told = [
            each.exception() for each in [pool.submit(recorder.metric, "x", number) for number in (1, 2, 3)]
        ]
    assert sum(isinstance(each, RecordingError) for each in told) == 2
    assert "results.x is recorded twice with different values" in recording.strays.take()
    assert recording.strays.take() == ""


def test_what_the_test_itself_cannot_record_is_only_raised(recorder, recording):
    with pytest.raises(RecordingError):
        recorder.metric("x", None)
    assert recording.strays.take() == ""


FORKED = """
import os, sys
from pathlib import Path
from pytest_mlrepro.capture import Recorder
from pytest_mlrepro.codegraph import CodeGraph
from pytest_mlrepro.recording import Recording

recording = Recording("test_a.py::test_a", 1)
recorder = Recorder(lambda: recording, print, CodeGraph(Path.cwd()))
if not os.fork():
    try:
        recorder.metric("x", 1)
    finally:
        os._exit(0)
os.wait()
recorder.metric("y", 1)
print(recording.strays.take())
print(sorted(key for key in recording.facts() if key.startswith("results")))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_cannot_record_and_the_test_hears_of_it(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", FORKED], cwd=tmp_path, text=True, capture_output=True, check=True
    )
    assert "recorded in a process that the test has started" in ran.stdout
    assert "let the process return the value" in ran.stdout
    assert ran.stdout.splitlines()[-1] == "['results.y']"


def test_the_recorder_is_not_sent_to_another_process(recorder):
    for sent in (recorder, recorder.metric, {"record": recorder}):
        with pytest.raises(RecordingError, match="the recorder cannot be sent to another process") as caught:
            pickle.dumps(sent)
        assert Path(__file__).name in caught.value.where


# Tolerances of a marker


@pytest.fixture
def wide(pins, tmp_path):
    recording = Recording(TEST, SEED, tolerance=Tolerance(0.1, 0.0))
    record = Recorder(lambda: recording, pins, CodeGraph(tmp_path))
    return record, recording


@pytest.mark.parametrize(
    ("value", "applies"),
    [
        (0.5, True),
        (1j, True),
        ([0.5, 1.5], True),
        (np.float32(0.5), True),
        (3, False),
        (True, False),
        ("svm", False),
        ([[39, 3], [1, 71]], False),
        (np.arange(1000), False),
        (np.arange(1000) / 7, True),
    ],
    ids=str,
)
def test_a_markers_tolerance_is_for_floats(wide, value, applies):
    record, recording = wide
    record.metric("x", value)
    assert recording.facts()["results.x"].tolerance == (Tolerance(0.1, 0.0) if applies else None)


def test_a_confusion_matrix_stays_exact_under_a_markers_tolerance(wide):
    record, recording = wide
    record.classification(LABELS, PREDICTED)
    facts = recording.facts()
    assert facts["results.confusion_matrix"].tolerance is None
    assert facts["results.f1"].tolerance == Tolerance(0.1, 0.0)


def test_a_markers_tolerance_does_not_widen_what_has_its_own(wide):
    record, recording = wide
    record.metric("f1", 0.5, atol=1e-6)
    record.settings({"share": 0.5})
    facts = recording.facts()
    assert facts["results.f1"].tolerance == Tolerance(0.0, 1e-6)
    assert facts["settings.share"].tolerance is None


METRICS = pytest.mark.parametrize(
    ("call", "names"),
    [
        (
            lambda record, **options: record.classification(
                LABELS, PREDICTED, FITTED.predict_proba(FEATURES), **options
            ),
            {"accuracy", "precision", "recall", "f1", "roc_auc"},
        ),
        (
            lambda record, **options: record.regression(LABELS, PREDICTED, **options),
            {"r2", "mae", "rmse", "max_error"},
        ),
    ],
    ids=["classification", "regression"],
)


@METRICS
@pytest.mark.parametrize(
    "given",
    [
        ({}, None),
        ({"rtol": 1e-3}, Tolerance(1e-3, 0.0)),
        ({"atol": 0.01}, Tolerance(0.0, 0.01)),
        ({"rtol": 0, "atol": 0}, Tolerance(0.0, 0.0)),
    ],
    ids=["none", "rtol", "atol", "bitwise"],
)
def test_a_tolerance_of_several_metrics_is_for_their_floats(recording, recorder, call, names, given):
    options, expected = given
    call(recorder, **options)
    found = {fact.key: fact.tolerance for fact in recording.facts().values() if fact.facet == "results"}
    assert found.pop("confusion_matrix", None) is None
    assert found == dict.fromkeys(names, expected)


@pytest.mark.parametrize("bound", ["rtol", "atol"])
@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), -float("inf"), -1, -1e-300, True, False, "1e-3", 10**400, 1j, [1], object()],
    ids=lambda value: str(value)[:10],
)  # fmt: skip
@pytest.mark.parametrize(
    "call",
    [
        lambda record, **options: record.metric("m", 0.5, **options),
        lambda record, **options: record.metric("m", "a label", **options),
        lambda record, **options: record.metrics({"m": 0.5}, **options),
        lambda record, **options: record.metrics({}, **options),
        lambda record, **options: record.array("m", PREDICTED, **options),
        lambda record, **options: record.array("m", FEATURES, **options),
        lambda record, **options: record.classification(LABELS, PREDICTED, PROBABILITIES, **options),
        lambda record, **options: record.regression(LABELS, PREDICTED, **options),
    ],
    ids=["metric", "label", "metrics", "no metrics", "array", "large array", "classification", "regression"],
)
def test_a_tolerance_that_is_none_is_told_at_the_call(recorder, recording, call, bound, value):
    with pytest.raises(RecordingError, match=f"{bound} must be a (finite )?number") as caught:
        call(recorder, **{bound: value})
    assert Path(__file__).name in caught.value.where
    assert values(recording) == {}


# Large arrays


@pytest.mark.parametrize("marked", [None, Tolerance(1e-2, 0.0)], ids=["project", "marker"])
def test_large_arrays_are_measured_against_what_was_accepted(pins, tmp_path, marked):
    """By the tolerance of the marker, else of the project, and against the baseline of the subject that is running."""
    large = np.linspace(0.5, 1.0, 1000)
    fitted = LogisticRegression()
    asked = []

    def recorded(noise, accepted):
        recording = Recording(TEST, SEED, tolerance=marked)
        record = Recorder(
            lambda: recording,
            pins,
            CodeGraph(tmp_path),
            None,
            lambda subject: asked.append(subject) or accepted,
            tolerance=Tolerance(1e-3, 0.0),
        )
        fitted.coef_ = large * noise
        record.array("scores", large * noise)
        record.metric("losses", (large * noise).tolist())
        record.model("model", fitted)
        return {address: fact for address, fact in recording.facts().items() if "sketch" in fact.detail}

    before = recorded(1.0, {})
    assert before.keys() == {"results.scores", "results.losses", "results.model.coef_"}
    assert not any(fact.nearness for fact in before.values())
    width = (marked or Tolerance(1e-3)).rtol
    for noise, holds in ((1 + 0.9 * width, True), (1 + 2 * width, False)):
        near = [fact.nearness for fact in recorded(noise, before).values()]
        assert [(each.holds, each.width) for each in near] == [(holds, width)] * 3
    assert set(asked) == {TEST}


# Mistakes


@pytest.mark.parametrize(
    ("call", "kind", "said"),
    [
        (lambda record: record.metric("f1", object()), RecordingError, "metric 'f1' is of type object"),
        (
            lambda record: record.metric("a\ud800", 1),
            RecordingError,
            r"'a\ud800' cannot be the name of a fact",
        ),
        (lambda record: record.metrics([1, 2]), RecordingError, "metrics() takes a mapping"),
        (lambda record: record.data("train", Path("nowhere.csv")), FingerprintError, "data 'train'"),
        (lambda record: record.assume(), RecordingError, "assume() takes a name and a value"),
        (lambda record: record.assume("a"), RecordingError, "assume() takes a name and a value"),
        (lambda record: record.library("no-such-distribution"), RecordingError, "no-such-distribution"),
        (lambda record: record.source(len), RecordingError, "len"),
        (lambda record: record.model("m", LogisticRegression()), RecordingError, "fitted"),
    ],
)
def test_a_mistake_is_told_at_its_line_in_no_frame_of_ours(recorder, recording, call, kind, said):
    with pytest.raises(kind) as caught:
        call(recorder)
    assert said in caught.value.what
    assert Path(__file__).name in caught.value.where
    assert caught.value.remedy
    assert caught.value.__cause__ is None
    assert values(recording) == {}


def test_what_it_cannot_do_is_an_attribute_error(recorder):
    with pytest.raises(AttributeError, match="the mlrepro recorder has no method 'metrik'"):
        recorder.metrik("f1", 0.5)
    assert not hasattr(recorder, "_anything")


def test_a_facet_of_another_distribution_is_recorded_by_its_name(recorder, recording, monkeypatch):
    class Energy(Facet):
        name = "energy"

        def capture(self, key, joules):
            return (Fact(self.name, key, joules),)

    monkeypatch.setattr(capture, "further_facets", lambda: {"energy": Energy()})
    recorder.energy("training", 12.5)
    assert values(recording) == {"energy.training": 12.5}


def test_environment_variables_are_only_read(recorder, monkeypatch):
    monkeypatch.setenv("REGION", "EU")
    before = dict(os.environ)
    recorder.environ("REGION", "NOT_SET_ANYWHERE")
    assert dict(os.environ) == before


def test_a_call_is_named_where_the_working_folder_is_gone(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    recording = Recording(TEST, SEED)
    Recorder(lambda: recording, lambda _: None, CodeGraph(tmp_path)).metric("f1", 0.5)
    monkeypatch.undo()
    assert re.fullmatch(r"test_capture\.py:\d+", recording.facts()["results.f1"].origin)


def test_a_call_is_named_by_the_folder_that_the_run_began_in(recorder, recording, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recorder.metric("f1", 0.5)
    recorder.assume("region", "EU")
    origins = [fact.origin for fact in recording.facts().values() if fact.origin]
    assert all(re.fullmatch(r"tests/test_capture\.py:\d+", origin) for origin in origins), origins


def test_a_tolerance_of_no_metrics_is_checked_too(recorder):
    with pytest.raises(RecordingError, match="rtol must be a finite number >= 0"):
        recorder.metrics({}, rtol=math.nan)
