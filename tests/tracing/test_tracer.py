"""Which functions are steps, in which order, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import threading

import pytest

from pytest_mlrepro.traces import Routine
from pytest_mlrepro.tracing import Tracer
from pytest_mlrepro.tracing.tracer import MOST_CALLS, MOST_STEPS, Track

MONITORING = sys.version_info >= (3, 12)
CODE = """
import asyncio
import functools
from json import dumps


def add(a, b):
    return a + b


def outer(n):
    return add(n, 1) * 2


def fact(n):
    return 1 if n < 2 else n * fact(n - 1)


def raises():
    add(1, 1)
    raise KeyError("no")


def catches():
    try:
        raises()
    except KeyError:
        return "caught"


def three():
    yield 1
    yield from [2, 3]


async def later(n):
    await asyncio.sleep(0)
    return n


async def both():
    return await asyncio.gather(later(1), later(2))


async def stream():
    yield 1


async def drained():
    return [each async for each in stream()]


def lists(n):
    return [each + 1 for each in range(n)], {each for each in range(2)}, sum(each for each in range(3))


def with_lambda(items):
    return sorted(items, key=lambda item: -item)


@functools.cache
def once(n):
    return n


class Model:
    width = 3

    def fit(self):
        return self

    @staticmethod
    def helper():
        return dumps([1])

    @property
    def size(self):
        return 4


def defines():
    class Inner:
        def method(self):
            return 5

    return Inner().method()


def evaluates():
    return eval("(lambda: 7)()")


def hot(n):
    for each in range(n):
        add(each, 0)
    return n


def deep(n):
    return deep(n + 1)


def too_deep():
    try:
        deep(0)
    except RecursionError:
        return "too deep"
