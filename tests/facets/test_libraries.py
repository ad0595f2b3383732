import base64
import hashlib
import json
import subprocess
import sys
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.errors import RecordingError
from pytest_mlrepro.facets.libraries import Libraries, version_of
from pytest_mlrepro.model import Drift, Fact, Tolerance


def wheel(folder, name, version, files, *, requires=(), points=""):
    """Write a real wheel, as PEP 427 has it."""
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {line}\n" for line in requires)
    content = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        **({f"{info}/entry_points.txt": points} if points else {}),
    }
    record = ""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in content.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{file},sha256={digest},{len(text)}\n"
            archive.writestr(file, text)
        archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    return path


def pip_install(folder, *what):
    quiet = ("-q", "--disable-pip-version-check", "--no-deps", "--no-index", "--no-compile")
    subprocess.run([sys.executable, "-m", "pip", "install", *quiet, "--target", folder, *what], check=True)


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    """A folder with really installed wheels: a model library, what it requires, and plugins of pytest."""
    wheels = tmp_path_factory.mktemp("wheels")
    plugin = "[pytest11]\ntoy = toy_plugin\n"
    made = [
        wheel(
            wheels,
            "Toy_Model",
            "1.2.0",
            {"toymodel/__init__.py": "import toybase\n"},
            requires=[
                "toy-base>=1",
                "toy-idle",
                "toy-meta",
                "toy-plugin",
                "toy-extra; extra == 'x'",
                "absent",
            ],
        ),
        wheel(wheels, "toy_base", "0.3", {"toybase.py": ""}, requires=["Toy.Model"]),
        wheel(wheels, "toy_idle", "1.0", {"toyidle.py": ""}),
        wheel(wheels, "toy_meta", "1.0", {}, requires=["toy-deep"]),
        wheel(wheels, "toy_deep", "1.0", {"toydeep/__init__.py": ""}),
        wheel(wheels, "toy_extra", "1.0", {"toyextra.py": ""}),
        wheel(wheels, "toy_plugin", "1.0", {"toy_plugin.py": ""}, requires=["toy-of-plugin"], points=plugin),
        wheel(wheels, "toy_of_plugin", "1.0", {"toyofplugin.py": ""}),
    ]
    folder = tmp_path_factory.mktemp("target")
    # By name, as from an index: pip notes where a wheel named by its path came from.
    pip_install(folder, "--find-links", wheels, *(path.name.partition("-")[0] for path in made))
    return folder


@pytest.fixture
def toys(target, monkeypatch):
    """Libraries with those wheels on the path, and their modules loaded but for one."""
    monkeypatch.syspath_prepend(str(target))
    before = set(sys.modules)
    for module in ("toymodel", "toydeep", "toyextra", "toy_plugin", "toyofplugin"):
        __import__(module)
    yield Libraries(environ={})
    for module in set(sys.modules) - before:
        if module.startswith("toy"):
            del sys.modules[module]


def changed(key, before, now, *, before_detail=None, now_detail=None):
    return Drift(
        "session",
        "libraries",
        key,
        "changed" if before is not None and now is not None else "added" if before is None else "removed",
        None if before is None else Fact("libraries", key, before, detail=before_detail or {}),
        None if now is None else Fact("libraries", key, now, detail=now_detail or {}),
    )


# What is in use


def test_used_is_what_is_imported_and_what_that_requires_and_loads(toys):
    assert toys.provided(["toymodel.deep.Name"]) == {"toy-model"}
    assert toys.used(["toymodel"]) == {"toy-model", "toy-base", "toy-deep"}


def test_a_requirement_counts_once_it_is_loaded(toys):
    __import__("toyidle")
    assert "toy-idle" in toys.used(["toymodel"])


def test_pytest_its_plugins_and_what_only_they_pull_in_are_left_out(toys):
    assert (
        toys.used(["pytest", "_pytest.config", "xdist", "hypothesis", "toy_plugin", "pytest_mlrepro"])
        == set()
    )
    assert toys.used(["toyofplugin"]) == {"toy-of-plugin"}


def test_real_libraries():
    import sklearn.ensemble

    used = Libraries(environ={}).used([sklearn.ensemble.__name__, "os.path", "no_such_module"])
    assert {"scikit-learn", "numpy", "scipy", "joblib", "threadpoolctl"} <= used
    assert not {"pytest", "hypothesis", "pluggy"} & used


