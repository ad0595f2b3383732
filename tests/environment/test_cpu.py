import os
import subprocess
import sys

import numpy as np
import pytest

from pytest_mlrepro.environment import cpu

INTEL = "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R)  Xeon(R) CPU @ 2.20GHz\nflags\t\t: fpu\n"
ARM = "processor\t: 0\nBogoMIPS\t: 243.75\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n"


@pytest.mark.parametrize(
    ("text", "model"),
    [
        (INTEL, "Intel(R) Xeon(R) CPU @ 2.20GHz"),
        (ARM, "implementer 0x41 part 0xd0c"),
        ("", ""),
        ("x\n: y\n", ""),
    ],
)
def test_the_model(text, model):
    assert cpu.linux_model(text) == model


@pytest.mark.parametrize(
    ("text", "vendor"),
    [
        (INTEL, "GenuineIntel"),
        (ARM, "ARM"),
        ("CPU implementer\t: 0xc0\n", "Ampere"),
        ("CPU implementer\t: 0x99\n", "implementer 0x99"),
        ("", ""),
    ],
)
def test_the_vendor(text, vendor):
    assert cpu.linux_vendor(text) == vendor


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
def test_the_vendor_of_this_machine():
    assert cpu.vendor()
    assert "\n" not in cpu.vendor()


def test_a_machine_that_tells_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(cpu, "_CPUINFO", tmp_path / "none")
    monkeypatch.setattr(sys, "platform", "linux")
    assert cpu.model() == cpu.vendor() == ""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs an affinity that can be set")
def test_cores_are_those_that_this_process_may_use():
    code = (
        "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]); "
        "from pytest_mlrepro.environment import cpu; print(cpu.cores())"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "1"


def test_the_instruction_set_is_one_that_numpy_found():
    np.zeros(1)
    level = cpu.numpy_simd(sys.modules)
    umath = sys.modules.get("numpy._core._multiarray_umath") or np.core._multiarray_umath
    found = [name for name in umath.__cpu_dispatch__ if umath.__cpu_features__[name]]
    assert level == (found or umath.__cpu_baseline__)[-1]


def test_an_instruction_set_taken_away_shows():
    level = cpu.numpy_simd(sys.modules)
    umath = sys.modules.get("numpy._core._multiarray_umath") or np.core._multiarray_umath
    if level not in umath.__cpu_dispatch__:
        pytest.skip("this processor has no more than numpy's baseline")
    code = (
        "import sys; from pytest_mlrepro.environment import cpu; assert cpu.numpy_simd(sys.modules) == ''; "
        "import numpy; print(cpu.numpy_simd(sys.modules)); "
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "NPY_DISABLE_CPU_FEATURES": level}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() not in ("", level)


def test_nothing_is_told_of_what_is_not_loaded():
    assert cpu.numpy_simd({}) == ""
    assert cpu.torch_simd({}) == ""
