import os
import sys

import pytest

from pytest_mlrepro.environment.devices import Device, Driver, nvidia_driver

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs executable scripts")


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """Put a program in the place of NVIDIA's."""

    def install(body):
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!{sys.executable}\nimport sys, time\n{body}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    return install


def test_without_a_driver_there_is_no_device(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert nvidia_driver() == Driver(problem="there is no nvidia-smi to ask")


def test_devices_of_the_driver(driver):
    driver(
        "print('NVIDIA H100 80GB HBM3, 580.65.06, 9.0, Enabled')\nprint('Tesla T4, 580.65.06, 7.5, [N/A]')"
    )
    assert nvidia_driver() == Driver(
        "580.65.06", (Device("NVIDIA H100 80GB HBM3", "9.0", mig=True), Device("Tesla T4", "7.5"))
    )


@pytest.mark.parametrize(
    ("column", "answer", "device"),
    [
        ("mig", "Tesla T4, 470.1, 7.5", Device("Tesla T4", "7.5")),
        ("compute_cap", "Tesla K80, 470.1", Device("Tesla K80")),
    ],
)
def test_an_older_driver_does_not_know_the_last_columns(driver, column, answer, device):
    driver(f"sys.exit('not a valid field') if '{column}' in sys.argv[1] else print('{answer}')")
    assert nvidia_driver() == Driver("470.1", (device,))


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("sys.exit(9)", "nvidia-smi failed with status 9"),
        ("print('no devices were found')", "nvidia-smi lists no device"),
        ("sys.stdout.buffer.write(b'\\xff')", "nvidia-smi lists no device"),
    ],
)
def test_a_driver_that_answers_nonsense_has_no_device(driver, body, problem):
    driver(body)
    assert nvidia_driver() == Driver(problem=problem)


def test_a_driver_that_does_not_answer_is_asked_once_and_not_waited_for(driver, tmp_path):
    asked = tmp_path / "asked"
    driver(f"open({str(asked)!r}, 'a').write('x'); time.sleep(600)")
    told = nvidia_driver(seconds=1)
    assert told == Driver(problem="nvidia-smi did not answer within 1 s")
    assert asked.read_text() == "x"
