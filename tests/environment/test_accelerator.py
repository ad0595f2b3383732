import os
import sys
import time
from types import SimpleNamespace as Module

import pytest

from pytest_mlrepro.environment import accelerator
from pytest_mlrepro.environment.accelerator import Device, Toolkit


def started():
    return True


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """Put a program in the place of NVIDIA's."""

    def install(body):
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!{sys.executable}\nimport sys, time\n{body}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    return install


needs_scripts = pytest.mark.skipif(os.name == "nt", reason="needs executable scripts")


def test_without_a_driver_there_is_no_device(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert accelerator.nvidia_devices() == ()


@needs_scripts
def test_devices_of_the_driver(driver):
    driver("print('NVIDIA H100 80GB HBM3, 580.65.06, 9.0')\nprint('Tesla T4, 580.65.06, 7.5')")
    assert accelerator.nvidia_devices() == (
        Device("NVIDIA H100 80GB HBM3", "580.65.06", "9.0"),
        Device("Tesla T4", "580.65.06", "7.5"),
    )


@needs_scripts
def test_an_older_driver_does_not_know_the_capability(driver):
    driver(
        "sys.exit('compute_cap is not a field') if 'compute_cap' in sys.argv[1] else print('Tesla K80, 418.1')"
    )
    assert accelerator.nvidia_devices() == (Device("Tesla K80", "418.1"),)


@needs_scripts
@pytest.mark.parametrize(
    "body", ["sys.exit(9)", "print('no devices were found')", "sys.stdout.buffer.write(b'\\xff')"]
)
def test_a_driver_that_answers_nonsense_has_no_device(driver, body):
    driver(body)
    assert accelerator.nvidia_devices() == ()


@needs_scripts
def test_a_driver_that_does_not_answer_is_not_waited_for(driver):
    driver("time.sleep(60)")
    start = time.perf_counter()
    assert accelerator.nvidia_devices(seconds=0.2) == ()
    assert time.perf_counter() - start < 10


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
