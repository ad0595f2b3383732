"""What a process leaves out of the suite, as pytest tells it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pytest_mlrepro.plugin.omissions import Omissions

SUBJECTS = (
    "test_a.py::test_one",
    "test_b.py::test_two[1]",
    "conftest.py::model",
    "help.py::fixture",
    "guide.txt::guide.txt",
)


class Item:
    def __init__(self, *reasons):
        self.marks = [pytest.mark.skip(reason=reason).mark for reason in reasons]

    def iter_markers(self):
        return iter(self.marks)


@pytest.fixture
def suite(tmp_path):
    for subject in SUBJECTS:
        (tmp_path / subject.partition("::")[0]).touch()

    def begun(**options):
        return Omissions(SimpleNamespace(rootpath=tmp_path, option=SimpleNamespace(**options)), SUBJECTS)

    return begun


def collect(omissions, *files, items=(), passed=True):
    for file in files:
        omissions.pytest_collectreport(SimpleNamespace(nodeid=file, passed=passed))
    for item in items:
        omissions.pytest_itemcollected(item)
    omissions.pytest_collection_finish(SimpleNamespace(items=list(items)))
    return omissions.partial


ALL = ("test_a.py", "test_b.py::TestClass", "guide.txt")


def test_all_files_of_tests_were_looked_into(suite):
    assert not collect(suite(), *ALL, items=[Item(), Item("not today")])


@pytest.mark.parametrize("missing", ALL)
def test_a_file_that_is_there_and_was_not_looked_into(suite, missing):
    assert collect(suite(), *(each for each in ALL if each != missing))


def test_a_file_that_is_gone_is_not_left_out(suite, tmp_path):
    (tmp_path / "test_a.py").unlink()
    assert not collect(suite(), *ALL[1:])


def test_a_module_that_skips_itself(suite):
    assert collect(suite(), *ALL, passed=False)


def test_a_test_without_values(suite):
    assert collect(suite(), *ALL, items=[Item("got empty parameter set for (value)")])


@pytest.mark.parametrize(("count", "partial"), [(None, False), (1, False), (3, True)])
def test_repeated_tests_have_other_names(suite, count, partial):
    assert collect(suite(count=count), *ALL) is partial
