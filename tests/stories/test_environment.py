"""The environment through real throw-away environments: what fails a run, what is only noted, and what is no drift."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from stories.environments import SCALE, Environment, commit, sources, wheel

from pytest_mlrepro.environment.naming import default_name

pytestmark = pytest.mark.slow

TINY = """
from tinyscale import scale


def test_tiny(mlrepro):
    mlrepro.metric("scaled", scale(3.0))
"""
ACCEPT = "pytest --mlrepro-update --mlrepro-only=libraries"
MACHINE = ("libraries.cpu.", "libraries.blas.", "libraries.openmp.", "randomization.threads.")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """Releases of two tiny distributions; tinyscale 2.0 has another algorithm."""
    folder = tmp_path_factory.mktemp("wheels")
    for version in ("1.0", "1.0.1", "1.1"):
        wheel(folder, "tinyscale", version)
    wheel(folder, "tinyscale", "2.0", SCALE.format(factor=2.5))
    for version in ("1.0", "1.1"):
        wheel(folder, "tinyextra", version)
    return folder


@pytest.fixture(scope="module")
def shared(tmp_path_factory, wheels):
    """Environments by their content, made once for all that only run in them."""
    made = {}

    def environment(*what):
        if what not in made:
            folder = tmp_path_factory.mktemp("environment") / "venv"
            made[what] = Environment.make(folder).install(*what, wheels=wheels)
        return made[what].python

    return environment


@pytest.fixture
def tiny(empty, shared):
    """A project that uses tinyscale, accepted with release 1.0 of it."""
    project = empty.write({"test_tiny.py": TINY}).under(shared("tinyscale==1.0"))
    project.update().ok()
    return project


def first_line(result):
    """The first line of the closing lines."""
    return result.output.rpartition(" mlrepro -")[2].splitlines()[1]


def headline(result):
    """What the terminal's last lines say of the session."""
    return next(line for line in result.output.splitlines() if line.startswith("mlrepro: "))


# A library that is used


@pytest.mark.parametrize(("before", "now"), [("1.0", "1.1"), ("1.1", "1.0")])
def test_a_used_library_up_and_down(empty, shared, before, now):
    project = empty.write({"test_tiny.py": TINY}).under(shared(f"tinyscale=={before}"))
    project.update().ok()
    moved = project.under(shared(f"tinyscale=={now}"))
    red = moved.check().red()
    assert red.drifts() == {"libraries.tinyscale"}
    told = f"red on nothing but the environment: tinyscale {before} -> {now}; the results did not change"
    assert first_line(red) == told
    assert f"the environment changed, the results did not: accept with {ACCEPT}" in red.output
    moved.update("--mlrepro-only=libraries").ok()
    moved.check().ok()
    assert project.check().red().drifts() == {"libraries.tinyscale"}


def test_a_release_that_moves_a_result_heads_its_suspects(tiny, shared):
    moved = tiny.under(shared("tinyscale==2.0"))
    red = moved.check().red()
    assert red.drifts() == {"libraries.tinyscale", "results.scaled"}
    assert red.suspects("results.scaled") == ["libraries.tinyscale"]
    assert "red on nothing but" not in red.output
    assert "the environment changed, and 1 result moved: look for it among the suspects there" in red.output
    # The environment alone is not accepted while results differ.
    assert moved.update("--mlrepro-only=libraries").red().lockfile == tiny.check().ok().lockfile


def test_an_edit_goes_before_a_release_as_suspect(tiny, shared):
    edited = tiny.edit(
        "test_tiny.py", "mlrepro.metric(", "mlrepro.settings({'depth': 3})\n    mlrepro.metric("
    )
    edited.update().ok()
    edited = edited.edit("test_tiny.py", "3}", "4}").under(shared("tinyscale==2.0"))
    red = edited.check().red()
    assert red.suspects("results.scaled") == ["settings.depth", "libraries.tinyscale"]


