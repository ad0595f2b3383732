"""The fixture projects: green on a clean checkout, red with the right facet named for every kind of change."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from stories.projects import Project

PROJECTS = [folder.name for folder in Project.folders()]


@pytest.fixture
def cancer(copy_of):
    return copy_of("breast_cancer")


@pytest.fixture
def houses(copy_of):
    return copy_of("houses")


def inputs(result):
    """The facets of inputs that fail the run."""
    return result.facets() - {"results"}


def decided(suspects):
    """Those that somebody decided: another Python than the lockfiles were made with is one too, and rightly so."""
    return [each for each in suspects if each != "libraries.runtime.python"]


@pytest.mark.parametrize("name", PROJECTS)
def test_green_on_a_clean_checkout(copy_of, name):
    green = copy_of(name).check("-W", "error").ok()
    assert green.report["verdict"] == "reproduced"
    assert green.drifts("fail") == green.drifts("warn") == set()
    assert green.report["counts"]["facts"] > 40


@pytest.mark.parametrize("name", PROJECTS)
def test_an_update_of_a_clean_checkout_changes_nothing_but_the_machine(copy_of, name):
    project = copy_of(name)
    before = (project.root / "mlrepro.lock").read_text()
    after = project.update().ok().lockfile

    def without_session(text):
        return [block for block in text.split("\n\n")[1:] if not block.startswith("[session.")]

    assert without_session(after) == without_session(before)


def test_one_cell_of_the_data(houses):
    lines = (houses.root / "data/train.csv").read_text().splitlines(keepends=True)
    old = lines[42]
    area, rest = old.split(",", 1)
    red = houses.edit("data/train.csv", old, f"{float(area) + 30.5},{rest}").check().red()
    assert inputs(red) == {"data"}
    assert red.drifts() >= {"data.train", "results.test.r2"}
    assert decided(red.suspects("results.test.r2")) == ["data.train"]


def test_a_row_dropped(houses):
    lines = (houses.root / "data/test.csv").read_text().splitlines(keepends=True)
    red = houses.write({"data/test.csv": "".join(lines[:20] + lines[21:])}).check().red()
    assert inputs(red) == {"data"}
    assert "data.test" in red.drifts()
    assert "rows 100 -> 99" in red.output


def test_one_cell_of_a_frame_names_the_column(houses):
    lines = (houses.root / "data/test.csv").read_text().splitlines(keepends=True)
    cells = lines[7].split(",")
    cells[2] = str(int(cells[2]) + 40)
    red = houses.write({"data/test.csv": "".join([*lines[:7], ",".join(cells), *lines[8:]])}).check().red()
    assert inputs(red) == {"data"}
    name = lines[0].split(",")[2]
    assert f"column '{name}'" in red.output
    assert "mean" in red.output


def test_a_hyper_parameter(cancer):
    red = cancer.edit("cancer/train.py", "min_samples_leaf=2", "min_samples_leaf=9").check().red()
    assert inputs(red) == {"settings"}
    assert "settings.forest.min_samples_leaf" in red.drifts()
    moved = sorted(address for address in red.drifts() if address.startswith("results."))
    assert moved
    assert red.suspects(moved[0])[0] == "settings.forest.min_samples_leaf"
    assert "2 -> 9" in red.output


def test_the_seed(cancer):
    red = cancer.check("--mlrepro-seed=7").red()
    assert inputs(red) == {"randomization"}
    assert "base seed 0 -> 7" in red.output


def test_a_constant_in_a_helper_module(cancer):
    red = cancer.edit("cancer/features.py", "MAX_CORRELATION = 0.95", "MAX_CORRELATION = 0.8").check().red()
    assert red.facets() == {"results"}
    assert red.notes() == {"source.cancer.train.train"}
    moved = next(address for address in sorted(red.drifts()) if address.startswith("results."))
    assert decided(red.suspects(moved)) == ["source.cancer.train.train"]
    assert "cancer.features.MAX_CORRELATION changed" in red.output


def test_an_environment_variable_that_was_assumed(cancer):
    red = cancer.setenv(SKLEARN_ASSUME_FINITE="1").check().red()
    assert inputs(red) == {"assumptions"}
    assert red.drifts() == {"assumptions.environ.SKLEARN_ASSUME_FINITE"}


def test_a_metric(cancer):
    red = cancer.edit(
        "tests/test_model.py", "model.predict(X_test), scores", "1 - model.predict(X_test), scores"
    )
    red = red.edit("tests/test_model.py", "> 0.9", "< 0.9").check().red()
    assert red.facets() == {"results"}
    assert "results.test.accuracy" in red.drifts()
    assert "worse" in red.output


def test_a_metric_no_longer_recorded(cancer):
    red = cancer.edit("tests/test_model.py", 'mlrepro.array("probabilities", model', "(model").check().red()
    assert red.drifts() == {"results.probabilities"}
    assert "no longer recorded" in red.output


@pytest.fixture
def wheels(tmp_path):
    """Two releases of two tiny distributions, as real wheels."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name in ("tinyscale", "tinyunused"):
        for version in ("1.0", "1.1"):
            path = folder / f"{name}-{version}-py3-none-any.whl"
            info = f"{name}-{version}.dist-info"
            with zipfile.ZipFile(path, "w") as wheel:
                wheel.writestr(f"{name}.py", "def scale(value):\n    return 2 * value\n")
                wheel.writestr(
                    f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
                )
                wheel.writestr(
                    f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
                )
                files = (f"{name}.py", f"{info}/METADATA", f"{info}/WHEEL", f"{info}/RECORD")
                wheel.writestr(f"{info}/RECORD", "".join(f"{file},,\n" for file in files))
    return folder


