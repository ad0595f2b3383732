"""Progress: told on a terminal only, late, seldom, and wiped out."""

import contextlib
from types import SimpleNamespace

from pytest_mlrepro.plugin.progress import terminal
from pytest_mlrepro.report.progress import Progress


class Terminal:
    def __init__(self, isatty):
        self.isatty = isatty
        self.text = ""

    def write(self, text, *, flush):
        assert flush
        self.text += text


def progress(reporter, times, *, capture=True):
    uncaptured = []

    @contextlib.contextmanager
    def disabled():
        uncaptured.append(True)
        yield

    plugins = {"terminalreporter": reporter}
    if capture:
        plugins["capturemanager"] = SimpleNamespace(global_and_fixture_disabled=disabled)
    config = SimpleNamespace(pluginmanager=SimpleNamespace(get_plugin=plugins.get))
    return Progress(lambda: terminal(config), clock=iter(times).__next__), uncaptured


def test_from_the_second_second_on_and_wiped_out():
    screen = Terminal(isatty=True)
    made, uncaptured = progress(screen, [0.0, 0.5, 1.1, 1.2, 1.4])
    with made.telling("data 'train'") as advance:
        for _ in range(4):
            advance(10**9)
    first, second = "mlrepro: reading data 'train', 2.0 GB", "mlrepro: reading data 'train', 4.0 GB"
    assert screen.text == f"\r{first}\r{second}\r{' ' * len(second)}\r"
    assert len(uncaptured) == 3


def test_nothing_of_what_is_quick_or_seen_by_nobody():
    screen = Terminal(isatty=True)
    made, _ = progress(screen, [0.0, 0.2])
    with made.telling("data 'train'") as advance:
        advance(10**9)
    assert screen.text == ""
    made, _ = progress(Terminal(isatty=False), [])
    with made.telling("data 'train'") as advance:
        assert advance is None
    made, _ = progress(None, [])
    with made.telling("data 'train'") as advance:
        assert advance is None


def test_without_capturing():
    screen = Terminal(isatty=True)
    made, _ = progress(screen, [0.0, 2.0], capture=False)
    with made.telling("data 'x'") as advance:
        advance(1)
    assert "reading data 'x'" in screen.text


def test_what_is_counted_has_a_bar():
    screen = Terminal(isatty=True)
    made, _ = progress(screen, [0.0, 1.1, 1.4, 1.8])
    with made.counting("versions", 4) as advance:
        for _ in range(3):
            advance(1)
    told = [line for line in screen.text.split("\r") if line.strip()]
    assert told == [
        "mlrepro: reading versions, [#####...............] 1 of 4",
        "mlrepro: reading versions, [##########..........] 2 of 4",
        "mlrepro: reading versions, [###############.....] 3 of 4",
    ]