def test_the_project_itself_is_no_library(target, tmp_path, monkeypatch):
    for name in ("ours", "theirs"):
        info = tmp_path / "site-packages" / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "RECORD").write_text(f"_{name}.pth,,\n")
        about = {"url": (tmp_path / name).as_uri(), "dir_info": {"editable": True}}
        (info / "direct_url.json").write_text(json.dumps(about))
    monkeypatch.syspath_prepend(str(tmp_path / "site-packages"))
    libraries = Libraries(environ={}, root=tmp_path / "ours")
    assert libraries.used(["ours", "theirs"]) == {"theirs"}
    (fact,) = libraries.capture(["theirs"])
    assert fact.value == "1.0 (editable)"


# What is recorded


def test_a_fact_for_each_distribution(toys):
    facts = toys.capture(["Toy_Model", "toy-base", "gone"], direct=["toy.model"])
    assert [(fact.key, fact.value, dict(fact.detail)) for fact in facts] == [
        ("gone", "unknown", {}),
        ("toy-base", "0.3", {}),
        ("toy-model", "1.2.0", {"direct": True}),
    ]


def test_pip_tells_an_archive_from_an_index(tmp_path, monkeypatch):
    path = wheel(tmp_path, "local_lib", "2.0+cu132", {"locallib.py": ""})
    pip_install(tmp_path / "t", path)
    monkeypatch.syspath_prepend(str(tmp_path / "t"))
    (fact,) = Libraries(environ={}).capture(["local-lib"])
    assert fact.value == "2.0+cu132 (archive)"
    assert fact.detail["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_commit_is_recorded_in_full_and_no_address(tmp_path, monkeypatch):
    info = tmp_path / "vcs-1.2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: vcs\nVersion: 1.2.0\n")
    commit = "1a2b3c4d" * 5
    about = {"url": "https://alice:token@git.example/x", "vcs_info": {"vcs": "git", "commit_id": commit}}
    (info / "direct_url.json").write_text(json.dumps(about))
    monkeypatch.syspath_prepend(str(tmp_path))
    (fact,) = Libraries(environ={}).capture(["vcs"])
    assert fact.value == f"1.2.0 (git {commit})"
    assert "alice" not in repr(fact)


def test_conda_tells_its_build(tmp_path, monkeypatch):
    wheels = tmp_path / "w"
    wheels.mkdir()
    with zipfile.ZipFile(wheel(wheels, "toy", "1.26.4", {"toy.py": ""})) as archive:
        archive.extractall(tmp_path)
    (tmp_path / "toy-1.26.4.dist-info" / "INSTALLER").write_text("conda\n")
    (tmp_path / "conda-meta").mkdir()
    (tmp_path / "conda-meta" / "toy-1.26.4-py311h64a7726_0.json").write_text("{}")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    (fact,) = Libraries(environ={}).capture(["toy"])
    assert fact.value == "1.26.4 (conda py311h64a7726_0)"


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """A folder on the import path, beside the project's; modules from there are forgotten afterwards."""
    folder = tmp_path / "beside"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if name.startswith("toy"):
            del sys.modules[name]


@pytest.mark.parametrize(
    ("text", "value"), [("", "unknown"), ("__version__ = '1.2'\n", "1.2 (no distribution)")]
)
def test_a_module_without_a_distribution_is_recorded_with_a_note(beside, tmp_path, text, value):
    (beside / "toy_loose.py").write_text(text)
    __import__("toy_loose")
    libraries = Libraries(environ={}, root=tmp_path / "project")
    assert libraries.provided(["toy_loose.Name", "os.path", "no_such"]) == {"toy-loose"}
    assert libraries.used(["toy_loose.Name"]) == {"toy-loose"}
    (fact,) = libraries.capture(["toy-loose"], direct=["toy-loose"])
    assert (fact.key, fact.value) == ("toy-loose", value)
    assert fact.detail == {"direct": True, "note": "no distribution provides it"}


def test_the_projects_own_modules_are_no_libraries(beside, tmp_path):
    (beside / "toy_own.py").write_text("")
    assert Libraries(environ={}, root=tmp_path).used(["toy_own"]) == set()


def installed_by_hand(folder, name, version, metadata=None):
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" if metadata is None else metadata
    (info / "METADATA").write_text(text)
    (info / "RECORD").write_text(f"{name}.py,,\n")
    (folder / f"{name}.py").write_text(f"__version__ = {version!r}\n")