def test_an_editable_installation(tiny, tmp_path):
    folder = sources(tmp_path / "a folder of mine", "tinyscale", "1.0")
    editable = tiny.under(Environment.make(tmp_path / "venv").install("-e", str(folder)).python)
    red = editable.check().red()
    assert red.drifts() == {"libraries.tinyscale"}
    assert "tinyscale 1.0 -> 1.0 (editable); the results did not change" in first_line(red)
    accepted = editable.update("--mlrepro-only=libraries").ok().lockfile
    assert 'tinyscale = { value = "1.0 (editable)", detail = { direct = true } }' in accepted
    assert "a folder of mine" not in accepted
    editable.check().ok()


def test_an_installation_from_a_repository_is_its_commit(tiny, tmp_path):
    folder = sources(tmp_path / "repository", "tinyscale", "1.0")
    first = commit(folder)
    environment = Environment.make(tmp_path / "venv").install(f"git+{folder.as_uri()}")
    cloned = tiny.under(environment.python)
    assert f"tinyscale 1.0 -> 1.0 (git {first})" in first_line(cloned.check().red())
    accepted = cloned.update("--mlrepro-only=libraries").ok().lockfile
    assert f'"1.0 (git {first})"' in accepted
    assert "repository" not in accepted
    # The same version, other code.
    sources(folder, "tinyscale", "1.0", factor=4)
    second = commit(folder)
    environment.uninstall("tinyscale").install(f"git+{folder.as_uri()}")
    red = cloned.check().red()
    assert red.drifts() == {"libraries.tinyscale", "results.scaled"}
    assert f"tinyscale 1.0 (git {first}) -> 1.0 (git {second})" in red.output
    assert red.suspects("results.scaled") == ["libraries.tinyscale"]


# Others


def test_an_unused_library_is_no_drift_whether_it_comes_moves_or_goes(empty, shared):
    project = empty.write({"test_tiny.py": TINY})
    project.under(shared("tinyscale==1.0", "tinyextra==1.0")).update().ok()
    for others in (("tinyextra==1.1",), ()):
        green = project.under(shared("tinyscale==1.0", *others)).check().ok()
        assert green.report["counts"]["drifts"] == 0
    without = empty.write({"test_tiny.py": TINY}).under(shared("tinyscale==1.0"))
    without.update().ok()
    green = without.under(shared("tinyscale==1.0", "tinyextra==1.0")).check().ok()
    assert green.report["counts"]["drifts"] == 0


OPTIONAL = """
try:
    import tinyextra
except ImportError:
    tinyextra = None

from tinyscale import scale


def test_tiny(mlrepro):
    mlrepro.metric("scaled", scale(3.0))
"""


def test_a_used_library_that_appears_or_vanishes(empty, shared):
    project = empty.write({"test_tiny.py": OPTIONAL})
    without, with_it = shared("tinyscale==1.0"), shared("tinyscale==1.0", "tinyextra==1.0")
    project.under(without).update().ok()
    red = project.under(with_it).check().red()
    assert red.drifts() == {"libraries.tinyextra"}
    assert "tinyextra is used now and was not (1.0); the results did not change" in first_line(red)
    project.under(with_it).update("--mlrepro-only=libraries").ok()
    red = project.under(without).check().red()
    assert red.drifts() == {"libraries.tinyextra"}
    assert "tinyextra was used and is not any more (1.0)" in first_line(red)


def test_what_a_used_library_requires_is_only_noted_when_it_comes_or_goes(empty, tmp_path):
    folder = tmp_path / "wheels"
    optional = "try:\n    import tinyextra\nexcept ImportError:\n    pass\n\n\n" + SCALE.format(factor=2)
    wheel(folder, "tinyscale", "1.0", optional, requires=["tinyextra"])
    wheel(folder, "tinyextra", "1.0")
    wheel(folder, "tinyextra", "1.1")
    environment = Environment.make(tmp_path / "venv").install("tinyscale", wheels=folder)
    project = empty.write({"test_tiny.py": TINY}).under(environment.python)
    project.update().ok()
    environment.install("tinyextra==1.0", wheels=folder)
    noted = project.check().ok()
    assert noted.drifts("note") == {"libraries.tinyextra"}
    project.update().ok()
    environment.install("--upgrade", "tinyextra==1.1", wheels=folder)
    assert project.check().red().drifts() == {"libraries.tinyextra"}


# Rules for versions


