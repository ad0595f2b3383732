"""The lock files of a project, by digest."""

from __future__ import annotations

import os
import sys
from hashlib import sha256

import pytest

from pytest_mlrepro.environment.locks import NAMES, digest, locks
from pytest_mlrepro.environment.spelling import UNKNOWN

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="FIFOs and permissions are POSIX")


def of(content):
    return sha256(content).hexdigest()


@pytest.mark.parametrize("name", [*NAMES, "pylock.gpu.toml"])
def test_the_locks_of_all_managers(tmp_path, name):
    (tmp_path / name).write_bytes(b"a\nb\n")
    assert locks(tmp_path) == {name: of(b"a\nb\n")}


def test_nothing_else_is_one(tmp_path):
    for name in (
        "pyproject.toml",
        "requirements.in",
        "pylock.a.b.toml",
        "my-uv.lock",
        "uv.lock.bak",
        "mlrepro.lock",
    ):
        (tmp_path / name).write_bytes(b"a")
    (tmp_path / "poetry.lock").mkdir()
    assert locks(tmp_path, tmp_path / "nowhere") == {}


def test_sorted_by_name(tmp_path):
    for name in ("uv.lock", "poetry.lock", "pylock.b.toml", "pylock.a.toml"):
        (tmp_path / name).write_bytes(b"")
    assert list(locks(tmp_path)) == ["poetry.lock", "pylock.a.toml", "pylock.b.toml", "uv.lock"]


@pytest.mark.parametrize("written", [b"a\r\nb\r\n", b"a\nb\n", b"a\r\nb\n"])
def test_line_ends_do_not_count(tmp_path, written):
    (tmp_path / "uv.lock").write_bytes(written)
    assert locks(tmp_path)["uv.lock"] == of(b"a\nb\n")


@pytest.mark.parametrize("written", [b"a\rb\n", b"a\r", b"\r\r\n", b"a\n\n", b"a", b""])
def test_all_else_counts(tmp_path, written):
    (tmp_path / "uv.lock").write_bytes(written)
    assert digest(tmp_path / "uv.lock") == of(written.replace(b"\r\n", b"\n"))
    assert digest(tmp_path / "uv.lock") != of(b"a\nb\n")


def test_the_first_folder_wins(tmp_path):
    for name in ("project", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "uv.lock").write_text(name)
    (tmp_path / "other" / "pdm.lock").write_text("pdm")
    assert locks(tmp_path / "project", tmp_path / "other") == {
        "pdm.lock": of(b"pdm"),
        "uv.lock": of(b"project"),
    }


@POSIX
def test_what_cannot_be_read_is_unknown_and_a_fifo_is_not_waited_for(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "uv.lock")
    (tmp_path / "pdm.lock").symlink_to("pdm.lock")
    (tmp_path / "poetry.lock").write_text("a")
    assert locks(tmp_path) == {"poetry.lock": of(b"a")}

    def refuse(*_, **__):
        raise PermissionError

    monkeypatch.setattr("pathlib.Path.open", refuse)
    assert locks(tmp_path) == {"poetry.lock": UNKNOWN}
