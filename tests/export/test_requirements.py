"""Requirements files and environment files of conda: read back by the readers of those formats."""

from __future__ import annotations

import pytest
import yaml
from export.runs import COMMIT, EVERY_ORIGIN, SOURCE, locked
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.export import Source
from pytest_mlrepro.export.conda import conda
from pytest_mlrepro.export.requirements import requirements
from pytest_mlrepro.model import Run

NAMES = st.text(max_size=20).filter(lambda name: "." not in name) | st.from_regex(
    r"[a-z][a-z0-9-]{0,8}", fullmatch=True
)
VERSIONS = (
    st.text(max_size=30) | st.sampled_from(sorted(EVERY_ORIGIN.values())) | st.just("1.0 (conda a\n- evil)")
)
ANYTHING = st.dictionaries(NAMES, VERSIONS, min_size=1, max_size=6)


def test_requirements_as_they_are_written():
    made = requirements(locked(EVERY_ORIGIN), SOURCE)
    assert made.text == (
        "# what the tests of mlrepro.lock use\n"
        "# Python: CPython 3.12.4\n"
        "# recorded on: Linux (debian 12.5), x86_64, glibc 2.36\n"
        "# broken: its version is not known, its metadata could not be read\n"
        f"# forked 1.0: installed from the git commit {COMMIT}; the lockfile holds no address\n"
        "# mine 0.1: installed in editable mode from a folder of the machine where it was recorded\n"
        "numpy==2.4.6\n"
        "# ours 0.2: installed from a folder of the machine where it was recorded\n"
        "# packed 3.0: installed from an archive; the lockfile holds no address\n"
        "scipy==1.17.1\n"
        "# somewhere 1.0: installed from elsewhere than an index (direct address, unknown)\n"
        "torch==2.5.1+cu124\n"
    )
    assert [note.partition(":")[0] for note in made.notes] == ["left out"] * 6 + [
        "torch==2.5.1+cu124",
        "recorded from conda",
    ]


def test_the_environment_file_as_it_is_written():
    made = conda(locked(EVERY_ORIGIN), SOURCE)
    assert yaml.safe_load(made.text) == {
        "channels": ["conda-forge"],
        "dependencies": [
            "python=3.12.4",
            "scipy=1.17.1=py312h64a7726_0",
            "pip",
            {"pip": ["numpy==2.4.6", "torch==2.5.1+cu124"]},
        ],
    }
    assert f"# forked 1.0: installed from the git commit {COMMIT}" in made.text
    assert [note.partition(":")[0] for note in made.notes] == ["left out"] * 6 + ["torch==2.5.1+cu124"]


def test_the_environment_file_is_one_that_conda_reads():
    rattler = pytest.importorskip(
        "rattler", reason="py-rattler, the reader of conda's specifications, is not installed"
    )
    run = locked({"numpy": "1.26.4 (conda py312_0)", "a-b": "1!2.0 (conda h1_1)", "pure": "1.0"})
    *specs, pip = yaml.safe_load(conda(run, SOURCE).text)["dependencies"]
    read = {each.name.normalized: (str(each.version), each.build) for each in map(rattler.MatchSpec, specs)}
    assert read == {
        "python": ("3.12.4.*", None),
        "a-b": ("==1!2.0", "h1_1"),
        "numpy": ("==1.26.4", "py312_0"),
        "pip": ("None", None),
    }
    assert pip == {"pip": ["pure==1.0"]}


def test_an_environment_of_conda_alone_needs_no_pip():
    made = conda(locked({"numpy": "1.26.4 (conda py312_0)"}), SOURCE)
    assert yaml.safe_load(made.text)["dependencies"] == ["python=3.12.4", "numpy=1.26.4=py312_0"]


def test_channels_are_strings_to_yaml():
    channels = ["true", "1.0", "https://conda.example/x#y", "conda-forge", "a: b"]
    assert yaml.safe_load(conda(locked({"numpy": "2"}), SOURCE, channels).text)["channels"] == channels


@pytest.mark.parametrize(
    ("python", "said"),
    [
        ("PyPy 3.11.13", "PyPy 3.11.13 is recorded"),
        ("CPython 3.13.1 free-threaded", "CPython 3.13.1 free-threaded is recorded"),
        ("", "none is recorded"),
    ],
)
def test_another_python_than_the_usual_is_left_to_the_reader(python, said):
    made = conda(locked({"numpy": "2"}, runtime__python=python), SOURCE)
    assert yaml.safe_load(made.text)["dependencies"][0] == "python"
    (note,) = made.notes
    assert note.startswith(f"python has no version: {said}")


@pytest.mark.parametrize("written", [requirements, conda])
def test_nothing_to_write(written):
    with pytest.raises(LockfileError, match="nothing to install"):
        written(Run(), SOURCE)


@given(ANYTHING, st.text(max_size=20), st.text(max_size=20))
def test_nothing_in_a_lockfile_becomes_another_requirement(versions, python, name):
    made = requirements(locked(versions, runtime__python=python), Source(name, "ab" * 32))
    assert made.text.isascii()
    lines = made.text.split("\n")[:-1]
    assert lines == made.text.splitlines()
    wanted = {line for line in lines if not line.startswith("# ")}
    assert len(lines) == len(versions) + 2 + bool(python)
    for line in wanted:
        requirement = Requirement(line)
        assert versions[requirement.name].partition(" ")[0] == str(requirement.specifier).removeprefix("==")
        assert (requirement.url, requirement.marker, requirement.extras) == (None, None, set())


@given(ANYTHING, st.text(max_size=20), st.text(max_size=20))
def test_nothing_in_a_lockfile_becomes_another_dependency_of_conda(versions, python, name):
    made = conda(locked(versions, runtime__python=python), Source(name, "ab" * 32))
    assert made.text.isascii()
    content = yaml.safe_load(made.text)
    assert content.keys() == {"channels", "dependencies"}
    first, *rest = content["dependencies"]
    assert first.partition("=")[0] == "python"
    for each in rest:
        names = each["pip"] if isinstance(each, dict) else [each]
        assert all(name.partition("=")[0] in versions for name in names if name != "pip")