def test_a_rule_for_versions_lets_a_release_pass_and_tells_it(tiny, shared):
    rules = "[tool.pytest.ini_options]\n[tool.mlrepro.versions]\n'tiny*' = 'compatible'\n"
    project = tiny.write({"pyproject.toml": rules})
    patched = project.under(shared("tinyscale==1.0.1"))
    before = (project.root / "mlrepro.lock").read_text()
    green = patched.check().ok()
    assert "let pass: tinyscale 1.0 -> 1.0.1, within its rule 'compatible'" in green.output
    assert green.drifts("note") == {"libraries.tinyscale"}
    assert green.lockfile == before
    assert project.under(shared("tinyscale==1.1")).check().red().drifts() == {"libraries.tinyscale"}
    assert '"1.0.1"' in patched.update().ok().lockfile
    wrong = tiny.write({"pyproject.toml": rules.replace("compatible", "compatble")}).check().red(4)
    assert "unknown rule for the version of 'tiny*' 'compatble'" in wrong.output
    assert "did you mean 'compatible'?" in wrong.output


# Below Python


BLAS = """
import numpy as np


def test_numbers(mlrepro):
    generator = np.random.default_rng(0)
    left, right = generator.normal(size=(2, 64, 64))
    mlrepro.metric("trace", float(np.trace(left @ right)))
    mlrepro.metric("sines", float(np.sin(left).sum()))
"""


@pytest.fixture
def numbers(empty):
    project = empty.write({"test_numbers.py": BLAS})
    project.update().ok()
    return project


def only_numeric_notes(result, *, but=()):
    return {each for each in result.drifts("note") if not each.startswith(MACHINE)} == set(but)


def test_a_thread_limit_that_somebody_set(numbers):
    red = numbers.setenv(OMP_NUM_THREADS="1").check().red()
    assert red.drifts() == {"libraries.env.OMP_NUM_THREADS"}
    assert only_numeric_notes(red)
    assert first_line(red) == (
        "red on nothing but the environment: OMP_NUM_THREADS was not set, is '1'; the results did not change"
    )
    limited = numbers.setenv(OMP_NUM_THREADS="1")
    limited.update("--mlrepro-only=libraries").ok()
    limited.check().ok()


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="needs an affinity that can be set")
def test_fewer_cores_that_nobody_asked_for_are_noted(numbers, tmp_path):
    if len(os.sched_getaffinity(0)) < 2 or shutil.which("taskset") is None:
        pytest.skip("needs two cores and taskset")
    core = str(min(os.sched_getaffinity(0)))
    pinned = tmp_path / "python"
    pinned.write_text(f'#!/bin/sh\nexec taskset -c {core} {sys.executable} "$@"\n')
    pinned.chmod(0o755)
    noted = numbers.under(str(pinned)).check().ok()
    assert {"libraries.cpu.cores", "randomization.threads.openblas"} <= noted.drifts("note")
    assert only_numeric_notes(noted)


def kernels():
    import numpy as np
    from threadpoolctl import threadpool_info

    np.linalg.svd(np.eye(2))
    return {each.get("architecture") for each in threadpool_info() if each["internal_api"] == "openblas"}


def test_another_core_type(numbers):
    if not kernels() - {"Nehalem", None}:
        pytest.skip("needs an OpenBLAS with kernels to choose from")
    red = numbers.setenv(OPENBLAS_CORETYPE="Nehalem").check().red()
    assert red.drifts() == {"libraries.env.OPENBLAS_CORETYPE"}
    assert "libraries.blas.numpy" in red.drifts("note")
    assert only_numeric_notes(red)
    assert "OPENBLAS_CORETYPE was not set, is 'Nehalem'" in first_line(red)


def test_another_instruction_set(numbers):
    from pytest_mlrepro.environment.cpu import numpy_simd

    kernels()
    level = numpy_simd(sys.modules)
    from numpy._core._multiarray_umath import __cpu_dispatch__

    if level not in __cpu_dispatch__:
        pytest.skip("this processor has no more than numpy's baseline")
    red = numbers.setenv(NPY_DISABLE_CPU_FEATURES=level).check().red()
    assert red.drifts() == {"libraries.env.NPY_DISABLE_CPU_FEATURES"}
    assert "libraries.cpu.simd" in red.drifts("note")
    assert only_numeric_notes(red)