def test_a_copy_that_hides_an_installation_is_what_counts(beside, tmp_path, monkeypatch):
    installed_by_hand(tmp_path / "site", "toyhidden", "1.0")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "site")])
    (beside / "toyhidden.py").write_text("__version__ = '0.9'\n")
    __import__("toyhidden")
    libraries = Libraries(environ={}, root=tmp_path / "project")
    assert libraries.used(["toyhidden"]) == {"toyhidden"}
    (fact,) = libraries.capture(["toyhidden"])
    assert fact.value == "0.9 (no distribution)"
    assert fact.detail == {"note": "not imported from where 1.0 is installed"}


def test_one_that_is_installed_twice_has_a_note(beside, tmp_path, monkeypatch):
    installed_by_hand(beside, "toytwice", "1.0")
    installed_by_hand(tmp_path / "site", "toytwice", "2.0")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "site")])
    (fact,) = Libraries(environ={}).capture(["toytwice"])
    assert (fact.value, fact.detail) == ("1.0", {"note": "installed more than once, also as 2.0"})


@pytest.mark.parametrize("metadata", ["", "no header", "Version\nName", "\0\0"])
def test_broken_metadata_are_recorded_as_unknown_with_a_note(beside, metadata):
    installed_by_hand(beside, "toybroken", "1.0", metadata)
    libraries = Libraries(environ={})
    assert libraries.used(["toybroken"]) == {"toybroken"}
    (fact,) = libraries.capture(["toybroken"])
    assert fact.value == "unknown"
    assert fact.detail == {"note": "its metadata is missing or cannot be read"}


def test_the_runtime_of_this_machine():
    import numpy as np

    np.linalg.svd(np.eye(2))
    libraries = Libraries(environ={"OMP_NUM_THREADS": "3", "LANG": "C", "HOME": "/home/alice"})
    facts = {fact.key: fact for fact in libraries.runtime(["numpy"])}
    major, minor, patch = sys.version_info[:3]
    assert facts["runtime.python"].value.split()[1].startswith(f"{major}.{minor}.{patch}")
    assert facts["env.OMP_NUM_THREADS"].value == "3"
    assert {"runtime.os", "cpu.architecture", "cpu.cores", "cpu.simd", "env.LANG"} <= facts.keys()
    assert "env.HOME" not in facts
    named = Libraries(environ={"XLA_FLAGS": "hush", "LANG": "C"}, secrets=("XLA_*",)).runtime([])
    assert [fact.value for fact in named if fact.key == "env.LANG"] == ["C"]
    assert "hush" not in repr(named)
    assert "blas.scipy" not in facts
    if "blas.numpy" in facts:
        kernels = facts["blas.numpy"].detail["architecture"]
        assert facts["blas.numpy"].value.endswith(f" {kernels}")
        assert facts["blas.numpy"].detail["threads"] >= 1
    assert list(facts) == sorted(facts)


def test_the_libraries_of_a_distribution_show_once_it_is_in_use():
    import sklearn.ensemble

    assert sklearn.ensemble
    libraries = Libraries(environ={})
    used = libraries.used(["sklearn"])
    without, with_it = (
        {fact.key: fact.value for fact in libraries.runtime(names)}
        for names in (used - {"scikit-learn"}, used)
    )
    brought = {key: value for key, value in with_it.items() if key not in without}
    assert brought.keys() <= {"openmp.scikit-learn"}
    assert set(brought.values()) <= {"libgomp", "libomp", "libiomp", "vcomp"}