def installed(wheels: Path, target: Path, **versions: str) -> str:
    """A folder that wheels are installed into."""
    wanted = [f"{name}=={version}" for name, version in versions.items()]
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-index",
        "--find-links",
        str(wheels),
        "--no-deps",
        "--target",
        str(target),
    ]
    subprocess.run([*command, *wanted], check=True, capture_output=True)
    return str(target)


def test_a_used_library_and_an_unused_one(empty, wheels, tmp_path):
    test = "from tinyscale import scale\n\n\ndef test_it(mlrepro):\n    mlrepro.metric('a', scale(2))\n"
    old = installed(wheels, tmp_path / "old", tinyscale="1.0", tinyunused="1.0")
    unused = installed(wheels, tmp_path / "unused", tinyscale="1.0", tinyunused="1.1")
    new = installed(wheels, tmp_path / "new", tinyscale="1.1", tinyunused="1.0")
    project = empty.write({"test_tiny.py": test}).setenv(PYTHONPATH=old)
    assert 'tinyscale = { value = "1.0"' in project.update().ok().lockfile
    project.check().ok()
    project.setenv(PYTHONPATH=unused).check().ok()

    red = project.setenv(PYTHONPATH=new).check("--junit-xml=junit.xml").red()
    assert red.drifts() == {"libraries.tinyscale"}
    alone = "red on nothing but the environment: tinyscale 1.0 -> 1.1; the results did not change"
    assert red.output.rpartition(" mlrepro -")[2].splitlines()[1] == alone
    accept = "accept with pytest --mlrepro-update --mlrepro-only=libraries"
    assert f"the environment changed, the results did not: {accept}" in red.output
    assert red.report["environment"]["notes"] == []
    assert red.report["environment"]["context"]["tools.pytest"] == pytest.__version__
    assert "FAILED mlrepro.lock::session" in red.output
    assert "1 failed, 1 passed" in red.output
    assert "tinyscale 1.0 -&gt; 1.1" in (project.root / "junit.xml").read_text()
    assert project.setenv(PYTHONPATH=new).check("-n", "2").red().report == red.report
    project.setenv(PYTHONPATH=new).update("--mlrepro-only=libraries").ok()
    project.setenv(PYTHONPATH=new).check().ok()


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("cancer/features.py", "MAX_CORRELATION = 0.95", "# The limit of likeness.\nMAX_CORRELATION = 0.95"),
        ("cancer/features.py", '"""The columns of X', '"""All the columns of X'),
        ("cancer/features.py", "kept: list[int] = []", "kept: list[int] = (\n        []\n    )"),
        ("cancer/features.py", "for column, row in", "for (column, row) in"),
    ],
    ids=["comment", "docstring", "reformatted", "parentheses"],
)
def test_what_changes_nothing_is_green(cancer, file, old, new):
    green = cancer.edit(file, old, new).check().ok()
    assert green.notes() == set()


def test_an_unrelated_function_in_the_same_module_is_green(cancer):
    text = (cancer.root / "cancer/features.py").read_text()
    more = cancer.write({"cancer/features.py": f"{text}\n\ndef unrelated():\n    return 1\n"})
    assert more.check().ok().notes() == set()


def test_another_test_file_beside_it_is_green(cancer):
    other = (
        "import random\n\nimport numpy as np\nimport pandas\n\n\n"
        "def test_other():\n    np.random.rand()\n    random.random()\n"
    )
    green = cancer.write({"tests/test_a_first.py": other}).check().ok()
    assert "2 passed" not in green.output
    assert green.drifts("fail") == set()


def test_another_working_directory_is_green(cancer):
    cancer.check(cwd="tests").ok()
    cancer.check("--rootdir", str(cancer.root), str(cancer.root / "tests"), cwd="cancer").ok()


@pytest.mark.parametrize(
    "options", [("-n", "2"), ("-k", "reading or faint"), ("-p", "randomly", "--randomly-seed=3")]
)
def test_other_ways_to_run_it_are_green(copy_of, options):
    copy_of("digits").check(*options).ok()


def test_the_failure_fits_a_screen(cancer):
    red = cancer.edit("cancer/features.py", "MAX_CORRELATION = 0.95", "MAX_CORRELATION = 0.8").check().red()
    said = red.output.partition("mlrepro: ")[2].partition("--- mlrepro")[0]
    assert 0 < said.count("\n") < 40
    assert max(map(len, red.output.splitlines())) < 220


def test_record_show_and_diff(cancer):
    cancer.pytest("--mlrepro-record=run.lock").ok()
    cancer.command("diff", "run.lock").ok()
    moved = cancer.edit("cancer/features.py", "MAX_CORRELATION = 0.95", "MAX_CORRELATION = 0.8")
    moved.pytest("--mlrepro-record=moved.lock").ok()
    differs = moved.command("diff", "moved.lock").red()
    assert "results.test.accuracy" in differs.output or "results.probabilities" in differs.output
    assert "suspects: source.cancer.train.train" in differs.output
    assert moved.command("diff", "mlrepro.lock", "moved.lock", "--facet", "settings").ok()
    assert '"verdict": "drifted"' in moved.command("diff", "moved.lock", "--json").red().output
    shown = cancer.command(
        "show", "tests/test_model.py::test_forest", "--facet", "settings", cwd="tests"
    ).ok()
    assert "forest.min_samples_leaf" in shown.output
    assert "unknown subject" in cancer.command("show", "tests/test_modle.py").red(4).output
    assert "there is no such file" in cancer.command("diff", "none.lock").red(4).output