TORCH = """
import torch


def test_network(mlrepro):
    images, labels = torch.randn(64, 1, 8, 8), torch.randint(0, 10, (64,))
    layers = torch.nn.Conv2d(1, 8, 3), torch.nn.Tanh(), torch.nn.Flatten(), torch.nn.Linear(288, 10)
    network = torch.nn.Sequential(*layers)
    steps = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(30):
        steps.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(images), labels)
        loss.backward()
        steps.step()
    mlrepro.metric("loss", loss.item())
"""


def test_an_instruction_set_of_torch_that_moves_a_result_heads_its_suspects(empty):
    torch = pytest.importorskip("torch")
    if torch.backends.cpu.get_cpu_capability() in ("DEFAULT", "default"):
        pytest.skip("this processor has no more than the least")
    project = empty.write({"test_network.py": TORCH})
    project.update().ok()
    red = project.setenv(ATEN_CPU_CAPABILITY="default").check().red()
    assert red.drifts() == {"libraries.env.ATEN_CPU_CAPABILITY", "results.loss"}
    # No more than rounding, amplified: what the machine does comes before what somebody set.
    suspects = red.suspects("results.loss")
    assert suspects[0] == "libraries.cpu.simd_torch"
    assert "libraries.env.ATEN_CPU_CAPABILITY" in suspects
    assert "red on nothing but" not in red.output


# Another Python


def other_pythons():
    """Interpreters of other minor versions that are at hand."""
    mine = sys.version_info[:2]
    names = [f"python3.{minor}" for minor in range(11, 16) if (3, minor) != mine]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    places = [shutil.which(name) for name in names]
    places += [
        str(each / "bin" / name)
        for each in sorted(pyenv.glob("3.*"))
        for name in names
        if (each / "bin" / name).exists()
    ]
    return [place for place in places if place and "shims" not in place]


def test_another_minor_version_of_python(tiny, wheels, tmp_path):
    import pytest_mlrepro

    mlrepro = Path(pytest_mlrepro.__file__).parents[1]
    needs = ["pytest", "importlib-metadata", "tomli", "blake3", "packaging", "threadpoolctl", "numpy"]
    for python in other_pythons():
        folder = tmp_path / "other"
        made = [
            subprocess.run([python, "-m", "venv", folder], capture_output=True, check=False),
            subprocess.run(
                [folder / "bin" / "python", "-m", "pip", "install", "-q", *needs],
                capture_output=True,
                check=False,
                timeout=240,
            ),
        ]
        if not any(each.returncode for each in made):
            break
        shutil.rmtree(folder, ignore_errors=True)
    else:
        pytest.skip("needs another Python, and an index to install what the plugin needs from")
    (site,) = folder.glob("lib/python3.*/site-packages")
    shutil.copytree(
        mlrepro / "pytest_mlrepro", site / "pytest_mlrepro", ignore=shutil.ignore_patterns("__pycache__")
    )
    info = site / "pytest_mlrepro-0.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pytest-mlrepro\nVersion: 0.0\n")
    (info / "entry_points.txt").write_text("[pytest11]\nmlrepro = pytest_mlrepro.plugin\n")
    subprocess.run(
        [
            folder / "bin" / "python",
            "-m",
            "pip",
            "install",
            "-q",
            "--no-index",
            "--find-links",
            wheels,
            "tinyscale==1.0",
        ],
        check=True,
    )
    other = tiny.under(str(folder / "bin" / "python"))
    # Another minor version is another environment, whose results count and whose libraries do not.
    stranger = other.check().ok()
    assert "is not recorded in mlrepro.lock" in stranger.output
    assert "libraries.runtime.python" in stranger.drifts("note")
    # Under one name for all it is a drift.
    red = other.setenv(MLREPRO_ENVIRONMENT=default_name()).check().red()
    assert red.drifts() == {"libraries.runtime.python"}
    assert "Python: CPython" in first_line(red)
    rules = "[tool.pytest.ini_options]\n[tool.mlrepro.versions]\npython = 'any'\n"
    lenient = tiny.write({"pyproject.toml": rules}).under(str(folder / "bin" / "python"))
    lenient.setenv(MLREPRO_ENVIRONMENT=default_name()).check().ok()


# A second machine that is the same