def test_a_gpu_in_use_is_recorded_with_its_driver(target, tmp_path, monkeypatch):
    from types import SimpleNamespace as Module

    wheels = tmp_path / "w"
    wheels.mkdir()
    with zipfile.ZipFile(wheel(wheels, "torch", "2.15.0", {"torch/__init__.py": ""})) as archive:
        archive.extractall(tmp_path / "t")
    monkeypatch.syspath_prepend(str(tmp_path / "t"))
    monkeypatch.setitem(sys.modules, "torch.cuda", Module(is_initialized=lambda: True))
    monkeypatch.setitem(sys.modules, "torch.version", Module(cuda="13.2", hip=None))
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!{sys.executable}\nprint('NVIDIA H100, 580.65.06, 9.0')\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    told = {fact.key: fact.value for fact in Libraries(environ={}).runtime(["torch"])}
    assert told["cuda.torch"] == "13.2"
    assert told["gpu.0"] == "NVIDIA H100, compute capability 9.0"
    assert told["gpu.driver"] == "580.65.06"
    assert not {"cuda.torch", "gpu.0"} & {fact.key for fact in Libraries(environ={}).runtime(["numpy"])}
    seen = Module(name="NVIDIA H100", major=9, minor=0, multi_processor_count=132)
    asked = Module(is_initialized=lambda: True, device_count=lambda: 1, get_device_properties=lambda _: seen)
    monkeypatch.setitem(sys.modules, "torch.cuda", asked)
    program.unlink()
    facts = {fact.key: fact for fact in Libraries(environ={}).runtime(["torch"])}
    # What the library sees goes before what the driver lists.
    assert facts["gpu.0"].value == "NVIDIA H100, compute capability 9.0, 132 multiprocessors"
    assert facts["gpu.driver"].value == "unknown"
    assert facts["gpu.driver"].detail == {"note": "there is no nvidia-smi to ask"}


def test_the_variables_are_those_of_the_start(monkeypatch):
    monkeypatch.setenv("PYTHONHASHSEED", "1")
    libraries = Libraries()
    monkeypatch.setenv("PYTHONHASHSEED", "2")
    told = {fact.key: fact.value for fact in libraries.runtime([])}
    assert told["env.PYTHONHASHSEED"] == "1"


def test_two_readings_agree_and_change_nothing():
    import os

    before = dict(os.environ), list(sys.meta_path), list(sys.path)
    first, second = (Libraries(environ={}) for _ in range(2))
    used = first.used(["sklearn", "pandas"])
    assert first.capture(used) == second.capture(used)
    assert first.runtime(used) == second.runtime(used)
    assert (dict(os.environ), list(sys.meta_path), list(sys.path)) == before


def test_no_user_host_or_path_in_any_value():
    import getpass
    import platform
    from pathlib import Path

    libraries = Libraries()
    used = libraries.used(["sklearn", "pandas"])
    told = repr(
        [(fact.value, dict(fact.detail)) for fact in (*libraries.capture(used), *libraries.runtime(used))]
    )
    secrets = {str(Path.home()), platform.node(), platform.release(), sys.prefix}
    if getpass.getuser() != "root":
        secrets.add(getpass.getuser())
    assert not [secret for secret in secrets if secret in told]


# How it is compared


@pytest.mark.parametrize(
    ("key", "before", "now", "same"),
    [
        ("numpy", "1.0", "1.0.0", True),
        ("numpy", "1.0.0rc1", "1.0.0-RC.1", True),
        ("numpy", "1.0+cu132", "1.0+cu130", False),
        ("numpy", "2.4.5", "2.4.6", False),
        ("numpy", "1.0 (editable)", "1.0.0 (editable)", True),
        ("numpy", "1.0 (editable)", "1.0", False),
        ("numpy", "unknown", "unknown", True),
        ("numpy", "unknown", "1.0", False),
        ("numpy", "1.0 (git aa)", "1.0 (git ab)", False),
        ("env.PYTHONHASHSEED", "1.0", "1.0.0", False),
        ("cpu.cores", 2, 2, True),
        ("cpu.cores", 2, 4, False),
    ],
)
def test_versions_are_compared_as_versions(key, before, now, same):
    drift = changed(key, before, now)
    rung = Libraries(environ={}).rung(drift.baseline, drift.current, Tolerance())
    assert rung == ("identical" if same else "drift")


@given(
    release=st.lists(st.integers(0, 99), min_size=1, max_size=4),
    other=st.lists(st.integers(0, 99), min_size=1),
)
def test_trailing_zeros_are_all_that_versions_may_differ_in(release, other):
    def stripped(numbers):
        while numbers and numbers[-1] == 0:
            numbers = numbers[:-1]
        return numbers

    drift = changed("lib", ".".join(map(str, release)), ".".join(map(str, other)))
    rung = Libraries(environ={}).rung(drift.baseline, drift.current, Tolerance())
    assert (rung == "identical") == (stripped(release) == stripped(other))


SKYLAKE = {"architecture": "SkylakeX", "threads": 2}
ZEN = {"architecture": "Zen", "threads": 8}
DIRECT = {"direct": True}