"""


def load(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    for name in ("app", "twin", "site-packages/installed"):
        path = root / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(CODE)
    return root


@pytest.fixture
def app(project):
    return load(project / "app.py", "app")


@pytest.fixture
def tracer(project):
    tracer = Tracer(project)
    yield tracer
    tracer.close()


def names(track):
    return [step.routine.name for step in track.steps]


def forms(track):
    return [(step.routine.name, step.seen.form) for step in track.steps]


@pytest.fixture
def follow(tracer):
    def followed(call, *arguments):
        track = Track()
        with tracer.following(track):
            call(*arguments)
        return track

    return followed


def test_inner_calls_come_first(app, follow):
    track = follow(app.outer, 1)
    assert forms(track) == [("add", "int 2"), ("outer", "int 4")]
    assert track.steps[0].routine == Routine("app.py", 7, "add")
    assert track.trace().stopped == ""


def test_recursion(app, follow):
    assert forms(follow(app.fact, 4)) == [("fact", f"int {n}") for n in (1, 2, 6, 24)]


def test_a_call_that_raises_is_no_step(app, follow):
    assert forms(follow(app.catches)) == [("add", "int 2"), ("catches", "str of length 6")]


def test_a_generator_is_its_items(app, follow):
    track = follow(list, app.three())
    assert forms(track) == [("three", "int 1"), ("three", "int 2"), ("three", "int 3")]
    assert track.steps[0].routine.yields


def test_a_coroutine_is_what_it_returns(app, follow):
    track = follow(lambda: asyncio.run(app.both()))
    assert forms(track) == [("later", "int 1"), ("later", "int 2"), ("both", "list of 2")]
    assert names(follow(lambda: asyncio.run(app.drained()))) == ["drained"]


def test_comprehensions_modules_and_class_bodies_are_no_steps(app, follow, project):
    assert names(follow(app.lists, 3)) == ["lists"]
    assert names(follow(app.defines)) == ["defines.<locals>.Inner.method", "defines"]
    assert names(follow(load, project / "twin.py", "twin")) == []


def test_lambdas_are(app, follow):
    assert names(follow(app.with_lambda, [1, 2])) == ["with_lambda.<locals>.<lambda>"] * 2 + ["with_lambda"]


def test_methods_properties_and_what_is_cached(app, follow):
    model = app.Model()
    assert names(follow(lambda: (model.fit(), model.helper(), model.size))) == [
        "Model.fit",
        "Model.helper",
        "Model.size",
    ]
    assert names(follow(lambda: (app.once(1), app.once(1)))) == ["once"]


def test_code_without_a_file_and_of_others_is_no_step(app, follow, project):
    installed = load(project / "site-packages" / "installed.py", "installed")
    assert names(follow(installed.outer, 1)) == []
    assert names(follow(app.evaluates)) == ["evaluates"]


def test_equal_code_of_two_files_is_told_apart(app, follow, project):
    twin = load(project / "twin.py", "twin")
    track = follow(lambda: (app.add(1, 1), twin.add(1, 1), app.add(1, 1)))
    assert [step.routine.file for step in track.steps] == ["app.py", "twin.py", "app.py"]


def test_every_track_sees_the_same(app, follow):
    for _ in range(3):
        assert names(follow(app.outer, 1)) == ["add", "outer"]


def test_between_tracks_nothing_is_seen(app, tracer):
    first, second = Track(), Track()
    with tracer.following(first):
        app.add(1, 1)
        with tracer.following(None):
            app.outer(1)
        with tracer.following(second):
            app.fact(1)
        app.catches()
    app.outer(1)
    with tracer.following(first):
        app.outer(2)
    assert names(first) == ["add", "add", "catches", "add", "outer"]
    assert names(second) == ["fact"]


def test_a_function_in_a_loop_is_cut_and_told(app, follow):
    track = follow(app.hot, MOST_CALLS + 50)
    assert names(track) == ["add"] * MOST_CALLS + ["hot"]
    assert track.trace().cut == {("app.py", "add")}
    assert follow(app.hot, MOST_CALLS).trace().cut == frozenset()


def test_the_number_of_steps_is_bounded(app, follow, monkeypatch):
    monkeypatch.setattr("pytest_mlrepro.tracing.tracer.MOST_STEPS", 5)
    track = follow(lambda: [app.outer(each) for each in range(10)])
    assert names(track) == ["add", "outer", "add", "outer", "add"]
    assert track.trace().stopped == "only the first 5 steps are kept"
    assert MOST_STEPS == 10_000


def test_other_threads_are_not_followed(app, tracer):
    track = Track()
    with tracer.following(track):
        thread = threading.Thread(target=app.outer, args=(1,))
        thread.start()
        thread.join()
        app.fact(1)
    assert names(track) == ["fact"]


def test_deep_recursion_ends_as_without(app, follow):
    track = follow(app.too_deep)
    if MONITORING:
        assert names(track) == ["too_deep"]
    else:
        # Python drops a profiler that finds no room on the stack.
        assert "recursion was too deep" in track.trace().stopped or names(track) == ["too_deep"]


def test_what_is_returned_is_not_kept_alive(app, follow):
    import weakref

    model = app.Model()
    gone = weakref.ref(model)
    track = follow(model.fit)
    del model
    assert gone() is None
    assert names(track) == ["Model.fit"]


def test_an_exception_of_the_test_passes_through(app, tracer):
    track = Track()
    with pytest.raises(KeyError), tracer.following(track):
        app.raises()
    assert names(track) == ["add"]
    app.add(1, 1)
    assert names(track) == ["add"]


@pytest.mark.skipif(MONITORING, reason="a profiler is in nobody's way there")
class TestProfile:
    def test_another_profiler_is_left_alone(self, app, follow):
        calls = []

        def other(frame, event, value):
            calls.append(event)

        sys.setprofile(other)
        try:
            track = follow(app.outer, 1)
            assert sys.getprofile() is other
        finally:
            sys.setprofile(None)
        assert names(track) == []
        assert track.trace().stopped == "another profiler is active"
        assert calls

    def test_one_that_comes_later_stays(self, app, follow):
        def other(frame, event, value):
            pass

        def takes_over():
            app.add(1, 1)
            sys.setprofile(other)
            app.outer(1)

        try:
            track = follow(takes_over)
            assert sys.getprofile() is other
        finally:
            sys.setprofile(None)
        assert names(track) == ["add"]
        assert track.trace().stopped == "another profiler took over"

    def test_nothing_stays_installed(self, app, follow):
        follow(app.outer, 1)
        assert sys.getprofile() is None


@pytest.mark.skipif(not MONITORING, reason="needs sys.monitoring")
class TestMonitoring:
    def test_without_a_free_id_it_says_so(self, app, follow):
        for tool in (3, 4):
            sys.monitoring.use_tool_id(tool, "another")
        try:
            track = follow(app.outer, 1)
        finally:
            for tool in (3, 4):
                sys.monitoring.free_tool_id(tool)
        assert names(track) == []
        assert track.trace().stopped == "no tool id of sys.monitoring is free"

    def test_nothing_stays_installed(self, app, follow, tracer):
        follow(app.outer, 1)
        tool = next(each for each in (4, 3) if sys.monitoring.get_tool(each) == "pytest-mlrepro")
        assert sys.monitoring.get_events(tool) == 0
        assert sys.monitoring.get_local_events(tool, app.add.__code__) == 0
        tracer.close()
        assert sys.monitoring.get_tool(tool) is None

    def test_a_function_that_is_cut_is_no_longer_heard(self, app, tracer):
        with tracer.following(Track()):
            app.hot(MOST_CALLS + 1)
            tool = next(each for each in (4, 3) if sys.monitoring.get_tool(each) == "pytest-mlrepro")
            assert sys.monitoring.get_local_events(tool, app.add.__code__) == 0
            assert sys.monitoring.get_local_events(tool, app.hot.__code__) != 0