PRETENDED = """
import os, platform, socket
socket.gethostname = platform.node = lambda: "host-of-bob"
os.getlogin = lambda: "bob"
"""


def test_a_second_machine_that_is_the_same_has_no_drift(empty, wheels, tmp_path):
    text = f"{BLAS}\n{TINY}"
    first = Environment.make(tmp_path / "alice" / "venv").install("tinyscale==1.0", wheels=wheels)
    second = Environment.make(tmp_path / "home of bob" / "deep" / "env").install(
        "tinyscale==1.0", wheels=wheels
    )
    (second.site / "pretended.py").write_text(PRETENDED)
    (second.site / "aa_pretended.pth").write_text("import pretended\n")
    homes = [tmp_path / name for name in ("alice", "bob")]
    for home in homes:
        home.mkdir(exist_ok=True)
    project = empty.write({"tests/test_tiny.py": text})
    here = project.under(first.python).setenv(HOME=str(homes[0]), USER="alice", LOGNAME="alice")
    accepted = here.update().ok().lockfile
    there = project.under(second.python).setenv(
        HOME=str(homes[1]),
        USER="bob",
        LOGNAME="bob",
        HOSTNAME="host-of-bob",
        TMPDIR=str(homes[1]),
        LANG="C",
        LC_ALL="C.UTF-8",
        TZ="Asia/Tokyo",
        PWD=str(homes[1]),
    )
    with busy():
        green = there.check(cwd="tests").ok()
    assert green.drifts("note") == {"libraries.env.LANG", "libraries.env.LC_ALL", "libraries.env.TZ"}
    assert green.report["counts"]["drifts"] == 3
    for secret in ("alice", "bob", str(tmp_path)):
        assert secret not in accepted
        assert secret not in there.update().ok().lockfile
    # The report names files of the project, and nothing of the machine.
    assert "bob" not in str(green.report)


@contextlib.contextmanager
def busy():
    """Keep the cores busy meanwhile."""
    code = "while True: sum(range(10000))"
    running = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for each in running:
            each.kill()
            each.wait()


# What is broken


def test_metadata_that_broke(tiny, tmp_path, wheels):
    environment = Environment.make(tmp_path / "venv").install("tinyscale==1.0", wheels=wheels)
    project = tiny.under(environment.python)
    project.check().ok()
    (environment.site / "tinyscale-1.0.dist-info" / "METADATA").write_bytes(b"\xff\xfe")
    red = project.check().red()
    assert red.drifts() == {"libraries.tinyscale"}
    told = "tinyscale 1.0 -> unknown (its metadata is missing or cannot be read)"
    assert told in first_line(red)
    (note,) = red.report["environment"]["notes"]
    assert (note["key"], note["value"]) == ("tinyscale", "unknown")
    project.update("--mlrepro-only=libraries").ok()
    green = project.check("-v").ok()
    assert "in doubt: libraries.tinyscale 'unknown': its metadata is missing" in green.output


def test_a_module_that_nobody_installed(empty, tmp_path):
    folder = tmp_path / "beside"
    folder.mkdir()
    (folder / "tinyscale.py").write_text(SCALE.format(factor=2))
    project = empty.write({"test_tiny.py": TINY}).setenv(PYTHONPATH=str(folder))
    accepted = project.update().ok().lockfile
    assert (
        'tinyscale = { value = "unknown", detail = { direct = true, note = "no distribution provides it" } }'
        in accepted
    )
    project.check().ok()
    versions = "def test_versions(mlrepro_libraries):\n    assert {**mlrepro_libraries} == {'tinyscale': 'unknown'}\n"
    project.write({"test_tiny.py": f"{TINY}\n\n{versions}"}).update().ok()
    (folder / "tinyscale.py").write_text("__version__ = '3.0'\n" + SCALE.format(factor=2))
    red = project.check().red()
    assert "tinyscale unknown -> 3.0 (no distribution)" in first_line(red)