@pytest.mark.parametrize(
    ("policy", "drift"),
    [
        ("fail", changed("numpy", "2.4.5", "2.4.6")),
        ("fail", changed("numpy", "2.4.5", "2.4.5 (editable)")),
        ("note", changed("scipy", None, "1.17.1")),
        ("note", changed("scipy", "1.17.1", None)),
        ("fail", changed("scipy", None, "1.17.1", now_detail=DIRECT)),
        ("fail", changed("scipy", "1.17.1", None, before_detail=DIRECT)),
        ("note", changed("runtime.python", "CPython 3.11.7", "CPython 3.11.9")),
        ("note", changed("runtime.python", "CPython 3.14.0rc1", "CPython 3.14.0")),
        ("fail", changed("runtime.python", "CPython 3.11.7", "CPython 3.12.7")),
        ("fail", changed("runtime.python", "CPython 3.11.7", "PyPy 3.11.7")),
        ("fail", changed("runtime.python", "CPython 3.14.0", "CPython 3.14.0 free-threaded")),
        ("fail", changed("runtime.os", "Linux", "Darwin")),
        ("fail", changed("cpu.architecture", "x86_64", "aarch64")),
        ("note", changed("runtime.os_release", "debian 12.5", "debian 12.6")),
        ("note", changed("runtime.libc", "glibc 2.36", "glibc 2.39")),
        ("note", changed("cpu.model", "AMD EPYC", "Intel Xeon")),
        ("note", changed("cpu.vendor", None, "GenuineIntel")),
        ("note", changed("cublas.torch", None, "12.8.4")),
        ("fail", changed("cublas.torch", "12.8.3", "12.8.4")),
        ("note", changed("cpu.cores", 2, 4)),
        ("note", changed("cpu.simd", "X86_V4", "X86_V3")),
        ("note", changed("cpu.simd_torch", "AVX512", "AVX2")),
        (
            "note",
            changed(
                "blas.numpy",
                "openblas 0.3.31 pthreads SkylakeX",
                "openblas 0.3.31 pthreads Zen",
                before_detail=SKYLAKE,
                now_detail=ZEN,
            ),
        ),
        (
            "fail",
            changed(
                "blas.numpy",
                "openblas 0.3.31 pthreads SkylakeX",
                "openblas 0.3.31 openmp SkylakeX",
                before_detail=SKYLAKE,
                now_detail=SKYLAKE,
            ),
        ),
        ("fail", changed("blas.mkl", "mkl 2023.1 intel", "mkl 2024.2 intel", now_detail={"threads": 2})),
        (
            "note",
            changed(
                "blas.lib",
                "mkl 1, openblas 2 Zen",
                "mkl 1, openblas 2 Haswell",
                before_detail={"architecture": ("", "Zen")},
                now_detail={"architecture": ("", "Haswell")},
            ),
        ),
        ("note", changed("blas.scipy", None, "openblas 0.3.30 pthreads SkylakeX", now_detail=SKYLAKE)),
        ("note", changed("openmp.scikit-learn", "libgomp", None)),
        ("fail", changed("openmp.torch", "libgomp", "libiomp")),
        ("note", changed("gpu.0", "Tesla T4", "NVIDIA H100")),
        ("note", changed("gpu.driver", "580.1", "unknown")),
        ("fail", changed("cuda.torch", "13.2", "13.1")),
        ("fail", changed("cuda.torch", "13.2", None)),
        ("fail", changed("cudnn.torch", "91200", "91100")),
        ("fail", changed("nccl.torch", "2.28", "2.27")),
        ("fail", changed("env.OMP_NUM_THREADS", "1", None)),
        ("fail", changed("env.PYTHONHASHSEED", None, "0")),
        ("fail", changed("env.OPENBLAS_CORETYPE", None, "Haswell")),
        ("note", changed("env.LANG", "C.UTF-8", "de_DE.UTF-8")),
        ("note", changed("env.LC_ALL", None, "C")),
        ("note", changed("env.TZ", "UTC", None)),
        ("note", changed("env.TOKENIZERS_PARALLELISM", None, "false")),
        ("note", changed("env.LOKY_MAX_CPU_COUNT", "2", "4")),
        ("note", changed("env.CUDA_LAUNCH_BLOCKING", None, "1")),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.key}-{value.kind}",
)
def test_the_default_policy(policy, drift):
    assert Libraries(environ={}).default_policy(drift) == policy


