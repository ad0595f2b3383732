"""Listings in reverse: every way to list a folder, and what else is asked of them."""

# ruff: noqa: PTH207, PTH208 - it is these functions that are tested

from __future__ import annotations

import glob
import os
import shutil
from pathlib import Path

import pytest

from pytest_mlrepro.plugin.listing import Listing

NAMES = ("b", "a", "d", "c")


@pytest.fixture
def folder(tmp_path):
    for name in NAMES:
        (tmp_path / "listed" / name).mkdir(parents=True)
        (tmp_path / "listed" / name / "f.txt").write_text("x")
    return tmp_path / "listed"


@pytest.fixture
def reversed_from(folder):
    """What the system gives, and the same in reverse once it is installed."""
    usual = os.listdir(folder)
    listing = Listing()
    listing.install()
    yield usual[::-1]
    listing.restore()


def scanned(folder):
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


def by_descriptor(list_it, folder):
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        return list_it(descriptor)
    finally:
        os.close(descriptor)


def listed(place):
    """Looked up when it is called, as users do."""
    return os.listdir(place)


WAYS = {
    "listdir": listed,
    "listdir of bytes": lambda folder: [os.fsdecode(name) for name in os.listdir(os.fsencode(folder))],
    "scandir": scanned,
    "scandir of bytes": lambda folder: [os.fsdecode(name) for name in scanned(os.fsencode(folder))],
    "walk": lambda folder: next(iter(os.walk(folder)))[1],
    "iterdir": lambda folder: [path.name for path in folder.iterdir()],
    "Path.glob": lambda folder: [path.name for path in folder.glob("?")],
    "Path.rglob": lambda folder: [path.parent.name for path in folder.rglob("f.txt")],
    "glob": lambda folder: [Path(path).name for path in glob.glob(f"{folder}/*")],
    "descriptor": lambda folder: by_descriptor(listed, folder),
    "scandir of a descriptor": lambda folder: by_descriptor(scanned, folder),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_list_a_folder_is_reversed(folder, reversed_from, way):
    assert WAYS[way](folder) == reversed_from


def test_the_working_folder_is_listed_too(folder, reversed_from, monkeypatch):
    monkeypatch.chdir(folder)
    assert os.listdir() == os.listdir(None) == reversed_from
    assert scanned(None) == [entry.name for entry in os.scandir()] == reversed_from


def test_a_scan_can_be_closed_before_its_end(folder, reversed_from):
    entries = os.scandir(folder)
    assert next(entries).name == reversed_from[0]
    entries.close()
    assert list(entries) == []
    with os.scandir(folder) as entries:
        next(entries)
    assert list(entries) == []


@pytest.mark.usefixtures("reversed_from")
def test_errors_are_those_of_the_system(folder):
    for listed in (os.listdir, os.scandir):
        with pytest.raises(FileNotFoundError, match="nowhere"):
            listed(folder / "nowhere")


@pytest.mark.usefixtures("reversed_from")
def test_folders_are_copied_and_removed_as_ever(folder, tmp_path):
    assert {os.listdir, os.scandir} <= os.supports_fd
    shutil.copytree(folder, tmp_path / "copy")
    assert sorted(os.listdir(tmp_path / "copy")) == sorted(NAMES)
    shutil.rmtree(folder)
    assert not folder.exists()


def test_it_is_put_back(folder):
    functions, known = (os.listdir, os.scandir), set(os.supports_fd)
    globber = getattr(glob, "_StringGlobber", None)
    scandir = getattr(globber, "scandir", None)
    usual = os.listdir(folder)
    listing = Listing()
    listing.install()
    assert (os.listdir, os.scandir) != functions
    listing.restore()
    assert (os.listdir, os.scandir) == functions
    assert set(os.supports_fd) == known
    assert getattr(globber, "scandir", None) is scandir
    assert os.listdir(folder) == usual