def test_a_copy_that_hides_what_is_installed(tiny, tmp_path):
    vendored = tmp_path / "vendored"
    vendored.mkdir()
    (vendored / "tinyscale.py").write_text("__version__ = '0.9'\n" + SCALE.format(factor=2))
    red = tiny.setenv(PYTHONPATH=str(vendored)).check().red()
    assert red.drifts() == {"libraries.tinyscale"}
    assert "tinyscale 1.0 -> 0.9 (no distribution) (not imported from where 1.0 is installed)" in first_line(
        red
    )
    # Below the project's folder it is the project's own code, as the facet source has it.
    own = tiny.write({"tinyscale.py": SCALE.format(factor=2)}).check().red()
    assert own.drifts() == {"libraries.tinyscale"}
    assert "tinyscale was used and is not any more (1.0)" in own.output


def test_two_versions_on_the_path(tiny, wheels, tmp_path):
    other = tmp_path / "other"
    with zipfile.ZipFile(wheels / "tinyscale-1.1-py3-none-any.whl") as archive:
        archive.extractall(other)
    red = tiny.setenv(PYTHONPATH=str(other)).check().red()
    assert "tinyscale 1.0 -> 1.1 (installed more than once, also as 1.0)" in first_line(red)
    # Behind the first one it is only in doubt.
    behind = f"import sys; sys.path.append({str(other)!r})"
    green = tiny.write({"conftest.py": behind}).check("-v").ok()
    assert "in doubt: libraries.tinyscale '1.0': installed more than once, also as 1.1" in green.output


def test_a_namespace_package(empty, tmp_path):
    site = tmp_path / "site"
    for part, version in (("left", "1.0"), ("right", "2.0")):
        name = f"tinyspace_{part}"
        info = site / f"{name}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "RECORD").write_text(f"tinyspace/{part}.py,,\n")
        (site / "tinyspace").mkdir(exist_ok=True)
        (site / "tinyspace" / f"{part}.py").write_text(SCALE.format(factor=2))
    test = TINY.replace("tinyscale", "tinyspace.left")
    accepted = empty.write({"test_tiny.py": test}).setenv(PYTHONPATH=str(site)).update().ok().lockfile
    assert 'tinyspace-left = { value = "1.0"' in accepted
    assert "tinyspace-right" not in accepted
    assert "unknown" not in accepted


def test_a_zipped_application(tiny, wheels, tmp_path):
    application = tmp_path / "application.zip"
    shutil.copy(wheels / "tinyscale-1.0-py3-none-any.whl", application)
    green = tiny.under(sys.executable).setenv(PYTHONPATH=str(application)).check().ok()
    assert green.report["counts"]["drifts"] == 0
    bare = tmp_path / "bare.zip"
    with zipfile.ZipFile(bare, "w") as archive:
        archive.writestr("tinyscale.py", SCALE.format(factor=2))
    red = tiny.under(sys.executable).setenv(PYTHONPATH=str(bare)).check().red()
    assert "tinyscale 1.0 -> unknown (no distribution provides it)" in first_line(red)


@pytest.mark.skipif(os.name == "nt", reason="needs an executable script")
def test_a_driver_that_does_not_answer(empty, tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "nvidia-smi").write_text("#!/bin/sh\nsleep 600\n")
    (programs / "nvidia-smi").chmod(0o755)
    site = tmp_path / "site"
    info = site / "torch-2.0.dist-info"
    (site / "torch").mkdir(parents=True)
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 2.0\n")
    (info / "RECORD").write_text("torch/__init__.py,,\n")
    # As much of torch on a GPU as the record of the environment asks for.
    (site / "torch" / "__init__.py").write_text(FAKE_TORCH)
    test = "import torch\n\n\ndef test_torch(mlrepro):\n    mlrepro.metric('a', 1.0)\n"
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    project = empty.write({"test_torch.py": test}).setenv(PATH=path, PYTHONPATH=str(site))
    accepted = project.update().ok().lockfile
    assert (
        '"gpu.driver" = { value = "unknown", detail = { note = "nvidia-smi did not answer within 2 s" } }'
        in accepted
    )
    assert '"cuda.torch" = "13.2"' in accepted
    project.check().ok()


FAKE_TORCH = """
import sys, types
cuda = sys.modules["torch.cuda"] = types.ModuleType("torch.cuda")
cuda.is_initialized = lambda: True
version = sys.modules["torch.version"] = types.ModuleType("torch.version")
version.cuda, version.hip = "13.2", None
"""
