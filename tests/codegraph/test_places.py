"""Which files are the project's own, and what they are called."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from pytest_mlrepro.codegraph import CodeGraph
from pytest_mlrepro.codegraph.places import Project, find_module, loaded_module


@pytest.fixture
def touch(tmp_path):
    def make(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path / names[0]

    return make


def test_files_below_the_root_are_first_party(touch, tmp_path):
    graph = CodeGraph(tmp_path)
    assert graph.is_first_party(touch("src/pkg/train.py"))
    assert graph.is_first_party(touch("tests/test_model.py"))
    assert not graph.is_first_party(tmp_path.parent / "elsewhere.py")
    assert not graph.is_first_party(Path(np.__file__))
    assert not graph.is_first_party(Path(os.__file__))


def test_installed_code_below_the_root_is_not(touch, tmp_path):
    touch(".venv/pyvenv.cfg")
    (tmp_path / "conda/conda-meta").mkdir(parents=True)
    graph = CodeGraph(tmp_path)
    assert not graph.is_first_party(touch(".venv/own/a.py"))
    assert not graph.is_first_party(touch("conda/lib/a.py"))
    assert not graph.is_first_party(touch("lib/python3.11/site-packages/a.py"))
    assert not graph.is_first_party(touch("usr/lib/python3/dist-packages/a.py"))


def test_a_root_that_is_itself_an_environment_keeps_its_own_code(touch, tmp_path):
    touch("pyvenv.cfg")
    assert CodeGraph(tmp_path).is_first_party(touch("train.py"))
    assert not CodeGraph(tmp_path).is_first_party(touch("lib/site-packages/a.py"))


def test_the_standard_library_below_the_root_is_not_first_party():
    graph = CodeGraph(Path(sys.base_prefix).resolve())
    assert not graph.is_first_party(Path(os.__file__).resolve())


def test_links_below_the_root_are_first_party_from_both_ends(touch, tmp_path):
    real = touch("elsewhere/pkg/a.py")
    root = tmp_path / "root"
    root.mkdir()
    (root / "linked").symlink_to(real.parent)
    (tmp_path / "link_to_root").symlink_to(root)
    own = touch("root/own.py")
    assert CodeGraph(root).is_first_party(root / "linked/a.py")
    assert not CodeGraph(root).is_first_party(real)
    assert CodeGraph(tmp_path / "link_to_root").is_first_party(own)
    assert CodeGraph(root).is_first_party(tmp_path / "link_to_root/own.py")


@pytest.mark.parametrize(
    ("files", "name"),
    [
        (("pkg/a.py", "pkg/__init__.py"), "pkg.a"),
        (("pkg/__init__.py",), "pkg"),
        (("src/pkg/sub/a.py", "src/pkg/sub/__init__.py", "src/pkg/__init__.py"), "pkg.sub.a"),
        (("libs/x/src/pkg/a.py", "libs/x/src/pkg/__init__.py"), "pkg.a"),
        (("tests/test_a.py",), "tests.test_a"),
        (("tests/test_a.py", "tests/__init__.py"), "tests.test_a"),
        (("libs/x/tests/test_a.py", "libs/x/tests/__init__.py"), "libs.x.tests.test_a"),
        (("src/space/a.py",), "space.a"),
        (("a.py",), "a"),
        (("a.py", "__init__.py"), "a"),
    ],
)
def test_names_come_from_folders(touch, tmp_path, files, name):
    assert Project(tmp_path).dotted(touch(*files)) == name


def test_modules_are_found_as_an_import_finds_them(touch, tmp_path):
    touch("one/both.py", "one/both/__init__.py", "one/space/a.py", "two/space/b.py", "two/both.py")
    folders = (tmp_path / "one", tmp_path / "two")
    assert find_module("both", folders).file == tmp_path / "one/both/__init__.py"
    assert find_module("space", folders).file is None
    assert find_module("space", folders).folders == (tmp_path / "one/space", tmp_path / "two/space")
    assert find_module("missing", folders) is None


def test_loaded_modules_are_where_they_were_loaded_from():
    assert loaded_module("numpy").file == Path(np.__file__)
    assert loaded_module("sys") is None
    assert loaded_module("not_imported_by_anybody") is None