@pytest.mark.parametrize(
    ("drift", "sentence"),
    [
        (changed("numpy", "2.4.5", "2.4.6"), "numpy 2.4.5 -> 2.4.6"),
        (changed("scipy", None, "1.17.1"), "scipy is used now and was not (1.17.1)"),
        (changed("scipy", "1.17.1", None), "scipy was used and is not any more (1.17.1)"),
        (changed("env.PYTHONHASHSEED", "0", None), "PYTHONHASHSEED was '0', is not set"),
        (changed("env.PYTHONHASHSEED", None, "0"), "PYTHONHASHSEED was not set, is '0'"),
        (changed("env.TZ", "UTC", "Europe/Berlin"), "TZ 'UTC' -> 'Europe/Berlin'"),
        (
            changed("runtime.python", "CPython 3.11.7", "CPython 3.12.1"),
            "Python: CPython 3.11.7 -> CPython 3.12.1",
        ),
        (changed("cpu.cores", 2, 4), "usable CPU cores: 2 -> 4"),
        (changed("blas.numpy", None, "mkl 2024"), "BLAS of numpy: not recorded before, is mkl 2024"),
        (changed("gpu.0", "Tesla T4", None), "GPU 0: was Tesla T4, is not recorded any more"),
        (changed("gpu.driver", "580.1", "580.2"), "GPU driver: 580.1 -> 580.2"),
        (
            changed("gpu.driver", "580.1", "unknown", now_detail={"note": "nvidia-smi did not answer"}),
            "GPU driver: 580.1 -> unknown (nvidia-smi did not answer)",
        ),
        (
            changed("tiny", "1.0", "unknown", now_detail={"note": "no distribution provides it"}),
            "tiny 1.0 -> unknown (no distribution provides it)",
        ),
        (changed("cuda.torch", "13.1", "13.2"), "CUDA of torch: 13.1 -> 13.2"),
    ],
    ids=lambda value: getattr(value, "key", ""),
)
def test_the_sentence(drift, sentence):
    assert Libraries(environ={}).explain(drift) == sentence


@given(
    key=st.sampled_from(["numpy", "env.XLA_FLAGS", "blas.numpy", "cpu.model", "x" * 150, "rocm.torch"]),
    before=st.none() | st.text(max_size=300),
    now=st.text(max_size=300),
)
def test_a_sentence_is_short(key, before, now):
    sentence = Libraries(environ={}).explain(changed(key, before, now))
    assert 0 < len(sentence) <= 160


# Naming one


def test_the_version_of_a_distribution():
    import numpy as np

    assert version_of("numpy") == np.__version__
    assert version_of("Scikit_Learn") == Libraries(environ={}).capture(["scikit-learn"])[0].value


def test_one_that_is_not_installed_is_said_with_a_remedy():
    with pytest.raises(RecordingError) as caught:
        version_of("xgbost")
    assert caught.value.what == "the distribution 'xgbost' is not installed"
    assert "pip install xgbost" in caught.value.remedy


def test_a_module_named_in_the_place_of_its_distribution():
    with pytest.raises(RecordingError, match="not installed") as caught:
        version_of("sklearn")
    assert caught.value.remedy == "the module sklearn comes from 'scikit-learn': name that"


def test_the_locks_of_the_project_are_told_by_digest(tmp_path):
    (tmp_path / "uv.lock").write_bytes(b"version = 1\n")
    (tmp_path / "notes.txt").write_text("no lock")
    facts = {fact.key: fact.value for fact in Libraries({}, root=tmp_path).runtime(())}
    assert {key for key in facts if key.startswith("locks.")} == {"locks.uv.lock"}
    assert facts["locks.uv.lock"] == hashlib.sha256(b"version = 1\n").hexdigest()
    assert not any(fact.key.startswith("locks.") for fact in Libraries({}).runtime(()))


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ("a" * 64, "b" * 64, "the project's uv.lock has other content"),
        (None, "b" * 64, "the project's uv.lock is new"),
        ("a" * 64, None, "the project's uv.lock is gone"),
    ],
)
def test_a_lock_that_changed_only_explains(before, now, said):
    sides = [None if value is None else Fact("libraries", "locks.uv.lock", value) for value in (before, now)]
    kind = "changed" if all(sides) else "added" if sides[1] else "removed"
    drift = Drift("session", "libraries", "locks.uv.lock", kind, *sides)
    assert Libraries({}).default_policy(drift) == "note"
    assert Libraries({}).explain(drift) == said
