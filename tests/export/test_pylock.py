"""What uv is asked for a lock, and what is made of its answer."""

from __future__ import annotations

import pytest
import tomli
from export.runs import EVERY_ORIGIN, SOURCE, locked
from packaging.pylock import Pylock

from pytest_mlrepro.errors import ExportError
from pytest_mlrepro.export.pylock import NAME, Question, answer, question
from pytest_mlrepro.model import Run

LOCK = """lock-version = "1.0"
created-by = "uv"
requires-python = ">=3.12.4"

[[packages]]
name = "numpy"
version = "2.4.6"
wheels = [{ url = "https://index.example/numpy-2.4.6-py3-none-any.whl", hashes = { sha256 = "ab" } }]
"""


def asked(versions, **platform) -> Question:
    return question(locked(versions, **platform), SOURCE)


def option(made, name):
    values = dict(zip(made.options, made.options[1:], strict=False))
    return values.get(name, "")


def test_what_is_asked():
    made = asked(EVERY_ORIGIN)
    assert made.requirements == "numpy==2.4.6\nscipy==1.17.1\ntorch==2.5.1+cu124\n"
    assert option(made, "--format") == "pylock.toml"
    assert option(made, "--python-version") == "3.12.4"
    assert made.notes == ()


@pytest.mark.parametrize(
    ("os", "architecture", "libc", "target"),
    [
        ("Linux", "x86_64", "glibc 2.36", "x86_64-manylinux_2_36"),
        ("Linux", "x86_64", "glibc 2.30", "x86_64-manylinux_2_28"),
        ("Linux", "aarch64", "glibc 2.99", "aarch64-manylinux_2_40"),
        ("Linux", "aarch64", "musl", "aarch64-unknown-linux-musl"),
        ("Darwin", "arm64", "", "aarch64-apple-darwin"),
        ("Darwin", "x86_64", "", "x86_64-apple-darwin"),
        ("Windows", "x86_64", "", "x86_64-pc-windows-msvc"),
    ],
)
def test_the_machine_is_that_of_the_lockfile(os, architecture, libc, target):
    made = asked({"numpy": "2"}, runtime__os=os, cpu__architecture=architecture, runtime__libc=libc)
    assert option(made, "--python-platform") == target
    assert made.notes == ()


@pytest.mark.parametrize(
    ("os", "architecture", "libc", "said"),
    [
        ("Linux", "ppc64le", "glibc 2.36", "Linux (debian 12.5), ppc64le, glibc 2.36"),
        ("Linux", "x86_64", "glibc 2.12", "Linux (debian 12.5), x86_64, glibc 2.12"),
        ("FreeBSD", "x86_64", "", "FreeBSD (debian 12.5), x86_64"),
    ],
)
def test_a_machine_without_a_name_is_this_one(os, architecture, libc, said):
    made = asked({"numpy": "2"}, runtime__os=os, cpu__architecture=architecture, runtime__libc=libc)
    assert "--python-platform" not in made.options
    assert made.notes == (f"wheels are chosen for this machine: uv has no name for {said}",)


def test_another_python_is_told():
    (note,) = asked({"numpy": "2"}, runtime__python="CPython 3.13.1 free-threaded").notes
    assert note == (
        "wheels are chosen for the Python that runs this command: it was recorded on CPython 3.13.1 free-threaded"
    )
    (note,) = asked({"numpy": "2"}, runtime__python="").notes
    assert note.endswith("no Python is recorded")


def test_the_release_of_macos_is_the_oldest_that_wheels_are_for():
    made = asked(
        {"numpy": "2"}, runtime__os="Darwin", runtime__os_release="macos 14.5", cpu__architecture="arm64"
    )
    assert made.variables == {"MACOSX_DEPLOYMENT_TARGET": "14.5"}
    assert asked({"numpy": "2"}, runtime__os_release="macos 14.5").variables == {}


def test_an_answer_is_a_lock():
    made = answer(asked({"numpy": "2.4.6"}), LOCK)
    assert made.text == LOCK
    assert made.notes == ()
    Pylock.from_dict(tomli.loads(made.text))


def test_what_the_lock_cannot_hold_is_told():
    made = answer(asked({"numpy": "2.4.6 (conda py312_0)", "mine": "1.0 (editable)"}), LOCK)
    assert [note.partition(":")[0] for note in made.notes] == ["left out", "recorded from conda"]


def test_what_is_added_is_told():
    made = answer(asked({"numpy": "2.4.6"}), LOCK + '\n[[packages]]\nname = "six"\nversion = "1.17"\n')
    assert made.notes == ("added by uv, because something recorded requires it: six",)


@pytest.mark.parametrize("place", ['url = "file:///opt/wheels/n.whl"', 'path = "/opt/wheels/n.whl"'])
def test_archives_of_this_machine_are_told(place):
    lock = LOCK.replace('url = "https://index.example/numpy-2.4.6-py3-none-any.whl"', place)
    made = answer(asked({"numpy": "2.4.6"}), lock)
    assert made.notes == ("addressed in folders of this machine, where no other finds them: numpy",)


def test_credentials_are_taken_out():
    made = answer(asked({"numpy": "2.4.6"}), LOCK.replace("://index", "://user:secret@index"))
    assert made.text == LOCK


@pytest.mark.parametrize(
    ("versions", "said"),
    [
        ({"numpy": "2.4.5"}, "asked for numpy==2.4.5, uv's lock has version 2.4.6"),
        ({"numpy": "2.4.6", "scipy": "1"}, "asked for scipy==1, uv's lock has none"),
    ],
)
def test_another_lock_than_the_one_asked_for_is_refused(versions, said):
    with pytest.raises(ExportError) as raised:
        answer(asked(versions), LOCK)
    assert str(raised.value) == (
        f"uv pip compile: {said}\n"
        "look for overrides in [tool.uv] of pyproject.toml, in uv.toml and in the variables UV_..."
    )


@pytest.mark.parametrize(
    "text", ["", "numpy==2.4.6\n", "packages = 1\n", "packages = [1]\n", "a = " + "9" * 5000]
)
def test_what_is_no_lock_is_refused(text):
    with pytest.raises(ExportError) as raised:
        answer(asked({"numpy": "2.4.6"}), text)
    assert str(raised.value) == (
        "uv pip compile: what uv wrote is no pylock.toml\nupgrade it: pip install --upgrade uv"
    )


def test_nothing_that_an_index_has():
    with pytest.raises(ExportError) as raised:
        asked({"mine": "1.0 (editable)"})
    assert str(raised.value) == (
        "mlrepro.lock: none of the recorded distributions is one that a package index has\n"
        "mlrepro export --format requirements lists what is known of them"
    )
    with pytest.raises(Exception, match="nothing to install"):
        question(Run(), SOURCE)


def test_what_a_lock_may_be_called():
    assert NAME.fullmatch("pylock.toml")
    assert NAME.fullmatch("pylock.gpu.toml")
    assert not NAME.fullmatch("pylock.a.b.toml")
