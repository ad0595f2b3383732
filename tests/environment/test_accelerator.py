import os
import shutil
import subprocess
import sys
from types import SimpleNamespace as Module

import pytest

from pytest_mlrepro.environment import accelerator
from pytest_mlrepro.environment.accelerator import Toolkit
from pytest_mlrepro.environment.devices import Device


@pytest.fixture(autouse=True)
def without_cublas(monkeypatch):
    """Where there is a GPU, this process may have loaded cuBLAS: its version is looked at in a process of its own."""
    monkeypatch.setattr(accelerator, "_cublas", lambda: "")


def started():
    return True


def torch(is_initialized):
    return {
        "torch.cuda": Module(is_initialized=is_initialized),
        "torch.version": Module(cuda="13.2", hip=None),
        "torch.cuda.nccl": Module(version=lambda: (2, 28, 3)),
        "torch.backends.cudnn": Module(version=lambda: 91200),
    }


def test_torch_is_only_asked_once_it_computes_on_a_gpu():
    versions = {"cuda": "13.2", "cudnn": "91200", "nccl": "2.28.3"}
    assert accelerator.toolkits(torch(started)) == (Toolkit("torch", versions),)
    assert accelerator.toolkits(torch(lambda: False)) == ()


def test_the_devices_are_those_that_the_library_sees():
    properties = [
        Module(
            name="NVIDIA H100 80GB HBM3",
            major=9,
            minor=0,
            multi_processor_count=132,
            gcnArchName="NVIDIA H100 80GB HBM3",
        ),
        Module(name="NVIDIA H100 80GB HBM3 MIG 1g.10gb", major=9, minor=0, multi_processor_count=16),
        Module(
            name="AMD Instinct MI300X",
            major=9,
            minor=4,
            multi_processor_count=304,
            gcnArchName="gfx942:sramecc+:xnack-",
        ),
    ]
    modules = torch(started)
    modules["torch.cuda"].device_count = lambda: 3
    modules["torch.cuda"].get_device_properties = properties.__getitem__
    (toolkit,) = accelerator.toolkits(modules)
    assert list(map(str, toolkit.devices)) == [
        "NVIDIA H100 80GB HBM3, compute capability 9.0, 132 multiprocessors",
        "NVIDIA H100 80GB HBM3 MIG 1g.10gb, compute capability 9.0, 16 multiprocessors, MIG",
        "AMD Instinct MI300X, gfx942, 304 multiprocessors",
    ]


def test_jax_tells_its_devices():
    gpu = Module(device_kind="NVIDIA H100 80GB HBM3", compute_capability="9.0", core_count=132)
    client = Module(local_devices=lambda: [gpu])
    modules = {"jax._src.lib": Module(), "jax._src.xla_bridge": Module(_backends={"cuda": client})}
    (toolkit,) = accelerator.toolkits(modules)
    assert toolkit.devices == (Device("NVIDIA H100 80GB HBM3", "9.0", 132),)


CUBLAS = """
int cublasGetProperty(int what, int *value) { *value = what == 0 ? 12 : what == 1 ? 8 : 4; return 0; }
"""
ASK_CUBLAS = """
import ctypes, sys
from types import SimpleNamespace as Module
from pytest_mlrepro.environment.accelerator import toolkits
modules = {"torch.cuda": Module(is_initialized=lambda: True), "torch.version": Module(cuda="12.8")}
def told():
    return dict(toolkits(modules)[0].versions)
assert told() == {"cuda": "12.8"}
ctypes.CDLL(sys.argv[1])
assert told() == {"cuda": "12.8", "cublas": "12.8.4"}
modules["torch.version"] = Module(cuda=None, hip="6.3")
assert told() == {"rocm": "6.3"}
"""


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("cc"), reason="needs a C compiler on Linux")
def test_the_version_of_cublas_is_that_of_the_library_in_the_process(tmp_path):
    source, library = tmp_path / "cublas.c", tmp_path / "libcublas.so.12"
    source.write_text(CUBLAS)
    build = ["cc", "-shared", "-fPIC", "-Wl,-soname,libcublas.so.12", "-o", library, source]
    subprocess.run(build, check=True)
    # It lies where the loader would find it: asking must not load it.
    paths = os.pathsep.join(path for path in sys.path if path)
    environ = {**os.environ, "PYTHONPATH": paths, "LD_LIBRARY_PATH": str(tmp_path)}
    subprocess.run([sys.executable, "-c", ASK_CUBLAS, library], env=environ, check=True)


def test_jax_is_only_asked_once_it_has_a_gpu():
    lib = Module(
        cuda_versions=Module(cuda_runtime_get_version=lambda: 13020, cudnn_get_version=lambda: 91200)
    )
    modules = {"jax._src.lib": lib, "jax._src.xla_bridge": Module(_backends={"cpu": 1, "cuda": 2})}
    assert accelerator.toolkits(modules) == (Toolkit("jax", {"cuda": "13020", "cudnn": "91200"}),)
    modules["jax._src.xla_bridge"] = Module(_backends={"cpu": 1})
    assert accelerator.toolkits(modules) == ()
    assert accelerator.toolkits({"jax._src.lib": lib, "jax._src.xla_bridge": Module(_backends={"gpu": 1})})


def test_tensorflow_is_not_made_to_start_its_context():
    def must_not_be_called():
        raise AssertionError

    info = {"cuda_version": "12.5.1", "cudnn_version": "9"}
    modules = {"tensorflow.python.platform.sysconfig": Module(get_build_info=lambda: info)}
    asleep = Module(_initialized=False, num_gpus=must_not_be_called)
    for context in (lambda: None, lambda: asleep):
        assert (
            accelerator.toolkits({**modules, "tensorflow.python.eager.context": Module(context_safe=context)})
            == ()
        )
    awake = Module(_initialized=True, num_gpus=lambda: 1)
    modules["tensorflow.python.eager.context"] = Module(context_safe=lambda: awake)
    assert accelerator.toolkits(modules) == (Toolkit("tensorflow", {"cuda": "12.5.1", "cudnn": "9"}),)


def test_a_build_that_lacks_a_part_is_no_error():
    modules = {"torch.cuda": Module(is_initialized=started), "torch.version": Module(cuda="13.2")}
    assert accelerator.toolkits(modules) == (Toolkit("torch", {"cuda": "13.2"}),)
    assert accelerator.toolkits({"torch.cuda": Module()}) == ()


def test_nothing_loaded_nothing_told():
    assert accelerator.toolkits({}) == ()
